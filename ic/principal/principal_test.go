package principal

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	for _, tc := range []struct{ text, hex string }{
		{"aaaaa-aa", ""},
		{"2vxsx-fae", "04"},
		{"rwlgt-iiaaa-aaaaa-aaaaa-cai", "00000000000000000101"},
		{"rdmx6-jaaaa-aaaaa-aaadq-cai", "00000000000000070101"},
		{"um5iw-rqaaa-aaaaq-qaaba-cai", "00000000021000020101"},
		{"bkyz2-fmaaa-aaaaa-qaaaq-cai", "80000000001000010101"},
		{"lxzze-o7777-77777-aaaaa-cai", "ffffffffffe000000101"},
		{"em77e-bvlzu-aq", "abcd01"}, // the example of the Interface Specification
	} {
		t.Run(tc.text, func(t *testing.T) {
			raw, err := hex.DecodeString(tc.hex)
			require.NoError(t, err)
			p, err := FromBytes(raw)
			require.NoError(t, err)
			require.Equal(t, tc.text, p.Text())
			parsed, err := Parse(tc.text)
			require.NoError(t, err)
			require.Equal(t, p, parsed)
			require.Equal(t, raw, parsed.Bytes())
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "is empty"},
		{"upper case", "RWLGT-IIAAA-AAAAA-AAAAA-CAI", `canonical form "rwlgt-iiaaa-aaaaa-aaaaa-cai"`},
		{"no dashes", "rwlgtiiaaaaaaaaaaaaacai", "canonical form"},
		{"dash at the end", "aaaaa-aa-", "canonical form"},
		{"checksum", "rwlgt-iiaaa-aaaaa-aaaaa-caq", "checksum does not match"},
		{"alphabet", "rwlgt-iiaaa-aaaaa-aaaaa-ca1", "a-z and 2-7"},
		{"too short", "aaaaa", "too short"},
		{"too long", strings.Repeat("a", 64), "too long"},
		{"line break", "aaaaa-aa\n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse(tc.text)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestFromBytesRefusesThirty(t *testing.T) {
	_, err := FromBytes(make([]byte, 30))
	require.EqualError(t, err, "a principal has at most 29 bytes, got 30")
}

func TestSelfAuthenticating(t *testing.T) {
	// The Ed25519 key of the Interface Specification's request id examples has no published principal;
	// the mainnet root key has: its subnet is tdb26-….
	der, err := hex.DecodeString("308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100" +
		"814c0e6ec71fab583b08bd81373c255c3c371b2e84863c98a4f1e08b74235d14fb5d9c0cd546d9685f913a0c0b2cc534" +
		"1583bf4b4392e467db96d65b9bb4cb717112f8472e0d5a4d14505ffd7484b01291091c5f87b98883463f98091a0baaae")
	require.NoError(t, err)
	p := SelfAuthenticating(der)
	require.Equal(t, "tdb26-jop6k-aogll-7ltgs-eruif-6kk7m-qpktf-gdiqx-mxtrf-vb5e6-eqe", p.Text())
	require.True(t, p.IsSelfAuthenticating())
	require.False(t, Anonymous.IsSelfAuthenticating())
}

func TestCanister(t *testing.T) {
	p := Canister(7)
	require.Equal(t, "rdmx6-jaaaa-aaaaa-aaadq-cai", p.Text())
	index, ok := p.CanisterIndex()
	require.True(t, ok)
	require.EqualValues(t, 7, index)
	_, ok = Anonymous.CanisterIndex()
	require.False(t, ok)
}

func TestTextIsTheInverseOfParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := FromBytes(rapid.SliceOfN(rapid.Byte(), 0, MaxLen).Draw(t, "raw"))
		require.NoError(t, err)
		q, err := Parse(p.Text())
		require.NoError(t, err)
		require.Equal(t, p, q)
	})
}

func TestMarshalText(t *testing.T) {
	text, err := Anonymous.MarshalText()
	require.NoError(t, err)
	var p Principal
	require.NoError(t, p.UnmarshalText(text))
	require.Equal(t, Anonymous, p)
	require.Error(t, p.UnmarshalText([]byte("nobody")))
	require.Equal(t, Anonymous, p, "a failed parse changes nothing")
}

func FuzzParse(f *testing.F) {
	f.Add("aaaaa-aa")
	f.Add("rwlgt-iiaaa-aaaaa-aaaaa-cai")
	f.Add("-----")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err == nil && p.Text() != text {
			t.Fatalf("%q parsed, but is written %q", text, p.Text())
		}
	})
}
