package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/cli/sixwords"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/ic/principal"
)

// Watch says, before anything else that a command has to say, what is under way on the anchor that its owner
// could stop: releases that a device asked for, and new keys that recovery contacts approve. What it can it reads by
// queries, which are no sign of life. A canister without a history has neither.
func (a *App) Watch(ctx context.Context, s *Session) {
	events, complete, err := s.events(ctx)
	if err != nil {
		a.unwatched(s, err)
		return
	}
	a.watchReleases(ctx, s, events)
	asked := askedReleases(events, principal.SelfAuthenticating(s.Signer.Key.PublicKey()))
	contacts, err := s.contacts(ctx, events, complete)
	if err != nil {
		a.unwatched(s, err)
	}
	if len(asked) == 0 && contacts == nil {
		return
	}
	devices, err := s.Lookup(ctx, s.Anchor)
	if err != nil {
		a.unwatched(s, err)
		return
	}
	for _, r := range asked {
		of, name := a.pendingLabel(s, devices, r.of)
		by, _ := a.pendingLabel(s, devices, r.by)
		a.Warn("%s has asked for the release of %s; kedge release status says when it may complete", by, of)
		a.Note("hint: if you do not want that: kedge release cancel %s --as %s", name, name)
	}
	if contacts == nil {
		return
	}
	vetoes := slices.ContainsFunc(devices, func(d kedge.LookupDevice) bool {
		return bytes.Equal(d.Pubkey, s.Signer.Key.PublicKey()) && d.Protection == kedge.DeviceProtectionProtected
	})
	a.announceApprovals(s, *contacts, devices, vetoes)
	if vetoes {
		a.watchVeto(ctx, s, events)
	}
}

// unwatched says that what is pending is not known, unless the canister has nothing of the kind, or the command's
// own call will fail for the same reason. If it does not, whoever stands before the network may have let the call
// pass and the look not, so that the owner does not learn what is pending.
func (a *App) unwatched(s *Session, err error) {
	var (
		reject      *client.Reject
		refused     *provider.RefusedError
		unreachable *client.UnreachableError
		untrusted   *client.UntrustedError
		clock       *client.ClockError
		http        *client.HTTPError
	)
	say := func() { a.Warn("whether a release or a recovery is under way on the anchor is not known: %v", err) }
	switch {
	case errors.As(err, &reject), errors.As(err, &refused), errors.Is(err, context.Canceled):
	case errors.As(err, &unreachable), errors.As(err, &untrusted), errors.As(err, &clock), errors.As(err, &http):
		s.OnceAnswered(say)
	default:
		say()
	}
}

// events returns the history of the anchor, and whether nothing of it has been overwritten.
func (s *Session) events(ctx context.Context) (all []kedge.HistoryEntry, complete bool, err error) {
	last, err := s.EachEvent(ctx, 0, func(e kedge.HistoryEntry) { all = append(all, e) })
	return all, last.DroppedRoutine+last.DroppedSecurity == 0, err
}

// contacts returns the recovery contacts of the anchor, nil if it has none. The history tells most anchors that have
// none, which costs less than the report.
func (s *Session) contacts(ctx context.Context, events []kedge.HistoryEntry, complete bool) (*kedge.Contacts, error) {
	named := slices.ContainsFunc(events, func(e kedge.HistoryEntry) bool {
		return e.Kind != nil && (*e.Kind == kedge.EventKindContactsSet || *e.Kind == kedge.EventKindContactActed)
	})
	if complete && !named {
		return nil, nil
	}
	report, err := s.RecoveryReport(ctx, s.Anchor)
	return report.Contacts, err
}

// release is a release that was asked for.
type release struct{ of, by principal.Principal }

// askedReleases returns the pending releases of all devices but one.
func askedReleases(events []kedge.HistoryEntry, but principal.Principal) (asked []release) {
	var seen []principal.Principal
	for _, e := range events {
		if e.Kind == nil || *e.Kind != kedge.EventKindReleaseRequested || e.Device == nil || *e.Device == but || slices.Contains(seen, *e.Device) {
			continue
		}
		seen = append(seen, *e.Device)
		for _, by := range pendingReleases(events, *e.Device) {
			asked = append(asked, release{*e.Device, by})
		}
	}
	return asked
}

// pendingLabel returns what messages call a device, and what a command calls it.
func (a *App) pendingLabel(s *Session, devices []kedge.LookupDevice, who principal.Principal) (label, name string) {
	if own, err := a.OwnKeys(s); err == nil {
		for _, k := range own.keys {
			if principal.SelfAuthenticating(k.Passkey.PublicKey()) == who {
				return fmt.Sprintf("%s (%s)", ui.Printable(k.Name), ui.ShortPrincipal(who)), ui.Quoted(k.Name)
			}
		}
	}
	for _, d := range devices {
		if d.KeyType == kedge.KeyTypeSeedPhrase && principal.SelfAuthenticating(d.Pubkey) == who {
			return fmt.Sprintf("the recovery phrase (%s)", ui.ShortPrincipal(who)), device.ReservedName
		}
	}
	return ui.ShortPrincipal(who), who.Text()
}

// announceApprovals says which new keys contacts approve; vetoes tells that the calls of the signer end that.
func (a *App) announceApprovals(s *Session, contacts kedge.Contacts, devices []kedge.LookupDevice, vetoes bool) {
	var keys []principal.Principal
	for _, c := range contacts.Contacts {
		if c.Approves != nil && !slices.Contains(keys, *c.Approves) {
			keys = append(keys, *c.Approves)
		}
	}
	for _, key := range keys {
		a.Warn("%s", ApprovalText(s.Anchor, contacts, key))
		a.Note("its six words: %s", strings.Join(sixwords.Of(s.Anchor, key), " "))
	}
	switch {
	case len(keys) == 0:
	case vetoes:
		a.Note("hint: any call of %s is a sign of life and vetoes that; if it is your own new key, sign with another device", s.Signer)
	default:
		a.Note("hint: unless that is your own new key, veto it by any call of a protected device: kedge contacts show --anchor %d --as %s",
			s.Anchor, a.vetoer(s, devices))
	}
}

// ApprovalText says how far a new key has come.
func ApprovalText(anchor uint64, contacts kedge.Contacts, key principal.Principal) string {
	var by []uint64
	var left *uint64
	for _, c := range contacts.Contacts {
		if c.Approves != nil && *c.Approves == key {
			by, left = append(by, c.Anchor), c.CompletesInS
		}
	}
	state := fmt.Sprintf("%d must, so nothing happens yet", contacts.Threshold)
	if left != nil {
		if state = "it may complete now"; *left > 0 {
			state = "it may complete in " + ui.Remaining(*left)
		}
	}
	return fmt.Sprintf("of the recovery contacts of anchor %d, %s approve the new key %s; %s", anchor, ui.Numbers(by), key, state)
}

// vetoer names a protected device for --as.
func (a *App) vetoer(s *Session, devices []kedge.LookupDevice) string {
	for _, d := range devices {
		if d.Protection != kedge.DeviceProtectionProtected {
			continue
		}
		// One that is known by its principal alone cannot sign here.
		who := principal.SelfAuthenticating(d.Pubkey)
		if _, name := a.pendingLabel(s, devices, who); name != who.Text() {
			return name
		}
	}
	return "DEVICE"
}

// watchVeto says so when a call of this command has ended what contacts approve, as any call of a protected
// device does.
func (a *App) watchVeto(ctx context.Context, s *Session, before []kedge.HistoryEntry) {
	var next uint64
	if n := len(before); n > 0 {
		next = before[n-1].Number + 1
	}
	self := principal.SelfAuthenticating(s.Signer.Key.PublicKey())
	s.AfterCall(func() {
		var by []uint64
		var keys []principal.Principal
		_, err := s.EachEvent(ctx, next, func(e kedge.HistoryEntry) {
			if e.Kind == nil || *e.Kind != kedge.EventKindContactVetoed || e.By == nil || *e.By != self || e.Until == nil || e.Other == nil {
				return
			}
			by = append(by, *e.Until)
			if !slices.Contains(keys, *e.Other) {
				keys = append(keys, *e.Other)
			}
		})
		if err != nil || len(by) == 0 {
			return
		}
		for _, key := range keys {
			a.Warn("this call is a sign of life of %s, and so a veto: recovery contacts approved the new key %s of anchor %d, which ends", s.Signer, key, s.Anchor)
		}
		a.Note("hint: %s approved and are off the list; ask them who called, then kedge contacts set names them again", ui.Numbers(by))
	})
}
