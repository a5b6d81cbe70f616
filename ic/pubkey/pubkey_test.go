package pubkey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/ic/signature"
	"kedge/internal/spki"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	require.NoError(t, err)
	return b
}

// coseAlgorithm is the object identifier of COSE keys with its tag and length.
const coseAlgorithm = "060a2b0601040183b8430101"

func wrapped(t testing.TB, algorithm string, key []byte) []byte {
	return spki.Wrap(unhex(t, algorithm), key)
}

func cose(t testing.TB, members map[any]any) []byte {
	t.Helper()
	b, err := cbor.Marshal(members)
	require.NoError(t, err)
	return wrapped(t, coseAlgorithm, b)
}

// point is a P-256 key's coordinates.
func point(t testing.TB) (x, y []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p, err := key.PublicKey.Bytes()
	require.NoError(t, err)
	return p[1:33], p[33:]
}

func modulus(size uint) []byte {
	n := new(big.Int).Lsh(big.NewInt(1), size-1)
	return n.SetBit(n, 0, 1).Bytes()
}

// Keys that can sign. Those of the standard library and of the strict package are made by them.
func usable(t testing.TB) map[string][]byte {
	keys := map[string][]byte{
		// A passkey of a real canister's memory, published in the Internet Identity backups.
		"a real passkey": unhex(t, "305e300c060a2b0601040183b8430101034e00a50102032620012158206c52bead5df52c208a9b1c7be0a60847573e5be4ac4fe08ea48036d0ba1d2acf225820b33daeb83bc9c77d8ad762fd68e3eab08684e463c49351b3ab2a14a400138387"),
	}
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	keys["Ed25519"], err = x509.MarshalPKIXPublicKey(ed)
	require.NoError(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	keys["P-256"], err = x509.MarshalPKIXPublicKey(&ec.PublicKey)
	require.NoError(t, err)
	k1, err := signature.Generate(signature.Secp256k1, nil)
	require.NoError(t, err)
	keys["secp256k1"] = k1.PublicKey()
	keys["canister signature"] = signature.CanisterKey{Canister: principal.Canister(7), Seed: []byte("seed")}.DER()

	x, y := point(t)
	es256 := func(more map[any]any) []byte {
		m := map[any]any{1: 2, 3: -7, -1: 1, -2: x, -3: y}
		for k, v := range more {
			m[k] = v
		}
		return cose(t, m)
	}
	keys["ES256"] = es256(nil)
	keys["EdDSA"] = cose(t, map[any]any{1: 1, 3: -8, -1: 6, -2: []byte(ed)})
	for name, size := range map[string]uint{"RS256 of 2048 bits": 2048, "RS256 of 2049 bits": 2049, "RS256 of 2080 bits": 2080, "RS256 of 4096 bits": 4096} {
		keys[name] = cose(t, map[any]any{1: 3, 3: -257, -1: modulus(size), -2: []byte{1, 0, 1}})
	}
	keys["RS256 with zeros in front"] = cose(t, map[any]any{1: 3, 3: -257, -1: append([]byte{0}, modulus(2048)...), -2: []byte{0, 3}})
	keys["with a key id and usages"] = es256(map[any]any{2: []byte("kid"), 4: "verify"})
	keys["with members of other kinds"] = es256(map[any]any{"text": "x", -70000: []any{1, map[any]any{"a": 1.5}}, 77: true, 78: nil, -4: cbor.Tag{Number: 9, Content: "x"}})

	keys["numbers longer than they need be, map of indefinite length"] = wrapped(t, coseAlgorithm,
		bytes.Join([][]byte{unhex(t, "bf"+"180102"+"19000326"+"380001"+"2158"+"20"), x, unhex(t, "225f"+"50"), y[:16], unhex(t, "50"), y[16:], unhex(t, "ff"+"ff")}, nil))

	// The same passkey with lengths and an object identifier in longer forms.
	real := keys["a real passkey"]
	keys["longer lengths"] = append(unhex(t, "308160"+"30810c"+"060a2b0601040183b8430101"+"03814e00"), real[19:]...)
	keys["a padded object identifier"] = append(unhex(t, "3060"+"300e"+"060c2b06010401808083b8430101"+"034e00"), real[19:]...)
	return keys
}

func TestKeysThatCanSign(t *testing.T) {
	for name, der := range usable(t) {
		require.NoError(t, Check(der), name)
	}
}

func TestKeysThatCannotSign(t *testing.T) {
	x, y := point(t)
	es256 := func(change map[any]any) []byte {
		m := map[any]any{1: 2, 3: -7, -1: 1, -2: x, -3: y}
		for k, v := range change {
			if v == nil {
				delete(m, k)
			} else {
				m[k] = v
			}
		}
		return cose(t, m)
	}
	good := es256(nil)
	point := append(append([]byte{4}, x...), y...)
	off := bytes.Clone(point)
	off[64] ^= 1
	rs256 := func(n, e []byte) []byte { return cose(t, map[any]any{1: 3, 3: -257, -1: n, -2: e}) }
	const notDER = "it is not a public key in DER (SubjectPublicKeyInfo)"
	for name, c := range map[string]struct {
		der  []byte
		want string
	}{
		"nothing":                      {nil, notDER},
		"a text":                       {[]byte("public key of laptop"), notDER},
		"cut short":                    {good[:len(good)-1], notDER},
		"something after it":           {append(bytes.Clone(good), 0), notDER},
		"a bare COSE key":              {good[19:], notDER},
		"bits left over":               {bytes.Replace(good, unhex(t, "034e00"), unhex(t, "034e01"), 1), notDER},
		"an unknown algorithm":         {wrapped(t, "06022a03", point), "the algorithm 2a03 is none that the network knows"},
		"RSA outside of COSE":          {wrapped(t, "06092a864886f70d0101010500", point), "the algorithm 2a864886f70d010101 is none that the network knows"},
		"a short Ed25519 key":          {wrapped(t, "06032b6570", x[:31]), "an Ed25519 key has 32 bytes, this has 31"},
		"a curve without a name":       {wrapped(t, "06072a8648ce3d0201", point), "an elliptic curve key names its curve"},
		"P-384":                        {wrapped(t, "06072a8648ce3d020106052b81040022", point), "the elliptic curve 2b81040022 is none that the network knows"},
		"off the curve P-256":          {wrapped(t, "06072a8648ce3d020106082a8648ce3d030107", off), "the point is not on the curve P-256"},
		"off the curve secp256k1":      {wrapped(t, "06072a8648ce3d020106052b8104000a", point), "the point is not on the curve secp256k1"},
		"secp256k1 beyond the prime":   {wrapped(t, "06072a8648ce3d020106052b8104000a", bytes.Repeat([]byte{0xff}, 65)), "the point is not on the curve secp256k1"},
		"a canister key without an id": {wrapped(t, "060a2b0601040183b8430102", []byte{10, 1}), "a canister signature key begins with the canister's id"},
		"ES256 off its curve":          {es256(map[any]any{-3: off[33:]}), "the point is not on the curve P-256"},
		"ES256 without y":              {es256(map[any]any{-3: nil}), "an ES256 key has the curve 1 and two coordinates of 32 bytes"},
		"ES256 on another curve":       {es256(map[any]any{-1: 2}), "an ES256 key has the curve 1 and two coordinates of 32 bytes"},
		"ES256 with a text for x":      {es256(map[any]any{-2: "x"}), "an ES256 key has the curve 1 and two coordinates of 32 bytes"},
		"ES384":                        {es256(map[any]any{3: -35}), "key type 2 with algorithm -35 is none that the network knows: ES256 (2, -7), EdDSA (1, -8), RS256 (3, -257)"},
		"no algorithm":                 {es256(map[any]any{3: nil}), "key type 2 with algorithm 0 is none that the network knows: ES256 (2, -7), EdDSA (1, -8), RS256 (3, -257)"},
		"EdDSA on another curve":       {cose(t, map[any]any{1: 1, 3: -8, -1: 4, -2: x}), "an EdDSA key has the curve 6"},
		"a short EdDSA key":            {cose(t, map[any]any{1: 1, 3: -8, -1: 6, -2: x[:31]}), "an EdDSA key has 32 bytes, this has 31"},
		"RS256 of 2047 bits":           {rs256(modulus(2047), []byte{3}), "an RSA modulus is odd and has 2048 to 8192 bits, this has 2047"},
		"RS256, even":                  {rs256(new(big.Int).Lsh(big.NewInt(1), 2048).Bytes(), []byte{3}), "an RSA modulus is odd and has 2048 to 8192 bits, this has 2049"},
		"RS256 without a modulus":      {rs256([]byte{}, []byte{3}), "an RSA modulus is odd and has 2048 to 8192 bits, this has 0"},
		"RS256 with the exponent 1":    {rs256(modulus(2048), []byte{1}), "an RSA exponent is an odd number from 3 to 2^33-1"},
		"RS256 with an even exponent":  {rs256(modulus(2048), []byte{1, 0, 0}), "an RSA exponent is an odd number from 3 to 2^33-1"},
		"RS256 with a huge exponent":   {rs256(modulus(2048), bytes.Repeat([]byte{0xff}, 30)), "an RSA exponent is an odd number from 3 to 2^33-1"},
		"COSE that is no map":          {wrapped(t, coseAlgorithm, []byte{0x80}), "the COSE key is no CBOR map: its encoding ends early or is none"},
		"COSE with something after it": {wrapped(t, coseAlgorithm, append(bytes.Clone(good[19:]), 0)), "the COSE key is no CBOR map: something comes after it"},
		"COSE cut short":               {wrapped(t, coseAlgorithm, good[19:len(good)-1]), "the COSE key is no CBOR map: its encoding ends early or is none"},
		"nested without end":           {wrapped(t, coseAlgorithm, append([]byte{0xa1, 0x01}, bytes.Repeat([]byte{0x81}, 250)...)), "the COSE key is no CBOR map: its encoding ends early or is none"},
	} {
		require.EqualError(t, Check(c.der), c.want, name)
	}
}

// A key of canister signatures is known in every form that the network reads.
func TestCanister(t *testing.T) {
	id, seed := principal.Canister(7), []byte("seed")
	key := signature.CanisterKey{Canister: id, Seed: seed}.DER()
	content := key[len(key)-1-id.Len()-len(seed):]
	for name, der := range map[string][]byte{
		"DER":            key,
		"a long length":  bytes.Join([][]byte{unhex(t, "30820020"), unhex(t, "300c060a2b0601040183b8430102"), {0x03, byte(len(content) + 1), 0}, content}, nil),
		"padded":         bytes.Join([][]byte{{0x30, byte(16 + 3 + len(content))}, unhex(t, "300e060c2b06800104018083b8430102"), {0x03, byte(len(content) + 1), 0}, content}, nil),
		"padded further": bytes.Join([][]byte{{0x30, byte(19 + 3 + len(content))}, unhex(t, "3011060f2b0601040183b84301808080808002"), {0x03, byte(len(content) + 1), 0}, content}, nil),
	} {
		if name == "a long length" {
			der[3] = byte(len(der) - 4)
		}
		canister, got, ok := Canister(der)
		require.True(t, ok, "%s: %x", name, der)
		require.Equal(t, id.Bytes(), canister, name)
		require.Equal(t, seed, got, name)
	}
	for name, der := range usable(t) {
		_, _, ok := Canister(der)
		require.Equal(t, name == "canister signature", ok, name)
	}
}

// Whatever the strict parser of package signature takes is taken here.
func FuzzCheck(f *testing.F) {
	for _, der := range usable(f) {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		_, err := signature.ParsePublicKey(der)
		if refused := Check(der); err == nil && refused != nil {
			t.Fatalf("%x is refused though it can be verified with: %v", der, refused)
		}
		Canister(der)
	})
}
