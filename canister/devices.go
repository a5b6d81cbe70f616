package main

import (
	"kedge/candid"
	"kedge/canister/identity"
	"kedge/cdk"
)

func add() {
	number, data, err := candid.DecodeAddArgs(cdk.Arg())
	must(err)
	classic(number, func(c *identity.Actor) error { return c.Add(dataFrom(&data)) })
	cdk.Reply(candid.EncodeAddResult())
}

func update() {
	number, key, data, err := candid.DecodeUpdateArgs(cdk.Arg())
	must(err)
	classic(number, func(c *identity.Actor) error { return c.Update(key, dataFrom(&data)) })
	cdk.Reply(candid.EncodeUpdateResult())
}

func replace() {
	number, key, data, err := candid.DecodeReplaceArgs(cdk.Arg())
	must(err)
	classic(number, func(c *identity.Actor) error { return c.Replace(key, dataFrom(&data)) })
	cdk.Reply(candid.EncodeReplaceResult())
}

func remove() {
	number, key, err := candid.DecodeRemoveArgs(cdk.Arg())
	must(err)
	classic(number, func(c *identity.Actor) error {
		_, err := c.Remove(key)
		return err
	})
	cdk.Reply(candid.EncodeRemoveResult())
}

func protect() {
	number, key, err := candid.DecodeProtectArgs(cdk.Arg())
	must(err)
	replyResult(judge(number, func(c *identity.Actor) error { return c.Protect(key) }))
}

func unprotect() {
	number, key, err := candid.DecodeUnprotectArgs(cdk.Arg())
	must(err)
	replyResult(judge(number, func(c *identity.Actor) error { return c.Unprotect(key) }))
}

func guardSet() {
	number, on, err := candid.DecodeGuardSetArgs(cdk.Arg())
	must(err)
	replyResult(judge(number, func(c *identity.Actor) error { return c.SetGuard(on) }))
}

func deviceBoundSet() {
	number, on, err := candid.DecodeDeviceBoundSetArgs(cdk.Arg())
	must(err)
	replyResult(judge(number, func(c *identity.Actor) error { return c.SetDeviceBound(on) }))
}

func sessionLimitSet() {
	number, limit, err := candid.DecodeSessionLimitSetArgs(cdk.Arg())
	must(err)
	replyResult(judge(number, func(c *identity.Actor) error { return c.SetSessionLimit(limit) }))
}
