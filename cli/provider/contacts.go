package provider

import (
	"context"

	"kedge/candid/kedge"
	"kedge/ic/principal"
)

// ContactsSet names recovery contacts; nil ends them.
func (p *Provider) ContactsSet(ctx context.Context, anchor uint64, setting *kedge.ContactsSetting) error {
	reply, err := p.Call(ctx, "contacts_set", kedge.EncodeContactsSetArgs(anchor, setting))
	return Outcome("contacts_set", reply, err)
}

// ContactsAgree has the caller agree to be released by the anchor's contacts, or withdraw that.
func (p *Provider) ContactsAgree(ctx context.Context, anchor uint64, agree bool) error {
	reply, err := p.Call(ctx, "contacts_agree", kedge.EncodeContactsAgreeArgs(anchor, agree))
	return Outcome("contacts_agree", reply, err)
}

// ContactsComplete has the caller, a new key that contacts have approved, become a device of the anchor.
func (p *Provider) ContactsComplete(ctx context.Context, anchor uint64, d kedge.DeviceData) error {
	reply, err := p.Call(ctx, "contacts_complete", kedge.EncodeContactsCompleteArgs(anchor, d))
	return Outcome("contacts_complete", reply, err)
}

// ContactAccept has the anchor as accept to be a recovery contact of another.
func (p *Provider) ContactAccept(ctx context.Context, anchor, as uint64) error {
	reply, err := p.Call(ctx, "contact_accept", kedge.EncodeContactAcceptArgs(anchor, as))
	return Outcome("contact_accept", reply, err)
}

// ContactApprove has the anchor as approve a new key of another.
func (p *Provider) ContactApprove(ctx context.Context, anchor, as uint64, key principal.Principal) error {
	reply, err := p.Call(ctx, "contact_approve", kedge.EncodeContactApproveArgs(anchor, as, key))
	return Outcome("contact_approve", reply, err)
}

// ContactWithdraw takes back what the anchor as approves; resign takes it off the list too.
func (p *Provider) ContactWithdraw(ctx context.Context, anchor, as uint64, resign bool) error {
	reply, err := p.Call(ctx, "contact_withdraw", kedge.EncodeContactWithdrawArgs(anchor, as, resign))
	return Outcome("contact_withdraw", reply, err)
}

// ContactStatus reads what the anchor as, a recovery contact, may know of another, or with nil the caller as a
// new key.
func (p *Provider) ContactStatus(ctx context.Context, anchor uint64, as *uint64) (kedge.ContactStatus, error) {
	reply, err := p.Query(ctx, "contact_status", kedge.EncodeContactStatusArgs(anchor, as))
	result, err := Decoded("contact_status", reply, err, kedge.DecodeContactStatusResult)
	if err == nil && result.Tag == kedge.ContactStatusResultTagErr {
		err = Refusal(result.Err)
	}
	return result.Ok, err
}
