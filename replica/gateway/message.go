package gateway

import (
	"fmt"

	"kedge/candid/wire"
)

// Responses are read by hand where the generated reader would need to know the type of the token.

// response is what a canister answers.
type response struct {
	status  uint16
	headers []HeaderField
	body    []byte
	upgrade bool
	next    *continuation // nil if the body is complete
}

// continuation says how to get the rest of a body: the token is a message, ready to send.
type continuation struct {
	callback wire.FuncRef
	token    []byte
}

// id is the number of a field, as Candid has it.
var (
	idBody     = wire.Hash("body")
	idHeaders  = wire.Hash("headers")
	idUpgrade  = wire.Hash("upgrade")
	idStrategy = wire.Hash("streaming_strategy")
	idStatus   = wire.Hash("status_code")
	idCallback = wire.Hash("callback")
	idToken    = wire.Hash("token")
	idCase     = wire.Hash("Callback")
)

// noSignature begins no message, so that decoders read the types that the message brings.
var noSignature wire.Signature

// callbackType is what a callback must be: a query, of whatever argument.
var callbackType = wire.Table{{Op: wire.Func, Mode: wire.Query, Elem: 1, Fields: []wire.Field{{Type: wire.Empty}}}}

// decodeResponse reads the result of http_request and of http_request_update.
func decodeResponse(data []byte) (r response, err error) {
	d := wire.NewDecoder(data, callbackType, &noSignature)
	if w, ok := d.Arg(); ok {
		f := d.Record(w)
		if f.Field(d, idBody, "body") {
			r.body = d.Blob(f.Type)
		}
		if f.Field(d, idHeaders, "headers") {
			elem, n := d.Vec(f.Type)
			for range n {
				var field HeaderField
				if decodeHeaderField(d, elem, &field); d.Failed() {
					break
				}
				r.headers = append(r.headers, field)
			}
			d.EndVec()
		}
		if f.OptField(d, idUpgrade, "upgrade") {
			if inner, mark, ok := d.Opt(f.Type); ok {
				upgrade := d.Bool(inner)
				r.upgrade = d.EndOpt(mark, inner) && upgrade
			}
		}
		if f.OptField(d, idStrategy, "streaming_strategy") {
			if inner, mark, ok := d.Opt(f.Type); ok {
				next := decodeStrategy(d, inner)
				if !d.EndOpt(mark, inner) {
					return r, fmt.Errorf("streaming_strategy is of a type that is not known")
				}
				r.next = next
			}
		}
		if f.Field(d, idStatus, "status_code") {
			r.status = d.Nat16(f.Type)
		}
		f.End(d)
	}
	return r, d.Finish()
}

func decodeStrategy(d *wire.Decoder, w wire.Ref) *continuation {
	var next continuation
	id, payload, ok := d.Variant(w)
	switch {
	case !ok:
		return nil
	case id != idCase:
		d.BadCase(id)
		return nil
	}
	f := d.Record(payload)
	if f.Field(d, idToken, "token") {
		next.token = d.Message(f.Type)
	}
	if f.Field(d, idCallback, "callback") {
		next.callback = d.Func(f.Type, 0)
	}
	f.End(d)
	d.EndVariant("Callback")
	return &next
}

// decodePart reads what a streaming callback returns: a part of the body, and the next token if
// there is more. Some canisters return an opt of it.
func decodePart(data []byte) (body, token []byte, err error) {
	d := wire.NewDecoder(data, callbackType, &noSignature)
	if w, ok := d.Arg(); ok {
		if inner, mark, ok := d.Opt(w); ok {
			f := d.Record(inner)
			if f.OptField(d, idToken, "token") {
				if t, tokenMark, ok := d.Opt(f.Type); ok {
					token = d.Message(t)
					d.EndOpt(tokenMark, t)
				}
			}
			if f.Field(d, idBody, "body") {
				body = d.Blob(f.Type)
			}
			f.End(d)
			if !d.EndOpt(mark, inner) {
				return nil, nil, fmt.Errorf("the streaming callback returned something of an unknown type")
			}
		}
	}
	return body, token, d.Finish()
}
