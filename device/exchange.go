package device

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"kedge/device/credid"
	"kedge/device/cxf"
)

// exporter is what an exchange file says of who wrote it.
var exporter = cxf.Exporter{RPID: "kedge.invalid", DisplayName: "Kedge"}

// LeftOut is a credential that an exchange file does not have, and why.
type LeftOut struct{ Label, Why string }

// ExportCXF returns credentials of the key as an exchange file, in clear: the caller encrypts it with
// [SealExchange] and writes nothing else. Those that are in it are marked as copied. With ids it takes
// those alone, else all that have a record. It is refused once the key is finalized.
func (k *SecurityKey) ExportCXF(ids [][]byte, now time.Time, random io.Reader) (file []byte, leftOut []LeftOut, err error) {
	if !k.backup.finalized.IsZero() {
		return nil, nil, ErrFinalized
	}
	for _, id := range ids {
		if k.record(id) == nil {
			return nil, nil, ErrNoCredential
		}
	}
	var list []cxf.Passkey
	var copied []*Credential
	for _, c := range k.credentials {
		if len(ids) > 0 && !slices.ContainsFunc(ids, func(id []byte) bool { return bytes.Equal(id, c.credentialID) }) {
			continue
		}
		switch {
		case c.deviceBound:
			leftOut = append(leftOut, LeftOut{c.Label, "it was registered as device-bound, which never changes"})
		case c.counter != 0:
			leftOut = append(leftOut, LeftOut{c.Label, "it has a signature counter, which two copies cannot share"})
		default:
			p, err := c.exchange()
			if err != nil {
				return nil, nil, fmt.Errorf("credential %q: %w", c.Label, err)
			}
			list, copied = append(list, p), append(copied, c)
		}
	}
	if len(list) == 0 {
		return nil, leftOut, errors.New("the security key has no credential that can be exported")
	}
	if file, err = cxf.Encode(list, exporter, now, random); err != nil {
		return nil, nil, err
	}
	for _, c := range copied {
		c.Copied = now.UTC().Truncate(time.Second)
	}
	k.noteExport(ExportCXF, now)
	return file, leftOut, nil
}

func (c *Credential) exchange() (cxf.Passkey, error) {
	private, err := c.source.key()
	if err != nil {
		return cxf.Passkey{}, err
	}
	p := cxf.Passkey{
		Title: c.Label, CredentialID: c.credentialID, RPID: c.rpID, UserName: c.User.Name, UserDisplayName: c.User.DisplayName,
		UserHandle: c.User.ID, Key: private, Created: c.Created,
	}
	if c.credRandom != nil {
		if p.HMACWithUV, err = c.credRandom.secret(true); err != nil {
			return p, err
		}
		p.HMACWithoutUV, err = c.credRandom.secret(false)
	}
	return p, err
}

// ImportReport says what an exchange file brought.
type ImportReport struct {
	Added   []string // labels
	Same    []string // labels of credentials that were here
	Skipped []string // what the file has beside passkeys, for people
}

// ImportCXF takes the passkeys of an exchange file in as stored credentials: all of them or, with an
// error, none. One for the same relying party and user as a credential here is a
// [*StoredInTheWayError] unless replace is set.
func (k *SecurityKey) ImportCXF(file []byte, replace bool, now time.Time) (ImportReport, error) {
	f, err := cxf.Decode(file)
	if err != nil {
		return ImportReport{}, err
	}
	// Work on a copy, so that an error in the middle changes nothing.
	trial := *k
	trial.credentials, trial.deleted = slices.Clone(k.credentials), slices.Clone(k.deleted)
	report := ImportReport{Skipped: f.Skipped}
	for _, p := range f.Passkeys {
		if here := trial.record(p.CredentialID); here != nil {
			report.Same = append(report.Same, here.Label)
			continue
		}
		c, err := importPasskey(p, now)
		if err != nil {
			return ImportReport{}, fmt.Errorf("passkey %q of the exchange file: %w", p.Title, err)
		}
		for _, o := range trial.credentials {
			if !replace && o.rpID == c.rpID && len(c.User.ID) > 0 && bytes.Equal(o.User.ID, c.User.ID) && o.Kind != NotDiscoverable {
				return ImportReport{}, fmt.Errorf("passkey %q of the exchange file: %w", p.Title, &StoredInTheWayError{o.Label, o.rpID, o.Kind != Stored})
			}
		}
		label := ""
		if checkLabel(p.Title) == nil && trial.byLabel(p.Title) == nil {
			label = p.Title
		}
		if err := trial.keep(c, label, replace); err != nil {
			return ImportReport{}, fmt.Errorf("passkey %q of the exchange file: %w", p.Title, err)
		}
		report.Added = append(report.Added, c.Label)
	}
	k.credentials, k.deleted = trial.credentials, trial.deleted
	return report, nil
}

func importPasskey(p cxf.Passkey, now time.Time) (*Credential, error) {
	algorithm := credid.ES256
	if _, ok := p.Key.(ed25519.PrivateKey); ok {
		algorithm = credid.EdDSA
	}
	origin := "https://" + p.RPID
	if host, err := RelyingParty(origin); err != nil || host != p.RPID {
		return nil, fmt.Errorf("relying party id %q is no host name", p.RPID)
	}
	private, err := rawPrivate(p.Key)
	if err != nil {
		return nil, err
	}
	created := p.Created
	if created.IsZero() {
		created = now.UTC().Truncate(time.Second)
	}
	j := credentialJSON{
		Kind: Stored, ID: p.CredentialID, Label: "imported", RPID: p.RPID, Origin: origin, UserID: p.UserHandle, UserName: p.UserName,
		UserDisplayName: p.UserDisplayName, Algorithm: algorithm, Created: &created, Protection: 1, PrivateKey: private,
	}
	if len(p.HMACWithUV) > 0 {
		j.CredRandom = [][]byte{p.HMACWithUV, p.HMACWithoutUV}
	}
	c, err := j.credential(new(SecurityKey))
	if err != nil {
		return nil, err
	}
	// Whoever exported it may still have it.
	c.Copied = now.UTC().Truncate(time.Second)
	return c, nil
}

// SealExchange encrypts an exchange file with a passphrase, as an age file. workFactor is log2 of scrypt's
// N, 0 for the store's default.
func SealExchange(file []byte, passphrase string, workFactor int) ([]byte, error) {
	if passphrase == "" {
		return nil, errors.New("the passphrase of the exchange file is empty")
	}
	if workFactor == 0 {
		workFactor = defaultWorkFactor
	}
	return seal(file, passphrase, workFactor)
}

// OpenExchange decrypts what [SealExchange] made, or another program with a passphrase. The error wraps
// [ErrWrongPassphrase] if it does not fit.
func OpenExchange(sealed []byte, passphrase string) ([]byte, error) {
	plain, err := unseal(sealed, passphrase)
	if err != nil && !errors.Is(err, ErrWrongPassphrase) {
		return nil, fmt.Errorf("the exchange file is no age file with a passphrase, or damaged: %w", err)
	}
	return plain, err
}
