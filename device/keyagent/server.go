package keyagent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"kedge/device"
	"kedge/internal/localsocket"
)

// Limits of a connection.
const (
	maxClients  = 32
	idleTime    = time.Minute      // between two requests
	requestTime = 10 * time.Second // for the rest of a request, and to take an answer
	checkTime   = time.Second      // between two looks at the store and the clock
)

// ErrRunning says that an agent for the store is there already.
var ErrRunning = errors.New("an agent for this key store is running already")

// Options say how an agent runs.
type Options struct {
	Store  string        // path of the file
	Socket string        // see [SocketPath]
	For    time.Duration // how long it lasts
	Locked bool          // whether its memory is locked, for [Status]
	Ready  func()        // called once clients can connect
}

// Serve signs with the keys, which were read from the store, until the time is over, a client locks, the store's file
// changes, or the context ends; none of these is an error. open reads the keys: it is called once the agent is
// known to be the only one.
func Serve(ctx context.Context, o Options, open func() (*device.Keys, error)) error {
	path, err := device.RealPath(o.Store)
	if err != nil {
		return err
	}
	claim, err := localsocket.NewClaim(o.Socket)
	switch {
	case errors.Is(err, localsocket.ErrInUse):
		return ErrRunning
	case err != nil:
		return err
	}
	defer func() { _ = claim.Release() }()
	file, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("reading the key store: %w", err)
	}
	keys, err := open()
	if err != nil {
		return err
	}
	listener, err := claim.Listen()
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	ctx, stop := context.WithTimeout(ctx, o.For)
	defer stop()
	a := &agent{
		keys: keys, path: path, file: file, stop: stop,
		status: Status{Store: path, Ends: time.Now().Add(o.For).UTC().Truncate(time.Second), Locked: o.Locked, PID: os.Getpid()},
		ends:   time.Now().Add(o.For).Round(0),
	}
	go a.watch(ctx)
	end := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer end()
	if o.Ready != nil {
		o.Ready()
	}
	return a.accept(ctx, listener)
}

// agent is the state that clients share.
type agent struct {
	keys   *device.Keys
	path   string
	file   os.FileInfo // of the store when it was read
	status Status
	ends   time.Time // by the clock on the wall, which goes on while the machine sleeps
	stop   context.CancelFunc
}

// valid reports whether the agent may still answer. It is judged before every answer, so that a key that was
// removed from the store signs no more.
func (a *agent) valid() bool {
	info, err := os.Stat(a.path)
	return err == nil && os.SameFile(info, a.file) && info.Size() == a.file.Size() && info.ModTime().Equal(a.file.ModTime()) &&
		changed(info).Equal(changed(a.file)) && time.Now().Round(0).Before(a.ends)
}

// watch ends the agent when it is no longer valid, so that the keys do not stay in memory.
func (a *agent) watch(ctx context.Context) {
	tick := time.NewTicker(checkTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if !a.valid() {
				a.stop()
				return
			}
		}
	}
}

func (a *agent) accept(ctx context.Context, listener *net.UnixListener) error {
	var clients sync.WaitGroup
	defer clients.Wait()
	places := make(chan struct{}, maxClients)
	for {
		conn, err := listener.AcceptUnix()
		if ctx.Err() != nil {
			if conn != nil {
				_ = conn.Close()
			}
			return nil
		}
		if err != nil {
			a.stop()
			return fmt.Errorf("waiting for a client: %w", err)
		}
		select {
		case places <- struct{}{}:
		default:
			_ = conn.Close() // full
			continue
		}
		clients.Go(func() {
			defer func() { <-places }()
			end := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer end()
			defer func() { _ = conn.Close() }()
			if uid, err := localsocket.PeerUID(conn); err == nil && uid == os.Getuid() {
				a.serve(conn)
			}
		})
	}
}

// serve answers one client. The error of a connection is the client's going away.
func (a *agent) serve(conn net.Conn) {
	for {
		_ = conn.SetDeadline(time.Now().Add(idleTime))
		text, err := readFrame(&hurried{conn: conn}, maxRequest)
		if err != nil {
			return
		}
		answer, then := a.answer(text)
		_ = conn.SetDeadline(time.Now().Add(requestTime))
		err = writeFrame(conn, answer, maxResponse)
		if then == endAgent {
			a.stop() // which closes the connection, so the answer goes first
		}
		if err != nil || then != goOn {
			return
		}
	}
}

// hurried gives a client less time once its request has begun.
type hurried struct {
	conn  net.Conn
	begun bool
}

func (h *hurried) Read(b []byte) (int, error) {
	n, err := h.conn.Read(b)
	if n > 0 && !h.begun {
		h.begun = true
		_ = h.conn.SetDeadline(time.Now().Add(requestTime))
	}
	return n, err
}

// next is what comes after an answer.
type next int

const (
	goOn next = iota
	endConnection
	endAgent
)

// answer judges one request.
func (a *agent) answer(text []byte) (answer response, then next) {
	answer.Version = protocolVersion
	if !a.valid() {
		answer.Error, answer.Ended = "the agent has ended: its time is over, or the key store has changed", true
		return answer, endAgent
	}
	r, err := parseRequest(text)
	if err != nil {
		answer.Error = err.Error()
		return answer, endConnection
	}
	if r.Op == opLock {
		answer.Status = &a.status
		return answer, endAgent
	}
	if err := a.do(r, &answer); err != nil {
		var missing *device.NotFoundError
		answer.Error, answer.Missing = err.Error(), errors.Is(err, device.ErrNoCredential) || errors.As(err, &missing)
	}
	return answer, goOn
}

func (a *agent) do(r request, answer *response) error {
	switch r.Op {
	case opStatus:
		answer.Status = &a.status
		return nil
	case opList:
		o, err := a.keys.Outline()
		answer.Outline = &o
		return err
	}
	k, err := a.keys.Key(r.Key)
	if err != nil {
		return err
	}
	c, err := k.Select(r.Credential)
	if err != nil {
		return err
	}
	if r.Op == opDerive {
		o, err := c.Outline()
		answer.Credential = &o
		return err
	}
	if !bytes.Equal(c.CredentialID(), r.ID) {
		return device.ErrNoCredential
	}
	// For the credential's own relying party and origin, whoever asks.
	signed, err := c.Assert(device.AssertionRequest{Challenge: r.Challenge, Flags: device.Flags(r.Flags)})
	if err != nil {
		return err
	}
	answer.Assertion = &assertion{signed.CredentialID, signed.AuthenticatorData, signed.ClientDataJSON, signed.Signature}
	return nil
}

var _ io.Reader = (*hurried)(nil)
