package slip39

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Set collects shares one by one, as a person types them, and says at once which one does not fit. The
// zero Set is empty.
type Set struct{ shares []Share }

// MismatchError is a share that is not of the set of those before it.
type MismatchError struct {
	Share, First Share
	What         string // what differs
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("this is %s, not of the same set as %s: the %s differs", e.Share, e.First, e.What)
}

// DuplicateError is a share that was given before.
type DuplicateError struct{ Share Share }

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("%s was given already", e.Share)
}

// ConflictError are two shares with the same number and different words. One of them was not written by
// the program that made the set.
type ConflictError struct{ Share Share }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("two different shares both say that they are %s", e.Share)
}

// TooFewError says what is missing.
type TooFewError struct{ Missing string }

func (e *TooFewError) Error() string { return "there are too few shares: " + e.Missing }

// Add takes a share into the set. The error is a [*MismatchError], a [*DuplicateError] or a
// [*ConflictError], and the set is then as it was.
func (c *Set) Add(s Share) error {
	for _, o := range c.shares {
		if what := difference(o, s); what != "" {
			return &MismatchError{Share: s, First: c.shares[0], What: what}
		}
		if o.GroupIndex == s.GroupIndex && o.MemberIndex == s.MemberIndex {
			if subtle.ConstantTimeCompare(o.value, s.value) == 1 {
				return &DuplicateError{s}
			}
			return &ConflictError{s}
		}
	}
	c.shares = append(c.shares, s)
	return nil
}

func difference(a, b Share) string {
	switch {
	case a.Identifier != b.Identifier, a.Extendable != b.Extendable, a.Exponent != b.Exponent:
		return "identifier"
	case a.GroupThreshold != b.GroupThreshold:
		return "number of groups that are needed"
	case a.Groups != b.Groups:
		return "number of groups"
	case len(a.value) != len(b.value):
		return "length"
	case a.GroupIndex == b.GroupIndex && a.MemberThreshold != b.MemberThreshold:
		return "number of shares that are needed"
	}
	return ""
}

// Len returns how many shares there are.
func (c *Set) Len() int { return len(c.shares) }

// groups returns the shares by their groups.
func (c *Set) groups() map[int][]Share {
	groups := map[int][]Share{}
	for _, s := range c.shares {
		groups[s.GroupIndex] = append(groups[s.GroupIndex], s)
	}
	return groups
}

// Missing says what is still needed, empty if the secret can be joined.
func (c *Set) Missing() string {
	if len(c.shares) == 0 {
		return "there is none yet"
	}
	first, groups := c.shares[0], c.groups()
	complete := 0
	var begun []string
	for _, g := range sortedKeys(groups) {
		have, need := len(groups[g]), groups[g][0].MemberThreshold
		if have >= need {
			complete++
			continue
		}
		of := ""
		if first.Groups > 1 {
			of = fmt.Sprintf(" of group %d", g+1)
		}
		begun = append(begun, fmt.Sprintf("%d of the %d%s", have, need, of))
	}
	switch {
	case complete >= first.GroupThreshold:
		return ""
	case first.Groups == 1:
		return begun[0]
	}
	text := fmt.Sprintf("%d of the %d groups are complete", complete, first.GroupThreshold)
	if len(begun) > 0 {
		text += ", there are " + strings.Join(begun, " and ")
	}
	return text
}

// Secret joins the shares. There may be more than are needed: then the rest must fit, too, and the error
// names a share that does not. A wrong passphrase is not noticed.
func (c *Set) Secret(passphrase string) ([]byte, error) {
	if missing := c.Missing(); missing != "" {
		return nil, &TooFewError{missing}
	}
	if err := CheckPassphrase(passphrase); err != nil {
		return nil, err
	}
	first := c.shares[0]
	groups := c.groups()
	values := map[byte][]byte{}
	var complete []int
	for _, g := range sortedKeys(groups) {
		members, need := groups[g], groups[g][0].MemberThreshold
		if len(members) < need {
			continue
		}
		value, err := joinMembers(members, need)
		if err != nil {
			return nil, err
		}
		values[byte(g)] = value
		complete = append(complete, g)
	}
	sealed, err := joinChecked(values, first.GroupThreshold, func(i byte) error {
		return fmt.Errorf("group %d of set %s does not belong to the others, though its shares fit each other", i+1, first.Set())
	})
	if err != nil {
		return nil, fmt.Errorf("groups %s: %w", oneBased(complete), err)
	}
	return decrypt(sealed, passphrase, first.Exponent, first.Identifier, first.Extendable)
}

func joinMembers(members []Share, need int) ([]byte, error) {
	points := map[byte][]byte{}
	for _, s := range members {
		points[byte(s.MemberIndex)] = s.value
	}
	value, err := joinChecked(points, need, func(i byte) error {
		for _, s := range members {
			if s.MemberIndex == int(i) {
				return fmt.Errorf("%s does not belong to the others", s)
			}
		}
		return errDigest
	})
	if errors.Is(err, errDigest) && len(members) > 1 {
		return nil, fmt.Errorf("%s and %d more: %w", members[0], len(members)-1, err)
	}
	return value, err
}

// joinChecked joins the first threshold points and checks that the others are on the same polynomials. If
// the digest of the first is wrong and there are more, it tries without each one and blames that.
func joinChecked(points map[byte][]byte, threshold int, blame func(byte) error) ([]byte, error) {
	order := sortedKeys(points)
	pick := func(leave int) map[byte][]byte {
		chosen := map[byte][]byte{}
		for i, x := range order {
			if i != leave && len(chosen) < threshold {
				chosen[x] = points[x]
			}
		}
		return chosen
	}
	chosen := pick(-1)
	secret, err := join(chosen)
	if err != nil && len(points) > threshold {
		for i, x := range order {
			if _, e := join(pick(i)); e == nil {
				return nil, blame(x)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	for _, x := range order {
		if subtle.ConstantTimeCompare(interpolate(chosen, x), points[x]) != 1 {
			return nil, blame(x)
		}
	}
	return secret, nil
}

// Combine joins shares at once.
func Combine(shares []Share, passphrase string) ([]byte, error) {
	var c Set
	for _, s := range shares {
		if err := c.Add(s); err != nil {
			return nil, err
		}
	}
	return c.Secret(passphrase)
}

func sortedKeys[K int | byte, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func oneBased(list []int) string {
	text := make([]string, len(list))
	for i, n := range list {
		text[i] = fmt.Sprint(n + 1)
	}
	return strings.Join(text, ", ")
}
