package device

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"kedge/device/derive"
	"kedge/device/internal/bech32"
)

// A metadata backup keeps what the words of a seed do not bring back: which credentials are discoverable,
// their labels and names, and where they are used. It is a file of age with one X25519 recipient, whose
// private key is Key(m/"Kedge"/"metadata backup") of the seed (SLIP-0021), so the words open it and nothing
// need be remembered. What is inside is one JSON object:
//
//	{
//	  "format":      "kedge-credentials",
//	  "version":     1,
//	  "fingerprint": base64, of the seed
//	  "name":        text, the key's
//	  "made":        time
//	  "deleted":     [ base64, … ], as in the store
//	  "credentials": [ … ], as in the store, without stored ones
//	}

const (
	metadataFormat  = "kedge-credentials"
	metadataVersion = 1
)

type metadataJSON struct {
	Format      string           `json:"format"`
	Version     int              `json:"version"`
	Fingerprint []byte           `json:"fingerprint"`
	Name        string           `json:"name"`
	Made        time.Time        `json:"made"`
	Deleted     [][]byte         `json:"deleted,omitempty"`
	Credentials []credentialJSON `json:"credentials"`
}

// ErrNotThisSeed says that a metadata backup was made with another seed, or is no such file.
var ErrNotThisSeed = errors.New("the seed does not open the file: it is the backup of another seed, or damaged")

// metadataIdentity returns the age identity of a seed.
func (r Root) metadataIdentity() (*age.X25519Identity, error) {
	if r.away {
		return nil, ErrAway
	}
	text, err := bech32.Encode("age-secret-key-", derive.Symmetric(r.seed, "Kedge", "metadata backup"))
	if err != nil {
		return nil, err
	}
	identity, err := age.ParseX25519Identity(strings.ToUpper(text))
	if err != nil {
		return nil, errors.New("the seed gives no key for a metadata backup") // not err, it shows the key
	}
	return identity, nil
}

// BackUpMetadata returns a metadata backup of the key, and the labels of the stored credentials, which are
// not in it: their private keys are nowhere but in the store.
func (k *SecurityKey) BackUpMetadata(now time.Time) (file []byte, leftOut []string, err error) {
	if !k.HasSeed() {
		return nil, nil, errNoSeed
	}
	doc := metadataJSON{
		Format: metadataFormat, Version: metadataVersion, Fingerprint: k.root.print[:], Name: k.name,
		Made: now.UTC().Truncate(time.Second), Deleted: k.deleted, Credentials: []credentialJSON{},
	}
	for _, c := range k.credentials {
		if c.Kind == Stored {
			leftOut = append(leftOut, c.Label)
			continue
		}
		j, err := encodeCredential(c)
		if err != nil {
			return nil, nil, err
		}
		doc.Credentials = append(doc.Credentials, j)
	}
	plain, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, nil, fmt.Errorf("encoding a metadata backup: %w", err)
	}
	identity, err := k.root.metadataIdentity()
	if err != nil {
		return nil, nil, err
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, identity.Recipient())
	if err != nil {
		return nil, nil, fmt.Errorf("encrypting a metadata backup: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, nil, fmt.Errorf("encrypting a metadata backup: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, nil, fmt.Errorf("encrypting a metadata backup: %w", err)
	}
	return sealed.Bytes(), leftOut, nil
}

// MetadataReport says what a metadata backup changed, by labels.
type MetadataReport struct {
	Made    time.Time
	Added   []string // were not here
	Merged  []string // were here, and learned something
	Same    []string // were here, as they are
	Demoted []string // an older credential for the same user: kept, no longer discoverable
	Deleted []string // were deleted here since, and were left so
}

// RestoreMetadata takes a metadata backup into the key. Nothing that is here is lost by it, in whatever
// order backups come: of two credentials for the same user the newer one stays discoverable and the other
// is kept as not discoverable, and what was deleted here stays deleted unless withDeleted is set.
func (k *SecurityKey) RestoreMetadata(file []byte, withDeleted bool) (MetadataReport, error) {
	doc, err := k.openMetadata(file)
	if err != nil {
		return MetadataReport{}, err
	}
	read := make([]*Credential, len(doc.Credentials))
	for i, j := range doc.Credentials {
		if j.Kind == Stored {
			return MetadataReport{}, fmt.Errorf("the metadata backup has a stored credential %q, which is never in one", j.Label)
		}
		if read[i], err = j.credential(k); err != nil {
			return MetadataReport{}, fmt.Errorf("credential %q of the metadata backup: %w", j.Label, err)
		}
	}
	report := MetadataReport{Made: doc.Made}
	for _, c := range read {
		if err := k.merge(c, withDeleted, &report); err != nil {
			return MetadataReport{}, err
		}
	}
	for _, mark := range doc.Deleted {
		kept := func(c *Credential) bool { return bytes.Equal(deletedMark(c.credentialID), mark) }
		same := func(m []byte) bool { return bytes.Equal(m, mark) }
		if !slices.ContainsFunc(k.credentials, kept) && !slices.ContainsFunc(k.deleted, same) {
			k.deleted = append(k.deleted, mark)
		}
	}
	return report, nil
}

func (k *SecurityKey) openMetadata(file []byte) (metadataJSON, error) {
	var doc metadataJSON
	if !k.HasSeed() {
		return doc, errNoSeed
	}
	identity, err := k.root.metadataIdentity()
	if err != nil {
		return doc, err
	}
	r, err := age.Decrypt(bytes.NewReader(file), identity)
	if err != nil {
		return doc, ErrNotThisSeed
	}
	plain, err := io.ReadAll(io.LimitReader(r, storeLimit+1))
	if err != nil || len(plain) > storeLimit {
		return doc, fmt.Errorf("the metadata backup is damaged or cut off: %w", errors.Join(err, ErrNotThisSeed))
	}
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(plain, &head); err != nil || head.Format != metadataFormat {
		return doc, errors.New("the file is no metadata backup")
	}
	if head.Version != metadataVersion {
		return doc, fmt.Errorf("the metadata backup: %w", &NewerStoreError{head.Version})
	}
	if err := strictJSON(plain, &doc); err != nil {
		return doc, fmt.Errorf("the metadata backup: %w", err)
	}
	if !bytes.Equal(doc.Fingerprint, k.root.print[:]) {
		return doc, ErrNotThisSeed
	}
	return doc, nil
}

// merge takes one credential of a backup in.
func (k *SecurityKey) merge(c *Credential, withDeleted bool, report *MetadataReport) error {
	if here := k.record(c.credentialID); here != nil {
		if here.learn(c) {
			report.Merged = append(report.Merged, here.Label)
		} else {
			report.Same = append(report.Same, here.Label)
		}
		return nil
	}
	if k.isDeleted(c.credentialID) && !withDeleted {
		report.Deleted = append(report.Deleted, c.Label)
		return nil
	}
	label := freeLabel(c.Label, func(s string) bool { return k.byLabel(s) != nil })
	demoted, err := k.takeIn(c, label)
	if err != nil {
		return err
	}
	for _, o := range demoted {
		report.Demoted = append(report.Demoted, o.Label)
	}
	report.Added = append(report.Added, c.Label)
	return nil
}

// learn adds what a backup knows of the same credential, and reports whether that was anything.
func (c *Credential) learn(other *Credential) (changed bool) {
	for _, use := range other.Uses {
		if !slices.Contains(c.Uses, use) {
			c.Uses = append(slices.Clone(c.Uses), use)
			changed = true
		}
	}
	if other.LastUsed.After(c.LastUsed) {
		c.LastUsed, changed = other.LastUsed, true
	}
	for _, pair := range [][2]*string{{&c.User.Name, &other.User.Name}, {&c.User.DisplayName, &other.User.DisplayName}, {&c.RPName, &other.RPName}} {
		if *pair[0] == "" && *pair[1] != "" {
			*pair[0], changed = *pair[1], true
		}
	}
	return changed
}
