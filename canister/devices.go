package canister

import (
	"fmt"

	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/cdk"
)

func add() {
	number, data, err := kedge.DecodeAddArgs(argument())
	must(err)
	classic(number, func(c *identity.Actor) error {
		device := dataFrom(&data)
		if err := identity.CheckKey(&device); err != nil {
			return fmt.Errorf("failed to add device: %w", err)
		}
		return c.Add(device)
	})
	cdk.Reply(kedge.AppendAddResult(answer()))
}

func update() {
	number, key, data, err := kedge.DecodeUpdateArgs(argument())
	must(err)
	classic(number, func(c *identity.Actor) error {
		device := dataFrom(&data)
		if err := c.CheckNewCredential(&device); err != nil {
			return fmt.Errorf("failed to modify device: %w", err)
		}
		return c.Update(key, device)
	})
	cdk.Reply(kedge.AppendUpdateResult(answer()))
}

func replace() {
	number, key, data, err := kedge.DecodeReplaceArgs(argument())
	must(err)
	classic(number, func(c *identity.Actor) error {
		device := dataFrom(&data)
		if err := identity.CheckKey(&device); err != nil {
			return fmt.Errorf("failed to replace device: %w", err)
		}
		return c.Replace(key, device)
	})
	cdk.Reply(kedge.AppendReplaceResult(answer()))
}

func remove() {
	number, key, err := kedge.DecodeRemoveArgs(argument())
	must(err)
	classic(number, func(c *identity.Actor) error {
		_, err := c.Remove(key)
		return err
	})
	cdk.Reply(kedge.AppendRemoveResult(answer()))
}

func protect() {
	number, key, err := kedge.DecodeProtectArgs(argument())
	must(err)
	replyResult(decide(number, func(c *identity.Actor) error { return c.Protect(key) }))
}

func unprotect() {
	number, key, err := kedge.DecodeUnprotectArgs(argument())
	must(err)
	replyResult(decide(number, func(c *identity.Actor) error { return c.Unprotect(key) }))
}

func guardSet() {
	number, on, err := kedge.DecodeGuardSetArgs(argument())
	must(err)
	replyResult(decide(number, func(c *identity.Actor) error { return c.SetGuard(on) }))
}

func deviceBoundSet() {
	number, on, err := kedge.DecodeDeviceBoundSetArgs(argument())
	must(err)
	replyResult(decide(number, func(c *identity.Actor) error { return c.SetDeviceBound(on) }))
}

func sessionLimitSet() {
	number, limit, err := kedge.DecodeSessionLimitSetArgs(argument())
	must(err)
	replyResult(decide(number, func(c *identity.Actor) error { return c.SetSessionLimit(limit) }))
}
