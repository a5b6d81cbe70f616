package canister

import (
	"bytes"
	"fmt"
	"strings"

	"kedge/candid/kedge"
	"kedge/canister/delegation"
	"kedge/canister/identity"
	"kedge/cdk"
	"kedge/ic/principal"
	"kedge/migrations/ii"
)

// initSalt draws the secret from which the seeds of all users' keys are made, once and for all.
func initSalt() {
	must(kedge.DecodeInitSaltArgs(cdk.Arg()))
	if _, set := state.store.Salt(); set {
		cdk.Trap("Salt already set")
	}
	freshRandomness(func() {
		if _, set := state.store.Salt(); set {
			cdk.Trap("Attempted to set the salt twice.")
		}
		drawSalt()
		cdk.Reply(kedge.EncodeInitSaltResult())
	})
}

// freshRandomness runs then after the network has sent randomness: what a predecessor drew for captchas must
// not lead to the salt.
func freshRandomness(then func()) {
	state.seeded = false
	seed(then)
}

func drawSalt() {
	var salt [32]byte
	draw(salt[:])
	must(ii.SetSalt(state.store, salt))
}

func seedOf(anchor uint64, frontend string) delegation.Seed {
	salt, _ := state.store.Salt()
	seed, err := delegation.NewSeed(&salt, anchor, frontend)
	must(err)
	return seed
}

// keyOf is the public key of a seed, until the end of the message.
func keyOf(seed delegation.Seed) []byte {
	var self [principal.MaxLen]byte
	return seed.AppendPublicKey(scratch.key[:0], state.self.AppendTo(self[:0]))
}

func getPrincipal() {
	number, frontend, err := kedge.DecodeGetPrincipalArgs(argument())
	must(err)
	_, err = recognise(number)
	must(err)
	cdk.Reply(kedge.AppendGetPrincipalResult(answer(), principal.SelfAuthenticating(keyOf(seedOf(number, frontend)))))
}

// prepareDelegation draws the salt if there is none yet, as the first sign-in of Internet Identity does: who
// deploys with dfx or icp calls nothing but the installation.
func prepareDelegation() {
	number, frontend, session, ttl, err := kedge.DecodePrepareDelegationArgs(argument())
	must(err)
	must(checkSession(session))
	if _, set := state.store.Salt(); set {
		prepare(number, frontend, session, ttl)
		return
	}
	_, err = recognise(number) // a stranger does not make the canister wait, nor does what fails in any case
	must(err)
	_, err = delegation.NewSeed(&[32]byte{1}, number, frontend)
	must(err)
	frontend, session = strings.Clone(frontend), bytes.Clone(session) // of a buffer that the next message uses
	freshRandomness(func() {
		if _, set := state.store.Salt(); !set { // another's call may have been faster
			drawSalt()
		}
		prepare(number, frontend, session, ttl)
	})
}

func prepare(number uint64, frontend string, session []byte, ttl *uint64) {
	var expiration uint64
	classic(number, func(c *identity.Actor) error {
		expiration = c.PrepareSession(ttl)
		return nil
	})
	seed := seedOf(number, frontend)

	now := cdk.Time()
	next, _ := state.signatures.Prune(now)
	state.signatures.Add(seed, delegation.NewMessage(session, expiration), now)
	certify()
	if next == 0 {
		next = now + delegation.Lifetime
	}
	state.prunes = next
	setTimer()
	cdk.Reply(kedge.AppendPrepareDelegationResult(answer(), keyOf(seed), expiration))
}

func getDelegation() {
	number, frontend, session, expiration, err := kedge.DecodeGetDelegationArgs(argument())
	must(err)
	must(checkSession(session))
	_, err = recognise(number)
	must(err)
	certificate, ok := cdk.DataCertificateInto(scratch.certificate[:0])
	if !ok {
		cdk.Trap("data certificate is only available in query calls")
	}
	signature, ok := state.signatures.Get(scratch.signature[:0], seedOf(number, frontend), delegation.NewMessage(session, expiration), cdk.Time(), &state.siteRoot, certificate)
	if !ok {
		cdk.Reply(kedge.AppendGetDelegationResult(answer(), kedge.GetDelegationResponse{Tag: kedge.GetDelegationResponseTagNoSuchDelegation}))
		return
	}
	cdk.Reply(kedge.AppendGetDelegationResult(answer(), kedge.GetDelegationResponse{
		Tag: kedge.GetDelegationResponseTagSignedDelegation,
		SignedDelegation: kedge.SignedDelegation{
			Delegation: kedge.Delegation{Pubkey: session, Expiration: expiration},
			Signature:  signature,
		},
	}))
}

func checkSession(key []byte) error {
	if len(key) > identity.MaxSessionKey {
		return fmt.Errorf("session key limit exceeded: length %d, limit %d", len(key), identity.MaxSessionKey)
	}
	return nil
}
