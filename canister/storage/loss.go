package storage

import (
	"fmt"
	"strings"

	"kedge/canister/identity"
)

// LossError says that a memory in an earlier layout cannot hold what an anchor has.
type LossError struct {
	Anchor uint64
	Layout int
	Loss   Loss
}

func (e *LossError) Error() string {
	return fmt.Sprintf("anchor %d has what layout %d cannot hold: %s", e.Anchor, e.Layout, strings.Join(e.Loss.Names(), ", "))
}

// Loss is a set of things that a step back may lose, and only does if the controller names them.
type Loss uint32

// The losses that are never silent. What is not among them is either short-lived (registration mode,
// temporary key, challenge) or bookkeeping (times of adding, attestation, history).
const (
	LossProtections Loss = 1 << iota
	LossGuards
	LossConsents
	LossDemands  // of device-bound passkeys, and session limits
	LossContacts // recovery contacts and who agrees to them
	lossEnd
)

// Names are the words by which a controller accepts a loss.
func (l Loss) Names() []string {
	var names []string
	for i, name := range [...]string{"protections", "guards", "consents", "demands", "contacts"} {
		if l&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// LossOf is what a layout would lose of an anchor.
func LossOf(a *identity.Anchor, layout int) Loss {
	var l Loss
	if a.HasContacts() && layout < Layout3 {
		l |= LossContacts
	}
	if layout >= Layout2 {
		return l
	}
	if a.Guard {
		l |= LossGuards
	}
	if a.DeviceBound || a.SessionLimit != 0 {
		l |= LossDemands
	}
	for i := range a.Devices {
		if a.Devices[i].Consent != nil {
			l |= LossConsents
		}
	}
	return l
}
