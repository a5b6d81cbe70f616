package keyagent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"kedge/device"
	"kedge/internal/localsocket"
)

// ErrLocked says that no agent holds the store.
var ErrLocked = errors.New("the key store is locked: no agent holds it")

// errOver says that an agent is there, but its time is over or the store has changed.
var errOver = fmt.Errorf("%w", ErrLocked)

// ErrEnded says that the agent went away before it answered.
var ErrEnded = errors.New("the agent ended before it answered")

// RefusedError is what an agent does not do.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return "the agent: " + e.Reason }

// answerTime is how long a client waits for an answer.
const answerTime = 20 * time.Second

// Client speaks to the agent of one store. Each request has a connection of its own, so a Client may be used by
// several goroutines.
type Client struct{ socket, store string }

var _ device.Holder = (*Client)(nil)

// NewClient returns a client for the store, whose agent listens at the socket if there is one.
func NewClient(socket, store string) (*Client, error) {
	store, err := device.RealPath(store)
	return &Client{socket: socket, store: store}, err
}

// Status says what the agent holds, or [ErrLocked].
func (c *Client) Status() (Status, error) {
	r, err := c.ask(request{Op: opStatus})
	if err != nil {
		return Status{}, err
	}
	if r.Status == nil {
		return Status{}, errOdd
	}
	return *r.Status, nil
}

// Keys returns the keys of the store, which sign by asking the agent, or [ErrLocked].
func (c *Client) Keys() (*device.Keys, error) {
	if status, err := c.Status(); err != nil {
		return nil, err
	} else if status.Store != c.store {
		return nil, fmt.Errorf("the agent holds the key store %q and not %q", status.Store, c.store)
	}
	r, err := c.ask(request{Op: opList})
	if err != nil {
		return nil, err
	}
	if r.Outline == nil {
		return nil, errOdd
	}
	return r.Outline.Open(c)
}

// Lock ends the agent. It returns when another one could listen, and [ErrLocked] if there was none, or one that was
// ending by itself. What others ask at that moment is answered, or fails with [ErrEnded] or [ErrLocked].
func (c *Client) Lock() error {
	_, err := c.ask(request{Op: opLock})
	if errors.Is(err, ErrEnded) { // another has locked it first
		err = nil
	}
	if err != nil && !errors.Is(err, errOver) {
		return err
	}
	for range 100 {
		claim, busy := localsocket.NewClaim(c.socket)
		if busy == nil {
			return errors.Join(err, claim.Release())
		}
		if !errors.Is(busy, localsocket.ErrInUse) {
			return busy
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("the agent has not ended yet")
}

// Derive implements [device.Holder].
func (c *Client) Derive(key, selector string) (device.CredentialOutline, error) {
	r, err := c.ask(request{Op: opDerive, Key: key, Credential: selector})
	if err != nil {
		return device.CredentialOutline{}, err
	}
	if r.Credential == nil {
		return device.CredentialOutline{}, errOdd
	}
	return *r.Credential, nil
}

// Assert implements [device.Holder].
func (c *Client) Assert(key, selector string, id []byte, r device.AssertionRequest) (device.Assertion, error) {
	answer, err := c.ask(request{Op: opAssert, Key: key, Credential: selector, ID: id, Challenge: r.Challenge, Flags: byte(r.Flags)})
	if err != nil {
		return device.Assertion{}, err
	}
	if answer.Assertion == nil {
		return device.Assertion{}, errOdd
	}
	a := answer.Assertion
	return device.Assertion{CredentialID: a.CredentialID, AuthenticatorData: a.AuthenticatorData, ClientDataJSON: a.ClientDataJSON, Signature: a.Signature}, nil
}

var errOdd = errors.New("the agent answers something else than it was asked")

func (c *Client) ask(r request) (response, error) {
	conn, err := c.dial()
	if err != nil {
		return response{}, err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(answerTime))
	if err := writeFrame(conn, r, maxRequest); err != nil {
		return response{}, ended(err)
	}
	text, err := readFrame(conn, maxResponse)
	if err != nil {
		return response{}, ended(err)
	}
	answer, err := parseResponse(text)
	switch {
	case err != nil:
		return response{}, err
	case answer.Ended:
		return response{}, errOver
	case answer.Missing:
		return response{}, device.ErrNoCredential
	case answer.Error != "":
		return response{}, &RefusedError{answer.Error}
	}
	return answer, nil
}

// ended tells an agent that went away from one that answers nonsense.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return ErrEnded
	}
	return fmt.Errorf("asking the agent: %w", err)
}

// dial connects to the agent, which has to be a process of the same user, behind a folder that nobody else can
// reach: whoever answers says which keys are the user's own.
func (c *Client) dial() (*net.UnixConn, error) {
	if err := localsocket.CheckFolder(filepath.Dir(c.socket)); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrLocked
	} else if err != nil {
		return nil, err
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: c.socket, Net: "unix"})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrLocked
	}
	if err != nil {
		return nil, fmt.Errorf("reaching the agent: %w", err)
	}
	uid, err := localsocket.PeerUID(conn)
	if err == nil && uid != os.Getuid() {
		err = fmt.Errorf("the agent's process is user %d's", uid)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}
