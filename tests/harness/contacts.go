package harness

import (
	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
)

// SetContacts is as naming recovery contacts; none ends them. The delay is in days.
func (h *Harness) SetContacts(anchor uint64, as *Device, threshold uint8, days uint64, contacts ...uint64) error {
	var setting *kedge.ContactsSetting
	if len(contacts) > 0 {
		setting = &kedge.ContactsSetting{Threshold: threshold, Delay: days * 24 * 3600, Anchors: contacts}
	}
	return h.result(h.Call(as.Principal(), "contacts_set", kedge.EncodeContactsSetArgs(anchor, setting)))
}

// AgreeContacts is as agreeing to the anchor's contacts, or withdrawing that.
func (h *Harness) AgreeContacts(anchor uint64, as *Device, agree bool) error {
	return h.result(h.Call(as.Principal(), "contacts_agree", kedge.EncodeContactsAgreeArgs(anchor, agree)))
}

// AcceptContact is as accepting, for the anchor friend, to be a contact.
func (h *Harness) AcceptContact(anchor, friend uint64, as *Device) error {
	return h.result(h.Call(as.Principal(), "contact_accept", kedge.EncodeContactAcceptArgs(anchor, friend)))
}

// ApproveContact is as approving, for the anchor friend, a new key.
func (h *Harness) ApproveContact(anchor, friend uint64, as *Device, key principal.Principal) error {
	return h.result(h.Call(as.Principal(), "contact_approve", kedge.EncodeContactApproveArgs(anchor, friend, key)))
}

// WithdrawContact is as withdrawing the approval of the anchor friend, or resigning.
func (h *Harness) WithdrawContact(anchor, friend uint64, as *Device, resign bool) error {
	return h.result(h.Call(as.Principal(), "contact_withdraw", kedge.EncodeContactWithdrawArgs(anchor, friend, resign)))
}

// CompleteContacts is as completing a recovery; the caller is the new device itself.
func (h *Harness) CompleteContacts(anchor uint64, d *Device) error {
	return h.result(h.Call(d.Principal(), "contacts_complete", kedge.EncodeContactsCompleteArgs(anchor, d.Data)))
}

// Report reads an anchor's recovery report as one of its devices, by a query.
func (h *Harness) Report(anchor uint64, as *Device) kedge.RecoveryReport {
	h.Helper()
	reply, err := h.Query(as.Principal(), "recovery_report", kedge.EncodeRecoveryReportArgs(anchor))
	require.NoError(h, err)
	result, err := kedge.DecodeRecoveryReportResult(reply)
	require.NoError(h, err)
	require.Equal(h, kedge.RecoveryReportResultTagOk, result.Tag, result.Err.Message)
	return result.Ok
}

// ContactStatus is what the anchor friend, or with nil the new key itself, may know.
func (h *Harness) ContactStatus(anchor uint64, friend *uint64, as *Device) (kedge.ContactStatus, error) {
	h.Helper()
	reply, err := h.Query(as.Principal(), "contact_status", kedge.EncodeContactStatusArgs(anchor, friend))
	require.NoError(h, err)
	result, err := kedge.DecodeContactStatusResult(reply)
	require.NoError(h, err)
	if result.Tag == kedge.ContactStatusResultTagErr {
		return kedge.ContactStatus{}, &Refused{Reason: result.Err}
	}
	return result.Ok, nil
}
