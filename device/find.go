package device

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kedge/device/credid"
	"kedge/device/derive"
)

// Finding again derives keys from seeds and compares them with a list of public keys, such as the devices
// of an anchor, which anybody may read. Where the list has credential ids these tell which key to derive;
// where it has none, small numbers and remembered names are tried.

// Listed is a public key of a list, with what the list says of it.
type Listed struct {
	PublicKey    []byte // DER
	CredentialID []byte // may be empty
	Origin       string // where it was registered, may be empty
	Name         string // for people
}

// FindOptions say what is tried beside the credential ids.
type FindOptions struct {
	Sites []string // origins, for names and for handles that do not say their relying party
	Users []string // user names, for SLIP-0013
	// Gap is after how many keys in a row without a match a branch is left; 0 for 20.
	Gap int
	// Limit is the most keys that are derived; 0 for 10,000.
	Limit int
	// Progress is told, after each key, how many were derived and how many there are at most. It may be nil.
	Progress func(done, atMost int)
}

// RecoveryPhraseKey is the kind of a match with the key that Internet Identity derives from the words: the
// words are the recovery phrase of the anchor.
const RecoveryPhraseKey Kind = "recovery phrase"

// Match is a listed key and what derives it.
type Match struct {
	Root   int // index in the roots
	Listed int // index in the list
	Kind   Kind
	// Path says how the key is derived, for people.
	Path      string
	Algorithm credid.Algorithm

	id        []byte
	rpID      string
	data      credid.Data
	name      derive.Name
	slot, seq uint32
}

// FindReport is what was found.
type FindReport struct {
	Matches   []Match
	Unmatched []int   // indices of listed keys that no root gives
	Twice     [][]int // indices of listed keys that are the same key
	Derived   int     // how many keys were derived
	Cut       bool    // the limit ended the search
}

// errLimit ends a search.
var errLimit = errors.New("limit")

type finder struct {
	ctx     context.Context
	roots   []Root
	list    []Listed
	o       FindOptions
	want    map[string][]int // plain key to listed ones
	found   map[int]bool
	report  FindReport
	atMost  int
	ledgers []*credid.LedgerSecrets
}

// Find looks for the listed keys below the roots. The error is that of the context, or says what option
// makes no sense; what the limit cut off is not an error but in the report.
func Find(ctx context.Context, roots []Root, list []Listed, o FindOptions) (FindReport, error) {
	if o.Gap == 0 {
		o.Gap = 20
	}
	if o.Limit == 0 {
		o.Limit = 10_000
	}
	if o.Gap < 1 || o.Limit < 1 {
		return FindReport{}, errors.New("gap and limit of a search are above zero")
	}
	f := &finder{ctx: ctx, roots: roots, list: list, o: o, want: map[string][]int{}, found: map[int]bool{}}
	for i, l := range list {
		if key, ok := plainKey(l.PublicKey); ok {
			f.want[key] = append(f.want[key], i)
		}
	}
	names, err := f.names()
	if err != nil {
		return FindReport{}, err
	}
	for _, r := range roots {
		if r.away {
			return FindReport{}, ErrAway
		}
		f.ledgers = append(f.ledgers, nil)
		if r.kind == RootPrime {
			f.atMost += o.Gap * o.Gap
		} else {
			f.atMost += 1 + len(list) + 2*o.Gap*len(names)
		}
	}
	f.atMost = min(f.atMost, o.Limit)
	err = f.run(names)
	if errors.Is(err, errLimit) {
		f.report.Cut, err = true, nil
	}
	f.finish()
	return f.report, err
}

func (f *finder) run(names []derive.Name) error {
	for i, r := range f.roots {
		if r.kind == RootPrime {
			if err := f.prime(i); err != nil {
				return err
			}
			continue
		}
		steps := []func(int) error{f.phrase, f.ids, func(root int) error { return f.named(root, names) }}
		for _, step := range steps {
			if err := step(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish sorts out what has no match and what is there twice.
func (f *finder) finish() {
	for i, l := range f.list {
		if !f.found[i] {
			f.report.Unmatched = append(f.report.Unmatched, i)
		}
		if key, ok := plainKey(l.PublicKey); ok && len(f.want[key]) > 1 && f.want[key][0] == i {
			f.report.Twice = append(f.report.Twice, f.want[key])
		}
	}
}

// try compares one derived key with the list. The match it is called with says what derives it.
func (f *finder) try(key crypto.Signer, m Match) (hit bool, err error) {
	if err := f.ctx.Err(); err != nil {
		return false, err
	}
	if f.report.Derived >= f.o.Limit {
		return false, errLimit
	}
	f.report.Derived++
	f.atMost = max(f.atMost, f.report.Derived)
	if f.o.Progress != nil {
		f.o.Progress(f.report.Derived, f.atMost)
	}
	plain, ok := plainPublic(key.Public())
	if !ok {
		return false, nil
	}
	for _, i := range f.want[plain] {
		m.Listed = i
		f.found[i] = true
		if !slices.ContainsFunc(f.report.Matches, func(o Match) bool { return o.Listed == i && o.Kind == m.Kind && o.Root == m.Root }) {
			f.report.Matches = append(f.report.Matches, m)
		}
	}
	return len(f.want[plain]) > 0, nil
}

// phrase tries the key of a recovery phrase.
func (f *finder) phrase(root int) error {
	key, err := derive.Ed25519(f.roots[root].seed, phrasePath...)
	if err != nil {
		return err
	}
	_, err = f.try(key, Match{Root: root, Kind: RecoveryPhraseKey, Path: "m/44'/223'/0'/0'/0'", Algorithm: credid.EdDSA})
	return err
}

// ids tries what each listed credential id says.
func (f *finder) ids(root int) error {
	for i, l := range f.list {
		if len(l.CredentialID) == 0 || f.found[i] {
			continue
		}
		if err := f.sealed(root, l); err != nil {
			return err
		}
		for _, site := range f.sitesOf(l) {
			if err := f.foreign(root, l, site); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *finder) sealed(root int, l Listed) error {
	data, err := credid.OpenAnywhere(f.roots[root].seed, l.CredentialID)
	if err != nil {
		return nil // of another seed, or no such id
	}
	key, err := credid.Key(f.roots[root].seed, l.CredentialID, data.Algorithm)
	if err != nil {
		return nil
	}
	_, err = f.try(key, Match{
		Root: root, Kind: Discoverable, Path: "SLIP-0022 credential id", Algorithm: algorithmOf(data.Algorithm), id: l.CredentialID, rpID: data.RPID, data: data,
	})
	return err
}

// foreign tries a credential id as a Ledger's or an old Trezor's, for one relying party or application.
func (f *finder) foreign(root int, l Listed, site string) error {
	if key, err := credid.OpenTrezorU2F(f.roots[root].seed, l.CredentialID, site); err == nil {
		m := Match{Root: root, Kind: TrezorU2F, Path: "U2F key handle of a Trezor", Algorithm: credid.ES256, id: l.CredentialID, rpID: site}
		if _, err := f.try(key, m); err != nil {
			return err
		}
	}
	if f.ledgers[root] == nil {
		secrets, err := credid.NewLedgerSecrets(f.roots[root].seed)
		if err != nil {
			return err
		}
		f.ledgers[root] = secrets
	}
	handle, err := credid.OpenLedger(f.ledgers[root], l.CredentialID, site)
	if err != nil {
		return nil
	}
	algorithms := []credid.Algorithm{handle.Algorithm}
	if handle.Algorithm == 0 {
		algorithms = []credid.Algorithm{credid.ES256, credid.EdDSA}
	}
	for _, a := range algorithms {
		key, err := handle.Key(a)
		if err != nil {
			continue
		}
		m := Match{
			Root: root, Kind: LedgerHandle, Path: "handle of a Ledger", Algorithm: a, id: l.CredentialID, rpID: site,
			data: credid.Data{RPID: site, UserID: handle.UserID, UserName: handle.UserName},
		}
		if _, err := f.try(key, m); err != nil {
			return err
		}
	}
	return nil
}

// sitesOf returns what the relying party or application of a listed key may be.
func (f *finder) sitesOf(l Listed) []string {
	var sites []string
	for _, origin := range append([]string{l.Origin}, f.o.Sites...) {
		host, err := RelyingParty(origin)
		if err != nil {
			continue
		}
		for _, site := range []string{host, origin} {
			if !slices.Contains(sites, site) {
				sites = append(sites, site)
			}
		}
	}
	return sites
}

// names returns the identities of SLIP-0013 to try: every site with every user, and without one.
func (f *finder) names() ([]derive.Name, error) {
	var names []derive.Name
	for _, site := range f.o.Sites {
		n, err := derive.ParseName(site)
		if err != nil {
			return nil, fmt.Errorf("site %q: %w", site, err)
		}
		users := f.o.Users
		if n.User != "" {
			users = []string{n.User}
		}
		for _, user := range append([]string{""}, users...) {
			n.User = user
			if err := n.Check(); err != nil {
				return nil, err
			}
			names = append(names, n)
		}
	}
	return names, nil
}

// named tries names with the index from 0 on, on both curves.
func (f *finder) named(root int, names []derive.Name) error {
	for _, n := range names {
		for misses, index := 0, uint32(0); misses < f.o.Gap; index++ {
			n.Index = index
			any := false
			for _, a := range []credid.Algorithm{credid.ES256, credid.EdDSA} {
				key, err := namedKey{&f.roots[root], n, a}.key()
				if err != nil {
					return err
				}
				m := Match{Root: root, Kind: Named, Path: fmt.Sprintf("%s, index %d", n.URI(), index), Algorithm: a, name: n}
				hit, err := f.try(key, m)
				if err != nil {
					return err
				}
				any = any || hit
			}
			if misses++; any {
				misses = 0
			}
		}
	}
	return nil
}

// prime tries the numbered keys of a Passport Prime: slots and, in each, keys, each until a gap.
func (f *finder) prime(root int) error {
	for emptySlots, slot := 0, uint32(0); emptySlots < f.o.Gap; slot++ {
		any := false
		for misses, seq := 0, uint32(0); misses < f.o.Gap; seq++ {
			misses++
			key, err := credid.PrimeKey(f.roots[root].secret, slot, seq)
			if err != nil {
				continue
			}
			m := Match{Root: root, Kind: PrimeIndex, Path: fmt.Sprintf("security key %d, registration %d", slot, seq), Algorithm: credid.ES256, slot: slot, seq: seq}
			hit, err := f.try(key, m)
			if err != nil {
				return err
			}
			if hit {
				any, misses = true, 0
			}
		}
		if emptySlots++; any {
			emptySlots = 0
		}
	}
	return nil
}

func algorithmOf(a credid.Algorithm) credid.Algorithm {
	if a == 0 {
		return credid.ES256
	}
	return a
}

// Selector returns what stands behind KEY/ in [Keys.Get] for a named match, empty for any other.
func (m Match) Selector() string {
	if m.Kind != Named {
		return ""
	}
	options := ""
	if m.name.Index != 0 {
		options = fmt.Sprint(m.name.Index)
	}
	if m.Algorithm == credid.EdDSA {
		options = strings.TrimPrefix(options+",ed25519", ",")
	}
	if options != "" {
		options = "#" + options
	}
	return m.name.URI() + options
}

// SignerOf returns the key of a match, with the form of signature that the listed key wants. Nothing is
// kept of it.
func SignerOf(r Root, m Match, l Listed) (Key, error) {
	if m.Kind == RecoveryPhraseKey {
		private, err := derive.Ed25519(r.seed, phrasePath...)
		if err != nil {
			return nil, err
		}
		return PhraseKey{private}, nil
	}
	k := &SecurityKey{name: "found", root: r}
	c, err := k.AddMatch(m, l, "")
	if err != nil {
		return nil, err
	}
	if bytes.Equal(c.PublicKey(), l.PublicKey) {
		return c.Passkey, nil
	}
	private, err := c.source.key()
	if err != nil {
		return nil, err
	}
	return newPlainKey(private)
}

// AddMatch records a match of [Find] with this key's seed as a credential of it, so that it signs. The listed
// key says where it is used. A named one needs no record: [SecurityKey.Named] is returned; a recovery phrase signs
// as such and is refused.
func (k *SecurityKey) AddMatch(m Match, l Listed, label string) (*Credential, error) {
	if m.Kind == RecoveryPhraseKey {
		return nil, errors.New("the words are the anchor's recovery phrase, which signs as one and is no credential")
	}
	if m.Kind == Named {
		return k.Named(m.name, m.Algorithm)
	}
	id := l.CredentialID
	rpID, err := RelyingParty(l.Origin)
	if err != nil {
		rpID = m.rpID
	}
	j := credentialJSON{
		Kind: m.Kind, ID: id, Label: "found", Origin: l.Origin, Algorithm: m.Algorithm, Protection: 1, Slot: m.slot, Index: m.seq,
		UserID: m.data.UserID, UserName: m.data.UserName, UserDisplayName: m.data.DisplayName, RPName: m.data.RPName,
		HMACSecret: m.Kind == LedgerHandle || m.data.HMACSecret,
	}
	switch m.Kind {
	case Discoverable:
		if c := k.record(id); c != nil {
			return c.clone(), nil
		}
		return k.AddID(id, label)
	case PrimeIndex:
		if len(id) == 0 {
			id = fmt.Appendf(nil, "passport prime %d/%d", m.slot, m.seq)
		}
		j.ID, j.RPID = id, rpID
	default:
		j.RPID = m.rpID
	}
	if j.Origin == "" {
		j.Origin = "https://" + rpID
	}
	if c := k.record(j.ID); c != nil {
		return c.clone(), nil
	}
	c, err := j.credential(k)
	if err != nil {
		return nil, err
	}
	if key, ok := plainKey(l.PublicKey); ok {
		if own, _ := plainPublic(c.public); own != key {
			return nil, errors.New("the match does not give the listed key")
		}
	}
	_, err = k.takeIn(c, label)
	return c, err
}
