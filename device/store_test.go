package device

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/internal/fileio"
)

// testWorkFactor keeps scrypt out of the time of the tests.
const testWorkFactor = 4

var testTime = time.Date(2026, 11, 21, 2, 15, 0, 0, time.UTC)

func testStore(t *testing.T, path, passphrase string) *Store {
	t.Helper()
	s, err := OpenStore(path, passphrase)
	require.NoError(t, err)
	s.SetWorkFactor(testWorkFactor)
	return s
}

func testPasskey(t *testing.T) *Passkey {
	t.Helper()
	p, err := NewPasskey(rand.Reader, PasskeyOptions{Origin: "https://id.example"})
	require.NoError(t, err)
	return p
}

func TestStoreKeepsPasskeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "keys.age")
	exists, err := StoreExists(path)
	require.NoError(t, err)
	require.False(t, exists)

	s := testStore(t, path, "correct horse")
	keys, err := s.Load()
	require.NoError(t, err, "a store without a file is empty")
	require.Empty(t, keys.All())

	laptop, phone := testPasskey(t), testPasskey(t)
	phone.deviceBound = true
	require.NoError(t, s.Change(func(k *Keys) error { return k.Add("laptop", laptop, testTime) }))
	require.NoError(t, s.Change(func(k *Keys) error {
		require.NoError(t, k.Note("laptop", Use{Where: "here", Anchor: 10000}))
		require.NoError(t, k.Note("laptop", Use{Where: "here", Anchor: 10000}))
		return k.Add("phone", phone, testTime)
	}))

	keys, err = testStore(t, path, "correct horse").Load()
	require.NoError(t, err)
	require.Len(t, keys.All(), 2)
	got, err := keys.Get("laptop")
	require.NoError(t, err)
	require.Equal(t, StoredPasskey{Name: "laptop", Created: testTime, Passkey: laptop, Uses: []Use{{Where: "here", Anchor: 10000}},
		Key: "laptop", Kind: Stored}, got)
	got, err = keys.Get("phone")
	require.NoError(t, err)
	require.True(t, got.Passkey.DeviceBound())

	require.NoError(t, s.Change(func(k *Keys) error {
		require.NoError(t, k.Forget("laptop", Use{Where: "here", Anchor: 10000}))
		return k.Remove("phone")
	}))
	keys, err = s.Load()
	require.NoError(t, err)
	require.Len(t, keys.All(), 1)
	require.Empty(t, keys.All()[0].Uses)

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "laptop", "even names are encrypted")
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 2, "the store, its lock and nothing else")
}

func TestStoreRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.age")
	s := testStore(t, path, "right")
	require.NoError(t, s.Change(func(k *Keys) error { return k.Add("laptop", testPasskey(t), testTime) }))
	before, err := os.ReadFile(path)
	require.NoError(t, err)

	t.Run("wrong passphrase", func(t *testing.T) {
		wrong := testStore(t, path, "wrong")
		_, err := wrong.Load()
		require.ErrorIs(t, err, ErrWrongPassphrase)
		require.EqualError(t, err, fmt.Sprintf("opening the key store %q: wrong passphrase", path))
		require.NotContains(t, err.Error(), "right")
		require.ErrorIs(t, wrong.Change(func(*Keys) error { return nil }), ErrWrongPassphrase)
	})
	t.Run("empty passphrase", func(t *testing.T) {
		_, err := OpenStore(path, "")
		require.EqualError(t, err, "the passphrase of the key store is empty")
	})
	t.Run("a name that exists", func(t *testing.T) {
		var exists *ExistsError
		err := s.Change(func(k *Keys) error { return k.Add("laptop", testPasskey(t), testTime) })
		require.ErrorAs(t, err, &exists)
		require.EqualError(t, err, `device "laptop" is already in the key store`)
	})
	t.Run("a name that does not", func(t *testing.T) {
		var missing *NotFoundError
		require.ErrorAs(t, s.Change(func(k *Keys) error { return k.Remove("phone") }), &missing)
		require.ErrorAs(t, s.Change(func(k *Keys) error { return k.Note("phone", Use{}) }), &missing)
		require.ErrorAs(t, s.Change(func(k *Keys) error { return k.Forget("phone", Use{}) }), &missing)
		_, err := new(Keys).Get("phone")
		require.EqualError(t, err, `no device "phone" in the key store`)
	})
	t.Run("a change that fails", func(t *testing.T) {
		boom := errors.New("boom")
		require.ErrorIs(t, s.Change(func(k *Keys) error { _ = k.Remove("laptop"); return boom }), boom)
	})
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after, "nothing was written")
}

func TestChangePassphrase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.age")
	s := testStore(t, path, "old")
	require.NoError(t, s.Change(func(k *Keys) error { return k.Add("laptop", testPasskey(t), testTime) }))
	require.EqualError(t, s.ChangePassphrase(""), "the new passphrase of the key store is empty")
	require.ErrorIs(t, testStore(t, path, "wrong").ChangePassphrase("new"), ErrWrongPassphrase)
	require.NoError(t, s.ChangePassphrase("new"))
	_, err := testStore(t, path, "old").Load()
	require.ErrorIs(t, err, ErrWrongPassphrase)
	keys, err := testStore(t, path, "new").Load()
	require.NoError(t, err)
	require.Len(t, keys.All(), 1)
	require.NoError(t, s.Change(func(k *Keys) error { return k.Add("phone", testPasskey(t), testTime) }), "the same Store goes on with it")
}

// BenchmarkUnlock is what opening a store takes, scrypt above all.
func BenchmarkUnlock(b *testing.B) {
	sealed, err := seal([]byte(`{"format":"kedge-keys","version":2,"keys":[]}`), "right", defaultWorkFactor)
	require.NoError(b, err)
	for b.Loop() {
		if _, err := unseal(sealed, "right"); err != nil {
			b.Fatal(err)
		}
	}
}

// A file says how much work its passphrase takes, and somebody else may have written it: one that asks for gigabytes
// is refused before any work is done.
func TestTooMuchWorkIsRefused(t *testing.T) {
	sealed, err := SealExchange([]byte("{}"), "correct horse", testWorkFactor)
	require.NoError(t, err)
	begin := fmt.Appendf(nil, " %d\n", testWorkFactor)
	require.Equal(t, 1, bytes.Count(sealed[:200], begin))
	dear := bytes.Replace(sealed, begin, fmt.Appendf(nil, " %d\n", maxWorkFactor+1), 1)
	_, err = OpenExchange(dear, "correct horse")
	require.ErrorContains(t, err, "work factor too large")
	path := filepath.Join(t.TempDir(), "keys.age")
	require.NoError(t, os.WriteFile(path, dear, 0o600))
	_, err = testStore(t, path, "correct horse").Load()
	require.ErrorContains(t, err, "work factor too large")
	require.LessOrEqual(t, defaultWorkFactor+1, maxWorkFactor, "age itself writes 18")
}

func TestStoreNamesDamagedFile(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.age")
	s := testStore(t, whole, "right")
	require.NoError(t, s.Change(func(k *Keys) error { return k.Add("laptop", testPasskey(t), testTime) }))
	sealed, err := os.ReadFile(whole)
	require.NoError(t, err)
	flipped := append([]byte(nil), sealed...)
	flipped[len(flipped)-1] ^= 1
	for name, content := range map[string][]byte{
		"empty":     {},
		"text":      []byte("not a store"),
		"truncated": sealed[:len(sealed)-40],
		"flipped":   flipped,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			require.NoError(t, os.WriteFile(path, content, 0o600))
			_, err := testStore(t, path, "right").Load()
			require.ErrorContains(t, err, fmt.Sprintf("the key store %q is damaged: ", path))
			require.NotErrorIs(t, err, ErrWrongPassphrase)
		})
	}
	t.Run("a folder", func(t *testing.T) {
		_, err := testStore(t, dir, "right").Load()
		require.ErrorContains(t, err, dir)
	})
}

func TestParseStoreRefuses(t *testing.T) {
	const key = `"credential_id":"AQ==","private_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="`
	tests := []struct{ name, text, err string }{
		{"not JSON", "hello", "the decrypted text is not JSON"},
		{"another format", `{"format":"pets","version":1}`, `format is "pets", not "kedge-keys"`},
		{"a later version", `{"format":"kedge-keys","version":3}`, "version 3 is not known here, a newer kedge wrote it"},
		{"an unknown field", `{"format":"kedge-keys","version":1,"passkeys":[],"extra":1}`, `unknown field "extra"`},
		{"a tail", `{"format":"kedge-keys","version":1,"passkeys":[]} {}`, "the decrypted text is not JSON"},
		{"no credential id", `{"format":"kedge-keys","version":1,"passkeys":[{"name":"a","origin":"https://a","private_key":"AA=="}]}`, `passkey "a": credential id of 0 bytes`},
		{"a zero key", `{"format":"kedge-keys","version":1,"passkeys":[{"name":"a","origin":"https://a","credential_id":"AQ==","private_key":"AA=="}]}`, `passkey "a": the private key is not one of P-256`},
		{"no origin", `{"format":"kedge-keys","version":1,"passkeys":[{"name":"a",` + key + `}]}`, `passkey "a": origin "" is not of the form https://host`},
		{"a name twice", `{"format":"kedge-keys","version":1,"passkeys":[{"name":"a","origin":"https://a",` + key + `},{"name":"a","origin":"https://a",` + key + `}]}`,
			`device "a" is already in the key store`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			keys, err := parseStore([]byte(tc.text))
			require.ErrorContains(t, err, tc.err)
			require.Nil(t, keys)
		})
	}
}

// A store of the first release, captured once. It must open for ever.
func TestStoreOfTheFirstRelease(t *testing.T) {
	keys, err := testStore(t, filepath.Join("testdata", "keys-v1.age"), "kedge test store").Load()
	require.NoError(t, err)
	laptop, err := keys.Get("laptop")
	require.NoError(t, err)
	require.Equal(t, []Use{{Where: "rdmx6-jaaaa-aaaaa-aaadq-cai@local", Anchor: 10000}}, laptop.Uses)
	require.Equal(t, testTime, laptop.Created)
	private, err := rawPrivate(laptop.Passkey.source.(keptKey).private)
	require.NoError(t, err)
	require.Equal(t, "6e68e7a58484a3264f66b77f5d6dc5bc36a47085b615c9727ab334e8c369c2ee", hex.EncodeToString(private))
	require.Equal(t, "https://example.org", laptop.Passkey.Origin())
}

func TestStoreWritersTakeTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.age")
	const writers = 8
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			s := testStore(t, path, "right")
			err := s.Change(func(k *Keys) error { return k.Add(fmt.Sprintf("device %d", i), testPasskey(t), testTime) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	keys, err := testStore(t, path, "right").Load()
	require.NoError(t, err)
	require.Len(t, keys.All(), writers, "no writer overwrote another")
}

// A store that is reached by a link is changed where it is, and whoever uses the link and whoever does not take turns.
func TestStoreBehindALink(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "elsewhere", "keys.age"), filepath.Join(dir, "keys.age")
	require.NoError(t, testStore(t, path, "right").Change(func(*Keys) error { return nil }))
	if err := os.Symlink(path, link); err != nil {
		t.Skipf("no links here: %v", err)
	}
	const writers = 8
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			s := testStore(t, []string{path, link}[i%2], "right")
			if err := s.Change(func(k *Keys) error { return k.Add(fmt.Sprintf("device %d", i), testPasskey(t), testTime) }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink, "the link stays")
	keys, err := testStore(t, path, "right").Load()
	require.NoError(t, err)
	require.Len(t, keys.All(), writers)
}

// While one works alone, its own changes go on, and nobody else's.
func TestStoreAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "keys.age")
	require.NoError(t, BetweenChanges(path, func() error { return nil }))
	require.NoDirExists(t, filepath.Dir(path), "nobody has a store here")
	s := testStore(t, path, "right")
	var done atomic.Bool
	waited := make(chan bool, 1)
	require.NoError(t, s.Alone(func() error {
		require.NoError(t, s.Change(func(k *Keys) error { return k.Add("laptop", testPasskey(t), testTime) }))
		_, free, err := fileio.TryLockFile(path + ".lock")
		require.NoError(t, err)
		require.False(t, free, "a change within does not end it")
		go func() {
			waited <- BetweenChanges(path, func() error {
				if !done.Load() {
					return errors.New("too early")
				}
				return nil
			}) == nil
		}()
		require.NoError(t, s.Change(func(k *Keys) error { return k.Add("phone", testPasskey(t), testTime) }))
		done.Store(true)
		return nil
	}))
	require.True(t, <-waited)
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"laptop", "Anna's phone", "Gerät 2"} {
		require.NoError(t, CheckName(name))
	}
	for _, name := range []string{"", "phrase", " x", "x ", "a\nb", "\xff", string(make([]byte, 65))} {
		require.Error(t, CheckName(name), "%q", name)
	}
}

func FuzzParseStore(f *testing.F) {
	f.Add([]byte(`{"format":"kedge-keys","version":1,"passkeys":[{"name":"a","origin":"https://a","device_bound":true,"created":"2026-11-21T02:15:00Z","credential_id":"AQ==","private_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=","uses":[{"where":"x","anchor":1}]}]}`))
	f.Add([]byte(`{"format":"kedge-keys","version":1,"passkeys":null}`))
	keys := new(Keys)
	k, err := keys.AddKey("laptop", phraseRoot(f, allWords), testTime)
	require.NoError(f, err)
	for i, kind := range []Kind{Discoverable, Stored} {
		r := request(string(rune('a' + i)))
		r.Kind, r.HMACSecret = kind, true
		create(f, k, r, testTime)
	}
	plain, err := encodeStore(keys)
	require.NoError(f, err)
	f.Add(plain)
	f.Fuzz(func(t *testing.T, plain []byte) {
		keys, err := parseStore(plain)
		if err != nil {
			require.Nil(t, keys)
			return
		}
		for _, s := range keys.All() {
			_, err := s.Passkey.Assert(AssertionRequest{Challenge: []byte("x")})
			require.NoError(t, err)
		}
		again, err := encodeStore(keys)
		require.NoError(t, err)
		same, err := parseStore(again)
		require.NoError(t, err)
		require.Len(t, same.All(), len(keys.All()))
	})
}
