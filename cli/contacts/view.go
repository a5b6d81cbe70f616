package contacts

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/session"
	"kedge/cli/sixwords"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

// View is the recovery contacts of an anchor as commands print them.
type View struct {
	Threshold uint8         `json:"threshold"` // how many must approve the same key
	DelayS    uint64        `json:"delay_s"`   // in service time
	Contacts  []ContactView `json:"contacts"`
	Agreed    []string      `json:"agreed"`     // public keys of the devices that agree
	NotAgreed []string      `json:"not_agreed"` // of those that are protected and do not
}

// ContactView is a contact and what it has done.
type ContactView struct {
	Anchor   uint64               `json:"anchor"`
	Accepted bool                 `json:"accepted"`
	Approves *principal.Principal `json:"approves"` // null for no key
	Words    []string             `json:"words,omitempty"`
	// CompletesInS is null while too few approve the key.
	CompletesInS *uint64 `json:"completes_in_s"`
}

// WarningView is something to know of the contacts.
type WarningView struct {
	Kind      string  `json:"kind"`
	Contact   *uint64 `json:"contact,omitempty"`
	PublicKey string  `json:"public_key,omitempty"`
	Text      string  `json:"text"`
}

// Of returns the contacts of an anchor, or nil if it has none.
func Of(anchor uint64, info kedge.IdentityAnchorInfo) *View {
	if info.Contacts == nil {
		return nil
	}
	v := &View{Threshold: info.Contacts.Threshold, DelayS: info.Contacts.DelayS, Contacts: []ContactView{}, Agreed: []string{}, NotAgreed: []string{}}
	for _, c := range info.Contacts.Contacts {
		contact := ContactView{Anchor: c.Anchor, Accepted: c.Accepted, Approves: c.Approves, CompletesInS: c.CompletesInS}
		if c.Approves != nil {
			contact.Words = sixwords.Of(anchor, *c.Approves)
		}
		v.Contacts = append(v.Contacts, contact)
	}
	for _, d := range info.Devices {
		switch {
		case d.AgreesToContacts != nil && *d.AgreesToContacts:
			v.Agreed = append(v.Agreed, hex.EncodeToString(d.Pubkey))
		case d.Protection == kedge.DeviceProtectionProtected:
			v.NotAgreed = append(v.NotAgreed, hex.EncodeToString(d.Pubkey))
		}
	}
	return v
}

// Text writes the contacts for people.
func Text(anchor uint64, info kedge.IdentityAnchorInfo) string {
	v := Of(anchor, info)
	if v == nil {
		return "no recovery contacts"
	}
	rows := [][]string{{"CONTACT", "ACCEPTED", "APPROVES"}}
	for _, c := range v.Contacts {
		approves := "-"
		if c.Approves != nil {
			approves = c.Approves.Text()
		}
		rows = append(rows, []string{fmt.Sprint(c.Anchor), ui.YesNo(c.Accepted), approves})
	}
	text := fmt.Sprintf("recovery contacts: %d of %d must approve, then %s must pass\n%s", v.Threshold, len(v.Contacts), ui.Seconds(v.DelayS), ui.Table(rows))
	shown := map[principal.Principal]bool{}
	for _, c := range v.Contacts {
		if c.Approves != nil && !shown[*c.Approves] {
			shown[*c.Approves] = true
			text += "\n" + session.ApprovalText(anchor, *info.Contacts, *c.Approves) + "\n  six words: " + strings.Join(c.Words, " ")
		}
	}
	for _, list := range []struct {
		what string
		keys []string
	}{{"agreed", v.Agreed}, {"not agreed", v.NotAgreed}} {
		if names := labels(info, list.keys); len(names) > 0 {
			text += fmt.Sprintf("\n%s: %s", list.what, strings.Join(names, ", "))
		}
	}
	return text
}

// labels names devices by alias and the ends of their principals.
func labels(info kedge.IdentityAnchorInfo, keys []string) (names []string) {
	for _, key := range keys {
		for _, d := range info.Devices {
			if hex.EncodeToString(d.Pubkey) == key {
				names = append(names, session.Label(d.Alias, d.Pubkey))
			}
		}
	}
	return names
}

// Warnings puts the warnings of a report into words.
func Warnings(report kedge.RecoveryReport, info kedge.IdentityAnchorInfo) []WarningView {
	views := []WarningView{}
	for _, w := range report.Warnings {
		v := WarningView{Kind: ui.CaseName(w.Kind), Contact: w.Anchor, Text: client.Sentence(w.Description)}
		name := "a protected device"
		if w.Device != nil {
			v.PublicKey = hex.EncodeToString(w.Device)
			if names := labels(info, []string{v.PublicKey}); len(names) > 0 {
				name = names[0]
			}
		}
		var contact uint64
		if w.Anchor != nil {
			contact = *w.Anchor
		}
		if w.Kind != nil {
			if text := warningText(*w.Kind, name, contact); text != "" {
				v.Text = text
			}
		}
		views = append(views, v)
	}
	return views
}

// warningText says what a warning means and what to do; empty for a kind of a newer canister, which has words of
// its own.
func warningText(kind kedge.WarningKind, device string, contact uint64) string {
	switch kind {
	case kedge.WarningKindVetoForEver:
		return "a thief who holds a protected device can veto every recovery, for ever; against that helps another protected device of yours, kept elsewhere"
	case kedge.WarningKindThresholdOfOne:
		return "one contact alone, deceived, brings a stranger in; let two or more approve: kedge contacts set, with --threshold"
	case kedge.WarningKindThresholdOfAll:
		return "all contacts must approve, so one who cannot be reached prevents the recovery; name one more: kedge contacts set"
	case kedge.WarningKindDelayLongerThanRelease:
		return "the release of " + device + " is over sooner than the delay of the contacts, so whoever may ask for it is there first; kedge contacts set --delay shortens the delay"
	case kedge.WarningKindNotAgreed:
		return device + " is protected and has not agreed, so it stays after a recovery, in whoever's hands; with it: kedge contacts agree"
	case kedge.WarningKindSharedDevice:
		return fmt.Sprintf("the anchor of contact %d has %s, too, so both are lost or stolen together; name somebody else", contact, device)
	case kedge.WarningKindEachOthersOnly:
		return fmt.Sprintf("you and contact %d have each other as the only contact, so whoever loses both has no way back; name more: kedge contacts set", contact)
	}
	return ""
}

// WarningLines are the warnings below a heading, or nothing.
func WarningLines(warnings []WarningView) string {
	if len(warnings) == 0 {
		return ""
	}
	lines := make([]string, len(warnings))
	for i, w := range warnings {
		lines[i] = "\n  " + w.Text
	}
	return "\n\nto know about the recovery contacts" + strings.Join(lines, "")
}

// state is what contacts show and set print.
type state struct {
	Anchor uint64 `json:"anchor"`
	*View
	Warnings []WarningView `json:"warnings"`
}

// print shows the contacts with what there is to know about them.
func (a verbs) print(ctx context.Context, s *session.Session, before string) error {
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	report, err := s.RecoveryReport(ctx, s.Anchor)
	if err != nil {
		return err
	}
	view := state{s.Anchor, Of(s.Anchor, info), Warnings(report, info)}
	if view.View == nil {
		view.View = &View{Contacts: []ContactView{}, Agreed: []string{}, NotAgreed: []string{}}
	}
	return a.Result(view, fmt.Sprintf("%sanchor %d: %s%s", before, s.Anchor, Text(s.Anchor, info), WarningLines(view.Warnings)))
}
