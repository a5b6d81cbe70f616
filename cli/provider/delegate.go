package provider

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"time"

	"kedge/cli/client"
	"kedge/device"
	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/ic/signature"
)

// A command signs its calls with a session key of its own, to which the device delegates once: a phrase is
// derived, and a security key touched, once a command. Such a delegation acts for the device in full, so it is kept
// short and narrow: five minutes, this canister, and in memory alone.
const (
	delegationLife = 5 * time.Minute
	// delegationRest is what must be left of it when a call is signed; else the device delegates again. A
	// command can wait long, for the words of a phrase to be typed.
	delegationRest = time.Minute
)

// delegate is a device that lets session keys sign.
type delegate struct {
	key     device.Key
	network client.Network
	target  principal.Principal
	now     func() time.Time
	random  io.Reader
	expires time.Time
}

// Delegated returns the same provider called by a device through a session key, which it makes at
// once. Time and randomness are those of the run.
func (p *Provider) Delegated(key device.Key, now func() time.Time, random io.Reader) (*Provider, error) {
	q := &Provider{Canister: p.Canister, delegate: &delegate{
		key: key, network: p.Client.Network(), target: p.Canister, now: now, random: random,
	}}
	return q, q.keepSession()
}

// keepSession makes a session key where there is none, or the one there is about to expire.
func (p *Provider) keepSession() (err error) {
	d := p.delegate
	if d == nil || d.expires.Sub(d.time()) >= delegationRest {
		return nil
	}
	p.Client, err = d.session()
	return err
}

// time is the network's, as far as it is known.
func (d *delegate) time() time.Time { return d.network.Clock.Now(d.now()) }

func (d *delegate) session() (*client.Client, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(d.random, seed); err != nil {
		return nil, fmt.Errorf("drawing a session key: %w", err)
	}
	session, err := signature.NewEd25519(seed)
	if err != nil {
		return nil, err
	}
	chain, err := d.chain(session.PublicKey())
	if err != nil {
		return nil, err
	}
	return client.New(d.network, client.Delegated(device.AgentIdentity(session), chain))
}

// chain has the device delegate to a session key.
func (d *delegate) chain(session []byte) (client.Chain, error) {
	expires := d.time().Add(delegationLife)
	signed, err := request.Delegate(request.Delegation{
		PublicKey:  session,
		Expiration: uint64(expires.UnixNano()),
		Targets:    []principal.Principal{d.target},
	}, d.key)
	if err != nil {
		return client.Chain{}, err
	}
	d.expires = expires
	return client.Chain{PublicKey: d.key.PublicKey(), Delegations: []request.SignedDelegation{signed}}, nil
}
