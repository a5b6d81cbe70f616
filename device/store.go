package device

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"kedge/internal/fileio"
)

// ReservedName is the name that stands for the recovery phrase and that no passkey may have.
const ReservedName = "phrase"

// NotFoundError is a passkey that the store does not have.
type NotFoundError struct{ Name string }

func (e *NotFoundError) Error() string { return fmt.Sprintf("no device %q in the key store", e.Name) }

// ExistsError is a name that the store already has.
type ExistsError struct{ Name string }

func (e *ExistsError) Error() string {
	return fmt.Sprintf("device %q is already in the key store", e.Name)
}

// StoredPasskey is a passkey and what the store knows of it.
type StoredPasskey struct {
	Name    string
	Created time.Time
	Passkey *Passkey
	Uses    []Use
}

// Use is an anchor that has the passkey as a device. Where names the identity provider; the store
// takes it as it comes.
type Use struct {
	Where  string `json:"where"`
	Anchor uint64 `json:"anchor"`
}

// Keys is what a store holds, in the order in which it was added.
type Keys struct{ passkeys []StoredPasskey }

// All returns every passkey.
func (k *Keys) All() []StoredPasskey { return slices.Clone(k.passkeys) }

// Get returns the passkey with the name, or a [*NotFoundError].
func (k *Keys) Get(name string) (StoredPasskey, error) {
	if i := k.index(name); i >= 0 {
		return k.passkeys[i], nil
	}
	return StoredPasskey{}, &NotFoundError{Name: name}
}

// Add puts a passkey under a name that is free, else it returns an [*ExistsError].
func (k *Keys) Add(name string, p *Passkey, now time.Time) error {
	return k.add(StoredPasskey{Name: name, Created: now.UTC().Truncate(time.Second), Passkey: p})
}

// Remove forgets a passkey for ever, or returns a [*NotFoundError].
func (k *Keys) Remove(name string) error {
	i := k.index(name)
	if i < 0 {
		return &NotFoundError{Name: name}
	}
	k.passkeys = slices.Delete(k.passkeys, i, i+1)
	return nil
}

// Note records that the passkey is a device of an anchor. Noting it twice is the same as once.
func (k *Keys) Note(name string, use Use) error {
	i := k.index(name)
	if i < 0 {
		return &NotFoundError{Name: name}
	}
	if !slices.Contains(k.passkeys[i].Uses, use) {
		k.passkeys[i].Uses = append(slices.Clone(k.passkeys[i].Uses), use)
	}
	return nil
}

// Forget takes back what [Keys.Note] recorded.
func (k *Keys) Forget(name string, use Use) error {
	i := k.index(name)
	if i < 0 {
		return &NotFoundError{Name: name}
	}
	same := func(u Use) bool { return u == use }
	k.passkeys[i].Uses = slices.DeleteFunc(slices.Clone(k.passkeys[i].Uses), same)
	return nil
}

func (k *Keys) add(s StoredPasskey) error {
	if err := CheckName(s.Name); err != nil {
		return err
	}
	if k.index(s.Name) >= 0 {
		return &ExistsError{Name: s.Name}
	}
	k.passkeys = append(k.passkeys, s)
	return nil
}

func (k *Keys) index(name string) int {
	return slices.IndexFunc(k.passkeys, func(s StoredPasskey) bool { return s.Name == name })
}

// CheckName says whether a passkey may have the name: 1 to 64 bytes of printable UTF-8 without a
// space at either end, and not [ReservedName].
func CheckName(name string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	switch {
	case name == "":
		return errors.New("a device needs a name")
	case name == ReservedName:
		return fmt.Errorf("the name %q is kept for the recovery phrase", name)
	case len(name) > maxNameLength:
		return fmt.Errorf("device name %q has %d bytes, the limit is %d", name, len(name), maxNameLength)
	case !utf8.ValidString(name) || slices.ContainsFunc([]rune(name), unprintable):
		return fmt.Errorf("device name %q has characters that cannot be printed", name)
	case name[0] == ' ' || name[len(name)-1] == ' ':
		return fmt.Errorf("device name %q begins or ends with a space", name)
	}
	return nil
}

// Store is a key store file and the passphrase that opens it.
//
// Any number of processes may use one file: writers take turns by a lock, and a reader sees the
// file before or after a change, never within one.
//
// A Store is for one goroutine; several of them may use the same file.
type Store struct {
	path, passphrase string
	workFactor       int

	// The file as it was last read or written, and what is in it: deriving the key of the same file
	// twice would double the time of every change.
	sealed, plain []byte
}

// OpenStore names a store; no file is touched. A file that does not exist holds no keys. The
// passphrase must not be empty.
func OpenStore(path, passphrase string) (*Store, error) {
	if passphrase == "" {
		return nil, errors.New("the passphrase of the key store is empty")
	}
	return &Store{path: path, passphrase: passphrase, workFactor: defaultWorkFactor}, nil
}

// SetWorkFactor sets the cost of the passphrase for files written from now on: scrypt's N is 2 to
// the power of logN. The default, 17, takes half a second and 128 MiB; less is for tests.
func (s *Store) SetWorkFactor(logN int) { s.workFactor = logN }

// StoreExists reports whether there is a file at path, so that a program can ask for a new
// passphrase twice and for an old one once.
func StoreExists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for the key store: %w", err)
	}
	return true, nil
}

// Load reads the keys. The error names the file and wraps [ErrWrongPassphrase] where that is the
// reason.
func (s *Store) Load() (*Keys, error) {
	sealed, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return new(Keys), nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key store: %w", err)
	}
	plain := s.plain
	if s.sealed == nil || !bytes.Equal(sealed, s.sealed) {
		if plain, err = unseal(sealed, s.passphrase); errors.Is(err, ErrWrongPassphrase) {
			return nil, fmt.Errorf("opening the key store %q: %w", s.path, err)
		}
	}
	var keys *Keys
	if err == nil {
		keys, err = parseStore(plain)
	}
	if err != nil {
		return nil, fmt.Errorf("the key store %q is damaged: %w", s.path, err)
	}
	s.sealed, s.plain = sealed, plain
	return keys, nil
}

// Change reads the keys, lets change alter them and writes them back, all under the lock. Nothing is
// written if change returns an error. The file is replaced in one step and readable by its owner
// alone (mode 0600), as is the folder if it has to be made.
func (s *Store) Change(change func(*Keys) error) error {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("making the folder of the key store: %w", err)
	}
	lock, err := fileio.LockFile(s.path + ".lock")
	if err != nil {
		return fmt.Errorf("locking the key store: %w", err)
	}
	defer lock.Unlock()
	keys, err := s.Load()
	if err != nil {
		return err
	}
	if err := change(keys); err != nil {
		return err
	}
	plain, err := encodeStore(keys)
	if err != nil {
		return err
	}
	sealed, err := seal(plain, s.passphrase, s.workFactor)
	if err != nil {
		return err
	}
	if err := fileio.WriteFile(s.path, sealed, 0o600); err != nil {
		return fmt.Errorf("writing the key store: %w", err)
	}
	s.sealed, s.plain = sealed, plain
	return nil
}
