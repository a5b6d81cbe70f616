package main

import (
	"kedge/candid"
	"kedge/canister/identity"
	"kedge/cdk"
)

func add() {
	number, data, err := candid.DecodeAddArgs(argument())
	must(err)
	classic(number, func(c *identity.Actor) error { return c.Add(dataFrom(&data)) })
	cdk.Reply(candid.AppendAddResult(answer()))
}

func update() {
	number, key, data, err := candid.DecodeUpdateArgs(argument())
	must(err)
	classic(number, func(c *identity.Actor) error { return c.Update(key, dataFrom(&data)) })
	cdk.Reply(candid.AppendUpdateResult(answer()))
}

func replace() {
	number, key, data, err := candid.DecodeReplaceArgs(argument())
	must(err)
	classic(number, func(c *identity.Actor) error { return c.Replace(key, dataFrom(&data)) })
	cdk.Reply(candid.AppendReplaceResult(answer()))
}

func remove() {
	number, key, err := candid.DecodeRemoveArgs(argument())
	must(err)
	classic(number, func(c *identity.Actor) error {
		_, err := c.Remove(key)
		return err
	})
	cdk.Reply(candid.AppendRemoveResult(answer()))
}

func protect() {
	number, key, err := candid.DecodeProtectArgs(argument())
	must(err)
	replyResult(judge(number, func(c *identity.Actor) error { return c.Protect(key) }))
}

func unprotect() {
	number, key, err := candid.DecodeUnprotectArgs(argument())
	must(err)
	replyResult(judge(number, func(c *identity.Actor) error { return c.Unprotect(key) }))
}

func guardSet() {
	number, on, err := candid.DecodeGuardSetArgs(argument())
	must(err)
	replyResult(judge(number, func(c *identity.Actor) error { return c.SetGuard(on) }))
}

func deviceBoundSet() {
	number, on, err := candid.DecodeDeviceBoundSetArgs(argument())
	must(err)
	replyResult(judge(number, func(c *identity.Actor) error { return c.SetDeviceBound(on) }))
}

func sessionLimitSet() {
	number, limit, err := candid.DecodeSessionLimitSetArgs(argument())
	must(err)
	replyResult(judge(number, func(c *identity.Actor) error { return c.SetSessionLimit(limit) }))
}
