package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/ic/principal"
)

// Provider is the identity provider's canister as one caller sees it.
type Provider struct {
	Client   *client.Client
	Canister principal.Principal
	delegate *delegate // whose session key signs; nil if the caller signs itself
	after    []func()  // see AfterCall
	answered []func()  // see OnceAnswered
}

// AfterCall has a function run once, after the next update call, whatever that answers.
func (p *Provider) AfterCall(f func()) { p.after = append(p.after, f) }

// OnceAnswered has a function run once, after the next request that the canister answers.
func (p *Provider) OnceAnswered(f func()) { p.answered = append(p.answered, f) }

// note runs what waits for an answer, unless a request went wrong before the canister.
func (p *Provider) note(err error) {
	var reject *client.Reject
	if err != nil && !errors.As(err, &reject) {
		return
	}
	waiting := p.answered
	p.answered = nil
	for _, f := range waiting {
		f()
	}
}

// New returns the provider as the identity of a session calls it.
func New(network client.Network, canister principal.Principal, caller client.Session) (*Provider, error) {
	c, err := client.New(network, caller)
	if err != nil {
		return nil, err
	}
	return &Provider{Client: c, Canister: canister}, nil
}

// Where names the provider in the key store: a canister id means nothing without the network.
func (p *Provider) Where() string {
	return p.Canister.Text() + "@" + p.Client.Network().Fingerprint()
}

// As returns the same provider called by another key, which signs every request itself.
func (p *Provider) As(key device.Key) (*Provider, error) {
	return New(p.Client.Network(), p.Canister, client.Session{Identity: device.AgentIdentity(key)})
}

// Call makes an update call.
func (p *Provider) Call(ctx context.Context, method string, arg []byte) (reply []byte, err error) {
	err = p.inTime(func() error { reply, err = p.Client.Call(ctx, p.Canister, method, arg); return err })
	after := p.after
	p.after = nil
	for _, f := range after {
		f()
	}
	p.note(err)
	return reply, err
}

// Query makes a query.
func (p *Provider) Query(ctx context.Context, method string, arg []byte) (reply []byte, err error) {
	err = p.inTime(func() error { reply, err = p.Client.Query(ctx, p.Canister, method, arg); return err })
	p.note(err)
	return reply, err
}

// inTime makes a request with a session that has not expired. If the network says that it has, by its
// clock, the device delegates once more.
func (p *Provider) inTime(request func() error) error {
	if err := p.keepSession(); err != nil {
		return err
	}
	err := request()
	var clock *client.ClockError
	if p.delegate == nil || !errors.As(err, &clock) || !clock.Learned {
		return err
	}
	p.delegate.expires = time.Time{}
	if err := p.keepSession(); err != nil {
		return err
	}
	return request()
}

// Decoded reads a reply with the generated decoder of its method.
func Decoded[T any](method string, reply []byte, err error, decode func([]byte) (T, error)) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	value, err := decode(reply)
	if err != nil {
		return value, ui.Hinted(fmt.Errorf("the reply of %s cannot be read: %w", method, err),
			"is the canister an identity provider? --canister names another")
	}
	return value, nil
}

// Register makes an anchor with the device, which has to be the caller's.
func (p *Provider) Register(ctx context.Context, d kedge.DeviceData, answer kedge.ChallengeResult) (kedge.RegisterResponse, error) {
	reply, err := p.Call(ctx, "register", kedge.EncodeRegisterArgs(d, answer, nil))
	return Decoded("register", reply, err, kedge.DecodeRegisterResult)
}

// CreateChallenge asks for a captcha.
func (p *Provider) CreateChallenge(ctx context.Context) (kedge.Challenge, error) {
	reply, err := p.Call(ctx, "create_challenge", kedge.EncodeCreateChallengeArgs())
	return Decoded("create_challenge", reply, err, kedge.DecodeCreateChallengeResult)
}

// AnchorInfo reads an anchor of the caller's. It is an update call, certified, and so a sign of
// life.
func (p *Provider) AnchorInfo(ctx context.Context, anchor uint64) (kedge.IdentityAnchorInfo, error) {
	reply, err := p.Call(ctx, "get_anchor_info", kedge.EncodeGetAnchorInfoArgs(anchor))
	return Decoded("get_anchor_info", reply, err, kedge.DecodeGetAnchorInfoResult)
}

// Lookup reads what anybody may see of an anchor's devices.
func (p *Provider) Lookup(ctx context.Context, anchor uint64) ([]kedge.LookupDevice, error) {
	reply, err := p.Query(ctx, "lookup", kedge.EncodeLookupArgs(anchor))
	return Decoded("lookup", reply, err, kedge.DecodeLookupResult)
}

// LookupCaller returns every anchor that has the caller as a device, the ones where it is proven first.
func (p *Provider) LookupCaller(ctx context.Context) ([]uint64, error) {
	return pages(ctx, p, "lookup_caller", kedge.EncodeLookupCallerArgs, kedge.DecodeLookupCallerResult)
}

// pages asks for one page of a look-up after the other and returns all that they hold.
func pages[T any](ctx context.Context, p *Provider, method string, encode func(cursor *uint64) []byte, decode func([]byte) ([]T, *uint64, error)) (all []T, err error) {
	for cursor, more := (*uint64)(nil), true; more; more = cursor != nil {
		reply, err := p.Query(ctx, method, encode(cursor))
		page, err := Decoded(method, reply, err, func(reply []byte) (found []T, err error) {
			found, cursor, err = decode(reply)
			return found, err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	return all, nil
}

// Add adds a device.
func (p *Provider) Add(ctx context.Context, anchor uint64, d kedge.DeviceData) error {
	_, err := p.Call(ctx, "add", kedge.EncodeAddArgs(anchor, d))
	return err
}

// Update changes the fields of the device whose key d has.
func (p *Provider) Update(ctx context.Context, anchor uint64, d kedge.DeviceData) error {
	_, err := p.Call(ctx, "update", kedge.EncodeUpdateArgs(anchor, d.Pubkey, d))
	return err
}

// Replace puts d in the place of the device old.
func (p *Provider) Replace(ctx context.Context, anchor uint64, old []byte, d kedge.DeviceData) error {
	_, err := p.Call(ctx, "replace", kedge.EncodeReplaceArgs(anchor, old, d))
	return err
}

// Remove removes a device.
func (p *Provider) Remove(ctx context.Context, anchor uint64, key []byte) error {
	_, err := p.Call(ctx, "remove", kedge.EncodeRemoveArgs(anchor, key))
	return err
}

// Outcome turns the answer of one of Kedge's own methods into an error or none.
func Outcome(method string, reply []byte, err error) error {
	// Every method that answers with a Result encodes it alike, so one decoder serves them all.
	result, err := Decoded(method, reply, err, kedge.DecodeProtectResult)
	if err != nil {
		return err
	}
	if result.Tag == kedge.ResultTagErr {
		return Refusal(result.Err)
	}
	return nil
}

// RefusedError is a refusal of the canister, or of a rule on this side that it would apply.
type RefusedError struct {
	Sentence string
	Code     kedge.ErrorCode // if Coded
	Coded    bool
}

func (e *RefusedError) Error() string { return client.Sentence(e.Sentence) }

// Refused is a refusal without a code.
func Refused(format string, args ...any) error {
	return &RefusedError{Sentence: fmt.Sprintf(format, args...)}
}

// Refusal is the error that one of Kedge's own methods answered with.
func Refusal(e kedge.Error) error {
	refused := &RefusedError{Sentence: e.Message}
	if e.Code != nil {
		refused.Code, refused.Coded = *e.Code, true
	}
	return refused
}

// Protect marks a device as protected.
func (p *Provider) Protect(ctx context.Context, anchor uint64, key []byte) error {
	reply, err := p.Call(ctx, "protect", kedge.EncodeProtectArgs(anchor, key))
	return Outcome("protect", reply, err)
}

// Unprotect lifts the mark of a device.
func (p *Provider) Unprotect(ctx context.Context, anchor uint64, key []byte) error {
	reply, err := p.Call(ctx, "unprotect", kedge.EncodeUnprotectArgs(anchor, key))
	return Outcome("unprotect", reply, err)
}
