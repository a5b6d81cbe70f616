package httpapi

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/ic/signature"
)

// Windows of time, in nanoseconds.
const (
	maxIngressTTL  = uint64(5 * time.Minute)
	permittedDrift = uint64(30 * time.Second)
)

// refusal is why a request is refused, in the words of the production replica, which capitalises them.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// targets is a set of canisters that a chain of delegations allows to talk to; nil is all.
type targets map[principal.Principal]bool

func (t targets) allow(canister principal.Principal) bool { return t == nil || t[canister] }

func (t targets) intersect(list []principal.Principal) targets {
	out := targets{}
	for _, id := range list {
		if t.allow(id) {
			out[id] = true
		}
	}
	return out
}

// authenticate checks who sent a request, and that the request is one that may be sent now: limits,
// expiry, sender, delegations, signature, targets (Interface Specification, "Authentication"). It
// returns the canisters that the delegations allow. The messages are those of the production replica.
func (s *Server) authenticate(e *request.Envelope, id request.ID) (targets, error) {
	c := &e.Content
	if err := checkLimits(c); err != nil {
		return nil, failure(http.StatusBadRequest, "%v", err)
	}
	now := s.backend.Now()
	// As in production, who reads anonymously need not know the time.
	if c.Type == request.Call || !c.Sender.IsAnonymous() {
		if err := checkExpiry(c.IngressExpiry, now); err != nil {
			return nil, failure(http.StatusBadRequest, "%v", err)
		}
	}
	allowed, err := s.checkSender(e, id, now)
	var expired *expiredError
	switch {
	case errors.As(err, &expired):
		return nil, failure(http.StatusBadRequest, "%v", err)
	case err != nil:
		return nil, failure(http.StatusForbidden, "Failed to authenticate request %s due to: %v", id, err)
	}
	return allowed, nil
}

func checkLimits(c *request.Content) error {
	if n := len(c.Nonce); n > request.MaxNonce {
		return refuse("Nonce in request is too big: got %d bytes, but at most %d are allowed", n, request.MaxNonce)
	}
	if n := len(c.Paths); n > request.MaxPaths {
		return refuse("Too many paths in read state request: got %d paths, but at most %d are allowed", n, request.MaxPaths)
	}
	for _, path := range c.Paths {
		if n := len(path); n > request.MaxLabels {
			return refuse("At least one path in read state request is too deep: got %d labels, but at most %d are allowed", n, request.MaxLabels)
		}
	}
	return nil
}

func checkExpiry(expiry, now uint64) error {
	latest := now + maxIngressTTL + permittedDrift
	if now <= expiry && expiry <= latest {
		return nil
	}
	return refuse("Invalid request expiry: Specified ingress_expiry not within expected range: "+
		"Minimum allowed expiry: %s, Maximum allowed expiry: %s, Provided expiry:        %s",
		formatTime(now), formatTime(latest), formatTime(expiry))
}

// formatTime writes a time as the production replica does: as many digits of the second as are needed,
// in groups of three.
func formatTime(nanos uint64) string {
	t := time.Unix(int64(nanos/1e9), int64(nanos%1e9)).UTC()
	layout := "2006-01-02 15:04:05"
	switch rest := nanos % 1e9; {
	case rest == 0:
	case rest%1e6 == 0:
		layout += ".000"
	case rest%1e3 == 0:
		layout += ".000000"
	default:
		layout += ".000000000"
	}
	return t.Format(layout) + " UTC"
}

// checkSender verifies the signature, by the key of the sender or at the end of its chain of delegations.
func (s *Server) checkSender(e *request.Envelope, id request.ID, now uint64) (targets, error) {
	c := &e.Content
	if c.Sender.IsAnonymous() {
		if e.PublicKey != nil || e.Signature != nil || e.Delegations != nil {
			return nil, refuse("Signature is not allowed for the anonymous user")
		}
		if c.SenderInfo != nil {
			return nil, refuse("Invalid sender info: sender_info is not allowed for the anonymous user")
		}
		return nil, nil
	}
	if e.PublicKey == nil || e.Signature == nil {
		return nil, refuse("Missing signature from user: %s", c.Sender)
	}
	if c.Sender != principal.SelfAuthenticating(e.PublicKey) {
		return nil, refuse("The user id %s does not match the public key %s", c.Sender, hex.EncodeToString(e.PublicKey))
	}
	key, allowed, err := s.checkChain(e, now)
	if err != nil {
		return nil, err
	}
	if err := s.verify(key, id.SigningPayload(), e.Signature); err != nil {
		return nil, refuse("Invalid signature: %v", err)
	}
	if c.Type != request.ReadState && !allowed.allow(c.Canister) {
		return nil, refuse("Canister %s is not one of the delegation targets", c.Canister)
	}
	if c.SenderInfo != nil {
		if err := s.checkSenderInfo(e.PublicKey, c.SenderInfo); err != nil {
			return nil, refuse("Invalid sender info: %v", err)
		}
	}
	return allowed, nil
}

// expiredError is a delegation that was good before.
type expiredError struct{ expiration, now uint64 }

func (e *expiredError) Error() string {
	return fmt.Sprintf("Invalid delegation expiry: Specified sender delegation has expired: Provided expiry: %s, Local replica timestamp: %s",
		formatTime(e.expiration), formatTime(e.now))
}

// checkChain verifies the delegations and returns the key that they end with and the canisters that all
// of them allow.
func (s *Server) checkChain(e *request.Envelope, now uint64) ([]byte, targets, error) {
	if n := len(e.Delegations); n > request.MaxDelegations {
		return nil, nil, refuse("Invalid delegation: Chain of delegations is too long: got %d delegations, but at most %d are allowed", n, request.MaxDelegations)
	}
	// Everything that costs little is checked before the first signature.
	for i := range e.Delegations {
		if d := &e.Delegations[i].Delegation; d.Expiration < now {
			return nil, nil, &expiredError{d.Expiration, now}
		}
	}
	seen := map[string]bool{string(e.PublicKey): true}
	for i := range e.Delegations {
		d := &e.Delegations[i].Delegation
		if seen[string(d.PublicKey)] {
			return nil, nil, refuse("Invalid delegation: Chain of delegations contains at least one cycle: first repeating public key encountered %s",
				hex.EncodeToString(d.PublicKey))
		}
		seen[string(d.PublicKey)] = true
		if n := len(d.Targets); n > request.MaxTargets {
			return nil, nil, refuse("Invalid delegation: Too many targets: got %d, but at most %d are allowed", n, request.MaxTargets)
		}
		if d.Permissions == request.PermitQueries && e.Content.Type == request.Call {
			return nil, nil, refuse("Invalid delegation: The permissions %q do not allow calls", d.Permissions)
		}
	}
	key, allowed := e.PublicKey, targets(nil)
	for i := range e.Delegations {
		link := &e.Delegations[i]
		if err := s.verify(key, link.Delegation.SigningPayload(), link.Signature); err != nil {
			return nil, nil, refuse("Invalid delegation: %v", err)
		}
		key = link.Delegation.PublicKey
		if link.Delegation.Targets != nil {
			allowed = allowed.intersect(link.Delegation.Targets)
		}
	}
	return key, allowed, nil
}

// verify checks a signature and says what kind it was.
func (s *Server) verify(der, message, sig []byte) error {
	key, err := signature.ParsePublicKey(der)
	if err != nil {
		return refuse("Invalid public key: %v", err)
	}
	if err := s.verifier.VerifyKey(key, message, sig); err != nil {
		switch key.Scheme() {
		case signature.Canister:
			return refuse("Invalid canister signature: %v", err)
		case signature.WebAuthn:
			return refuse("Invalid WebAuthn signature: %v", err)
		default:
			return refuse("Invalid basic signature: %v", err)
		}
	}
	return nil
}

// checkSenderInfo verifies what a canister signed about the sender, with the key that is the sender.
func (s *Server) checkSenderInfo(der []byte, info *request.SenderInfo) error {
	key, err := signature.ParsePublicKey(der)
	if err != nil {
		return refuse("sender_pubkey is not a valid canister signature public key: %v", err)
	}
	canister, ok := key.CanisterKey()
	if !ok {
		return refuse("sender_pubkey is not a valid canister signature public key")
	}
	if canister.Canister != info.Signer {
		return refuse("signer %s does not match canister ID %s in sender_pubkey", info.Signer, canister.Canister)
	}
	if err := s.verifier.VerifyKey(key, info.SigningPayload(), info.Signature); err != nil {
		return refuse("signature verification failed: %v", err)
	}
	return nil
}
