package certificate

import (
	"errors"
	"fmt"
	"time"

	"kedge/ic/hashtree"
	"kedge/ic/principal"
)

// VerifyCanister checks that the certificate descends from the root key and speaks for the canister:
// if a subnet signed it, the canister's id is in the subnet's ranges. It does not look at the time.
func (c *Certificate) VerifyCanister(root *PublicKey, canister principal.Principal) error {
	return c.verify(root, func(tree *hashtree.Node) error {
		ranges, err := Ranges(tree, c.Delegation.Subnet)
		if err != nil {
			return err
		}
		for _, r := range ranges {
			if r.Contains(canister) {
				return nil
			}
		}
		return fmt.Errorf("canister %s is not in the ranges of subnet %s", canister, c.Delegation.Subnet)
	})
}

// VerifySubnet checks that the certificate descends from the root key and speaks for the subnet. A
// certificate that the root key signed speaks for every subnet.
func (c *Certificate) VerifySubnet(root *PublicKey, subnet principal.Principal) error {
	return c.verify(root, func(*hashtree.Node) error {
		if c.Delegation.Subnet != subnet {
			return fmt.Errorf("the certificate is of subnet %s, not %s", c.Delegation.Subnet, subnet)
		}
		return nil
	})
}

func (c *Certificate) verify(root *PublicKey, scope func(delegation *hashtree.Node) error) error {
	key := root
	if c.Delegation != nil {
		tree, subnetKey, err := c.Delegation.verify(root)
		if err != nil {
			return fmt.Errorf("delegation: %w", err)
		}
		if err := scope(tree); err != nil {
			return err
		}
		key = subnetKey
	}
	return key.VerifyRoot(c.Tree.Hash(), c.Signature)
}

// verify returns the delegation's tree and the key that it delegates to.
func (d *Delegation) verify(root *PublicKey) (*hashtree.Node, *PublicKey, error) {
	inner, err := Decode(d.Certificate)
	if err != nil {
		return nil, nil, err
	}
	if inner.Delegation != nil {
		return nil, nil, errors.New("its certificate has a delegation of its own")
	}
	if err := root.VerifyRoot(inner.Tree.Hash(), inner.Signature); err != nil {
		return nil, nil, err
	}
	der, status := inner.Tree.Lookup([]byte("subnet"), d.Subnet.Bytes(), []byte("public_key"))
	if status != hashtree.Found {
		return nil, nil, fmt.Errorf("the key of subnet %s is %s", d.Subnet, status)
	}
	key, err := ParsePublicKey(der)
	return inner.Tree, key, err
}

// Time returns the time in the certificate, in nanoseconds since 1970.
func (c *Certificate) Time() (uint64, error) {
	raw, status := c.Tree.Lookup([]byte("time"))
	if status != hashtree.Found {
		return 0, fmt.Errorf("the certificate's time is %s", status)
	}
	return hashtree.DecodeNat(raw)
}

// CheckTime fails unless the certificate's time is at most window away from now, either way.
func (c *Certificate) CheckTime(now time.Time, window time.Duration) error {
	nanos, err := c.Time()
	if err != nil {
		return err
	}
	if nanos > 1<<63-1 {
		return fmt.Errorf("the certificate's time, %d ns, is out of range", nanos)
	}
	at := time.Unix(0, int64(nanos))
	if age := now.Sub(at); age > window || age < -window {
		return fmt.Errorf("the certificate is of %s, more than %s from now, %s",
			at.UTC().Format(time.RFC3339), window, now.UTC().Format(time.RFC3339))
	}
	return nil
}
