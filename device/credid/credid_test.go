package credid

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/device/derive"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// allSeed is the BIP-39 seed of "all" twelve times, which SLIP-0022 takes in its example.
func allSeed(t testing.TB) []byte {
	return unhex(t, "c76c4ac4f4e4a00d6b274d5c39c700bb4a7ddc04fbc6f78e85ca75007b5b495f74a9043eeb77bdd53aa6fc3a0e31462270316fa04b8c19114c8798706cd02ac8")
}

const exampleID = "f1d0020013e65c865634ad8abddf7a66df56ae7d8c3afd356f76426801508b2e579bcb3496fe6396a6002e3cd6d80f6359dfa9961e24c544bfc2f26acec1b8d878ba56727e1f6a7b5176c607552aea63a5abe5d826d69fab3063edfa0201d9a51013d69eddb2eff37acdd5963f"

func exampleData(t testing.TB) Data {
	return Data{
		RPID: "example.com", UserID: unhex(t, "3082019330820138a0030201023082019330820138a003020102308201933082"),
		UserName: "johnpsmith@example.com", Created: 2, HMACSecret: true,
	}
}

func privateOf(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		b, err := k.Bytes()
		require.NoError(t, err)
		return b
	case ed25519.PrivateKey:
		return k.Seed()
	}
	t.Fatalf("a key of type %T", key)
	return nil
}

// The worked example of SLIP-0022, which Trezor's test_fido2_credential_decode takes, too.
func TestExampleOfTheStandard(t *testing.T) {
	seed, id := allSeed(t), unhex(t, exampleID)
	require.Equal(t, "5b60f6c30e5ef87a5f6756242c98f487da0ca7c173282737660e7bc320fad6cf", hex.EncodeToString(encryptionKey(seed)))
	d, err := Open(seed, id, "example.com")
	require.NoError(t, err)
	require.Equal(t, exampleData(t), d)
	d, err = OpenAnywhere(seed, id)
	require.NoError(t, err)
	require.Equal(t, exampleData(t), d)

	again, err := Seal(seed, d, bytes.NewReader(id[4:16]))
	require.NoError(t, err)
	require.Equal(t, exampleID, hex.EncodeToString(again))

	key, err := Key(seed, id, 0)
	require.NoError(t, err)
	public, err := key.Public().(*ecdsa.PublicKey).Bytes()
	require.NoError(t, err)
	require.Equal(t, "0451f0d4c307bc737c90ac605c6279f7d01e451798aa7b74df550fdb43a7760c7c02b5107fef42094d00f52a9b1e90afb90e1b9decbf15a6f13d4f882de857e2f4",
		hex.EncodeToString(public))
	require.Equal(t, "17028406872725666093318073001284158176462610154049610120643103153631976435873", new(big.Int).SetBytes(privateOf(t, key)).String())
	require.Equal(t, "36a9b5d71c13ed54594474b54073af1fb03ea91cd056588909dae43ae2f35dbf", hex.EncodeToString(CredRandom(seed, id, true)))
	require.NotEqual(t, CredRandom(seed, id, true), CredRandom(seed, id, false))
}

func TestNamesAreCut(t *testing.T) {
	long := strings.Repeat("a", 63)
	require.Equal(t, long, cut(long+"ģ"))
	require.Equal(t, long+"b", cut(long+"bģ"))
	require.Equal(t, strings.Repeat("ģ", 32), cut(strings.Repeat("ģ", 40)))
	d := exampleData(t)
	d.UserName, d.DisplayName = long+"ģ", "Anna"
	id, err := Seal(allSeed(t), d, rand.Reader)
	require.NoError(t, err)
	got, err := OpenAnywhere(allSeed(t), id)
	require.NoError(t, err)
	require.Equal(t, long, got.UserName)
}

func TestSealRoundTrip(t *testing.T) {
	seed := allSeed(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 20, 64)
		d := Data{
			RPID: rapid.StringMatching(`[a-z]{1,20}\.example`).Draw(t, "rp"), UserID: rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "user"),
			RPName: text.Draw(t, "rp name"), UserName: text.Draw(t, "name"), DisplayName: text.Draw(t, "display"),
			Created: rapid.Uint64().Draw(t, "created"), HMACSecret: rapid.Bool().Draw(t, "hmac"), Protection: rapid.Uint64Range(0, 3).Draw(t, "protection"),
		}
		if rapid.Bool().Draw(t, "EdDSA") {
			d.Algorithm, d.Curve = EdDSA, curveEd25519
		}
		id, err := Seal(seed, d, rand.Reader)
		require.NoError(t, err)
		got, err := OpenAnywhere(seed, id)
		require.NoError(t, err)
		require.Equal(t, d, got)
		key, err := Key(seed, id, d.Algorithm)
		require.NoError(t, err)
		_, isEd25519 := key.(ed25519.PrivateKey)
		require.Equal(t, d.Algorithm == EdDSA, isEd25519)

		id[rapid.IntRange(0, len(id)-1).Draw(t, "flipped")] ^= 1
		_, err = OpenAnywhere(seed, id)
		require.ErrorIs(t, err, ErrForeign)
	})
}

func TestSealRefuses(t *testing.T) {
	tests := []struct {
		change func(*Data)
		err    string
	}{
		{func(d *Data) { d.RPID = "" }, "a credential needs a relying party id"},
		{func(d *Data) { d.RPID = strings.Repeat("a", 254) }, "relying party id of 254 bytes, the limit is 253"},
		{func(d *Data) { d.UserID = nil }, "a credential needs a user id"},
		{func(d *Data) { d.UserID = make([]byte, 65) }, "user id of 65 bytes, the limit is 64"},
		{func(d *Data) { d.Algorithm = -257 }, "there are no credentials of COSE algorithm -257 on curve 0"},
		{func(d *Data) { d.Protection = 4 }, "credential protection 4 is not 1 to 3"},
	}
	for _, tc := range tests {
		d := exampleData(t)
		tc.change(&d)
		_, err := Seal(allSeed(t), d, rand.Reader)
		require.EqualError(t, err, tc.err)
	}
	_, err := Seal(allSeed(t), exampleData(t), bytes.NewReader(nil))
	require.ErrorContains(t, err, "drawing a credential id")
}

func TestOpenRefuses(t *testing.T) {
	seed, id := allSeed(t), unhex(t, exampleID)
	_, err := Open(seed, id, "example.org")
	require.ErrorIs(t, err, ErrForeign)
	_, err = Open(make([]byte, 64), id, "example.com")
	require.ErrorIs(t, err, ErrForeign)
	for _, bad := range [][]byte{nil, id[:32], append(bytes.Clone(id), make([]byte, 1000)...), unhex(t, "f1d00101"+exampleID[8:])} {
		_, err := OpenAnywhere(seed, bad)
		require.ErrorIs(t, err, ErrForeign)
		_, err = Key(seed, bad, ES256)
		require.ErrorIs(t, err, ErrForeign)
	}
	// What is sealed right and yet no credential: another program's fault, said as such.
	for _, tc := range []struct{ plain, err string }{
		{"a0", "a credential needs a relying party id"},
		{"a1016b6578616d706c652e636f6d", "a credential needs a user id"},
		{"a3016b6578616d706c652e636f6d03400926", "algorithm and curve come together"},
		{"a201616103" + "40", `the credential id says relying party "a" inside`},
		{"a2016b6578616d706c652e636f6d016b6578616d706c652e636f6d", "duplicate map key"},
		{"80", "cannot unmarshal"},
	} {
		odd := append([]byte(version), make([]byte, ivSize)...)
		odd = aead(seed).Seal(odd, odd[4:], unhex(t, tc.plain), rpHash("example.com"))
		_, err := Open(seed, odd, "example.com")
		require.ErrorContains(t, err, tc.err, tc.plain)
	}
}

func TestPrimeKey(t *testing.T) {
	var seed [PrimeSeedSize]byte
	for i := range seed {
		seed[i] = byte(i)
	}
	// Computed once with another program from the source of the device, not confirmed by one.
	for at, want := range map[[2]uint32]string{
		{0, 0}: "9f44225368b00477fe2269f298f739b1a567e45675d2dd7ba590ac6847bb58ef",
		{0, 1}: "550b6ede13e185db2d3dfed5b50cbfef2cc3da5b7c01469c3292d364db67a4e0",
		{1, 0}: "f486e48c0c4d65b03021adf1a7391e67af1116e9bafc24c13536537b839b3c04",
		{3, 7}: "c20ad37231ac07767adc8975abca9f3e431de87bb2054877969cc5111e53a0fc",
	} {
		key, err := PrimeKey(seed[:], at[0], at[1])
		require.NoError(t, err)
		require.Equal(t, want, hex.EncodeToString(privateOf(t, key)))
	}
	_, err := PrimeKey(seed[:31], 0, 0)
	require.EqualError(t, err, "the application seed of a Passport Prime has 32 bytes, this one has 31")
}

// RFC 5297, appendix A.1 and A.2.
func TestSIV(t *testing.T) {
	key := unhex(t, "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
	aad := unhex(t, "101112131415161718191a1b1c1d1e1f2021222324252627")
	tag, sealed := sivSeal(key, unhex(t, "112233445566778899aabbccddee"), aad)
	require.Equal(t, "85632d07c6e8f37f950acd320a2ecc93"+"40c02b9690c4dc04daef7f6afe5c", hex.EncodeToString(append(tag, sealed...)))

	key = unhex(t, "7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f")
	more := [][]byte{
		unhex(t, "00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100"),
		unhex(t, "102030405060708090a0"), unhex(t, "09f911029d74e35bd84156c5635688c0"),
	}
	plain := unhex(t, "7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d414553")
	tag, sealed = sivSeal(key, plain, more...)
	require.Equal(t, "7bdb6e3b432667eb06f4d14bff2fbd0f"+"cb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d", hex.EncodeToString(append(tag, sealed...)))
	got, ok := sivOpen(key, tag, sealed, more...)
	require.True(t, ok)
	require.Equal(t, plain, got)
	tag[0] ^= 1
	_, ok = sivOpen(key, tag, sealed, more...)
	require.False(t, ok)
}

// makeLedger makes a handle as a Ledger would, by the layout alone.
func makeLedger(t testing.TB, s *LedgerSecrets, version byte, nonce, plain []byte, rpID string) []byte {
	tag, sealed := sivSeal(s.wrappingKey(version), append(bytes.Clone(nonce), plain...), rpHash(rpID))
	return append(append([]byte{version}, tag...), sealed...)
}

func TestLedger(t *testing.T) {
	s, err := NewLedgerSecrets(allSeed(t))
	require.NoError(t, err)
	nonce := unhex(t, "000102030405060708090a0b0c0d0e0f")
	full, err := encodeMode.Marshal(ledgerMap{Version: 1, Algorithm: EdDSA, UserID: []byte{1, 2}, UserName: "anna"})
	require.NoError(t, err)

	l, err := OpenLedger(s, makeLedger(t, s, ledgerCTAP2, nonce, full, "id.example"), "id.example")
	require.NoError(t, err)
	require.False(t, l.Resident)
	require.Equal(t, EdDSA, l.Algorithm)
	require.Equal(t, "anna", l.UserName)
	key, err := l.Key(l.Algorithm)
	require.NoError(t, err)
	// The derivation once more, from the description.
	want := sha256.Sum256(append(append(make([]byte, 16), nonce...), s.private[:]...))
	require.Equal(t, want[:], privateOf(t, key))
	require.NotEqual(t, l.CredRandom(true), l.CredRandom(false))

	l, err = OpenLedger(s, makeLedger(t, s, ledgerCTAP2, nonce, unhex(t, "a201010201"), "id.example"), "id.example")
	require.NoError(t, err)
	require.True(t, l.Resident)
	require.Zero(t, l.Algorithm, "a resident credential keeps its algorithm on the device")
	u2f := makeLedger(t, s, ledgerU2F, nonce, nil, "id.example")
	l, err = OpenLedger(s, u2f, "id.example")
	require.NoError(t, err)
	require.Equal(t, ES256, l.Algorithm)

	_, err = OpenLedger(s, u2f, "example.com")
	require.ErrorIs(t, err, ErrForeign)
	other, err := NewLedgerSecrets(make([]byte, 64))
	require.NoError(t, err)
	_, err = OpenLedger(other, u2f, "id.example")
	require.ErrorIs(t, err, ErrForeign)
	for name, bad := range map[string]struct{ plain, err string }{
		"no map":    {"", "not as a Ledger has it"},
		"version":   {"a201020200", "of version 2, which is not known"},
		"algorithm": {"a30101020003390100", "there are no credentials of COSE algorithm -257"},
	} {
		_, err = OpenLedger(s, makeLedger(t, s, ledgerCTAP2, nonce, unhex(t, bad.plain), "x"), "x")
		require.ErrorContains(t, err, bad.err, name)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.Equal(t, "secrets of a Ledger", fmt.Sprintf(verb, s))
	}
}

func TestTrezorU2F(t *testing.T) {
	seed := allSeed(t)
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		path := []uint32{trezorU2F}
		handle := make([]byte, 32)
		for i := range 8 {
			step := hardened | uint32(i*0x01020304)
			path = append(path, step)
			order.PutUint32(handle[4*i:], step|0x80)
			path[i+1] |= 0x80 // hardened in either order, so that both are tried
		}
		key, err := derive.P256(seed, path...)
		require.NoError(t, err)
		mac := hmac.New(sha256.New, privateOf(t, key))
		mac.Write(rpHash("https://id.example"))
		mac.Write(handle)
		handle = mac.Sum(handle)
		got, err := OpenTrezorU2F(seed, handle, "https://id.example")
		require.NoError(t, err)
		require.Equal(t, privateOf(t, key), privateOf(t, got))
		_, err = OpenTrezorU2F(seed, handle, "https://example.com")
		require.ErrorIs(t, err, ErrForeign)
		_, err = OpenTrezorU2F(seed, handle[:63], "https://id.example")
		require.ErrorIs(t, err, ErrForeign)
	}
}

func FuzzOpen(f *testing.F) {
	seed := allSeed(f)
	f.Add(unhex(f, exampleID), unhex(f, "a201010201"))
	f.Add(unhex(f, exampleID)[:33], []byte{0xa0})
	f.Fuzz(func(t *testing.T, id, plain []byte) {
		if _, err := OpenAnywhere(seed, id); err == nil {
			_, err = Key(seed, id, ES256)
			require.NoError(t, err)
		}
		s := new(LedgerSecrets)
		_, _ = OpenLedger(s, id, "example.com")
		_, _ = OpenTrezorU2F(seed, id, "example.com")
		// And what lies behind the seal, which a fuzzer cannot break.
		if d, err := decode(plain); err == nil {
			_, err := Seal(seed, d, rand.Reader)
			if err != nil {
				require.ErrorContains(t, err, "the limit is 1023")
			}
		}
		_, _ = OpenLedger(s, makeLedger(t, s, ledgerCTAP2, make([]byte, 16), plain, "x"), "x")
	})
}
