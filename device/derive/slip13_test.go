package derive

import (
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tyler-smith/go-bip39"
)

// The worked example of SLIP-0013. Its fourth component before hardening is 1858012177.
func TestNamePathOfTheStandard(t *testing.T) {
	require.Equal(t, []uint32{2147483661, 2637750992, 2845082444, 3761103859, 4005495825},
		namePath("https://satoshi@bitcoin.org/login", 0))
}

// The keys are those that Trezor's tests of sign_identity expect.
func TestNamesOfTrezor(t *testing.T) {
	seed := bip39.NewSeed("alcohol woman abuse must during monitor noble actual mixed trade anger aisle", "")
	tests := []struct{ uri, p256, ed25519 string }{
		{"ssh://satoshi@bitcoin.org", "0373f21a3da3d0e96fc2189f81dd826658c3d76b2d55bd1da349bc6c3573b13ae4", "0fac2a491e0f5b871dc48288a4cae551bac5cb0ed19df0764d6e721ec5fade18"},
		{"gpg://satoshi@bitcoin.org", "025001c648348dbe42e4f932229f614754424058b9805dc02b9eb29d7a163e2fd7", "d18cdf4dbdbb50ef1fdba1ae0539451f3354a366d6a35313712ab82f16d4cd9e"},
		{"signify://satoshi@bitcoin.org", "036af14bc32c4e5296dafb067587c0f7493ad465c6f4485cfdeaf8e17d3f79505e", "38c0f42c0e47b233e837763098f029fd01009b74fdf4b0d60db114fb0f4f8b17"},
	}
	for _, tc := range tests {
		n, err := ParseName(tc.uri)
		require.NoError(t, err)
		require.Equal(t, tc.uri, n.URI())
		if n.Scheme == "ssh" {
			n.Index = 47
		}
		requireName(t, n, seed, tc.p256, tc.ed25519)
	}
}

// The values were computed once with another program and are not confirmed by a device.
func TestNamesOfSites(t *testing.T) {
	seed := unhex(t, allSeed)
	n, err := ParseName("https://alice@example.com")
	require.NoError(t, err)
	require.Equal(t, Name{Scheme: "https", User: "alice", Host: "example.com"}, n)
	require.Equal(t, "https://example.com", n.Origin())
	requireName(t, n, seed, "029e2d57c9ab88df9f5ae3b9c866585c5d3ab727c5e28b39132a5ce69a17440025", "feadd4e92e495eca89afe9ce092cbc2d8a9a9142939b0b225ef945eca45c4d3d")
	n.Index = 1
	requireName(t, n, seed, "03481d79b47982412b25344476d71faacebf07a37ec70e337a26840becc2d01f3f", "f35b29768db3d94dd1f3e442f19e2f496a5320059a756ba62abec818c048c6ed")
}

func requireName(t *testing.T, n Name, seed []byte, p256, ed string) {
	t.Helper()
	key, err := n.P256(seed)
	require.NoError(t, err)
	require.Equal(t, p256, hex.EncodeToString(elliptic.MarshalCompressed(elliptic.P256(), key.X, key.Y)))
	other, err := n.Ed25519(seed)
	require.NoError(t, err)
	require.Equal(t, ed, hex.EncodeToString(other.Public().(ed25519.PublicKey)))
}

func TestParseNameTakes(t *testing.T) {
	for _, uri := range []string{
		"https://id.example", "https://anna@id.example:8443", "http://x@id.localhost:4943", "https://a@b.example@id.example",
		"https://Anna Müller@id.example", "https://xn--bcher-kva.example", "https://x@[::1]:4943", "ssh://root@h:2222",
	} {
		n, err := ParseName(uri)
		require.NoError(t, err, uri)
		require.Equal(t, uri, n.URI())
	}
	n, err := ParseName("https://a@b.example@id.example:81")
	require.NoError(t, err)
	require.Equal(t, "a@b.example", n.User)
	require.Equal(t, "id.example", n.RelyingParty())
}

func TestParseNameRefuses(t *testing.T) {
	tests := []struct{ uri, err string }{
		{"", `"" is not of the form https://user@host`},
		{"id.example", `"id.example" is not of the form https://user@host`},
		{"HTTPS://id.example", `scheme "HTTPS" is not in lower-case letters`},
		{"://id.example", "a name needs a scheme, such as https"},
		{"https://", "a name needs a host, such as id.example"},
		{"https://@id.example", `"https://@id.example" has an empty user name before the @; leave the @ out`},
		{"https://Id.example", `host "Id.example" is not in lower case`},
		{"https://id.example.", `host "id.example." ends with a dot`},
		{"https://id..example", `host "id..example" has a label of 0 letters, they have 1 to 63`},
		{"https://id.example/", `host "id.example/" has the character '/'; a path, a query and a fragment are left out`},
		{"https://id.example?x", `host "id.example?x" has the character '?'; a path, a query and a fragment are left out`},
		{"https://id.example:443", "port 443 is the one of https; leave it out"},
		{"https://id.example:080", `port "080" of "id.example:080" is not a number from 1 to 65535 without zeros in front`},
		{"https://id.example:", `port "" of "id.example:" is not a number from 1 to 65535 without zeros in front`},
		{"https://bücher.example", `host "bücher.example" is not ASCII; write it with xn-- as the browser does`},
		{"https:// anna@id.example", `user name " anna" begins or ends with a space`},
		{"https://an\x00na@id.example", `user name "an\x00na" has characters that cannot be printed`},
		{"https://u\u0308@id.example", "user name \"u\u0308\" is not in Unicode normal form C; type it again without combining marks"},
		{"https://[::0]", `host "[::0]" is not an address in its shortest form`},
		{"https://" + strings.Repeat("a", 257) + "@x", "a user name has at most 256 bytes, this one has 257"},
	}
	for _, tc := range tests {
		_, err := ParseName(tc.uri)
		require.EqualError(t, err, tc.err, tc.uri)
	}
	_, err := Name{}.P256(make([]byte, 64))
	require.Error(t, err, "the zero name has no key")
}

func FuzzParseName(f *testing.F) {
	for _, uri := range []string{"https://anna@id.example", "https://a@b@[::1]:1", "x://", "https://id.example:0443"} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		n, err := ParseName(uri)
		if err != nil {
			return
		}
		require.Equal(t, uri, n.URI(), "what is accepted is canonical")
	})
}
