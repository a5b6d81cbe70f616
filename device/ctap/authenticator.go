package ctap

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"kedge/device"
	"kedge/device/credid"
)

// PresenceWindow is how long a request waits for a key press.
const PresenceWindow = 30 * time.Second

// resetWindow is how long after it was plugged in a key can be reset (CTAP 2.1, section 6.6).
const resetWindow = 10 * time.Second

// nextWindow is how long getNextAssertion waits for the next call (CTAP 2.1, section 6.3).
const nextWindow = 30 * time.Second

// Store keeps the security key between commands.
type Store interface {
	// Load returns the key as it is now. It is read and not changed.
	Load() (*device.SecurityKey, error)
	// Change changes the key in one step: all of it or, if the function returns an error, nothing.
	Change(func(*device.SecurityKey) error) error
}

// Action says what a person is asked to approve.
type Action string

// The actions that wait for a key press.
const (
	Register Action = "register"
	SignIn   Action = "sign in"
	Select   Action = "select this security key"
	Reset    Action = "reset this security key"
	// Verify is what [Options.Verify] is asked when a client wants the person verified before it says what for.
	Verify Action = "verify that you are the owner"
)

// Prompt is what a person sees before they press a key. The texts are the relying party's and may hold
// anything: who prints them makes them harmless.
type Prompt struct {
	Action Action
	RPID   string   // empty for Select and Reset
	Users  []string // those that the request is about, newest first
	// Known says that the credential exists already, so that registering will be refused.
	Known bool
	// Replaces is the label of a stored credential that registering gives up for ever, empty for none.
	Replaces string
	Verified bool // the client gave the PIN
}

// ErrDeclined is what [Options.Presence] returns when the person said no.
var ErrDeclined = errors.New("the request was declined")

// ErrNotVerified is what [Options.Verify] returns when the person is not the owner.
var ErrNotVerified = errors.New("the owner was not verified")

// Options are what an [Authenticator] is made of.
type Options struct {
	Store Store
	// Presence asks the person who has the key and returns nil once they pressed it. Its context ends after
	// [PresenceWindow], or when the client cancels.
	Presence func(context.Context, Prompt) error
	// Verify, if not nil, verifies the person in place of the PIN, for clients that ask for it: nil once they
	// proved that they are the owner, [ErrNotVerified], or [ErrDeclined]. The PIN works beside it.
	Verify func(context.Context, Prompt) error
	// Report is told of errors that the protocol has no code for. It may be nil.
	Report func(error)
	Random io.Reader
	Now    func() time.Time
	// Window is how long a request waits for the person, zero for [PresenceWindow].
	Window time.Duration
}

// Authenticator answers CTAP commands for one security key. Making one is plugging the key in: three wrong
// PINs in a row block until then. Its methods may be called by several goroutines; commands run one by one.
type Authenticator struct {
	o         Options
	pluggedIn time.Time

	mu        sync.Mutex
	exchanges map[uint64]*agreement // by PIN protocol
	token     token
	wrongPINs int // in a row since the key was plugged in
	wrongUVs  int // in a row
	next      *assertions
	listing   listing
	upload    *upload
}

// New plugs a security key in.
func New(o Options) (*Authenticator, error) {
	a := &Authenticator{o: o, pluggedIn: o.Now(), exchanges: map[uint64]*agreement{}}
	for _, protocol := range []uint64{1, 2} {
		if err := a.renew(protocol); err != nil {
			return nil, err
		}
	}
	if err := a.renewToken(); err != nil {
		return nil, err
	}
	return a, nil
}

// The commands of CTAP 2.1, section 6.
const (
	cmdMakeCredential       = 0x01
	cmdGetAssertion         = 0x02
	cmdGetInfo              = 0x04
	cmdClientPIN            = 0x06
	cmdReset                = 0x07
	cmdGetNextAssertion     = 0x08
	cmdCredentialManagement = 0x0A
	cmdSelection            = 0x0B
	cmdLargeBlobs           = 0x0C
	cmdConfig               = 0x0D

	// cmdManagementPreview is credentialManagement before CTAP 2.1 was final. libfido2 1.12 uses no other.
	cmdManagementPreview = 0x41
)

// call is a command while it runs.
type call struct {
	context.Context
	waiting func(bool)
}

// Call answers a command, which is its number and its parameters: a [Status] and, after [OK], canonical CBOR. While
// somebody is asked to press a key, waiting has been called with true; it may be nil.
func (a *Authenticator) Call(ctx context.Context, command []byte, waiting func(bool)) []byte {
	if waiting == nil {
		waiting = func(bool) {}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	answer, err := a.dispatch(call{ctx, waiting}, command)
	var status Status
	switch {
	case err == nil && answer == nil:
		return []byte{byte(OK)}
	case err == nil:
		return append([]byte{byte(OK)}, encode(answer)...)
	case !errors.As(err, &status):
		status = Other
		if a.o.Report != nil {
			a.o.Report(err)
		}
	}
	return []byte{byte(status)}
}

func (a *Authenticator) dispatch(c call, command []byte) (any, error) {
	if len(command) == 0 {
		return nil, InvalidLength
	}
	number, parameters := command[0], command[1:]
	if number == cmdManagementPreview {
		number = cmdCredentialManagement
	}
	if number != cmdGetNextAssertion {
		a.next = nil
	}
	if number != cmdCredentialManagement {
		a.listing = listing{}
	}
	if number != cmdLargeBlobs {
		a.upload = nil
	}
	switch number {
	case cmdMakeCredential:
		return a.makeCredential(c, parameters)
	case cmdGetAssertion:
		return a.getAssertion(c, parameters)
	case cmdGetNextAssertion:
		return a.getNextAssertion(parameters)
	case cmdGetInfo:
		return a.getInfo()
	case cmdClientPIN:
		return a.clientPIN(c, parameters)
	case cmdReset:
		return nil, a.reset(c)
	case cmdCredentialManagement:
		return a.credentialManagement(parameters)
	case cmdSelection:
		return nil, a.present(c, Prompt{Action: Select})
	case cmdLargeBlobs:
		return a.largeBlobs(parameters)
	case cmdConfig:
		return nil, a.config(parameters)
	}
	return nil, InvalidCommand
}

// forget ends what goes on with a next call: the assertions and the lists.
func (a *Authenticator) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next, a.listing, a.upload = nil, listing{}, nil
}

// present waits until somebody presses a key.
func (a *Authenticator) present(c call, p Prompt) error { return a.ask(c, a.o.Presence, p) }

func (a *Authenticator) ask(c call, person func(context.Context, Prompt) error, p Prompt) error {
	window := a.o.Window
	if window == 0 {
		window = PresenceWindow
	}
	ctx, cancel := context.WithTimeout(c, window)
	defer cancel()
	c.waiting(true)
	err := person(ctx, p)
	c.waiting(false)
	switch {
	case c.Err() != nil:
		return KeepaliveCancel
	case err == nil:
		return nil
	case errors.Is(err, ErrDeclined):
		return OperationDenied
	case ctx.Err() != nil:
		return UserActionTimeout
	}
	return err
}

func (a *Authenticator) reset(c call) error {
	if a.o.Now().Sub(a.pluggedIn) > resetWindow {
		return NotAllowed
	}
	if err := a.present(c, Prompt{Action: Reset}); err != nil {
		return err
	}
	if err := a.o.Store.Change(func(k *device.SecurityKey) error { k.Reset(a.o.Now()); return nil }); err != nil {
		return err
	}
	a.wrongPINs, a.wrongUVs = 0, 0
	for protocol := range a.exchanges {
		if err := a.renew(protocol); err != nil {
			return err
		}
	}
	return a.renewToken()
}

// info is the answer of getInfo (CTAP 2.1, section 6.4).
type info struct {
	Versions         []string        `cbor:"1,keyasint"`
	Extensions       []string        `cbor:"2,keyasint"`
	AAGUID           []byte          `cbor:"3,keyasint"`
	Options          map[string]bool `cbor:"4,keyasint"`
	MaxMessageSize   int             `cbor:"5,keyasint"`
	PINProtocols     []uint64        `cbor:"6,keyasint"`
	MaxListLength    int             `cbor:"7,keyasint"`
	MaxIDLength      int             `cbor:"8,keyasint"`
	Transports       []string        `cbor:"9,keyasint"`
	Algorithms       []parameter     `cbor:"10,keyasint"`
	ForcePINChange   bool            `cbor:"12,keyasint"`
	MinPINLength     int             `cbor:"13,keyasint"`
	MaxLargeBlobs    int             `cbor:"11,keyasint"`
	FirmwareVersion  int             `cbor:"14,keyasint"`
	MaxCredBlob      int             `cbor:"15,keyasint"`
	MaxMinimumRPIDs  int             `cbor:"16,keyasint"`
	UVAttempts       int             `cbor:"17,keyasint,omitempty"`
	UVModality       int             `cbor:"18,keyasint,omitempty"`
	Remaining        int             `cbor:"20,keyasint"`
	AttestationForms []string        `cbor:"22,keyasint"`
}

// Bounds of lists and ids in requests: WebAuthn's longest id has 1023 bytes.
const (
	maxListLength = 64
	maxIDLength   = 1023
)

func (a *Authenticator) getInfo() (any, error) {
	k, err := a.o.Store.Load()
	if err != nil {
		return nil, err
	}
	s, err := loadPIN(k)
	if err != nil {
		return nil, err
	}
	i := info{
		Versions:   []string{"FIDO_2_0", "FIDO_2_1_PRE", "FIDO_2_1"},
		Extensions: []string{"credBlob", "credProtect", "hmac-secret", "hmac-secret-mc", "largeBlobKey", "minPinLength"}, AAGUID: device.AAGUID[:],
		Options: map[string]bool{
			"rk": true, "up": true, "plat": false, "clientPin": s.isSet(), "pinUvAuthToken": true, "credMgmt": true, "credentialMgmtPreview": true,
			"largeBlobs": true, "alwaysUv": s.AlwaysUV, "makeCredUvNotRqd": !s.AlwaysUV, "authnrCfg": true, "setMinPINLength": true,
		},
		MaxLargeBlobs: maxLargeBlobs, MaxCredBlob: maxCredBlob, MaxMinimumRPIDs: maxMinimumRPIDs,
		MaxMessageSize: maxMessage, PINProtocols: []uint64{2, 1}, MaxListLength: maxListLength, MaxIDLength: maxIDLength,
		Transports:     []string{"usb"},
		Algorithms:     []parameter{{int64(credid.ES256), publicKeyType}, {int64(credid.EdDSA), publicKeyType}},
		ForcePINChange: s.ForceChange, MinPINLength: s.minimum(), FirmwareVersion: 1,
		Remaining: k.Free(), AttestationForms: []string{"packed", "none"},
	}
	if a.o.Verify != nil {
		const passcodeExternal = 0x0004 // typed elsewhere than on the key (FIDO Registry, section 3.1)
		i.Options["uv"], i.UVAttempts, i.UVModality = true, uvTries, passcodeExternal
	}
	return i, nil
}
