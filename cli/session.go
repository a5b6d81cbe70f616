package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kedge/cli/client"
	"kedge/device"
)

// signer is the device that signs for a command.
type signer struct {
	name   string // in the key store, or device.ReservedName
	key    device.Key
	stored device.StoredPasskey // unless the phrase signs
	phrase device.Phrase        // if the phrase signs
}

func (s signer) isPhrase() bool { return s.name == device.ReservedName }

// session is a signer at work on one anchor of one provider.
type session struct {
	*provider
	signer signer
	anchor uint64
}

// where names the provider in the key store: a canister id means nothing without the network.
func (p *provider) where() string {
	return p.canister.Text() + "@" + p.client.Network().Fingerprint()
}

// as returns the same provider called by another key, which signs every request itself.
func (p *provider) as(key device.Key) (*provider, error) {
	c, err := client.New(p.client.Network(), client.Session{Identity: device.AgentIdentity(key)})
	if err != nil {
		return nil, err
	}
	return &provider{client: c, canister: p.canister}, nil
}

// openProvider finds the canister and calls it as nobody.
func (a *app) openProvider(ctx context.Context) (*provider, error) {
	canister, err := a.canisterID()
	if err != nil {
		return nil, err
	}
	network, err := a.openNetwork(ctx)
	if err != nil {
		return nil, err
	}
	c, err := client.New(network, client.Anonymous())
	if err != nil {
		return nil, err
	}
	return &provider{client: c, canister: canister}, nil
}

// openSession finds out who signs and for which anchor. It never chooses between several.
func (a *app) openSession(ctx context.Context) (*session, error) {
	nobody, err := a.openProvider(ctx)
	if err != nil {
		return nil, err
	}
	who, err := a.chooseSigner(nobody.where())
	if err != nil {
		return nil, err
	}
	p, err := a.delegated(nobody, who.key)
	if err != nil {
		return nil, err
	}
	s := &session{provider: p, signer: who}
	s.anchor, err = a.chooseAnchor(ctx, s)
	return s, err
}

// chooseSigner returns the device that --as names, or else the first in the key store that is known to
// belong to the anchor at hand. It says which one that is if there are others, and does not choose
// between anchors.
func (a *app) chooseSigner(where string) (signer, error) {
	if a.phraseFile == "" {
		a.as = a.setting(a.as, "KEDGE_AS", "")
	}
	if a.as == device.ReservedName || a.as == "" && a.phraseFile != "" {
		phrase, err := a.readPhrase()
		if err != nil {
			return signer{}, err
		}
		return signer{name: device.ReservedName, key: phrase.Key(), phrase: phrase}, nil
	}
	if a.phraseFile != "" {
		return signer{}, usagef("--phrase-file goes with --as phrase, not with --as %q", a.as)
	}
	keys, err := a.loadKeys()
	if err != nil {
		return signer{}, err
	}
	if a.as != "" {
		stored, err := keys.Get(a.as)
		if err != nil {
			return signer{}, err
		}
		return signer{name: stored.Name, key: stored.Passkey, stored: stored}, nil
	}
	var candidates []device.StoredPasskey
	for _, stored := range keys.All() {
		if len(a.anchorsOf(stored, where)) > 0 {
			candidates = append(candidates, stored)
		}
	}
	switch len(candidates) {
	case 0:
		return signer{}, hinted(fmt.Errorf("no device in the key store is known to belong to %s", a.wanted()),
			"kedge anchor create makes an anchor; --as DEVICE or --as phrase says who signs")
	case 1:
		return signer{name: candidates[0].Name, key: candidates[0].Passkey, stored: candidates[0]}, nil
	}
	anchors := map[uint64]bool{}
	var names []string
	for _, c := range candidates {
		own := a.anchorsOf(c, where)
		names = append(names, fmt.Sprintf("%q of %s", c.Name, numbers(own)))
		for _, n := range own {
			anchors[n] = true
		}
	}
	if len(anchors) > 1 {
		return signer{}, hinted(fmt.Errorf("the devices in the key store belong to several anchors: %s", strings.Join(names, ", ")),
			"--anchor or --as says which one, or KEDGE_AS for all commands")
	}
	a.note("device %q signs; --as names another", candidates[0].Name)
	return signer{name: candidates[0].Name, key: candidates[0].Passkey, stored: candidates[0]}, nil
}

func (a *app) wanted() string {
	if a.anchorGiven {
		return fmt.Sprintf("anchor %d here", a.anchor)
	}
	return "an anchor here"
}

// anchorsOf returns the anchors that the store remembers for a device, or --anchor if it is among
// them.
func (a *app) anchorsOf(stored device.StoredPasskey, where string) []uint64 {
	var anchors []uint64
	for _, use := range stored.Uses {
		if use.Where == where && (!a.anchorGiven || use.Anchor == a.anchor) {
			anchors = append(anchors, use.Anchor)
		}
	}
	return anchors
}

// chooseAnchor returns --anchor, or the only anchor that the signer is known to belong to: by the
// number before the words of a phrase, by the key store, or by asking the canister.
func (a *app) chooseAnchor(ctx context.Context, s *session) (uint64, error) {
	if a.anchorGiven {
		return a.anchor, nil
	}
	if n, ok := s.signer.phrase.Anchor(); ok {
		return n, nil
	}
	anchors := a.anchorsOf(s.signer.stored, s.where())
	if len(anchors) == 0 {
		var err error
		anchors, err = s.lookupCaller(ctx)
		var reject *client.Reject
		if errors.As(err, &reject) && reject.ErrorCode == "IC0536" {
			return 0, hinted(errors.New("the canister cannot look up the anchors of a device"), "--anchor NUMBER says which one")
		}
		if err != nil {
			return 0, err
		}
	}
	slices.Sort(anchors)
	switch anchors = slices.Compact(anchors); len(anchors) {
	case 0:
		return 0, hinted(fmt.Errorf("%s is not a device of any anchor here", s.signer), "kedge anchor create makes an anchor; --as names another signer")
	case 1:
		return anchors[0], nil
	}
	return 0, hinted(fmt.Errorf("%s is a device of several anchors: %s", s.signer, numbers(anchors)), "--anchor says which one")
}

// String names the signer in messages.
func (s signer) String() string {
	if s.isPhrase() {
		return "the recovery phrase"
	}
	return fmt.Sprintf("device %q", s.name)
}

func numbers(list []uint64) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ", "), "[]")
}

// loadKeys reads the key store.
func (a *app) loadKeys() (*device.Keys, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	return store.Load()
}

// changeKeys changes the key store.
func (a *app) changeKeys(change func(*device.Keys) error) error {
	store, err := a.store()
	if err != nil {
		return err
	}
	return store.Change(change)
}
