package device

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// The backup of a seed goes through steps: it is exported as words or shares, what was written down is
// checked by typing it back, and then the key is finalized, after which this program exports the seed
// no more. Finalizing stops mistakes and whoever comes later to an open session; it does not stop
// somebody who has the file and its passphrase, since both give the seed away.

// ExportKind says in what form a secret left the key.
type ExportKind string

// The forms of export.
const (
	ExportWords  ExportKind = "words"
	ExportShares ExportKind = "shares"
	ExportCXF    ExportKind = "cxf" // private keys, not the seed
)

// Export is one time that something secret left the key.
type Export struct {
	At time.Time
	As ExportKind
}

type backupState struct {
	exports                      []Export
	checked, finalized, restored time.Time // zero for never
}

// backedUp reports whether the seed is known to exist outside the store.
func (b backupState) backedUp() bool { return !b.checked.IsZero() }

var (
	// ErrFinalized says that the key gives its seed and private keys away no more.
	ErrFinalized = errors.New("the security key is finalized, its seed and private keys leave it no more")
	// ErrNotChecked says that nobody has shown yet that the backup can be read.
	ErrNotChecked = errors.New("the backup of the security key has not been checked")
)

// Status is how far the backup of a key has come. Times are zero for never.
type Status struct {
	Name          string
	HasSeed       bool
	Kind          RootKind
	Fingerprint   Fingerprint
	Exports       []Export
	Checked       time.Time
	Finalized     time.Time
	Restored      time.Time
	Credentials   int // with a record
	Stored        int // of these, whose private key no words restore
	Copied        int // of these, whose private key was exported
	Discoverable  int
	ResetsRefused bool // ids of before a reset are refused
}

// Sealed reports whether the seed is exported no more.
func (s Status) Sealed() bool { return !s.Finalized.IsZero() }

// Status returns how far the backup of the key has come.
func (k *SecurityKey) Status() Status {
	s := Status{
		Name: k.name, HasSeed: k.HasSeed(), Kind: k.root.kind, Fingerprint: k.root.print,
		Exports: slices.Clone(k.backup.exports), Checked: k.backup.checked, Finalized: k.backup.finalized, Restored: k.backup.restored,
		Credentials: len(k.credentials), ResetsRefused: k.resetAt != 0,
	}
	for _, c := range k.credentials {
		if c.Kind == Stored {
			s.Stored++
		}
		if c.Kind == Discoverable {
			s.Discoverable++
		}
		if !c.Copied.IsZero() {
			s.Copied++
		}
	}
	return s
}

// ExportPhrase returns the words of the seed and records that they left the key.
func (k *SecurityKey) ExportPhrase(now time.Time) (Phrase, error) {
	if err := k.exportable(); err != nil {
		return Phrase{}, err
	}
	p, err := k.root.phrase()
	if err != nil {
		return Phrase{}, err
	}
	k.noteExport(ExportWords, now)
	return p, nil
}

// ExportSecret returns the secret that shares are made of, 32 bytes for a key that was made here, and
// records that it left the key.
func (k *SecurityKey) ExportSecret(now time.Time) ([]byte, error) {
	if err := k.exportable(); err != nil {
		return nil, err
	}
	if k.root.away {
		return nil, ErrAway
	}
	k.noteExport(ExportShares, now)
	return slices.Clone(k.root.secret), nil
}

// Exportable says why the seed cannot be exported, if it cannot.
func (k *SecurityKey) Exportable() error { return k.exportable() }

func (k *SecurityKey) exportable() error {
	switch {
	case !k.HasSeed():
		return errNoSeed
	case !k.backup.finalized.IsZero():
		return ErrFinalized
	}
	return nil
}

func (k *SecurityKey) noteExport(as ExportKind, now time.Time) {
	k.backup.exports = append(k.backup.exports, Export{now.UTC().Truncate(time.Second), as})
}

// AnotherSeedError is a backup that was read well and is of another seed.
type AnotherSeedError struct{ Want, Got Fingerprint }

func (e *AnotherSeedError) Error() string {
	return fmt.Sprintf("this is the backup of another seed: its fingerprint is %s, that of the key %s", e.Got, e.Want)
}

// Check records that the backup was read back whole and gives this seed. The error is an
// [*AnotherSeedError] if it does not.
func (k *SecurityKey) Check(read Root, now time.Time) error {
	if !k.HasSeed() {
		return errNoSeed
	}
	if !k.root.Equal(read) {
		return &AnotherSeedError{Want: k.root.print, Got: read.print}
	}
	k.backup.checked = now.UTC().Truncate(time.Second)
	k.markBackedUp()
	return nil
}

// markBackedUp lets derived credentials report that they are backed up.
func (k *SecurityKey) markBackedUp() {
	for _, c := range k.credentials {
		if c.Kind != Stored {
			p := *c.Passkey
			p.backedUp = true
			c.Passkey = &p
		}
	}
}

// Finalize ends the time in which the seed and private keys are exported, for ever. The backup has to
// have been checked.
func (k *SecurityKey) Finalize(now time.Time) error {
	switch {
	case !k.HasSeed():
		return errNoSeed
	case !k.backup.finalized.IsZero():
		return ErrFinalized
	case !k.backup.backedUp():
		return ErrNotChecked
	}
	k.backup.finalized = now.UTC().Truncate(time.Second)
	return nil
}
