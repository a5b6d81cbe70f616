package certificate

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	agentcert "github.com/aviate-labs/agent-go/certification"
	agentprincipal "github.com/aviate-labs/agent-go/principal"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/ic/hashtree"
	"kedge/ic/principal"
)

var (
	canister = principal.Canister(5)
	outsider = principal.Canister(500)
	subnet   = principal.MustParse("bkyz2-fmaaa-aaaaa-qaaaq-cai")
	span     = []Range{{principal.Canister(0), principal.Canister(100)}}
)

func newKey(t testing.TB) *SecretKey {
	k, err := GenerateKey(nil)
	require.NoError(t, err)
	return k
}

func labeled(label string, sub *hashtree.Node) *hashtree.Node {
	return hashtree.Labeled([]byte(label), sub)
}

// delegationTree holds the ranges in the sharded form, the flat form or both.
func delegationTree(key *PublicKey, sharded, flat bool) *hashtree.Node {
	var sub, top hashtree.Map
	sub = sub.With([]byte("public_key"), hashtree.Leaf(key.DER()))
	if flat {
		sub = sub.With([]byte("canister_ranges"), hashtree.Leaf(EncodeRanges(span)))
	}
	top = top.With([]byte("subnet"), hashtree.Labeled(subnet.Bytes(), sub.Tree()))
	if sharded {
		top = top.With([]byte("canister_ranges"), hashtree.Labeled(subnet.Bytes(),
			hashtree.Labeled(span[0].Start.Bytes(), hashtree.Leaf(EncodeRanges(span)))))
	}
	return top.With([]byte("time"), hashtree.Leaf(hashtree.EncodeNat(1))).Tree()
}

func sign(t testing.TB, tree *hashtree.Node, key *SecretKey, d *Delegation) *Certificate {
	c, err := Sign(tree, key, d)
	require.NoError(t, err)
	return c
}

func TestVerify(t *testing.T) {
	root, subnetKey, other := newKey(t), newKey(t), newKey(t)
	now := time.Unix(1_700_000_000, 0)
	tree := labeled("time", hashtree.Leaf(hashtree.EncodeNat(uint64(now.UnixNano()))))
	delegate := func(signer *SecretKey, sharded, flat bool, nested *Delegation) *Delegation {
		return &Delegation{subnet, sign(t, delegationTree(subnetKey.Public(), sharded, flat), signer, nested).Encode()}
	}
	for _, tc := range []struct {
		name string
		cert *Certificate
		id   principal.Principal
		want string
	}{
		{"root", sign(t, tree, root, nil), canister, ""},
		{"sharded", sign(t, tree, subnetKey, delegate(root, true, false, nil)), canister, ""},
		{"flat", sign(t, tree, subnetKey, delegate(root, false, true, nil)), canister, ""},
		{"both", sign(t, tree, subnetKey, delegate(root, true, true, nil)), canister, ""},
		{"no ranges", sign(t, tree, subnetKey, delegate(root, false, false, nil)), canister, "does not tell the canister ranges"},
		{"other canister", sign(t, tree, subnetKey, delegate(root, true, true, nil)), outsider, "is not in the ranges"},
		{"wrong key", sign(t, tree, other, nil), canister, "does not match the key"},
		{"wrong subnet key", sign(t, tree, other, delegate(root, true, true, nil)), canister, "does not match the key"},
		{"delegation not by root", sign(t, tree, subnetKey, delegate(other, true, true, nil)), canister, "delegation: certificate signature does not match"},
		{"delegation twice", sign(t, tree, subnetKey, delegate(root, true, true, delegate(root, true, true, nil))), canister, "has a delegation of its own"},
		{"changed tree", &Certificate{Tree: labeled("time", hashtree.Leaf(hashtree.EncodeNat(7))), Signature: sign(t, tree, root, nil).Signature}, canister, "does not match the key"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := Decode(tc.cert.Encode())
			require.NoError(t, err)
			err = c.VerifyCanister(root.Public(), tc.id)
			if tc.want != "" {
				require.ErrorContains(t, err, tc.want)
				return
			}
			require.NoError(t, err)
			require.NoError(t, c.VerifySubnet(root.Public(), subnet))
			require.NoError(t, c.CheckTime(now.Add(5*time.Minute), 5*time.Minute))
			require.ErrorContains(t, c.CheckTime(now.Add(5*time.Minute+1), 5*time.Minute), "more than 5m0s from now")
			require.ErrorContains(t, c.CheckTime(now.Add(-5*time.Minute-1), 5*time.Minute), "more than 5m0s from now")

			// agent-go must agree.
			var foreign agentcert.Certificate
			require.NoError(t, cbor.Unmarshal(tc.cert.Encode(), &foreign))
			require.NoError(t, agentcert.VerifyCertificate(foreign, agentprincipal.Principal{Raw: tc.id.Bytes()}, root.Public().DER()))
		})
	}
	c := sign(t, tree, subnetKey, delegate(root, true, true, nil))
	require.ErrorContains(t, c.VerifySubnet(root.Public(), canister), "the certificate is of subnet")
}

// The vector that agent-js tests with: a signature over a bare message.
func TestForeignSignature(t *testing.T) {
	key, err := hex.DecodeString("a7623a93cdb56c4d23d99c14216afaab3dfd6d4f9eb3db23d038280b6d5cb2caaee2a19dd92c9df7001dede23bf036bc0f33982dfb41e8fa9b8e96b5dc3e83d55ca4dd146c7eb2e8b6859cb5a5db815db86810b8d12cee1588b5dbf34a4dc9a5")
	require.NoError(t, err)
	sig, err := hex.DecodeString("b89e13a212c830586eaa9ad53946cd968718ebecc27eda849d9232673dcd4f440e8b5df39bf14a88048c15e16cbcaabe")
	require.NoError(t, err)
	k, err := ParsePublicKey(append(bytes.Clone(derPrefix), key...))
	require.NoError(t, err)
	require.NoError(t, k.verify([]byte("hello"), sig))
	require.ErrorContains(t, k.verify([]byte("hallo"), sig), "does not match the key")
	require.ErrorContains(t, k.verify([]byte("hello"), sig[1:]), "47 bytes instead of 48")
	require.ErrorContains(t, k.verify([]byte("hello"), make([]byte, 48)), "not a point")
}

func TestPublicKeyForms(t *testing.T) {
	k := newKey(t).Public()
	der := k.DER()
	require.Len(t, der, DERLen)
	back, err := ParsePublicKey(der)
	require.NoError(t, err)
	require.Equal(t, der, back.DER())

	infinity := append(bytes.Clone(derPrefix), append([]byte{0xc0}, make([]byte, 95)...)...)
	outside := bytes.Clone(der)
	outside[len(outside)-1] ^= 1
	for _, tc := range []struct {
		name string
		der  []byte
		want string
	}{
		{"empty", nil, "expected 133 bytes"},
		{"short", der[:132], "expected 133 bytes"},
		{"other algorithm", append([]byte{0x31}, der[1:]...), "that begin with"},
		{"not a point", outside, "not a point"},
		{"infinity", infinity, "infinity"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParsePublicKey(tc.der)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestMainnetRootKeyParses(t *testing.T) {
	der, err := hex.DecodeString(agentcert.RootKey)
	require.NoError(t, err)
	_, err = ParsePublicKey(der)
	require.NoError(t, err)
}

func TestSecretKey(t *testing.T) {
	k := newKey(t)
	back, err := ParseSecretKey(k.Bytes())
	require.NoError(t, err)
	require.Equal(t, k.Public().DER(), back.Public().DER())
	for _, raw := range [][]byte{nil, make([]byte, 32), bytes.Repeat([]byte{0xff}, 32)} {
		_, err := ParseSecretKey(raw)
		require.Error(t, err)
	}
	a, err := GenerateKey(bytes.NewReader(make([]byte, 8)))
	require.Nil(t, a)
	require.ErrorContains(t, err, "draw a BLS12-381 key")
}

func TestDecodeRefuses(t *testing.T) {
	good := sign(t, hashtree.Empty(), newKey(t), nil)
	m := func(v any) []byte {
		out, err := cbor.Marshal(v)
		require.NoError(t, err)
		return out
	}
	tree := cbor.RawMessage(hashtree.Empty().Encode())
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "data ends"},
		{"left over", append(good.Encode(), 0), "left over"},
		{"no tree", m(map[string]any{"signature": good.Signature}), "no tree"},
		{"no signature", m(map[string]any{"tree": tree}), "signature of 0 bytes"},
		{"unknown field", m(map[string]any{"tree": tree, "signature": good.Signature, "more": 1}), `unknown or repeated field "more"`},
		{"repeated field", append(append([]byte{0xa2}, append([]byte("\x64tree"), tree...)...), append([]byte("\x64tree"), tree...)...), `repeated field "tree"`},
		{"half a delegation", m(map[string]any{"tree": tree, "signature": good.Signature, "delegation": map[string]any{"subnet_id": []byte{1}}}), "is missing"},
		{"long subnet", m(map[string]any{"delegation": map[string]any{"subnet_id": make([]byte, 30)}}), "at most 29 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Decode(tc.data)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func FuzzDecode(f *testing.F) {
	root, key := newKey(f), newKey(f)
	d := &Delegation{subnet, sign(f, delegationTree(key.Public(), true, true), root, nil).Encode()}
	f.Add(sign(f, delegationTree(key.Public(), true, true), key, d).Encode())
	f.Add(EncodeRanges(span))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := Decode(data); err == nil {
			if _, err := Decode(c.Encode()); err != nil {
				t.Fatalf("a decoded certificate does not survive its own encoding: %v", err)
			}
			_, _ = c.Time()
		}
		if r, err := DecodeRanges(data); err == nil {
			if _, err := DecodeRanges(EncodeRanges(r)); err != nil {
				t.Fatalf("decoded ranges do not survive their own encoding: %v", err)
			}
		}
	})
}
