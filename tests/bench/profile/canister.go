package main

import (
	"context"
	"fmt"
	"time"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
	"kedge/tests/harness"
)

// canister is one canister on a bare engine, without a network around it.
type canister struct {
	instance *exec.Instance
	profile  *profile
	record   string // the method to listen to
	contacts int    // recovery contacts of the anchor, -1 where nobody asked for a number
	report   exec.Report
	now      uint64
}

// message is a call of a method.
type message struct {
	query  bool
	caller principal.Principal
	arg    []byte
}

// state is what a method may be called with.
type state struct {
	anchor      uint64
	first, last kedge.DeviceData
	expiration  uint64 // of the delegation that was prepared
}

const origin = "https://nns.ic0.app"

var session = append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}, make([]byte, 32)...)

// methods make the call of a method on an anchor with all its devices; add adds the last.
var methods = map[string]func(*state) message{
	"install": nil,
	"add": func(s *state) message {
		return message{arg: kedge.EncodeAddArgs(s.anchor, s.last)}
	},
	"update": func(s *state) message {
		s.last.Alias = "Firefox on Linux"
		return message{arg: kedge.EncodeUpdateArgs(s.anchor, s.last.Pubkey, s.last)}
	},
	"remove":          func(s *state) message { return message{arg: kedge.EncodeRemoveArgs(s.anchor, s.last.Pubkey)} },
	"get_anchor_info": func(s *state) message { return message{arg: kedge.EncodeGetAnchorInfoArgs(s.anchor)} },
	"lookup":          func(s *state) message { return message{query: true, arg: kedge.EncodeLookupArgs(s.anchor)} },
	"recovery_report": func(s *state) message { return message{query: true, arg: kedge.EncodeRecoveryReportArgs(s.anchor)} },
	"prepare_delegation": func(s *state) message {
		return message{arg: kedge.EncodePrepareDelegationArgs(s.anchor, origin, session, nil)}
	},
	"get_delegation": func(s *state) message {
		return message{query: true, arg: kedge.EncodeGetDelegationArgs(s.anchor, origin, session, s.expiration)}
	},
	"get_principal": func(s *state) message {
		return message{query: true, arg: kedge.EncodeGetPrincipalArgs(s.anchor, origin)}
	},
	"lookup_by_credential": func(s *state) message {
		return message{query: true, arg: kedge.EncodeLookupByCredentialArgs(s.last.CredentialID, nil)}
	},
	"protect": func(s *state) message { return message{arg: kedge.EncodeProtectArgs(s.anchor, s.first.Pubkey)} },
	"http_request": func(*state) message {
		return message{query: true, arg: kedge.EncodeHttpRequestArgs(kedge.HttpRequest{Method: "GET", URL: "/", Headers: []kedge.HeaderField{
			{F0: "host", F1: "rdmx6-jaaaa-aaaaa-aaadq-cai.icp0.io"}, {F0: "accept-encoding", F1: "gzip, deflate, br, zstd"},
			{F0: "user-agent", F1: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"},
		}})}
	},
	"contacts_complete": func(s *state) message {
		return message{arg: kedge.EncodeContactsCompleteArgs(s.anchor, device("new device"))}
	},
	"stats": func(s *state) message { return message{query: true, arg: kedge.EncodeStatsArgs()} },
}

// prepareAnchor installs the canister, makes an anchor with its devices, and makes the call, listening to it.
func (c *canister) prepareAnchor(devices int, prepare func(*state) message) error {
	c.now = uint64(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).UnixNano())
	if c.record == "install" {
		c.profile.start()
	}
	start, err := c.run(exec.Input{Kind: exec.Start, Entry: exec.EntryStart})
	if err != nil {
		return err
	}
	init, err := c.run(exec.Input{Kind: exec.Init, Entry: exec.EntryInit, Arg: kedge.EncodeInitArgs(nil)})
	if err != nil || c.record == "install" {
		c.profile.stop()
		c.report = start.Report.Plus(init.Report)
		return err
	}
	salt, err := c.call("init_salt", message{arg: kedge.EncodeInitSaltArgs()})
	if err != nil {
		return err
	}
	random := append([]byte("DIDL\x01\x6d\x7b\x01\x00\x20"), make([]byte, 32)...)
	if _, err := c.run(exec.Input{Kind: exec.ReplyCallback, Callback: salt.Calls[0].Reply, Arg: random}); err != nil {
		return err
	}

	s := new(state)
	var helpers []kedge.DeviceData
	var numbers []uint64
	for i := range 6 + max(c.contacts, 0) {
		s.first = device(fmt.Sprintf("first device of anchor %d", i))
		out, err := c.call("register", message{caller: of(s.first), arg: kedge.EncodeRegisterArgs(s.first, kedge.ChallengeResult{}, nil)})
		if err != nil {
			return err
		}
		response, err := kedge.DecodeRegisterResult(out.Response.Reply)
		if err != nil {
			return err
		}
		s.anchor = response.Registered.UserNumber
		if i < c.contacts {
			helpers, numbers = append(helpers, s.first), append(numbers, s.anchor)
		}
	}
	for i := 1; i < devices; i++ {
		s.last = device(fmt.Sprintf("device %d of %d", i, devices))
		if c.record == "add" && i == devices-1 {
			break
		}
		if _, err := c.call("add", message{caller: of(s.first), arg: kedge.EncodeAddArgs(s.anchor, s.last)}); err != nil {
			return err
		}
	}
	out, err := c.call("prepare_delegation", message{caller: of(s.first), arg: kedge.EncodePrepareDelegationArgs(s.anchor, origin, session, nil)})
	if err != nil {
		return err
	}
	if _, s.expiration, err = kedge.DecodePrepareDelegationResult(out.Response.Reply); err != nil {
		return err
	}

	m := prepare(s)
	m.caller = of(s.first)
	if c.contacts >= 0 {
		if err := c.setContacts(s, helpers, numbers); err != nil {
			return err
		}
		m.caller = of(s.last)
	}
	if c.record == "contacts_complete" { // in service time, which goes on by an hour a call at most
		for range 31 * 24 {
			c.now += uint64(time.Hour)
			if _, err := c.call("get_anchor_info", message{caller: of(s.last), arg: kedge.EncodeGetAnchorInfoArgs(s.anchor)}); err != nil {
				return err
			}
		}
		m.caller = of(device("new device"))
	}
	c.profile.start()
	out, err = c.call(c.record, m)
	c.profile.stop()
	c.report = out.Report
	return err
}

// setContacts names the recovery contacts of the anchor, which accept and approve a new key, and has the last device
// call, which proves it.
func (c *canister) setContacts(s *state, helpers []kedge.DeviceData, numbers []uint64) error {
	calls := []struct {
		method string
		message
	}{{"protect", message{caller: of(s.first), arg: kedge.EncodeProtectArgs(s.anchor, s.first.Pubkey)}}}
	add := func(method string, caller kedge.DeviceData, arg []byte) {
		calls = append(calls, struct {
			method string
			message
		}{method, message{caller: of(caller), arg: arg}})
	}
	if len(numbers) > 0 {
		setting := &kedge.ContactsSetting{Threshold: uint8(len(numbers)), Delay: 30 * 24 * 3600, Anchors: numbers}
		add("contacts_set", s.first, kedge.EncodeContactsSetArgs(s.anchor, setting))
	}
	for i, helper := range helpers {
		add("contact_accept", helper, kedge.EncodeContactAcceptArgs(s.anchor, numbers[i]))
		add("contact_approve", helper, kedge.EncodeContactApproveArgs(s.anchor, numbers[i], of(device("new device"))))
	}
	add("get_anchor_info", s.last, kedge.EncodeGetAnchorInfoArgs(s.anchor))
	for _, call := range calls {
		if _, err := c.call(call.method, call.message); err != nil {
			return err
		}
	}
	return nil
}

func (c *canister) call(method string, m message) (exec.Output, error) {
	in := exec.Input{Kind: exec.Update, Entry: exec.UpdatePrefix + method, Caller: m.caller, Arg: m.arg}
	if m.query {
		in.Kind, in.Entry = exec.Query, exec.QueryPrefix+method
		in.Certificate = func() []byte { return make([]byte, 700) }
	}
	return c.run(in)
}

func (c *canister) run(in exec.Input) (exec.Output, error) {
	c.now += uint64(time.Second)
	in.Env = exec.Env{Self: principal.Canister(1), Balance: cycles.Trillion(100), Time: c.now, Status: 1}
	in.Env.QueueSpace = func(principal.Principal) int { return 100 }
	in.MaxReply, in.Limit = exec.MaxReplicatedReply, exec.LimitInstall
	step := c.instance.Run(context.Background(), in)
	if step.Out.Err != nil {
		return step.Out, fmt.Errorf("%s: %v", in.Entry, step.Out.Err)
	}
	step.Commit()
	return step.Out, nil
}

// device is the passkey that the bench measures with, see typical there.
func device(name string) kedge.DeviceData {
	origin := "https://identity.example.org"
	return kedge.DeviceData{
		Pubkey:       harness.PasskeyKeyOf(name),
		CredentialID: fmt.Appendf(nil, "%-64s", name),
		Alias:        "Chrome on macOS",
		Purpose:      kedge.PurposeAuthentication,
		KeyType:      kedge.KeyTypePlatform,
		Protection:   kedge.DeviceProtectionUnprotected,
		Origin:       &origin,
	}
}

func of(d kedge.DeviceData) principal.Principal { return principal.SelfAuthenticating(d.Pubkey) }
