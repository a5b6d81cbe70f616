package attestation

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
	"kedge/tests/harness"
)

// maxInstructions is what an attestation may cost, pages included.
const maxInstructions = 30_000_000

const (
	w3cOrigin       = "https://example.org"
	w3cRelyingParty = "example.org"
)

func openCanister(t *testing.T) *harness.Harness {
	init := harness.Attesting()
	init.RelatedOrigins = append(init.RelatedOrigins, w3cOrigin)
	init.RelyingParties = append(init.RelyingParties, w3cRelyingParty)
	return harness.Open(t, init)
}

// challenge asks for a challenge, and computes it again as a client must before it has it signed.
func challenge(h *harness.Harness, anchor uint64, as *harness.Device) []byte {
	h.Helper()
	before := h.Now()
	c, err := h.AskChallenge(anchor, as)
	require.NoError(h, err)
	require.InDelta(h, 5*time.Minute, time.Duration(c.Expiration-before), float64(time.Millisecond))
	want := kedge.ChallengeFor(h.Canister, anchor, as.Key(), [kedge.NonceSize]byte(c.Nonce))
	require.Equal(h, want[:], c.Challenge)
	return c.Challenge
}

// attests has the device attest with this answer.
func attests(h *harness.Harness, anchor uint64, a *authenticator, o answer) (kedge.Attestation, error) {
	h.Helper()
	return h.Attest(anchor, a.Device, a.answers(challenge(h, anchor, a.Device), o))
}

// recorded is what the anchor's devices see of the attestation of the device; nil if it never attested.
func recorded(h *harness.Harness, anchor uint64, d *harness.Device) *kedge.Attestation {
	h.Helper()
	for _, device := range h.Info(anchor, d).Devices {
		if bytes.Equal(device.Pubkey, d.Key()) {
			return device.Attestation
		}
	}
	h.Fatal("no such device")
	return nil
}

func TestEveryKindOfKeyAttests(t *testing.T) {
	shared := openCanister(t)
	for name, make := range map[string]func(*harness.Harness, string) *authenticator{"P-256": newP256, "Ed25519": newEd25519, "RSA-2048": newRSA} {
		t.Run(name, func(t *testing.T) {
			h := shared.For(t)
			a := make(h, "key")
			anchor := h.Register(a.Device)
			require.Nil(t, recorded(h, anchor, a.Device))
			now := h.Now()
			got, err := attests(h, anchor, a, answer{counter: 7})
			require.NoError(t, err)
			report, err := h.Net.LastReport(h.Canister)
			require.NoError(t, err)
			require.LessOrEqual(t, report.Instructions, uint64(maxInstructions))
			t.Logf("%d instructions, pages included", report.Instructions)

			require.GreaterOrEqual(t, got.At, now)
			require.Equal(t, kedge.Attestation{At: got.At, UserPresent: true, UserVerified: true, Counter: 7}, got)
			require.Equal(t, &got, recorded(h, anchor, a.Device))
			h.Upgrade()
			h.Pass(time.Second) // the first tick, in which tables are made
			require.Equal(t, &got, recorded(h, anchor, a.Device))
		})
	}
	t.Run("the software authenticator", func(t *testing.T) {
		h := shared.For(t)
		for _, bound := range []bool{true, false} {
			d, key := h.NewPasskey("software", bound)
			anchor := h.Register(d)
			got, err := h.Attest(anchor, d, h.AssertionBy(key, challenge(h, anchor, d)))
			require.NoError(t, err)
			require.Equal(t, !bound, got.BackupEligible)
		}
	})
	t.Run("the credential of the W3C's test vectors", func(t *testing.T) {
		h := shared.For(t)
		a := newW3C(h)
		anchor := h.Register(a.Device)
		got, err := attests(h, anchor, a, answer{origin: w3cOrigin, relyingParty: w3cRelyingParty, eligible: true, backedUp: true, unverified: true,
			extra: `,"extraData":"clientDataJSON may be extended with additional fields in the future, such as this: aaaa"`})
		require.NoError(t, err)
		require.Equal(t, kedge.Attestation{At: got.At, UserPresent: true, BackupEligible: true, BackedUp: true}, got)
	})
}

func TestAnswersThatAreRefused(t *testing.T) {
	shared := openCanister(t)
	extension := func(size int) []byte { // of size bytes in all, the head of map, name and bytes included
		out, err := cbor.Marshal(map[string][]byte{"x": make([]byte, size-6)})
		require.NoError(t, err)
		require.Len(t, out, size)
		return out
	}
	a := newP256(shared, "key")
	for _, c := range []struct {
		name string
		o    answer
		code kedge.ErrorCode // 0: accepted
		text string
	}{
		{"another origin", answer{origin: "https://evil.example"}, kedge.ErrorCodeBadAssertion, `origin "https://evil.example" is not allowed`},
		{"a longer host", answer{origin: harness.Origin + ".evil.example"}, kedge.ErrorCodeBadAssertion, "is not allowed"},
		{"a part of the host", answer{origin: "https://id.example"}, kedge.ErrorCodeBadAssertion, "is not allowed"},
		{"a host below", answer{origin: "https://evil.id.example.org"}, kedge.ErrorCodeBadAssertion, "is not allowed"},
		{"another scheme", answer{origin: "http://id.example.org"}, kedge.ErrorCodeBadAssertion, "is not allowed"},
		{"another port", answer{origin: harness.Origin + ":8443"}, kedge.ErrorCodeBadAssertion, "is not allowed"},
		{"capital letters", answer{origin: "https://ID.example.org"}, kedge.ErrorCodeBadAssertion, "is not allowed"},
		{"another relying party", answer{relyingParty: "evil.example"}, kedge.ErrorCodeBadAssertion, "the relying party is none of those that the operator has set"},
		{"inside a foreign frame", answer{cross: true}, kedge.ErrorCodeBadAssertion, "from inside a frame of another origin"},
		{"under a foreign page", answer{extra: `,"topOrigin":"https://evil.example"`}, kedge.ErrorCodeBadAssertion, "top origin"},
		{"a registration", answer{kind: "webauthn.create"}, kedge.ErrorCodeBadAssertion, `client data is of type "webauthn.create"`},
		{"nobody there", answer{absent: true}, kedge.ErrorCodeBadAssertion, "user was not present"},
		{"backed up, but not eligible", answer{backedUp: true}, kedge.ErrorCodeBadAssertion, "backed up (BS) but not eligible"},
		{"user not verified", answer{unverified: true}, 0, ""},
		{"extensions up to 1 KiB", answer{extensions: extension(1024 - 37)}, 0, ""},
		{"extensions beyond 1 KiB", answer{extensions: extension(1025 - 37)}, kedge.ErrorCodeFieldTooLong, "authenticator_data is too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := shared.For(t)
			anchor := h.Register(a.Device)
			got, err := attests(h, anchor, a, c.o)
			if c.code == 0 && c.text == "" {
				require.NoError(t, err)
				require.Equal(t, &got, recorded(h, anchor, a.Device))
				return
			}
			h.RequireRefused(c.code, err)
			require.ErrorContains(t, err, c.text)
			require.Nil(t, recorded(h, anchor, a.Device))
		})
	}

	t.Run("client data of 4 KiB", func(t *testing.T) {
		h := shared.For(t)
		anchor := h.Register(a.Device)
		sized := func(size int) answer {
			plain := a.answers(make([]byte, 32), answer{extra: `,"x":""`})
			return answer{extra: `,"x":"` + strings.Repeat("y", size-len(plain.ClientData)) + `"`}
		}
		require.Len(t, a.answers(make([]byte, 32), sized(4096)).ClientData, 4096)
		_, err := attests(h, anchor, a, sized(4096))
		require.NoError(t, err)
		_, err = attests(h, anchor, a, sized(4097))
		h.RequireRefused(kedge.ErrorCodeFieldTooLong, err)
		var refused *harness.Refused
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "client_data", *refused.Reason.Field)
		require.Equal(t, uint64(4097), *refused.Reason.Length)
		require.Equal(t, uint64(4096), *refused.Reason.Limit)
	})

	t.Run("a long signature, a broken one, and none", func(t *testing.T) {
		h := shared.For(t)
		anchor := h.Register(a.Device)
		for code, change := range map[kedge.ErrorCode]func(s []byte) []byte{
			kedge.ErrorCodeFieldTooLong: func([]byte) []byte { return make([]byte, 513) },
			kedge.ErrorCodeBadAssertion: func(s []byte) []byte { s[len(s)-1] ^= 1; return s },
		} {
			assertion := a.answers(challenge(h, anchor, a.Device), answer{})
			assertion.Signature = change(assertion.Signature)
			_, err := h.Attest(anchor, a.Device, assertion)
			h.RequireRefused(code, err)
		}
		challenge(h, anchor, a.Device)
		_, err := h.Attest(anchor, a.Device, kedge.Assertion{})
		h.RequireRefused(kedge.ErrorCodeBadAssertion, err)
	})

	t.Run("where the operator has set no relying party", func(t *testing.T) {
		h := harness.Open(t, nil)
		anchor := h.Register(a.Device)
		_, err := attests(h, anchor, a, answer{})
		h.RequireRefused(kedge.ErrorCodeBadAssertion, err)
	})
}

func TestChallenges(t *testing.T) {
	shared := openCanister(t)
	run := func(name string, test func(h *harness.Harness, anchor uint64, a *authenticator)) {
		t.Run(name, func(t *testing.T) {
			h := shared.For(t)
			a := newP256(h, "key")
			test(h, h.Register(a.Device), a)
		})
	}
	none := func(h *harness.Harness, anchor uint64, a *authenticator, assertion kedge.Assertion) {
		h.Helper()
		_, err := h.Attest(anchor, a.Device, assertion)
		h.RequireRefused(kedge.ErrorCodeNoChallenge, err)
	}
	other := func(h *harness.Harness, anchor uint64, a *authenticator, assertion kedge.Assertion) {
		h.Helper()
		_, err := h.Attest(anchor, a.Device, assertion)
		h.RequireRefused(kedge.ErrorCodeBadAssertion, err)
		require.ErrorContains(h, err, "challenge is not the expected one")
	}

	run("without one there is nothing to answer", func(h *harness.Harness, anchor uint64, a *authenticator) {
		none(h, anchor, a, a.answers(make([]byte, 32), answer{}))
	})
	run("an answer is not good twice", func(h *harness.Harness, anchor uint64, a *authenticator) {
		assertion := a.answers(challenge(h, anchor, a.Device), answer{})
		_, err := h.Attest(anchor, a.Device, assertion)
		require.NoError(h, err)
		none(h, anchor, a, assertion)
		challenge(h, anchor, a.Device)
		other(h, anchor, a, assertion)
	})
	run("any answer spends it", func(h *harness.Harness, anchor uint64, a *authenticator) {
		right := a.answers(challenge(h, anchor, a.Device), answer{})
		_, err := h.Attest(anchor, a.Device, kedge.Assertion{ClientData: make([]byte, 5000)})
		h.RequireRefused(kedge.ErrorCodeFieldTooLong, err)
		none(h, anchor, a, right)
	})
	run("a new one takes the place of the old", func(h *harness.Harness, anchor uint64, a *authenticator) {
		first := challenge(h, anchor, a.Device)
		second := challenge(h, anchor, a.Device)
		require.NotEqual(h, first, second)
		other(h, anchor, a, a.answers(first, answer{}))
	})
	run("it lives five minutes", func(h *harness.Harness, anchor uint64, a *authenticator) {
		late := a.answers(challenge(h, anchor, a.Device), answer{})
		h.Pass(5*time.Minute - time.Second)
		_, err := h.Attest(anchor, a.Device, late)
		require.NoError(h, err)
		late = a.answers(challenge(h, anchor, a.Device), answer{})
		h.Pass(5*time.Minute + time.Second)
		none(h, anchor, a, late)
	})
	run("it survives an upgrade", func(h *harness.Harness, anchor uint64, a *authenticator) {
		assertion := a.answers(challenge(h, anchor, a.Device), answer{})
		h.Upgrade()
		_, err := h.Attest(anchor, a.Device, assertion)
		require.NoError(h, err)
	})
	run("another anchor's is another", func(h *harness.Harness, anchor uint64, a *authenticator) {
		elsewhere := h.Register(a.Device)
		assertion := a.answers(challenge(h, elsewhere, a.Device), answer{})
		challenge(h, anchor, a.Device)
		other(h, anchor, a, assertion)
	})
	run("another device's is another", func(h *harness.Harness, anchor uint64, a *authenticator) {
		b := newP256(h, "b")
		require.NoError(h, h.Add(anchor, a.Device, b.Device))
		ofA := challenge(h, anchor, a.Device)
		challenge(h, anchor, b.Device)
		other(h, anchor, b, b.answers(ofA, answer{}))
		// The right challenge, signed by the wrong key.
		_, err := h.Attest(anchor, a.Device, b.answers(ofA, answer{}))
		h.RequireRefused(kedge.ErrorCodeBadAssertion, err)
		require.ErrorContains(h, err, "signature")
	})
	run("another canister's is another", func(h *harness.Harness, anchor uint64, a *authenticator) {
		c, err := h.AskChallenge(anchor, a.Device)
		require.NoError(h, err)
		there := kedge.ChallengeFor(principal.Canister(99), anchor, a.Key(), [kedge.NonceSize]byte(c.Nonce))
		other(h, anchor, a, a.answers(there[:], answer{}))
	})
}

func TestWhoCannotAttest(t *testing.T) {
	h := openCanister(t)
	a := newP256(h, "key")
	temporary, stranger, phrase := harness.NewDevice("temporary"), harness.NewDevice("stranger"), harness.NewPhrase("phrase")
	anchor := h.RegisterFor(a.Device, temporary)
	require.NoError(t, h.Add(anchor, a.Device, phrase))
	for code, who := range map[kedge.ErrorCode]*harness.Device{
		kedge.ErrorCodeTemporaryKey: temporary,
		kedge.ErrorCodeNotADevice:   stranger,
	} {
		_, err := h.AskChallenge(anchor, who)
		h.RequireRefused(code, err)
		assertion := a.answers(challenge(h, anchor, a.Device), answer{})
		_, err = h.Attest(anchor, who, assertion)
		h.RequireRefused(code, err)
		_, err = h.Attest(anchor, a.Device, assertion)
		require.NoError(t, err, "a call without standing spends nothing of another's")
	}
	_, err := h.Attest(anchor, phrase, a.answers(challenge(h, anchor, phrase), answer{}))
	h.RequireRefused(kedge.ErrorCodeBadAssertion, err)
	require.ErrorContains(t, err, "only a passkey can attest")
}

// Where the operator has set nothing, as after dfx deploy, passkeys attest on the canister's own page.
func TestAttestOnTheCanistersOwnPage(t *testing.T) {
	shared := harness.Open(t, nil)
	a := newP256(shared, "key")
	anchor := shared.Register(a.Device)
	host := shared.Canister.Text() + ".localhost"
	for _, c := range []struct {
		name, origin, relyingParty string
		ok                         bool
	}{
		{"on its port", "http://" + host + ":4943", host, true},
		{"on another port", "http://" + host + ":8000", host, true},
		{"another relying party", "http://" + host + ":4943", "localhost", false},
		{"another page", "http://localhost:4943", host, false},
		{"another page and its relying party", "https://id.example.org", "id.example.org", false},
		{"the page that it would have on mainnet", "https://" + shared.Canister.Text() + ".icp0.io", shared.Canister.Text() + ".icp0.io", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := shared.For(t)
			_, err := attests(h, anchor, a, answer{origin: c.origin, relyingParty: c.relyingParty})
			if c.ok {
				require.NoError(t, err)
			} else {
				h.RequireRefused(kedge.ErrorCodeBadAssertion, err)
			}
		})
	}

	// Origins alone are enough: the relying party of each is its host.
	h := harness.Open(t, &kedge.KedgeInit{RelatedOrigins: []string{"https://id.example.org:8443"}})
	anchor = h.Register(a.Device)
	_, err := attests(h, anchor, a, answer{origin: "https://id.example.org:8443", relyingParty: "id.example.org"})
	require.NoError(t, err)
	_, err = attests(h, anchor, a, answer{origin: "http://" + h.Canister.Text() + ".localhost:4943", relyingParty: h.Canister.Text() + ".localhost"})
	h.RequireRefused(kedge.ErrorCodeBadAssertion, err)
}
