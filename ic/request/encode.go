package request

import (
	"kedge/internal/minicbor"
)

// Encode returns the envelope in CBOR with the tag 55799.
func (e *Envelope) Encode() []byte {
	n := uint64(1)
	for _, present := range []bool{e.PublicKey != nil, e.Signature != nil, e.Delegations != nil} {
		if present {
			n++
		}
	}
	out := make([]byte, 0, 512+len(e.Content.Arg))
	out = minicbor.AppendHead(minicbor.AppendSelfDescribed(out), minicbor.Map, n)
	out = e.Content.appendTo(minicbor.AppendText(out, "content"))
	if e.PublicKey != nil {
		out = appendField(out, "sender_pubkey", e.PublicKey)
	}
	if e.Delegations != nil {
		out = minicbor.AppendText(out, "sender_delegation")
		out = minicbor.AppendHead(out, minicbor.Array, uint64(len(e.Delegations)))
		for i := range e.Delegations {
			out = e.Delegations[i].appendTo(out)
		}
	}
	if e.Signature != nil {
		out = appendField(out, "sender_sig", e.Signature)
	}
	return out
}

func appendField(out []byte, name string, value []byte) []byte {
	return minicbor.AppendBytes(minicbor.AppendText(out, name), value)
}

func (c *Content) appendTo(out []byte) []byte {
	n := uint64(3)
	if c.Nonce != nil {
		n++
	}
	if c.Type == ReadState {
		n++
	} else {
		n += 3
	}
	if c.SenderInfo != nil {
		n++
	}
	out = minicbor.AppendHead(out, minicbor.Map, n)
	out = minicbor.AppendText(minicbor.AppendText(out, "request_type"), string(c.Type))
	out = appendField(out, "sender", c.Sender.Bytes())
	out = minicbor.AppendHead(minicbor.AppendText(out, "ingress_expiry"), minicbor.Uint, c.IngressExpiry)
	if c.Nonce != nil {
		out = appendField(out, "nonce", c.Nonce)
	}
	if s := c.SenderInfo; s != nil {
		out = minicbor.AppendHead(minicbor.AppendText(out, "sender_info"), minicbor.Map, 3)
		out = appendField(out, "info", s.Info)
		out = appendField(out, "signer", s.Signer.Bytes())
		out = appendField(out, "sig", s.Signature)
	}
	if c.Type == ReadState {
		out = minicbor.AppendHead(minicbor.AppendText(out, "paths"), minicbor.Array, uint64(len(c.Paths)))
		for _, path := range c.Paths {
			out = minicbor.AppendHead(out, minicbor.Array, uint64(len(path)))
			for _, label := range path {
				out = minicbor.AppendBytes(out, label)
			}
		}
		return out
	}
	out = appendField(out, "canister_id", c.Canister.Bytes())
	out = minicbor.AppendText(minicbor.AppendText(out, "method_name"), c.Method)
	return appendField(out, "arg", c.Arg)
}

func (s *SignedDelegation) appendTo(out []byte) []byte {
	d := &s.Delegation
	n := uint64(2)
	if d.Targets != nil {
		n++
	}
	if d.Permissions != "" {
		n++
	}
	out = minicbor.AppendHead(out, minicbor.Map, 2)
	out = minicbor.AppendHead(minicbor.AppendText(out, "delegation"), minicbor.Map, n)
	out = appendField(out, "pubkey", d.PublicKey)
	out = minicbor.AppendHead(minicbor.AppendText(out, "expiration"), minicbor.Uint, d.Expiration)
	if d.Targets != nil {
		out = minicbor.AppendHead(minicbor.AppendText(out, "targets"), minicbor.Array, uint64(len(d.Targets)))
		for _, target := range d.Targets {
			out = minicbor.AppendBytes(out, target.Bytes())
		}
	}
	if d.Permissions != "" {
		out = minicbor.AppendText(minicbor.AppendText(out, "permissions"), d.Permissions)
	}
	return appendField(out, "signature", s.Signature)
}
