package canister

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"

	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/cdk"
	"kedge/webauthn"
)

// Sizes of an assertion in bytes.
const (
	maxClientData        = 4 << 10
	maxAuthenticatorData = 1 << 10
	maxSignature         = 512 // RSA with 2048 bits takes 256
)

func attestationChallenge() {
	number, err := kedge.DecodeAttestationChallengeArgs(cdk.Arg())
	must(err)
	seed(func() {
		var nonce [kedge.NonceSize]byte
		draw(nonce[:])
		var challenge kedge.AttestationChallenge
		err := decide(number, func(c *identity.Actor) error {
			expires, err := c.NewChallenge(nonce)
			if err != nil {
				return err
			}
			d := c.Device()
			sum := kedge.ChallengeFor(state.self, number, d.PublicKey, nonce)
			challenge = kedge.AttestationChallenge{Challenge: sum[:], Nonce: nonce[:], Expiration: expires}
			return nil
		})
		result := kedge.AttestationChallengeResult{Tag: kedge.AttestationChallengeResultTagOk, Ok: challenge}
		if err != nil {
			result = kedge.AttestationChallengeResult{Tag: kedge.AttestationChallengeResultTagErr, Err: refusal(err)}
		}
		cdk.Reply(kedge.EncodeAttestationChallengeResult(result))
	})
}

func attest() {
	number, assertion, err := kedge.DecodeAttestArgs(cdk.Arg())
	must(err)
	var recorded identity.Attestation
	err = decide(number, func(c *identity.Actor) error {
		// Spent first, so that any answer spends it.
		nonce, err := c.SpendChallenge()
		if err != nil {
			return err
		}
		d := c.Device()
		challenge := kedge.ChallengeFor(state.self, number, d.PublicKey, nonce)
		verified, err := verifyAssertion(d.PublicKey, challenge[:], &assertion)
		if err != nil {
			return err
		}
		if err := c.RecordAttestation(*verified); err != nil {
			return err
		}
		recorded = c.Device().Attestation
		return nil
	})
	result := kedge.AttestResult{Tag: kedge.AttestResultTagErr}
	if err != nil {
		result.Err = refusal(err)
	} else {
		result.Tag, result.Ok = kedge.AttestResultTagOk, *attestationTo(&recorded)
	}
	cdk.Reply(kedge.EncodeAttestResult(result))
}

// verifyAssertion checks an assertion by the stored key over the challenge.
func verifyAssertion(der, challenge []byte, a *kedge.Assertion) (*identity.Assertion, error) {
	for _, part := range []struct {
		name  string
		bytes []byte
		limit int
	}{
		{"client_data", a.ClientData, maxClientData},
		{"authenticator_data", a.AuthenticatorData, maxAuthenticatorData},
		{"signature", a.Signature, maxSignature},
	} {
		if len(part.bytes) > part.limit {
			return nil, &identity.Error{Code: identity.ErrFieldTooLong, Field: part.name,
				Length: uint64(len(part.bytes)), Limit: uint64(part.limit), Message: part.name + " is too long"}
		}
	}
	key, err := webauthn.ParseDER(der)
	if err != nil {
		return nil, badAssertion("pubkey", "only a passkey can attest: "+err.Error())
	}
	client, err := webauthn.DecodeClientData(a.ClientData)
	if err != nil {
		return nil, badAssertion("assertion", err.Error())
	}
	rp, ok := relyingParty(client.Origin, a.AuthenticatorData)
	if !ok {
		return nil, badAssertion("authenticator_data", "the relying party is none of those that the operator has set; where none are set it is the host of the page")
	}
	verified, err := webauthn.Verify(key, webauthn.Assertion{
		AuthenticatorData: a.AuthenticatorData,
		ClientDataJSON:    a.ClientData,
		Signature:         a.Signature,
	}, webauthn.Expectation{
		Challenge:   challenge,
		AllowOrigin: attestsAt,
		RPID:        rp,
	})
	if err != nil {
		return nil, badAssertion("assertion", err.Error())
	}
	return &identity.Assertion{
		UserPresent:    verified.Flags.Has(webauthn.UserPresent),
		UserVerified:   verified.UserVerified(),
		BackupEligible: verified.BackupEligible(),
		BackedUp:       verified.BackedUp(),
		Counter:        verified.Counter,
	}, nil
}

// warm has package ed25519 make its multiples of the base point. It would make them in the first
// verification after an upgrade, which would then cost four times as much as the next: 47 M instructions. The
// key is the encoding of the neutral point, and nobody asks whether the signature is good.
func warm() {
	neutral := make(ed25519.PublicKey, ed25519.PublicKeySize)
	neutral[0] = 1
	ed25519.Verify(neutral, nil, make([]byte, ed25519.SignatureSize))
}

// attestsAt reports whether passkeys attest at an origin: at those that the operator has set, or at the
// canister's own page if none are set.
func attestsAt(origin string) bool {
	if set := state.settings.RelatedOrigins; set != nil {
		return slices.Contains(set, origin)
	}
	_, own := ownPage(origin)
	return own
}

// relyingParty finds which relying party the authenticator data names by its hash: one of those that the
// operator has set, or the host of the page if none are set.
func relyingParty(origin string, authenticatorData []byte) (id string, ok bool) {
	ids := state.settings.RelyingParties
	if ids == nil {
		ids = []string{hostOf(origin)}
	}
	for _, id := range ids {
		hash := sha256.Sum256([]byte(id))
		if len(authenticatorData) >= len(hash) && subtle.ConstantTimeCompare(authenticatorData[:len(hash)], hash[:]) == 1 {
			return id, true
		}
	}
	return "", false
}

// hostOf is the host of an origin as browsers write it.
func hostOf(origin string) string {
	_, authority, _ := strings.Cut(origin, "://")
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.HasSuffix(authority, "]") {
		return authority[:i]
	}
	return authority
}

func badAssertion(field, message string) error {
	return &identity.Error{Code: identity.ErrBadAssertion, Field: field, Message: message}
}
