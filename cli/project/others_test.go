package project

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	first  = "bkyz2-fmaaa-aaaaa-qaaaq-cai"
	second = "bd3sg-teaaa-aaaaa-qaaba-cai"
	third  = "be2us-64aaa-aaaaa-qaabq-cai"
)

func TestFindCanister(t *testing.T) {
	const icpYAML = `
canisters:
  - name: kedge
networks:
  - name: kedge
    mode: connected
    url: http://127.0.0.1:4943
    root-key: fetch
environments:
  - name: kedge
    network: kedge
    canisters: [kedge]
`
	for name, test := range map[string]struct {
		files  map[string]string
		target Target
		want   []string // the tool and the id of each
	}{
		"nothing": {target: at("local", "http://127.0.0.1:4943")},
		"kedge":   {files: map[string]string{".kedge/canisters.json": `{"version":1,"canisters":{"local":"` + first + `"}}`}, target: at("local", "http://127.0.0.1:4943"), want: []string{"kedge " + first}},
		"dfx with its network in dfx.json": {
			files: map[string]string{
				"dfx.json":                     `{"canisters":{"kedge":{}},"networks":{"local":{"bind":"127.0.0.1:8000","type":"ephemeral"}}}`,
				".dfx/local/canister_ids.json": `{"backend":{"local":"` + second + `"},"kedge":{"local":"` + first + `"}}`,
			},
			target: at("local", "http://127.0.0.1:8000"), want: []string{"dfx " + first},
		},
		"dfx without an entry for networks": {
			files:  map[string]string{"dfx.json": `{"canisters":{"kedge":{}}}`, ".dfx/local/canister_ids.json": `{"kedge":{"local":"` + first + `"}}`},
			target: at("local", "http://127.0.0.1:4943"), want: []string{"dfx " + first},
		},
		"dfx on another network": {
			files:  map[string]string{"dfx.json": `{}`, ".dfx/local/canister_ids.json": `{"kedge":{"local":"` + first + `"}}`},
			target: at("local", "http://127.0.0.1:5000"),
		},
		"dfx by the URL": {
			files:  map[string]string{"dfx.json": `{}`, ".dfx/local/canister_ids.json": `{"kedge":{"local":"` + first + `"}}`},
			target: at("http://localhost:4943", "http://localhost:4943"), want: []string{"dfx " + first},
		},
		"dfx on mainnet": {
			files:  map[string]string{"dfx.json": `{}`, "canister_ids.json": `{"kedge":{"ic":"` + first + `"}}`},
			target: at("ic", "https://icp-api.io"), want: []string{"dfx " + first},
		},
		"dfx calls it otherwise": {
			files:  map[string]string{"dfx.json": `{}`, ".dfx/local/canister_ids.json": `{"provider":{"local":"` + first + `"}}`},
			target: at("local", "http://127.0.0.1:4943"),
		},
		"icp, connected": {
			files:  map[string]string{"icp.yaml": icpYAML, ".icp/data/mappings/kedge.ids.json": `{"kedge":"` + first + `"}`},
			target: at("local", "http://127.0.0.1:4943"), want: []string{"icp " + first},
		},
		"icp, its own network": {
			files: map[string]string{
				"icp.yaml": icpYAML, ".icp/cache/mappings/local.ids.json": `{"kedge":"` + second + `"}`,
				".icp/cache/networks/local/descriptor.json": `{"v":"1","gateway":{"fixed":false,"port":40377,"host":"localhost","ip":"127.0.0.1"}}`,
			},
			target: at("http://127.0.0.1:40377", "http://127.0.0.1:40377"), want: []string{"icp " + second},
		},
		"icp's own network is another": {
			files: map[string]string{
				"icp.yaml": icpYAML, ".icp/cache/mappings/local.ids.json": `{"kedge":"` + second + `"}`,
				".icp/cache/networks/local/descriptor.json": `{"v":"1","gateway":{"port":40377,"ip":"127.0.0.1"}}`,
			},
			target: at("local", "http://127.0.0.1:4943"),
		},
		"icp on mainnet": {
			files:  map[string]string{"icp.yaml": icpYAML, ".icp/data/mappings/ic.ids.json": `{"kedge":"` + third + `"}`},
			target: at("ic", "https://icp-api.io"), want: []string{"icp " + third},
		},
		"all of them": {
			files: map[string]string{
				".kedge/canisters.json": `{"version":1,"canisters":{"local":"` + third + `"}}`,
				"dfx.json":              `{}`, ".dfx/local/canister_ids.json": `{"kedge":{"local":"` + first + `"}}`,
				"icp.yaml": icpYAML, ".icp/data/mappings/kedge.ids.json": `{"kedge":"` + second + `"}`,
			},
			target: at("local", "http://127.0.0.1:4943"), want: []string{"kedge " + third, "dfx " + first, "icp " + second},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, test.files)
			found, err := FindCanister(".", test.target)
			require.NoError(t, err)
			var got []string
			for _, k := range found {
				require.FileExists(t, k.File)
				got = append(got, k.Tool+" "+k.ID.Text())
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestDamagedRecordsAreNamed(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  string
	}{
		"dfx.json": {map[string]string{"dfx.json": "{"}, "dfx.json is damaged: "},
		"ids":      {map[string]string{"dfx.json": "{}", ".dfx/local/canister_ids.json": "[]"}, ".dfx/local/canister_ids.json is damaged: "},
		"an id":    {map[string]string{"dfx.json": "{}", ".dfx/local/canister_ids.json": `{"kedge":{"local":"x"}}`}, `.dfx/local/canister_ids.json is damaged: canister id "x": `},
		"icp":      {map[string]string{"icp.yaml": "networks: [{name: kedge, url: 'http://127.0.0.1:4943'}]\nenvironments: [{name: kedge, network: kedge}]", ".icp/data/mappings/kedge.ids.json": "?"}, ".icp/data/mappings/kedge.ids.json is damaged: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, test.files)
			_, err := FindCanister(".", at("local", "http://127.0.0.1:4943"))
			require.ErrorContains(t, err, test.want)
		})
	}
}

func at(name, address string) Target {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return Target{name, u}
}

func write(t *testing.T, files map[string]string) {
	t.Helper()
	for path, content := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
}
