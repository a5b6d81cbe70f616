package canister

import (
	"errors"

	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/cdk"
)

func contactsSet() {
	number, setting, err := kedge.DecodeContactsSetArgs(argument())
	must(err)
	replyResult(decide(number, func(c *identity.Actor) error {
		if setting == nil {
			return c.EndContacts()
		}
		return c.SetContacts(setting.Threshold, setting.Delay, setting.Anchors, exists)
	}))
}

// exists reports whether an anchor number is given out.
func exists(number uint64) bool {
	lo, _ := state.store.Range()
	return number >= lo && number-lo < uint64(state.store.Count())
}

func contactsAgree() {
	number, agree, err := kedge.DecodeContactsAgreeArgs(argument())
	must(err)
	replyResult(decide(number, func(c *identity.Actor) error { return c.AgreeToContacts(agree) }))
}

func contactAccept() {
	number, as, err := kedge.DecodeContactAcceptArgs(argument())
	must(err)
	replyResult(help(number, as, func(a *identity.Anchor, h identity.Helper) error { return a.AcceptContact(call(), h) }))
}

func contactApprove() {
	number, as, key, err := kedge.DecodeContactApproveArgs(argument())
	must(err)
	replyResult(help(number, as, func(a *identity.Anchor, h identity.Helper) error { return a.ApproveKey(call(), h, key) }))
}

func contactWithdraw() {
	number, as, resign, err := kedge.DecodeContactWithdrawArgs(argument())
	must(err)
	replyResult(help(number, as, func(a *identity.Anchor, h identity.Helper) error {
		if resign {
			return a.ResignContact(call(), h)
		}
		return a.WithdrawApproval(call(), h)
	}))
}

// help runs a method of a contact: the caller acts for the anchor as, on which the call is a sign of life and
// writes nothing else, and changes the anchor with the number. The two are read one after the other, because
// the store lends one anchor at a time.
func help(number, as uint64, method func(*identity.Anchor, identity.Helper) error) error {
	var helper identity.Helper
	err := decide(as, func(c *identity.Actor) (err error) {
		helper, err = c.AsContact()
		return err
	})
	if err != nil {
		return err
	}
	a, err := load(number)
	if err != nil {
		return err
	}
	if err := method(a, helper); err != nil {
		return err
	}
	save(a)
	return nil
}

// contactsComplete is called by a key that may be on no anchor. Whoever is refused is answered, and if it is a
// device of the anchor its call is a sign of life like any other.
func contactsComplete() {
	number, data, err := kedge.DecodeContactsCompleteArgs(argument())
	must(err)
	device := dataFrom(&data)
	replyResult(completeContacts(number, device))
}

func completeContacts(number uint64, device identity.Data) error {
	for _, inPlace := range []bool{false, true} {
		a, err := load(number)
		if err != nil {
			return err
		}
		refused := a.CompleteContacts(call(), device, inPlace)
		err = state.store.Write(a)
		var full *storage.LegacyError
		switch {
		case refused == nil && !inPlace && errors.As(err, &full):
			continue // during a trial the old record has no room for one more
		case err != nil:
			cdk.Trap("unable to update anchor in stable memory: " + err.Error())
		}
		return refused
	}
	return nil
}

func contactStatus() {
	number, as, err := kedge.DecodeContactStatusArgs(argument())
	must(err)
	status, err := contactStatusOf(number, as)
	result := kedge.ContactStatusResult{Tag: kedge.ContactStatusResultTagOk, Ok: status}
	if err != nil {
		result = kedge.ContactStatusResult{Tag: kedge.ContactStatusResultTagErr, Err: refusal(err)}
	}
	cdk.Reply(kedge.AppendContactStatusResult(answer(), result))
}

func contactStatusOf(number uint64, as *uint64) (kedge.ContactStatus, error) {
	var helper identity.Helper
	if as != nil {
		contact, err := load(*as)
		if err != nil {
			return kedge.ContactStatus{}, err
		}
		c, err := contact.Recognise(call())
		if err != nil {
			return kedge.ContactStatus{}, err
		}
		if helper, err = c.AsContact(); err != nil {
			return kedge.ContactStatus{}, err
		}
	}
	a, err := load(number)
	if err != nil {
		return kedge.ContactStatus{}, err
	}
	var status identity.ContactStatus
	if as != nil {
		status, err = a.StatusForContact(call(), helper)
	} else {
		status, err = a.StatusForKey(call())
	}
	if err != nil {
		return kedge.ContactStatus{}, err
	}
	out := kedge.ContactStatus{Approvals: make([]kedge.Approval, len(status.Approvals))}
	if as != nil {
		out.Accepted = boolean(status.Accepted)
		out.Approves = optionalPrincipal(&status.Key)
	}
	service := call().Service
	for i, approval := range status.Approvals {
		out.Approvals[i] = kedge.Approval{Key: approval.Key, Count: uint8(approval.Count), CompletesInS: secondsUntil(approval.CompletesAt, service)}
	}
	return out, nil
}

// contactsTo is what an anchor's own devices may know of its contacts.
func contactsTo(s *identity.Contacts, service uint64) *kedge.Contacts {
	out := &kedge.Contacts{Threshold: s.Threshold, DelayS: s.Delay / second, Contacts: make([]kedge.Contact, len(s.List))}
	for i := range s.List {
		contact := &s.List[i]
		out.Contacts[i] = kedge.Contact{Anchor: contact.Anchor, Accepted: contact.Accepted}
		if contact.ApprovedAt != 0 {
			key := contact.Key
			out.Contacts[i].Approves = &key
			out.Contacts[i].CompletesInS = secondsUntil(s.ApprovalsOf(key).CompletesAt, service)
		}
	}
	return out
}
