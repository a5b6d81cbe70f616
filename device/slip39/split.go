package slip39

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxCount is the most groups of a set and the most shares of a group.
const maxCount = 16

// DefaultExponent makes a passphrase take 20,000 rounds, as the reference implementation does.
const DefaultExponent = 1

// Group is so many shares of so many.
type Group struct{ Threshold, Count int }

// Options say how a secret is split.
type Options struct {
	Groups         []Group
	GroupThreshold int    // how many groups are needed; 0 for all
	Passphrase     string // printable ASCII, may be empty
	Exponent       uint8
}

// Split makes shares of a secret of 16 to 64 bytes, an even number of them, from random, which must be a
// cryptographic source: for each group its shares. The set is an extendable one.
func Split(secret []byte, o Options, random io.Reader) ([][]Share, error) {
	if o.GroupThreshold == 0 {
		o.GroupThreshold = len(o.Groups)
	}
	if err := o.check(len(secret)); err != nil {
		return nil, err
	}
	var id [2]byte
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return nil, fmt.Errorf("drawing shares: %w", err)
	}
	head := Share{
		Identifier: binary.BigEndian.Uint16(id[:]) & 0x7fff, Extendable: true, Exponent: o.Exponent,
		GroupThreshold: o.GroupThreshold, Groups: len(o.Groups),
	}
	sealed, err := encrypt(secret, o.Passphrase, o.Exponent, head.Identifier, head.Extendable)
	if err != nil {
		return nil, err
	}
	groupValues, err := split(sealed, o.GroupThreshold, len(o.Groups), random)
	if err != nil {
		return nil, err
	}
	shares := make([][]Share, len(o.Groups))
	for g, group := range o.Groups {
		values, err := split(groupValues[g], group.Threshold, group.Count, random)
		if err != nil {
			return nil, err
		}
		for m, value := range values {
			s := head
			s.GroupIndex, s.MemberIndex, s.MemberThreshold, s.value = g, m, group.Threshold, value
			shares[g] = append(shares[g], s)
		}
	}
	return shares, nil
}

func (o Options) check(size int) error {
	switch {
	case size < minSecret || size > maxSecret || size%2 != 0:
		return fmt.Errorf("a secret of %d bytes is not split, only an even number from %d to %d", size, minSecret, maxSecret)
	case len(o.Groups) == 0:
		return errors.New("shares need a group")
	case len(o.Groups) > maxCount:
		return fmt.Errorf("%d groups, the most are %d", len(o.Groups), maxCount)
	case o.GroupThreshold < 1 || o.GroupThreshold > len(o.Groups):
		return fmt.Errorf("%d of %d groups cannot be needed", o.GroupThreshold, len(o.Groups))
	case o.Exponent > maxExponent:
		return fmt.Errorf("exponent %d, the largest is %d", o.Exponent, maxExponent)
	}
	for i, g := range o.Groups {
		switch {
		case g.Count < 1 || g.Count > maxCount:
			return fmt.Errorf("group %d has %d shares, it may have 1 to %d", i+1, g.Count, maxCount)
		case g.Threshold < 1 || g.Threshold > g.Count:
			return fmt.Errorf("group %d: %d of %d shares cannot be needed", i+1, g.Threshold, g.Count)
		case g.Threshold == 1 && g.Count > 1:
			return fmt.Errorf("group %d: 1 of %d shares would be %d copies of one; make a group of 1 of 1 and copy it", i+1, g.Count, g.Count)
		}
	}
	return CheckPassphrase(o.Passphrase)
}
