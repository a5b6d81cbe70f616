package cli

import (
	"context"
	"fmt"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/ic/principal"
)

// provider is the identity provider's canister as one caller sees it.
type provider struct {
	client   *client.Client
	canister principal.Principal
	delegate *delegate // whose session key signs; nil if the caller signs itself
}

func (p *provider) call(ctx context.Context, method string, arg []byte) ([]byte, error) {
	if err := p.keepSession(); err != nil {
		return nil, err
	}
	return p.client.Call(ctx, p.canister, method, arg)
}

func (p *provider) query(ctx context.Context, method string, arg []byte) ([]byte, error) {
	if err := p.keepSession(); err != nil {
		return nil, err
	}
	return p.client.Query(ctx, p.canister, method, arg)
}

// decoded reads a reply with the generated decoder of its method.
func decoded[T any](method string, reply []byte, err error, decode func([]byte) (T, error)) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	value, err := decode(reply)
	if err != nil {
		return value, hinted(fmt.Errorf("the reply of %s cannot be read: %w", method, err),
			"is the canister an identity provider? --canister names another")
	}
	return value, nil
}

// register makes an anchor with the device, which has to be the caller's.
func (p *provider) register(ctx context.Context, d kedge.DeviceData, answer kedge.ChallengeResult) (kedge.RegisterResponse, error) {
	reply, err := p.call(ctx, "register", kedge.EncodeRegisterArgs(d, answer, nil))
	return decoded("register", reply, err, kedge.DecodeRegisterResult)
}

// createChallenge asks for a captcha.
func (p *provider) createChallenge(ctx context.Context) (kedge.Challenge, error) {
	reply, err := p.call(ctx, "create_challenge", kedge.EncodeCreateChallengeArgs())
	return decoded("create_challenge", reply, err, kedge.DecodeCreateChallengeResult)
}

// anchorInfo reads an anchor of the caller's. It is an update call, certified, and so a sign of
// life.
func (p *provider) anchorInfo(ctx context.Context, anchor uint64) (kedge.IdentityAnchorInfo, error) {
	reply, err := p.call(ctx, "get_anchor_info", kedge.EncodeGetAnchorInfoArgs(anchor))
	return decoded("get_anchor_info", reply, err, kedge.DecodeGetAnchorInfoResult)
}

// lookup reads what anybody may see of an anchor's devices.
func (p *provider) lookup(ctx context.Context, anchor uint64) ([]kedge.LookupDevice, error) {
	reply, err := p.query(ctx, "lookup", kedge.EncodeLookupArgs(anchor))
	return decoded("lookup", reply, err, kedge.DecodeLookupResult)
}

// lookupCaller returns every anchor that has the caller as a device.
func (p *provider) lookupCaller(ctx context.Context) ([]uint64, error) {
	reply, err := p.query(ctx, "lookup_caller", kedge.EncodeLookupCallerArgs())
	return decoded("lookup_caller", reply, err, kedge.DecodeLookupCallerResult)
}

func (p *provider) add(ctx context.Context, anchor uint64, d kedge.DeviceData) error {
	_, err := p.call(ctx, "add", kedge.EncodeAddArgs(anchor, d))
	return err
}

func (p *provider) update(ctx context.Context, anchor uint64, d kedge.DeviceData) error {
	_, err := p.call(ctx, "update", kedge.EncodeUpdateArgs(anchor, d.Pubkey, d))
	return err
}

func (p *provider) replace(ctx context.Context, anchor uint64, old []byte, d kedge.DeviceData) error {
	_, err := p.call(ctx, "replace", kedge.EncodeReplaceArgs(anchor, old, d))
	return err
}

func (p *provider) remove(ctx context.Context, anchor uint64, key []byte) error {
	_, err := p.call(ctx, "remove", kedge.EncodeRemoveArgs(anchor, key))
	return err
}

// settle turns the answer of one of Kedge's own methods into an error or none.
func settle(method string, reply []byte, err error) error {
	// Every method that answers with a Result encodes it alike, so one decoder serves them all.
	result, err := decoded(method, reply, err, kedge.DecodeProtectResult)
	if err != nil {
		return err
	}
	if result.Tag == kedge.ResultTagErr {
		return refusal(result.Err)
	}
	return nil
}

// refusal is the error that one of Kedge's own methods answered with.
func refusal(e kedge.Error) error {
	refused := &refusedError{sentence: e.Message}
	if e.Code == nil {
		return refused
	}
	if hint := refusalHints[*e.Code]; hint != "" {
		return &cliError{err: refused, hint: hint}
	}
	return refused
}

func (p *provider) protect(ctx context.Context, anchor uint64, key []byte) error {
	reply, err := p.call(ctx, "protect", kedge.EncodeProtectArgs(anchor, key))
	return settle("protect", reply, err)
}

func (p *provider) unprotect(ctx context.Context, anchor uint64, key []byte) error {
	reply, err := p.call(ctx, "unprotect", kedge.EncodeUnprotectArgs(anchor, key))
	return settle("unprotect", reply, err)
}
