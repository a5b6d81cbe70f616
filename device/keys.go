package device

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kedge/device/credid"
	"kedge/device/derive"
)

// ReservedName is the name that stands for the recovery phrase and that no security key may have.
const ReservedName = "phrase"

// NotFoundError is a security key or credential that the store does not have.
type NotFoundError struct{ Name string }

func (e *NotFoundError) Error() string { return fmt.Sprintf("no device %q in the key store", e.Name) }

// ExistsError is a name that the store already has.
type ExistsError struct{ Name string }

func (e *ExistsError) Error() string {
	return fmt.Sprintf("device %q is already in the key store", e.Name)
}

// AmbiguousError is the name of a key with several credentials, where one is meant.
type AmbiguousError struct {
	Name   string
	Others []string // what each is called
}

func (e *AmbiguousError) Error() string {
	quoted := make([]string, len(e.Others))
	for i, o := range e.Others {
		quoted[i] = strconv.Quote(o)
	}
	return fmt.Sprintf("security key %q has several credentials: %s", e.Name, strings.Join(quoted, ", "))
}

// SeedExistsError is a seed that the store already has under another name.
type SeedExistsError struct {
	Name        string
	Fingerprint Fingerprint
}

func (e *SeedExistsError) Error() string {
	return fmt.Sprintf("security key %q has the same seed, %s", e.Name, e.Fingerprint)
}

// StoredPasskey is a passkey and what the store knows of it.
type StoredPasskey struct {
	// Name is the security key's if that has one credential, else key/label.
	Name    string
	Created time.Time
	Passkey *Passkey
	Uses    []Use

	// Key is the name of the security key, Kind says where the private key comes from.
	Key  string
	Kind Kind
	// Seed is the fingerprint of the seed that the private key is derived from, zero if it is not.
	Seed Fingerprint
	// Exported says that the seed or the private key has left the key in some form, Restored that the seed
	// came from a backup: there may be copies of it elsewhere.
	Exported, Restored bool
}

// Use is an anchor that has the passkey as a device. Where names the identity provider; the store
// takes it as it comes.
type Use struct {
	Where  string `json:"where"`
	Anchor uint64 `json:"anchor"`
}

// Keys is what a store holds, in the order in which it was added.
type Keys struct{ keys []*SecurityKey }

// SecurityKeys returns every security key.
func (k *Keys) SecurityKeys() []*SecurityKey { return slices.Clone(k.keys) }

// Key returns the security key with the name, or a [*NotFoundError].
func (k *Keys) Key(name string) (*SecurityKey, error) {
	if i := k.index(name); i >= 0 {
		return k.keys[i], nil
	}
	return nil, &NotFoundError{Name: name}
}

// BySeed returns the security key with the seed, or nil.
func (k *Keys) BySeed(r Root) *SecurityKey {
	for _, key := range k.keys {
		if key.SameSeed(r) {
			return key
		}
	}
	return nil
}

// AddKey makes a security key with a seed. Two keys of one store never have the same seed, they would
// be one factor under two names: that is a [*SeedExistsError].
func (k *Keys) AddKey(name string, r Root, now time.Time) (*SecurityKey, error) {
	if err := checkKeyName(name); err != nil {
		return nil, err
	}
	if !r.IsZero() {
		if other := k.BySeed(r); other != nil {
			return nil, &SeedExistsError{Name: other.name, Fingerprint: r.print}
		}
	}
	key := &SecurityKey{name: name, created: now.UTC().Truncate(time.Second), root: r}
	return key, k.add(key)
}

// Restore makes a security key from a seed that was read from its backup, which is thereby checked.
// Where name is taken it refuses, unless replace is the fingerprint of the seed there, as
// [Fingerprint.String] shows it: the old seed and all credentials of the old key are then gone from the
// store.
func (k *Keys) Restore(name string, r Root, replace string, now time.Time) (*SecurityKey, error) {
	i := k.index(name)
	if i >= 0 {
		old := k.keys[i]
		switch {
		case old.SameSeed(r):
			return nil, &SeedExistsError{Name: old.name, Fingerprint: r.print}
		case replace == "":
			return nil, &ReplaceError{Name: name, Fingerprint: old.root.print, HasSeed: old.HasSeed()}
		case !old.HasSeed() || !old.root.print.Matches(replace):
			return nil, &ReplaceError{Name: name, Fingerprint: old.root.print, HasSeed: old.HasSeed(), Given: replace}
		}
	} else if replace != "" {
		return nil, &NotFoundError{Name: name}
	}
	if other := k.BySeed(r); other != nil {
		return nil, &SeedExistsError{Name: other.name, Fingerprint: r.print}
	}
	if i >= 0 {
		k.keys = slices.Delete(k.keys, i, i+1)
	}
	key, err := k.AddKey(name, r, now)
	if err != nil {
		return nil, err
	}
	key.backup.restored = key.created
	key.backup.checked = key.created
	return key, nil
}

// ReplaceError is a key that is there and would be lost.
type ReplaceError struct {
	Name        string
	Fingerprint Fingerprint
	HasSeed     bool
	Given       string // the fingerprint that was given, empty if none was
}

func (e *ReplaceError) Error() string {
	switch {
	case !e.HasSeed:
		return fmt.Sprintf("security key %q holds stored credentials, which no seed brings back", e.Name)
	case e.Given != "":
		return fmt.Sprintf("security key %q has the seed %s, not %q", e.Name, e.Fingerprint, e.Given)
	}
	return fmt.Sprintf("security key %q is there already, with the seed %s", e.Name, e.Fingerprint)
}

// RenameKey gives a security key another name.
func (k *Keys) RenameKey(name, to string) error {
	key, err := k.Key(name)
	if err != nil {
		return err
	}
	if err := checkKeyName(to); err != nil {
		return err
	}
	if i := k.index(to); i >= 0 && k.keys[i] != key {
		return &ExistsError{Name: to}
	}
	key.name = to
	return nil
}

// All returns every passkey that the store has a record of.
func (k *Keys) All() []StoredPasskey {
	var all []StoredPasskey
	for _, key := range k.keys {
		for _, c := range key.credentials {
			all = append(all, key.stored(c))
		}
	}
	return all
}

// Get returns the passkey that a name means: that of a security key with one credential, key/label, a
// credential of SLIP-0013 as key/https://user@host (with #INDEX, #ed25519 or #INDEX,ed25519 behind it),
// or the one that an id of SLIP-0022 carries as key/HEX. The error is a [*NotFoundError], or an
// [*AmbiguousError] for a key with several.
func (k *Keys) Get(name string) (StoredPasskey, error) {
	key, c, err := k.find(name)
	if err != nil {
		return StoredPasskey{}, err
	}
	s := key.stored(c)
	if c.Label == "" {
		s.Name = name
	}
	return s, nil
}

func (k *Keys) find(name string) (*SecurityKey, *Credential, error) {
	if key, err := k.Key(name); err == nil {
		switch len(key.credentials) {
		case 0:
			return nil, nil, fmt.Errorf("security key %q has no credential yet", name)
		case 1:
			return key, key.credentials[0], nil
		}
		e := &AmbiguousError{Name: name}
		for _, c := range key.credentials {
			e.Others = append(e.Others, name+"/"+c.Label)
		}
		return nil, nil, e
	}
	keyName, rest, found := strings.Cut(name, "/")
	if !found {
		return nil, nil, &NotFoundError{Name: name}
	}
	key, err := k.Key(keyName)
	if err != nil {
		return nil, nil, &NotFoundError{Name: name}
	}
	c, err := key.Select(rest)
	if errors.Is(err, ErrNoCredential) {
		err = &NotFoundError{Name: name}
	}
	return key, c, err
}

// Select returns the credential that a text means: a label, https://user@host with its index and
// algorithm, or a SLIP-0022 id in hexadecimal. The one with a record is the record itself.
func (k *SecurityKey) Select(text string) (*Credential, error) {
	if c := k.byLabel(text); c != nil {
		return c, nil
	}
	if k.holder != nil {
		return k.selectAway(text)
	}
	if strings.Contains(text, "://") {
		n, a, err := parseNamed(text)
		if err != nil {
			return nil, err
		}
		return k.Named(n, a)
	}
	id, err := hex.DecodeString(text)
	if err != nil || len(id) == 0 {
		return nil, ErrNoCredential
	}
	if c := k.record(id); c != nil {
		return c, nil
	}
	if k.root.derivable() != nil || k.isDeleted(id) {
		return nil, ErrNoCredential
	}
	data, err := credid.OpenAnywhere(k.root.seed, id)
	if err != nil {
		return nil, ErrNoCredential
	}
	return k.fromSealed(id, data)
}

// parseNamed reads uri[#index][,ed25519].
func parseNamed(text string) (derive.Name, credid.Algorithm, error) {
	uri, options := text, ""
	// A user name may have a #, a host has none.
	if at := strings.LastIndexByte(text, '#'); at > strings.LastIndexByte(text, '@') {
		uri, options = text[:at], text[at+1:]
	}
	n, err := derive.ParseName(uri)
	if err != nil {
		return n, 0, err
	}
	algorithm := credid.ES256
	for option := range strings.SplitSeq(options, ",") {
		switch index, err := strconv.ParseUint(option, 10, 32); {
		case option == "":
		case option == "ed25519":
			algorithm = credid.EdDSA
		case err == nil:
			n.Index = uint32(index)
		default:
			return n, 0, fmt.Errorf("%q behind %q is neither an index nor ed25519", option, uri)
		}
	}
	return n, algorithm, nil
}

func (k *SecurityKey) stored(c *Credential) StoredPasskey {
	s := StoredPasskey{
		Name: k.name, Created: c.Created, Passkey: c.Passkey, Uses: slices.Clone(c.Uses),
		Key: k.name, Kind: c.Kind, Exported: !c.Copied.IsZero(), Restored: !k.backup.restored.IsZero() && c.Kind != Stored,
	}
	if len(k.credentials) > 1 {
		s.Name = k.name + "/" + c.Label
	}
	if c.Kind != Stored {
		s.Seed = k.root.print
		s.Exported = s.Exported || len(k.backup.exports) > 0
	}
	return s
}

// Add makes a security key without a seed that holds one passkey, under a name that is free.
func (k *Keys) Add(name string, p *Passkey, now time.Time) error {
	key, err := k.AddKey(name, Root{}, now)
	if err != nil {
		return err
	}
	return key.keep(&Credential{Passkey: p, Kind: Stored, Created: key.created, Protection: 1}, "", false)
}

// Remove forgets a security key with all that it holds, or one credential of it (key/label), for ever, or
// returns a [*NotFoundError].
func (k *Keys) Remove(name string) error {
	if i := k.index(name); i >= 0 {
		k.keys = slices.Delete(k.keys, i, i+1)
		return nil
	}
	key, c, err := k.find(name)
	if err != nil {
		return err
	}
	if key.record(c.credentialID) == nil {
		return &NotFoundError{Name: name}
	}
	return key.Delete(c.credentialID)
}

// Note records that the passkey is a device of an anchor. Noting it twice is the same as once. Of a
// credential without a record nothing is kept.
func (k *Keys) Note(name string, use Use) error {
	_, c, err := k.find(name)
	if err != nil {
		return err
	}
	if !slices.Contains(c.Uses, use) {
		c.Uses = append(slices.Clone(c.Uses), use)
	}
	return nil
}

// Forget takes back what [Keys.Note] recorded.
func (k *Keys) Forget(name string, use Use) error {
	_, c, err := k.find(name)
	if err != nil {
		return err
	}
	c.Uses = slices.DeleteFunc(slices.Clone(c.Uses), func(u Use) bool { return u == use })
	return nil
}

func (k *Keys) add(key *SecurityKey) error {
	if err := CheckName(key.name); err != nil {
		return err
	}
	if k.index(key.name) >= 0 {
		return &ExistsError{Name: key.name}
	}
	k.keys = append(k.keys, key)
	return nil
}

func (k *Keys) index(name string) int {
	return slices.IndexFunc(k.keys, func(s *SecurityKey) bool { return s.name == name })
}

// checkKeyName is [CheckName] for a new name. Names of the first version may have a slash.
func checkKeyName(name string) error {
	if strings.Contains(name, "/") {
		return fmt.Errorf("name %q has a slash, which separates a key's name from a credential's label", name)
	}
	return CheckName(name)
}
