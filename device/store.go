package device

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"unicode"
	"unicode/utf8"

	"kedge/internal/fileio"
)

// CheckName says whether a security key may have the name: 1 to 64 bytes of printable UTF-8 without a
// space at either end, and not [ReservedName].
func CheckName(name string) error {
	if name == ReservedName {
		return fmt.Errorf("the name %q is kept for the recovery phrase", name)
	}
	return checkText("device name", name)
}

func checkText(what, text string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	switch {
	case text == "":
		return fmt.Errorf("the %s is empty", what)
	case len(text) > maxNameLength:
		return fmt.Errorf("%s %q has %d bytes, the limit is %d", what, text, len(text), maxNameLength)
	case !utf8.ValidString(text) || slices.ContainsFunc([]rune(text), unprintable):
		return fmt.Errorf("%s %q has characters that cannot be printed", what, text)
	case text[0] == ' ' || text[len(text)-1] == ' ':
		return fmt.Errorf("%s %q begins or ends with a space", what, text)
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

	alone bool // this Store has the lock
}

// OpenStore names a store; no file is touched. A file that does not exist holds no keys. The
// passphrase must not be empty.
func OpenStore(path, passphrase string) (*Store, error) {
	if passphrase == "" {
		return nil, errors.New("the passphrase of the key store is empty")
	}
	return &Store{path: path, passphrase: passphrase, workFactor: defaultWorkFactor}, nil
}

// IsPassphrase reports whether the text is the passphrase of the store. The comparison takes the same time
// wherever they differ.
func (s *Store) IsPassphrase(text string) bool {
	given, want := sha256.Sum256([]byte(text)), sha256.Sum256([]byte(s.passphrase))
	return subtle.ConstantTimeCompare(given[:], want[:]) == 1
}

// Passphrase returns what opens the store, for an agent that is to hold it.
func (s *Store) Passphrase() string { return s.passphrase }

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
	var newer *NewerStoreError
	if errors.As(err, &newer) {
		return nil, fmt.Errorf("opening the key store %q: %w", s.path, err)
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
	return s.rewrite(s.passphrase, change)
}

// ChangePassphrase encrypts the store with another passphrase, in one step: whoever is interrupted has the
// old one or the new one. Copies of the file keep the old one.
func (s *Store) ChangePassphrase(passphrase string) error {
	if passphrase == "" {
		return errors.New("the new passphrase of the key store is empty")
	}
	return s.rewrite(passphrase, func(*Keys) error { return nil })
}

// Alone has do change the store while nobody else can.
func (s *Store) Alone(do func() error) error {
	if s.alone {
		return do()
	}
	real, err := RealPath(s.path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(real), 0o700); err != nil {
		return fmt.Errorf("making the folder of the key store: %w", err)
	}
	return whileLocked(real, func() error {
		s.alone = true
		defer func() { s.alone = false }()
		return do()
	})
}

// BetweenChanges calls do while nobody changes the store at path, and waits for a change that has begun.
func BetweenChanges(path string, do func() error) error {
	real, err := RealPath(path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(lockOf(real)); errors.Is(err, fs.ErrNotExist) {
		return do() // nobody has ever changed it
	}
	return whileLocked(real, do)
}

// RealPath is the one way to write the path of a store: absolute, without symbolic links as far as it exists. A store
// that is reached by a link is changed where it is, and the link stays.
func RealPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("finding the key store: %w", err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	return path, nil
}

func lockOf(path string) string { return path + ".lock" }

func whileLocked(path string, do func() error) error {
	lock, err := fileio.LockFile(lockOf(path))
	if err != nil {
		return fmt.Errorf("locking the key store: %w", err)
	}
	defer func() { _ = lock.Unlock() }()
	return do()
}

func (s *Store) rewrite(passphrase string, change func(*Keys) error) error {
	return s.Alone(func() error { return s.rewriteAlone(passphrase, change) })
}

func (s *Store) rewriteAlone(passphrase string, change func(*Keys) error) error {
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
	sealed, err := seal(plain, passphrase, s.workFactor)
	if err != nil {
		return err
	}
	real, err := RealPath(s.path)
	if err != nil {
		return err
	}
	if err := fileio.WriteFile(real, sealed, 0o600); err != nil {
		return fmt.Errorf("writing the key store, which is as it was: %w", err)
	}
	s.passphrase, s.sealed, s.plain = passphrase, sealed, plain
	return nil
}
