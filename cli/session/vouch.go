package session

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kedge/candid/kedge"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

// Vouch sees to it that what is about to be given power is the key that the person means: one of the key
// store, or one that was typed whole. For any other it shows the key, who added it and when, as far as
// the history still knows, and asks; deed says what for. Protection and consent never follow a name
// that somebody else may have chosen.
func (a *App) Vouch(ctx context.Context, s *Session, f Found, deed string) error {
	if f.Known {
		return nil
	}
	origin, err := a.addedBy(ctx, s, f)
	if err != nil {
		return err
	}
	shown := ui.Table([][]string{
		{"  alias", ui.Printable(f.Device.Alias)},
		{"  kind", Kind(f.Device.KeyType)},
		{"  key fingerprint", f.Principal().Text()},
		{"  added", origin},
		{"  has signed here", ui.YesNo(f.Device.Proven != nil && *f.Device.Proven)},
	})
	t, err := a.Ask()
	if err != nil {
		return ui.Hinted(fmt.Errorf("%s is not a key of this key store, and anybody with a device of the anchor can choose that name, so it is not enough to %s", f.Label(), deed),
			"compare the key with the device itself, then give its principal %s in place of the name", f.Principal())
	}
	answer, err := t.Line(fmt.Sprintf("this key is not in your key store:\n%s\nto %s this very key, type yes: ", shown, deed))
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}

// addedBy says when a device came to the anchor, and by whom.
func (a *App) addedBy(ctx context.Context, s *Session, f Found) (string, error) {
	own, err := a.OwnKeys(s)
	if err != nil {
		return "", err
	}
	added, err := s.lastAddition(ctx, f.Principal())
	if err != nil {
		return "", err
	}
	switch {
	case added == nil && f.Device.AddedAt != nil:
		return ui.WhenNanos(*f.Device.AddedAt, a.Now()) + ", the history no longer says by whom", nil
	case added == nil:
		return "the history no longer says when or by whom", nil
	}
	by := "not known"
	if added.By != nil {
		by = ui.ShortPrincipal(*added.By)
		for _, k := range own.keys {
			if principal.SelfAuthenticating(k.Passkey.PublicKey()) == *added.By {
				by = fmt.Sprintf("%s (%s)", k.Name, by)
			}
		}
		if *added.By == f.Principal() {
			by = "itself"
		}
	}
	return fmt.Sprintf("%s by %s", ui.WhenNanos(added.At, a.Now()), by), nil
}

// historyPage is how many events the canister gives at a time.
const historyPage = 100

// lastAddition returns the newest event of the history that brought a device to the anchor, or nil.
func (s *Session) lastAddition(ctx context.Context, who principal.Principal) (*kedge.HistoryEntry, error) {
	var last *kedge.HistoryEntry
	_, err := s.EachEvent(ctx, 0, func(e kedge.HistoryEntry) {
		if e.Kind == nil {
			return
		}
		switch *e.Kind {
		case kedge.EventKindRegistered, kedge.EventKindAdded:
			if e.Device != nil && *e.Device == who {
				last = &e
			}
		case kedge.EventKindReplaced:
			if e.Other != nil && *e.Other == who {
				last = &e
			}
		}
	})
	return last, err
}

// EachEvent reads the history of the anchor from a number on, page by page, and returns the last page.
func (s *Session) EachEvent(ctx context.Context, from uint64, each func(e kedge.HistoryEntry)) (kedge.History, error) {
	for {
		page, err := s.History(ctx, s.Anchor, &from, historyPage)
		if err != nil {
			return page, err
		}
		for _, e := range page.Entries {
			each(e)
		}
		if page.Next == nil {
			return page, nil
		}
		if *page.Next <= from {
			return page, fmt.Errorf("the history goes round in circles at number %d", *page.Next)
		}
		from = *page.Next
	}
}

// Kind is what people read for a key type; Candid's tag for a recovery phrase is an older word.
func Kind(t kedge.KeyType) string {
	if t == kedge.KeyTypeSeedPhrase {
		return "recovery phrase"
	}
	return ui.Spaced(t.String())
}
