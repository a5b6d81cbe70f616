package keyagent

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/device"
	"kedge/internal/localsocket"
)

const passphrase = "the passphrase of the test's store"

// store makes a key store with a security key and its own socket path.
func store(t testing.TB) (path, socket string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "keys.age")
	s, err := device.OpenStore(path, passphrase)
	require.NoError(t, err)
	s.SetWorkFactor(2)
	require.NoError(t, s.Change(func(keys *device.Keys) error {
		root, err := device.NewRoot(rand.Reader)
		if err != nil {
			return err
		}
		k, err := keys.AddKey("laptop", root, time.Now())
		if err != nil {
			return err
		}
		_, err = k.Create(device.CreateRequest{Kind: device.Discoverable, RPID: "id.example", User: device.User{ID: []byte("1")}, HMACSecret: true}, rand.Reader, time.Now())
		return err
	}))
	require.NoError(t, os.Chmod(dir, 0o700))
	socket, err = SocketPath(dir, path)
	require.NoError(t, err)
	return path, socket
}

func load(t testing.TB, path string) *device.Keys {
	t.Helper()
	s, err := device.OpenStore(path, passphrase)
	require.NoError(t, err)
	keys, err := s.Load()
	require.NoError(t, err)
	return keys
}

// Whoever asks while the agent is locked, by several at once, has a right answer or learns that it has ended; nobody
// waits, and nobody gets half an answer.
func TestLockWhileOthersAsk(t *testing.T) {
	path, socket := store(t)
	own := load(t, path).All()[0].Passkey
	for range 5 {
		c, wait := start(t, path, socket, time.Hour)
		keys, err := c.Keys()
		require.NoError(t, err)
		got, err := keys.Get("laptop")
		require.NoError(t, err)
		var asked sync.WaitGroup
		failed := make(chan error, 64)
		signed := make(chan struct{}, 8)
		for range 8 {
			asked.Go(func() {
				for {
					signature, err := got.Passkey.Sign([]byte("message"))
					switch {
					case err == nil && device.AgentIdentity(own).Verify([]byte("message"), signature):
						select {
						case signed <- struct{}{}:
						default:
						}
						continue
					case err == nil:
						err = errors.New("the signature is wrong")
					}
					failed <- err
					return
				}
			})
		}
		<-signed
		for range 3 {
			asked.Go(func() {
				if err := c.Lock(); err != nil && !errors.Is(err, ErrLocked) {
					failed <- fmt.Errorf("locking: %w", err)
				}
			})
		}
		asked.Wait()
		require.NoError(t, wait())
		close(failed)
		for err := range failed {
			require.True(t, errors.Is(err, ErrEnded) || errors.Is(err, ErrLocked), "%v", err)
			require.NotContains(t, err.Error(), "locking")
		}
	}
}

// start runs an agent and returns a client, and a function that waits for the agent's end.
func start(t *testing.T, path, socket string, lasts time.Duration) (c *Client, wait func() error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ready, end := make(chan struct{}), make(chan error, 1)
	keys := load(t, path)
	go func() {
		end <- Serve(ctx, Options{Store: path, Socket: socket, For: lasts, Ready: func() { close(ready) }}, func() (*device.Keys, error) { return keys, nil })
	}()
	select {
	case <-ready:
	case err := <-end:
		stop()
		t.Fatal(err)
	}
	var once sync.Once
	var err error
	wait = func() error { once.Do(func() { err = <-end }); return err }
	t.Cleanup(func() { stop(); require.NoError(t, wait()) })
	c, err = NewClient(socket, path)
	require.NoError(t, err)
	return c, wait
}

func TestAgentSigns(t *testing.T) {
	path, socket := store(t)
	c, wait := start(t, path, socket, time.Hour)
	status, err := c.Status()
	require.NoError(t, err)
	require.Equal(t, path, status.Store)
	require.Equal(t, os.Getpid(), status.PID)
	require.WithinDuration(t, time.Now().Add(time.Hour), status.Ends, time.Minute)
	info, err := os.Stat(socket)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(filepath.Dir(socket))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())

	keys, err := c.Keys()
	require.NoError(t, err)
	own := load(t, path)
	for _, name := range []string{"laptop", "laptop/https://anna@id.example"} {
		want, err := own.Get(name)
		require.NoError(t, err)
		got, err := keys.Get(name)
		require.NoError(t, err)
		require.Equal(t, want.Passkey.PublicKey(), got.Passkey.PublicKey())
		signature, err := got.Passkey.Sign([]byte("message"))
		require.NoError(t, err)
		require.True(t, device.AgentIdentity(want.Passkey).Verify([]byte("message"), signature))
	}
	_, err = keys.Get("laptop/00ff")
	var missing *device.NotFoundError
	require.ErrorAs(t, err, &missing)
	_, err = c.Derive("tablet", "x")
	require.ErrorIs(t, err, device.ErrNoCredential)
	_, err = c.Assert("laptop", "id.example", []byte("another id"), device.AssertionRequest{Challenge: []byte("m")})
	require.ErrorIs(t, err, device.ErrNoCredential)
	var refused *RefusedError
	id := own.All()[0].Passkey.CredentialID()
	_, err = c.Assert("laptop", "id.example", id, device.AssertionRequest{Challenge: []byte("m"), Flags: device.UserVerified})
	require.ErrorAs(t, err, &refused, "flags that no authenticator reports")
	_, err = c.Assert("laptop", "id.example", id, device.AssertionRequest{Challenge: make([]byte, maxChallenge+1)})
	require.ErrorAs(t, err, &refused)

	require.NoError(t, c.Lock())
	require.NoError(t, wait())
	_, err = c.Status()
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorIs(t, c.Lock(), ErrLocked)
	got, err := keys.Get("laptop")
	require.NoError(t, err)
	_, err = got.Passkey.Sign([]byte("message"))
	require.ErrorIs(t, err, ErrLocked)
}

func TestSeveralClients(t *testing.T) {
	path, socket := store(t)
	c, _ := start(t, path, socket, time.Hour)
	own, err := load(t, path).Get("laptop")
	require.NoError(t, err)
	var clients sync.WaitGroup
	for n := range 16 {
		clients.Go(func() {
			keys, err := c.Keys()
			if err != nil {
				t.Error(err)
				return
			}
			for _, name := range []string{"laptop", fmt.Sprintf("laptop/https://anna@id.example#%d", n)} {
				got, err := keys.Get(name)
				if err == nil && name == "laptop" {
					var signature []byte
					signature, err = got.Passkey.Sign([]byte{byte(n)})
					if err == nil && !device.AgentIdentity(own.Passkey).Verify([]byte{byte(n)}, signature) {
						t.Errorf("client %d: the signature is wrong", n)
					}
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
}

// Too many clients are sent away, and those that say nothing keep nobody from being answered later.
func TestCrowd(t *testing.T) {
	path, socket := store(t)
	c, _ := start(t, path, socket, time.Hour)
	var idle []net.Conn
	for range maxClients {
		conn, err := net.Dial("unix", socket)
		require.NoError(t, err)
		idle = append(idle, conn)
	}
	require.Eventually(t, func() bool { _, err := c.Status(); return err != nil }, 10*time.Second, time.Millisecond)
	for _, conn := range idle {
		require.NoError(t, conn.Close())
	}
	require.Eventually(t, func() bool { _, err := c.Status(); return err == nil }, 10*time.Second, time.Millisecond)
}

func TestAgentEnds(t *testing.T) {
	for name, what := range map[string]struct {
		lasts time.Duration
		do    func(t *testing.T, path string)
	}{
		"when its time is over": {time.Second, func(*testing.T, string) {}},
		"when the store is changed": {time.Hour, func(t *testing.T, path string) {
			s, err := device.OpenStore(path, passphrase)
			require.NoError(t, err)
			s.SetWorkFactor(2)
			require.NoError(t, s.Change(func(k *device.Keys) error { return k.RenameKey("laptop", "other") }))
		}},
		"when the store is written over": {time.Hour, func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, data, 0o600))
			require.NoError(t, os.Chtimes(path, info.ModTime(), info.ModTime())) // as if nothing had happened
		}},
		"when the store is gone": {time.Hour, func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }},
	} {
		t.Run(name, func(t *testing.T) {
			path, socket := store(t)
			c, wait := start(t, path, socket, what.lasts)
			keys, err := c.Keys()
			require.NoError(t, err)
			what.do(t, path)
			if what.lasts == time.Hour {
				got, err := keys.Get("laptop")
				require.NoError(t, err)
				_, err = got.Passkey.Sign([]byte("m"))
				require.ErrorIs(t, err, ErrLocked, "not one more signature")
			}
			require.NoError(t, wait())
			_, err = os.Lstat(socket)
			require.ErrorIs(t, err, os.ErrNotExist)
		})
	}
}

// After a lock another agent may start at once, even where the one before is ending by itself and still answers somebody.
func TestAnotherAgentAfterALock(t *testing.T) {
	path, socket := store(t)
	for _, changed := range []bool{false, true} {
		for range 10 {
			c, wait := start(t, path, socket, time.Hour)
			slow, err := net.Dial("unix", socket)
			require.NoError(t, err)
			_, err = c.Status()
			require.NoError(t, err)
			if changed {
				require.NoError(t, os.Chtimes(path, time.Now(), time.Now()))
				require.ErrorIs(t, c.Lock(), ErrLocked)
			} else {
				require.NoError(t, c.Lock())
			}
			claim, err := localsocket.NewClaim(socket)
			require.NoError(t, err)
			require.NoError(t, claim.Release())
			require.NoError(t, wait())
			require.NoError(t, slow.Close())
		}
	}
	c, err := NewClient(socket, path)
	require.NoError(t, err)
	require.ErrorIs(t, c.Lock(), ErrLocked)
}

func TestOneAgentForAStore(t *testing.T) {
	path, socket := store(t)
	start(t, path, socket, time.Hour)
	opened := false
	err := Serve(t.Context(), Options{Store: path, Socket: socket, For: time.Hour}, func() (*device.Keys, error) { opened = true; return nil, nil })
	require.ErrorIs(t, err, ErrRunning)
	require.False(t, opened)

	// A link to the store is the same store; another store is another socket.
	link := filepath.Join(filepath.Dir(path), "link.age")
	require.NoError(t, os.Symlink(path, link))
	same, err := SocketPath(filepath.Dir(path), link)
	require.NoError(t, err)
	require.Equal(t, socket, same)
	other, err := SocketPath(filepath.Dir(path), path+"2")
	require.NoError(t, err)
	require.NotEqual(t, socket, other)
	c, err := NewClient(socket, path+"2")
	require.NoError(t, err)
	_, err = c.Keys()
	require.ErrorContains(t, err, "holds the key store")
}

func TestStaleSocket(t *testing.T) {
	path, socket := store(t)
	require.NoError(t, os.Mkdir(filepath.Dir(socket), 0o700))
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	require.NoError(t, err)
	dead.SetUnlinkOnClose(false)
	require.NoError(t, dead.Close())
	c, err := NewClient(socket, path)
	require.NoError(t, err)
	_, err = c.Status()
	require.ErrorIs(t, err, ErrLocked)
	c, _ = start(t, path, socket, time.Hour)
	_, err = c.Status()
	require.NoError(t, err)
}

// An agent that is killed while it is asked is not taken for one that says no.
func TestKilledAgent(t *testing.T) {
	path, socket := store(t)
	require.NoError(t, os.Mkdir(filepath.Dir(socket), 0o700))
	for name, answer := range map[string][]byte{"before it answers": nil, "within its answer": {0, 0, 1, 0, '{', '"'}} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("unix", socket)
			require.NoError(t, err)
			defer func() { _ = listener.Close() }()
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = readFrame(conn, maxRequest)
				_, _ = conn.Write(answer)
				_ = conn.Close()
			}()
			c, err := NewClient(socket, path)
			require.NoError(t, err)
			_, err = c.Keys()
			require.ErrorIs(t, err, ErrEnded)
		})
	}
}

func TestFolderOfTheSocket(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(t *testing.T, folder string)
		want    string
	}{
		"a link": {func(t *testing.T, folder string) {
			elsewhere := t.TempDir()
			require.NoError(t, os.Chmod(elsewhere, 0o700))
			require.NoError(t, os.Symlink(elsewhere, folder))
		}, "it is a symbolic link"},
		"open to others": {func(t *testing.T, folder string) {
			require.NoError(t, os.Mkdir(folder, 0o700))
			require.NoError(t, os.Chmod(folder, 0o755))
		}, "it has mode 0755, and has to have 0700"},
		"a file":             {func(t *testing.T, folder string) { require.NoError(t, os.WriteFile(folder, nil, 0o600)) }, "it is no folder"},
		"others write above": {func(t *testing.T, folder string) { require.NoError(t, os.Chmod(filepath.Dir(folder), 0o777)) }, "others can write to it"},
		"another user's": {func(t *testing.T, folder string) {
			require.NoError(t, os.Mkdir(folder, 0o700))
			if os.Chown(folder, 65534, -1) != nil {
				t.Skip("only root gives a folder away")
			}
		}, "it is another user's"},
	} {
		t.Run(name, func(t *testing.T) {
			path, socket := store(t)
			c.prepare(t, filepath.Dir(socket))
			err := Serve(t.Context(), Options{Store: path, Socket: socket, For: time.Hour}, func() (*device.Keys, error) {
				t.Fatal("the store was opened")
				return nil, nil
			})
			require.ErrorContains(t, err, c.want)
			if name != "others write above" {
				client, err := NewClient(socket, path)
				require.NoError(t, err)
				_, err = client.Status()
				require.ErrorContains(t, err, c.want)
			}
		})
	}
	path, socket := store(t)
	require.NoError(t, os.Mkdir(filepath.Dir(socket), 0o700))
	require.NoError(t, os.WriteFile(socket, nil, 0o600))
	keys := load(t, path)
	err := Serve(t.Context(), Options{Store: path, Socket: socket, For: time.Hour}, func() (*device.Keys, error) { return keys, nil })
	require.ErrorContains(t, err, "is there and is no socket")
}

// frames sends bytes to a running agent and returns what it answers.
func frames(t *testing.T, socket string, data []byte) []byte {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, _ = conn.Write(data)
	text, err := readFrame(conn, maxResponse)
	if err != nil {
		return nil
	}
	return text
}

func TestFrames(t *testing.T) {
	path, socket := store(t)
	c, _ := start(t, path, socket, time.Hour)
	frame := func(text string) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
	}
	for sent, want := range map[string]string{
		`{"op":"export"}`:                                 "there is no such request",
		`{"op":"list","more":1}`:                          "not a message",
		`{"op":"list"} {}`:                                "something follows",
		`{"op":"list","key":"laptop","credential":"x"}`:   "has other fields",
		`{"op":"assert","key":"laptop","credential":"x"}`: "has other fields",
		`{"op":"derive-public"}`:                          "has other fields",
		`[]`:                                              "not a message",
		`{"op":"derive-public","key":"` + strings.Repeat("k", 65) + `"}`: "too long",
	} {
		require.Contains(t, string(frames(t, socket, frame(sent))), want, sent)
	}
	require.Nil(t, frames(t, socket, []byte{0xff, 0xff, 0xff, 0xff}), "a frame of 4 GiB")
	require.Nil(t, frames(t, socket, []byte{0, 0, 0, 0}))
	_, err := c.Status()
	require.NoError(t, err)
}

// FuzzAnswer: whatever is asked, nothing secret is answered.
func FuzzAnswer(f *testing.F) {
	path, _ := store(f)
	keys := load(f, path)
	info, err := os.Stat(path)
	require.NoError(f, err)
	a := &agent{keys: keys, path: path, file: info, ends: time.Now().Add(time.Hour), stop: func() {}}
	k, err := keys.Key("laptop")
	require.NoError(f, err)
	c := k.Credentials()[0]
	secret, err := k.ExportSecret(time.Now())
	require.NoError(f, err)
	words, err := k.ExportPhrase(time.Now())
	require.NoError(f, err)
	hmac, err := c.HMACSecret(true, make([]byte, 32))
	require.NoError(f, err)
	kept := [][]byte{secret, hmac, words.Seed(), []byte(strings.Join(words.Words()[:3], " ")), []byte(passphrase)}
	for _, r := range []request{
		{Op: opStatus}, {Op: opList}, {Op: opLock}, {Op: opDerive, Key: "laptop", Credential: "https://anna@id.example#2"},
		{Op: opDerive, Key: "laptop", Credential: hex.EncodeToString(c.CredentialID())},
		{Op: opAssert, Key: "laptop", Credential: c.Label, ID: c.CredentialID(), Challenge: []byte("m"), Flags: 5},
	} {
		text, err := json.Marshal(r)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		answer, _ := a.answer(text)
		written, err := json.Marshal(answer)
		require.NoError(t, err)
		for _, secret := range kept {
			require.False(t, bytes.Contains(written, secret))
			require.NotContains(t, string(written), hex.EncodeToString(secret))
			require.NotContains(t, string(written), strings.TrimRight(base64.StdEncoding.EncodeToString(secret), "="))
		}
	})
}

// FuzzResponse: what a client reads is held to the protocol, too.
func FuzzResponse(f *testing.F) {
	f.Add([]byte(`{"version":1,"status":{"store":"/x","ends":"2026-11-27T09:00:00Z","memory_locked":true,"pid":7}}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{"version":1,"outline":{"keys":[]}}`))
	f.Add([]byte(`{"version":1,"error":"no","missing":true}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := parseResponse(text)
		if err == nil {
			require.Equal(t, protocolVersion, r.Version)
		}
		frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
		read, err := readFrame(bytes.NewReader(frame), maxRequest)
		if len(text) == 0 || len(text) > maxRequest {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, text, read)
		_, err = readFrame(bytes.NewReader(frame[:len(frame)-1]), maxRequest)
		require.Error(t, err)
	})
}
