package session

import (
	"context"
	"fmt"

	"kedge/candid/kedge"
	"kedge/ic/principal"
)

// Overview is what queries tell of an anchor, which are no sign of life.
type Overview struct {
	Guard   *bool    // nil if the history no longer says
	Pending []string // releases under way, in sentences
}

// Overview reads the history of the session's anchor.
func (a *App) Overview(ctx context.Context, s *Session) (Overview, error) {
	events, complete, err := s.events(ctx)
	if err != nil {
		return Overview{}, err
	}
	devices, err := s.Lookup(ctx, s.Anchor)
	if err != nil {
		return Overview{}, err
	}
	o := Overview{Guard: guardOf(events, complete)}
	for _, r := range askedReleases(events, principal.Principal{}) {
		of, _ := a.pendingLabel(s, devices, r.of)
		by, _ := a.pendingLabel(s, devices, r.by)
		o.Pending = append(o.Pending, fmt.Sprintf("%s has asked for the release of %s", by, of))
	}
	return o, nil
}

// guardOf returns whether the guard is on by the events, nil if they do not say.
func guardOf(events []kedge.HistoryEntry, complete bool) *bool {
	for i := len(events) - 1; i >= 0; i-- {
		if kind := events[i].Kind; kind != nil && (*kind == kedge.EventKindGuardOn || *kind == kedge.EventKindGuardOff) {
			on := *kind == kedge.EventKindGuardOn
			return &on
		}
	}
	if complete {
		return new(bool)
	}
	return nil
}
