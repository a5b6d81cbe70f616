package device

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"kedge/device/credid"
	"kedge/device/derive"
)

// maxCredentials is how many credentials one key keeps records of.
const maxCredentials = 1000

// SecurityKey is what a hardware key is to a person: a seed, the credentials that come from it, and
// how far its backup has come. It lives in a [Store]; what a method changes is kept when it is called
// inside [Store.Change], on the key that the [Keys] there return.
type SecurityKey struct {
	name        string
	created     time.Time
	root        Root
	backup      backupState
	resetAt     uint64 // Unix seconds; ids that were made until then are refused
	deleted     [][]byte
	protocol    []byte
	credentials []*Credential

	holder    Holder // has the secrets, nil if they are here
	phraseKey []byte // of a key from an [Outline], see RecoveryPhraseKey
}

// Name returns the name, which is there once in a store.
func (k *SecurityKey) Name() string { return k.name }

// Created returns when the key was made or restored here.
func (k *SecurityKey) Created() time.Time { return k.created }

// HasSeed reports whether there is a seed. Without one the key has stored credentials alone.
func (k *SecurityKey) HasSeed() bool { return !k.root.IsZero() }

// RootKind returns the kind of seed, empty if there is none.
func (k *SecurityKey) RootKind() RootKind { return k.root.kind }

// Fingerprint returns the fingerprint of the seed, zero if there is none.
func (k *SecurityKey) Fingerprint() Fingerprint { return k.root.print }

// Root returns the seed, for [Find]. It says nothing of itself; what leaves the key goes through
// [SecurityKey.ExportPhrase] and [SecurityKey.ExportSecret].
func (k *SecurityKey) Root() Root { return k.root }

// RecoveryPhraseKey returns the public key, DER, that the words of the seed would have as a recovery phrase of
// an anchor, nil if the seed has no words. They should not be one: one seed is one factor.
func (k *SecurityKey) RecoveryPhraseKey() []byte {
	if k.holder != nil {
		return bytes.Clone(k.phraseKey)
	}
	p, err := k.root.phrase()
	if err != nil {
		return nil
	}
	return p.Key().PublicKey()
}

// SameSeed reports whether the key has the seed r.
func (k *SecurityKey) SameSeed(r Root) bool { return k.HasSeed() && k.root.Equal(r) }

// String keeps the seed out of logs.
func (k SecurityKey) String() string { return fmt.Sprintf("security key %q, %s", k.name, k.root) }

// Format prints what [SecurityKey.String] says for every verb, %#v and %x included.
func (k SecurityKey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }

// Credentials returns the credentials that the key has records of, oldest first.
func (k *SecurityKey) Credentials() []*Credential {
	all := make([]*Credential, len(k.credentials))
	for i, c := range k.credentials {
		all[i] = c.clone()
	}
	return all
}

// Free returns how many more credentials the key can keep records of.
func (k *SecurityKey) Free() int { return max(0, maxCredentials-len(k.credentials)) }

// ByRelyingParty returns the credentials that a user can sign in with at the relying party without
// saying a name, newest first.
func (k *SecurityKey) ByRelyingParty(rpID string) []*Credential {
	var found []*Credential
	for _, c := range slices.Backward(k.credentials) {
		if c.rpID == rpID && c.Kind != NotDiscoverable {
			found = append(found, c.clone())
		}
	}
	slices.SortStableFunc(found, func(a, b *Credential) int { return cmp.Compare(b.Created.Unix(), a.Created.Unix()) })
	return found
}

// ErrNoCredential says that a key has no such credential.
var ErrNoCredential = errors.New("the security key has no such credential")

// ByID returns the credential with the id for the relying party: one with a record, or one that the id
// itself carries. A deleted one, one that another key made, and no id at all are the same
// [ErrNoCredential].
func (k *SecurityKey) ByID(id []byte, rpID string) (*Credential, error) {
	if c := k.record(id); c != nil {
		if c.rpID != rpID {
			return nil, ErrNoCredential
		}
		return c.clone(), nil
	}
	if k.root.derivable() != nil || k.isDeleted(id) {
		return nil, ErrNoCredential
	}
	data, err := credid.Open(k.root.seed, id, rpID)
	if err != nil || data.Created <= k.resetAt && k.resetAt != 0 {
		return nil, ErrNoCredential
	}
	return k.fromSealed(id, data)
}

// fromSealed returns the credential that a SLIP-0022 id carries.
func (k *SecurityKey) fromSealed(id []byte, data credid.Data) (*Credential, error) {
	source := sealedKey{&k.root, bytes.Clone(id), data.Algorithm}
	created := sealedTime(data.Created)
	p, err := newPasskey(Passkey{
		source: source, credentialID: source.id, rpID: data.RPID, origin: "https://" + data.RPID,
		deviceBound: hardware(NotDiscoverable, created), backedUp: k.backup.backedUp(),
	})
	if err != nil {
		return nil, err
	}
	c := &Credential{
		Passkey: p, Kind: NotDiscoverable, RPName: data.RPName, Created: created,
		User: User{data.UserID, data.UserName, data.DisplayName}, Protection: max(1, uint8(data.Protection)),
	}
	if data.HMACSecret {
		c.credRandom = source
	}
	return c, nil
}

// sealedTime reads the creation time of an id. A Trezor counts there from 1, which no clock has shown
// since 1970.
func sealedTime(created uint64) time.Time {
	const counters = 1 << 30 // 2004, before any credential
	if created < counters || created > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(created), 0).UTC()
}

// hardware reports whether a derived credential was registered by a hardware key. Those report
// backup-eligible off, and the flag never changes in the life of a credential.
func hardware(kind Kind, created time.Time) bool {
	switch kind {
	case LedgerHandle, TrezorU2F, PrimeIndex:
		return true
	case Discoverable, NotDiscoverable:
		return created.IsZero() // a Trezor counts, see sealedTime
	}
	return false
}

// CreateRequest says what a new credential is for.
type CreateRequest struct {
	Kind       Kind // Discoverable, NotDiscoverable or Stored
	RPID       string
	RPName     string
	User       User
	Algorithm  credid.Algorithm // 0 for ES256
	Origin     string           // empty for https://RPID
	Label      string           // empty for the relying party's id, with a number if need be
	HMACSecret bool
	Protection uint8 // of credProtect: 1 to 3, 0 for 1
	// DeviceBound makes a Stored credential that reports backup-eligible off. A derived one is always
	// eligible, since words restore it.
	DeviceBound bool
	// ReplaceStored lets the new credential take the place of a stored one for the same relying party and
	// user, whose private key is then lost.
	ReplaceStored bool
}

// StoredInTheWayError is a credential, a stored one as a rule, that a new one would overwrite.
type StoredInTheWayError struct {
	Label, RPID string
	Derived     bool // not a stored one
}

func (e *StoredInTheWayError) Error() string {
	if e.Derived {
		return fmt.Sprintf("the credential %q is for the same user of %s, and would be overwritten", e.Label, e.RPID)
	}
	return fmt.Sprintf("the stored credential %q is for the same user of %s, and its private key is nowhere else", e.Label, e.RPID)
}

// Create makes a credential. One for the same relying party and user is overwritten, as every
// authenticator does, but a stored one only if the request says so: else the error is a
// [*StoredInTheWayError].
//
// The record of a credential of kind [NotDiscoverable] is not kept; [SecurityKey.Keep] keeps it.
func (k *SecurityKey) Create(r CreateRequest, random io.Reader, now time.Time) (*Credential, error) {
	if r.Kind != Discoverable && r.Kind != NotDiscoverable && r.Kind != Stored {
		return nil, fmt.Errorf("a credential of kind %q is not made", r.Kind)
	}
	if r.DeviceBound && r.Kind != Stored {
		return nil, errors.New("a derived credential is never device-bound, since the words of its seed restore it")
	}
	created := max(now.Unix(), int64(k.resetAt)+1)
	data := credid.Data{
		RPID: r.RPID, RPName: r.RPName, UserID: r.User.ID, UserName: r.User.Name, DisplayName: r.User.DisplayName,
		Created: uint64(created), HMACSecret: r.HMACSecret, Algorithm: r.Algorithm,
	}
	if data.UserID == nil {
		data.UserID = []byte{}
	}
	if r.Protection > 1 {
		data.Protection = uint64(r.Protection)
	}
	var c *Credential
	var err error
	if r.Kind == Stored {
		c, err = newStored(data, r.DeviceBound, random)
	} else {
		c, err = k.newSealed(data, random)
	}
	if err != nil {
		return nil, err
	}
	c.Kind, c.RPName, c.User, c.Protection = r.Kind, r.RPName, r.User, max(1, r.Protection)
	if r.Origin != "" {
		c.origin = r.Origin
	}
	if r.Kind == NotDiscoverable {
		return c, nil
	}
	return c, k.keep(c, r.Label, r.ReplaceStored)
}

func (k *SecurityKey) newSealed(data credid.Data, random io.Reader) (*Credential, error) {
	if err := k.root.derivable(); err != nil {
		return nil, err
	}
	// The same seed, version and tag would be the same key; a new draw costs nothing.
	id, err := credid.Seal(k.root.seed, data, random)
	if err != nil {
		return nil, err
	}
	return k.fromSealed(id, data)
}

func newStored(data credid.Data, deviceBound bool, random io.Reader) (*Credential, error) {
	if data.Algorithm != 0 && data.Algorithm != credid.ES256 {
		return nil, errors.New("a stored credential that is made here signs with ES256")
	}
	p, err := NewPasskey(random, PasskeyOptions{Origin: "https://" + data.RPID, DeviceBound: deviceBound})
	if err != nil {
		return nil, err
	}
	c := &Credential{Passkey: p, Created: time.Unix(int64(data.Created), 0).UTC()}
	if data.HMACSecret {
		secret := storedSecret{make([]byte, 32), make([]byte, 32)}
		for _, half := range [][]byte{secret.with, secret.without} {
			if _, err := io.ReadFull(random, half); err != nil {
				return nil, fmt.Errorf("drawing a credential: %w", err)
			}
		}
		c.credRandom = secret
	}
	return c, nil
}

// Keep records a credential of kind [NotDiscoverable], so that this machine can list it and sign with it
// by name.
func (k *SecurityKey) Keep(c *Credential, label string) error { return k.keep(c, label, false) }

func (k *SecurityKey) keep(c *Credential, label string, replaceStored bool) error {
	overwritten := func(o *Credential) bool {
		return o.rpID == c.rpID && bytes.Equal(o.User.ID, c.User.ID) && len(c.User.ID) > 0 &&
			o.Kind != NotDiscoverable && c.Kind != NotDiscoverable || bytes.Equal(o.credentialID, c.credentialID)
	}
	freed := map[string]bool{}
	kept := 0
	for _, o := range k.credentials {
		switch {
		case !overwritten(o):
			kept++
		case o.Kind == Stored && !replaceStored:
			return &StoredInTheWayError{Label: o.Label, RPID: o.rpID}
		default:
			freed[o.Label] = true
		}
	}
	if kept >= maxCredentials {
		return fmt.Errorf("the security key has %d credentials, the most that it keeps", maxCredentials)
	}
	taken := func(s string) bool { return !freed[s] && k.byLabel(s) != nil }
	if label == "" {
		label = freeLabel(c.rpID, taken)
	} else if err := checkLabel(label); err != nil {
		return err
	} else if taken(label) {
		return &LabelExistsError{Key: k.name, Label: label}
	}
	for _, o := range k.credentials {
		if overwritten(o) && !bytes.Equal(o.credentialID, c.credentialID) {
			k.markDeleted(o.credentialID)
		}
	}
	k.credentials = append(slices.DeleteFunc(k.credentials, overwritten), c)
	k.unmarkDeleted(c.credentialID)
	c.Label = label
	return nil
}

// LabelExistsError is a label that a credential of the key already has.
type LabelExistsError struct{ Key, Label string }

func (e *LabelExistsError) Error() string {
	return fmt.Sprintf("security key %q already has a credential %q", e.Key, e.Label)
}

func freeLabel(rpID string, taken func(string) bool) string {
	if len(rpID) > maxNameLength-5 {
		rpID = rpID[:maxNameLength-5]
	}
	label := rpID
	for n := 2; taken(label); n++ {
		label = fmt.Sprintf("%s-%d", rpID, n)
	}
	return label
}

// checkLabel says whether a credential may have the label. A slash separates the key's name from it.
func checkLabel(label string) error {
	if strings.Contains(label, "/") {
		return fmt.Errorf("label %q has a slash, which separates a key's name from a label", label)
	}
	return checkText("label", label)
}

// Named returns the credential of a site and a user name. Nothing is kept of it. The zero algorithm is
// ES256. Its id is 16 bytes that only the seed can make, so that it does not give away the name.
func (k *SecurityKey) Named(n derive.Name, a credid.Algorithm) (*Credential, error) {
	if err := k.root.derivable(); err != nil {
		return nil, err
	}
	if err := n.Check(); err != nil {
		return nil, err
	}
	if !a.Known() {
		return nil, fmt.Errorf("there are no credentials of %s", a)
	}
	source := namedKey{&k.root, n, a}
	id := derive.Symmetric(k.root.seed, "Kedge", "named id", n.URI(), fmt.Sprint(n.Index), a.String())[:16]
	p, err := newPasskey(Passkey{source: source, credentialID: id, rpID: n.RelyingParty(), origin: n.Origin(), backedUp: k.backup.backedUp()})
	if err != nil {
		return nil, err
	}
	return &Credential{Passkey: p, Kind: Named, name: n, User: User{Name: n.User}, credRandom: source, Protection: 1}, nil
}

// AddID records the credential that a SLIP-0022 id of this seed carries: how a list of ids, the relying
// party's or an anchor's, restores what the words alone do not. The error is [credid.ErrForeign] for the id of
// another seed.
func (k *SecurityKey) AddID(id []byte, label string) (*Credential, error) {
	if err := k.root.derivable(); err != nil {
		return nil, err
	}
	if c := k.record(id); c != nil {
		return nil, &LabelExistsError{Key: k.name, Label: c.Label}
	}
	data, err := credid.OpenAnywhere(k.root.seed, id)
	if err != nil {
		return nil, err
	}
	c, err := k.fromSealed(id, data)
	if err != nil {
		return nil, err
	}
	c.Kind = Discoverable
	_, err = k.takeIn(c, label)
	return c, err
}

// takeIn records a credential that was made before and came back. Of two discoverable ones for the same
// user the newer stays so; the other is kept as not discoverable, since nobody asked to lose it, and returned.
func (k *SecurityKey) takeIn(c *Credential, label string) (demoted []*Credential, err error) {
	if len(k.credentials) >= maxCredentials {
		return nil, fmt.Errorf("the security key has %d credentials, the most that it keeps", maxCredentials)
	}
	taken := func(s string) bool { return k.byLabel(s) != nil }
	if label == "" {
		label = freeLabel(c.rpID, taken)
	} else if err := checkLabel(label); err != nil {
		return nil, err
	} else if taken(label) {
		return nil, &LabelExistsError{Key: k.name, Label: label}
	}
	c.Label = label
	demoted = k.demote(c)
	k.credentials = append(k.credentials, c)
	k.unmarkDeleted(c.credentialID)
	return demoted, nil
}

// demote makes the older of c and each discoverable credential for the same user not discoverable, and
// returns those.
func (k *SecurityKey) demote(c *Credential) (demoted []*Credential) {
	for _, o := range k.credentials {
		if c.Kind != Discoverable || o.Kind == NotDiscoverable || o.rpID != c.rpID || len(c.User.ID) == 0 || !bytes.Equal(o.User.ID, c.User.ID) {
			continue
		}
		older := c
		if o.Kind == Discoverable && o.Created.Before(c.Created) {
			older = o
		}
		older.Kind = NotDiscoverable
		demoted = append(demoted, older)
	}
	return demoted
}

// Delete forgets a credential with a record. An id that carries itself is refused from now on, until
// [SecurityKey.AddID] takes it in again.
func (k *SecurityKey) Delete(id []byte) error {
	c := k.record(id)
	if c == nil {
		return ErrNoCredential
	}
	k.credentials = slices.DeleteFunc(k.credentials, func(o *Credential) bool { return o == c })
	k.markDeleted(id)
	return nil
}

// Relabel gives a credential another label.
func (k *SecurityKey) Relabel(id []byte, label string) error {
	c := k.record(id)
	if c == nil {
		return ErrNoCredential
	}
	if err := checkLabel(label); err != nil {
		return err
	}
	if o := k.byLabel(label); o != nil && o != c {
		return &LabelExistsError{Key: k.name, Label: label}
	}
	c.Label = label
	return nil
}

// UpdateUser changes the names of the user of a credential, as CTAP's updateUserInformation does. The
// user id stays.
func (k *SecurityKey) UpdateUser(id []byte, name, displayName string) error {
	c := k.record(id)
	if c == nil {
		return ErrNoCredential
	}
	c.User.Name, c.User.DisplayName = name, displayName
	return nil
}

// MarkUsed records that an authenticator signs with the credential now, and returns the credential as it then
// is: a counter that is not zero has grown by one. Of a credential without a record nothing is kept.
func (k *SecurityKey) MarkUsed(id []byte, now time.Time) (*Credential, error) {
	c := k.record(id)
	if c == nil {
		return nil, ErrNoCredential
	}
	c.LastUsed = now.UTC().Truncate(time.Second)
	if c.counter != 0 {
		p := *c.Passkey
		p.counter++
		c.Passkey = &p
	}
	return c.clone(), nil
}

// Reset is CTAP's reset: it forgets every credential and the protocol's state, and refuses all ids that
// were made until now. The seed stays, and with it what the words restore elsewhere. Stored credentials
// are lost for ever.
func (k *SecurityKey) Reset(now time.Time) {
	k.credentials, k.protocol, k.deleted = nil, nil, nil
	k.resetAt = uint64(max(now.Unix(), 1))
}

// ProtocolState returns what an authenticator protocol keeps with the key, such as the hash of its PIN
// and the tries that are left. The key does not look into it.
func (k *SecurityKey) ProtocolState() []byte { return bytes.Clone(k.protocol) }

// SetProtocolState changes what [SecurityKey.ProtocolState] returns; nil removes it.
func (k *SecurityKey) SetProtocolState(state []byte) { k.protocol = bytes.Clone(state) }

func (k *SecurityKey) record(id []byte) *Credential {
	for _, c := range k.credentials {
		if bytes.Equal(c.credentialID, id) {
			return c
		}
	}
	return nil
}

func (k *SecurityKey) byLabel(label string) *Credential {
	for _, c := range k.credentials {
		if c.Label == label {
			return c
		}
	}
	return nil
}

// A deleted id is remembered by the first 16 bytes of its SHA-256.
func deletedMark(id []byte) []byte {
	h := sha256.Sum256(id)
	return h[:16]
}

func (k *SecurityKey) isDeleted(id []byte) bool {
	mark := deletedMark(id)
	return slices.ContainsFunc(k.deleted, func(m []byte) bool { return bytes.Equal(m, mark) })
}

func (k *SecurityKey) markDeleted(id []byte) {
	if credid.IsSealed(id) && !k.isDeleted(id) {
		k.deleted = append(k.deleted, deletedMark(id))
	}
}

func (k *SecurityKey) unmarkDeleted(id []byte) {
	mark := deletedMark(id)
	k.deleted = slices.DeleteFunc(k.deleted, func(m []byte) bool { return bytes.Equal(m, mark) })
}
