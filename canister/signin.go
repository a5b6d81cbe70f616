package canister

import (
	"fmt"

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
	// Fresh randomness each time: what a predecessor drew for captchas must not lead to the salt.
	state.seeded = false
	seed(func() {
		if _, set := state.store.Salt(); set {
			cdk.Trap("Attempted to set the salt twice.")
		}
		var salt [32]byte
		draw(salt[:])
		must(ii.SetSalt(state.store, salt))
		cdk.Reply(kedge.EncodeInitSaltResult())
	})
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
	return seed.AppendPublicKey(room.key[:0], state.self.AppendTo(self[:0]))
}

func getPrincipal() {
	number, frontend, err := kedge.DecodeGetPrincipalArgs(argument())
	must(err)
	_, err = inspect(number)
	must(err)
	cdk.Reply(kedge.AppendGetPrincipalResult(answer(), principal.SelfAuthenticating(keyOf(seedOf(number, frontend)))))
}

func prepareDelegation() {
	number, frontend, session, ttl, err := kedge.DecodePrepareDelegationArgs(argument())
	must(err)
	must(checkSession(session))
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
	_, err = inspect(number)
	must(err)
	certificate, ok := cdk.DataCertificateInto(room.certificate[:0])
	if !ok {
		cdk.Trap("data certificate is only available in query calls")
	}
	signature, ok := state.signatures.Get(room.signature[:0], seedOf(number, frontend), delegation.NewMessage(session, expiration), cdk.Time(), &noAssets, certificate)
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
