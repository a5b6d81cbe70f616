package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

// Listing is an anchor that has a key among its devices. Anybody can list anybody's key; proven says
// that the key has itself signed there.
type Listing struct {
	Anchor uint64
	Proven bool
}

// Listings returns every anchor that lists the caller's key, in ascending order. The error says so if
// the canister cannot look them up.
func (a *App) Listings(ctx context.Context, caller *provider.Provider, key []byte) ([]Listing, error) {
	anchors, err := caller.LookupCaller(ctx)
	var reject *client.Reject
	if errors.As(err, &reject) && reject.ErrorCode == "IC0536" {
		return nil, ui.Hinted(errors.New("the canister cannot look up the anchors of a device"), "--anchor NUMBER says which one")
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(anchors)
	anchors = slices.Compact(anchors)
	listings := make([]Listing, len(anchors))
	errs := make([]error, len(anchors))
	var group sync.WaitGroup
	turn := make(chan struct{}, lookupsAtOnce)
	for i, n := range anchors {
		group.Add(1)
		turn <- struct{}{}
		go func() {
			defer func() { <-turn; group.Done() }()
			listings[i].Anchor = n
			listings[i].Proven, errs[i] = provenOn(ctx, caller, n, key)
		}()
	}
	group.Wait()
	return listings, errors.Join(errs...)
}

// lookupsAtOnce bounds how many queries are under way at a time.
const lookupsAtOnce = 8

func provenOn(ctx context.Context, p *provider.Provider, anchor uint64, key []byte) (bool, error) {
	devices, err := p.Lookup(ctx, anchor)
	if err != nil {
		return false, err
	}
	for _, d := range devices {
		if slices.Equal(d.Pubkey, key) && d.Proven != nil && *d.Proven {
			return true, nil
		}
	}
	return false, nil
}

// chooseAnchor returns --anchor, or the number before the words of a phrase, or the only anchor that the
// key store knows the signer on, or the only one on which the signer is proven. An anchor that merely
// lists the key is never chosen: signing there would make the signer a device of whoever listed it.
func (a *App) chooseAnchor(ctx context.Context, s *Session) (uint64, error) {
	if a.AnchorGiven {
		return a.AnchorNumber, nil
	}
	if n, ok := s.Signer.Phrase.Anchor(); ok {
		return n, nil
	}
	if known := a.anchorsOf(s.Signer.Stored, s.Where()); len(known) > 0 {
		return onlyOne(s, known)
	}
	listings, err := a.Listings(ctx, s.Provider, s.Signer.Key.PublicKey())
	if err != nil {
		return 0, err
	}
	var proven []uint64
	for _, l := range listings {
		if l.Proven {
			proven = append(proven, l.Anchor)
		}
	}
	switch {
	case len(listings) == 0:
		return 0, ui.Hinted(fmt.Errorf("%s is not a device of any anchor here", s.Signer), "kedge anchor create makes an anchor; --as names another signer")
	case len(proven) > 0:
		return onlyOne(s, proven)
	}
	return 0, ui.Hinted(fmt.Errorf("%s has not signed on any anchor here yet; it is listed on %s", s.Signer, a.ages(ctx, s, listings)),
		"anybody can list anybody's key, so only you know which one is yours: --anchor NUMBER signs there")
}

func onlyOne(s *Session, anchors []uint64) (uint64, error) {
	slices.Sort(anchors)
	if anchors = slices.Compact(anchors); len(anchors) == 1 {
		return anchors[0], nil
	}
	return 0, ui.Hinted(fmt.Errorf("%s is a device of several anchors: %s", s.Signer, ui.Numbers(anchors)), "--anchor says which one")
}

// mostShown is how many anchors an error names.
const mostShown = 8

// ages says for each anchor since when it lists the signer. Reading the history is a query, and so no
// sign of life.
func (a *App) ages(ctx context.Context, s *Session, listings []Listing) string {
	var parts []string
	for _, l := range listings[:min(len(listings), mostShown)] {
		at := *s
		at.Anchor = l.Anchor
		age := "since when is not known"
		added, err := at.lastAddition(ctx, principal.SelfAuthenticating(s.Signer.Key.PublicKey()))
		if err == nil && added != nil {
			age = "since " + ui.WhenNanos(added.At, a.Now())
		}
		parts = append(parts, fmt.Sprintf("anchor %d (%s)", l.Anchor, age))
	}
	text := strings.Join(parts, ", ")
	if rest := len(listings) - len(parts); rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}
