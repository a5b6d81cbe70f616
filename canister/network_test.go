package canister

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/aviate-labs/agent-go/certification"
	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/cdk/cdktest"
	"kedge/ic/principal"
)

func TestMainnetRootKey(t *testing.T) {
	require.Equal(t, certification.RootKey, mainnetRootKey)
}

func TestOwnPage(t *testing.T) {
	mainnetKey, err := hex.DecodeString(mainnetRootKey)
	require.NoError(t, err)
	network := installed(t)
	id := principal.Canister(0x8000000000100001).Text()
	for _, c := range []struct {
		origin         string
		mainnet, local bool
	}{
		{"https://" + id + ".icp0.io", true, false},
		{"https://" + id + ".ic0.app", true, false},
		{"https://" + id + ".icp.net", true, false},
		{"http://" + id + ".localhost:4943", false, true},
		{"http://" + id + ".localhost", false, true},
		{"http://" + id + ".icp0.io", false, false},
		{"https://" + id + ".icp0.io:8443", false, false},
		{"https://" + id + ".raw.icp0.io", false, false},
		{"https://" + id + ".icp0.io.example", false, false},
		{"https://rrkah-fqaaa-aaaaa-aaaaq-cai.icp0.io", false, false},
		{"https://icp0.io", false, false},
		{"https://" + id + ".localhost:4943", false, false},
		{"http://" + id + ".localhost:", false, false},
		{"http://" + id + ".localhost:4943.example", false, false},
		{"http://" + id + ".localhost.example", false, false},
		{"http://rrkah-fqaaa-aaaaa-aaaaq-cai.localhost:4943", false, false},
		{"http://localhost:4943", false, false},
		{"", false, false},
	} {
		for _, mainnet := range []bool{true, false} {
			network.SetRootKey(nil)
			if mainnet {
				network.SetRootKey(mainnetKey)
			}
			_, ok := ownPage(c.origin)
			require.Equal(t, mainnet && c.mainnet || !mainnet && c.local, ok, "%q, mainnet %t", c.origin, mainnet)
		}
	}
}

// The table that the command line and the page are tested with: a canonical origin is taken, and any other
// text refused, but for addresses, which are not computed here.
func TestOriginsOfTheSharedTable(t *testing.T) {
	raw, err := os.ReadFile("../internal/origin/testdata/cases.json")
	require.NoError(t, err)
	var table struct {
		Cases []struct{ Name, Input, Origin, Refused string }
	}
	require.NoError(t, json.Unmarshal(raw, &table))
	require.NotEmpty(t, table.Cases)
	refused := 0
	for _, c := range table.Cases {
		problem := originProblem(c.Input)
		switch {
		case c.Origin == c.Input && c.Refused == "":
			require.Empty(t, problem, "%s: %q", c.Name, c.Input)
		case problem != "":
			refused++
		}
		if c.Origin != "" {
			require.Empty(t, originProblem(c.Origin), c.Name)
		}
	}
	require.Greater(t, refused, 40)
}

func TestRelatedOriginsAreAsBrowsersWriteThem(t *testing.T) {
	for _, c := range []struct {
		init kedge.KedgeInit
		want string
	}{
		{kedge.KedgeInit{RelatedOrigins: []string{"https://id.example", "https://App.example"}}, `related_origins: "https://App.example" is no origin as browsers write it: its host is in lower case`},
		{kedge.KedgeInit{RelatedOrigins: []string{"https://id.example/"}}, `related_origins: "https://id.example/" is no origin as browsers write it: it ends after host and port, without a slash`},
		{kedge.KedgeInit{RelatedOrigins: []string{"https://id.example:443"}}, `related_origins: "https://id.example:443" is no origin as browsers write it: browsers leave out the port 443`},
		{kedge.KedgeInit{RelatedOrigins: []string{"id.example"}}, `related_origins: "id.example" is no origin as browsers write it: it begins with https:// or http://, in lower case`},
		{kedge.KedgeInit{RelyingParties: []string{"https://id.example"}}, `relying_parties: "https://id.example" is no host as browsers write it: its host has only letters, digits, hyphens and dots`},
		{kedge.KedgeInit{RelyingParties: []string{""}}, `relying_parties: "" is no host as browsers write it: it has a host`},
		{kedge.KedgeInit{RelatedOrigins: []string{"https://id.example", "http://127.0.0.1:4943", "http://[::1]:8080", "https://id.example:8443"}, RelyingParties: []string{"id.example"}}, ""},
	} {
		network := cdktest.Install(t)
		err := network.Deliver(exportInit, kedge.EncodeInitArgs(&c.init))
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, c.want)
		}
	}
}

// Internet Identity's limit is the default where the network is mainnet, at installation only.
func TestDefaultRate(t *testing.T) {
	mainnetKey, err := hex.DecodeString(mainnetRootKey)
	require.NoError(t, err)
	usual := &kedge.RateLimitConfig{TimePerTokenNs: 10_000_000_000, MaxTokens: 20_000}
	other := &kedge.RateLimitConfig{TimePerTokenNs: 1, MaxTokens: 1}
	for _, c := range []struct {
		name    string
		mainnet bool
		init    *kedge.KedgeInit
		want    *kedge.RateLimitConfig
	}{
		{"mainnet", true, nil, usual},
		{"mainnet, with other settings", true, &kedge.KedgeInit{RelatedOrigins: []string{"https://id.example"}}, usual},
		{"mainnet, configured", true, &kedge.KedgeInit{RegisterRateLimit: other}, other},
		{"local", false, nil, nil},
		{"local, configured", false, &kedge.KedgeInit{RegisterRateLimit: other}, other},
	} {
		t.Run(c.name, func(t *testing.T) {
			network := cdktest.Install(t)
			network.SetRootKey([]byte("a local network's"))
			if c.mainnet {
				network.SetRootKey(mainnetKey)
			}
			require.NoError(t, network.Deliver(exportInit, kedge.EncodeInitArgs(c.init)))
			require.Equal(t, c.want, state.settings.RegisterRateLimit)
			if c.init != nil {
				require.Equal(t, c.init.RelatedOrigins, state.settings.RelatedOrigins)
			}
			network.Upgrade()
			require.NoError(t, network.Deliver(exportPostUpgrade, kedge.EncodeInitArgs(nil)))
			require.Equal(t, c.want, state.settings.RegisterRateLimit)

			// What ran without a limit before goes on so on whatever network.
			network.SetRootKey(mainnetKey)
			network.Upgrade()
			require.NoError(t, network.Deliver(exportPostUpgrade, kedge.EncodeInitArgs(nil)))
			require.Equal(t, c.want, state.settings.RegisterRateLimit)
		})
	}
}
