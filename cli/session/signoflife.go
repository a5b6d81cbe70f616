package session

import (
	"context"
	"slices"
	"strings"

	"kedge/candid/kedge"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

// watchReleases says so when a call of this command cancels a release that somebody asked for: any update call
// that the protected device itself signs is its sign of life, whatever the call is for, and takes whoever
// asked off the list. What is pending is read before, by a query, which is none.
func (a *App) watchReleases(ctx context.Context, s *Session, events []kedge.HistoryEntry) {
	self := principal.SelfAuthenticating(s.Signer.Key.PublicKey())
	askers := pendingReleases(events, self)
	if len(askers) == 0 {
		return
	}
	s.AfterCall(func() {
		now, _, err := s.events(ctx)
		if err != nil {
			return
		}
		left := pendingReleases(now, self)
		askers = slices.DeleteFunc(askers, func(p principal.Principal) bool { return slices.Contains(left, p) })
		if len(askers) == 0 {
			return
		}
		var names []string
		own, err := a.OwnKeys(s)
		for _, p := range askers {
			name := ui.ShortPrincipal(p)
			for _, k := range own.keys {
				if err == nil && principal.SelfAuthenticating(k.Passkey.PublicKey()) == p {
					name = ui.Printable(k.Name) + " (" + name + ")"
				}
			}
			names = append(names, name)
		}
		a.Warn("this call is a sign of life of %s: it cancelled the release that %s had asked for, and took the asker off the list; kedge release consent names askers anew",
			s.Signer, strings.Join(names, " and "))
	})
}

// pendingReleases returns who has asked for the release of a device and was not answered, as far as the history
// goes back.
func pendingReleases(events []kedge.HistoryEntry, of principal.Principal) []principal.Principal {
	var askers []principal.Principal
	for _, e := range events {
		if e.Kind == nil || e.Device == nil || *e.Device != of {
			continue
		}
		switch *e.Kind {
		case kedge.EventKindReleaseRequested:
			if e.Other != nil {
				askers = append(askers, *e.Other)
			}
		case kedge.EventKindReleaseCancelled:
			askers = slices.DeleteFunc(askers, func(p principal.Principal) bool { return e.Other != nil && p == *e.Other })
		case kedge.EventKindConsented, kedge.EventKindConsentWithdrawn, kedge.EventKindReleased, kedge.EventKindRemoved,
			kedge.EventKindReplaced, kedge.EventKindUnprotected, kedge.EventKindRestored, kedge.EventKindDropped, kedge.EventKindRecovered:
			askers = nil
		}
	}
	return askers
}
