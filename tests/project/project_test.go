// Package project checks the files by which dfx and icp build and deploy Kedge, and the module that comes
// of it.
package project

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"kedge/internal/clients"
	"kedge/internal/vectors"
)

func TestDfxJSONIsValid(t *testing.T) {
	schema := compile(t, filepath.Join(vectors.Dir(t, "dfx"), "dfx-json-schema.json"))
	require.NoError(t, schema.Validate(load(t, filepath.Join(clients.Root(), "dfx.json"))))

	// The schema does find mistakes.
	broken := load(t, filepath.Join(clients.Root(), "dfx.json")).(map[string]any)
	delete(broken["canisters"].(map[string]any)["kedge"].(map[string]any), "wasm")
	require.Error(t, schema.Validate(broken))
}

func TestDfxJSONNamesFilesThatExist(t *testing.T) {
	kedge := load(t, filepath.Join(clients.Root(), "dfx.json")).(map[string]any)["canisters"].(map[string]any)["kedge"].(map[string]any)
	require.FileExists(t, filepath.Join(clients.Root(), kedge["candid"].(string)))
}

// One build has one module hash, whoever installs it: make, dfx and icp run the same command, which writes
// the compressed module, and install its output as it is.
func TestEveryProjectInstallsTheSameFile(t *testing.T) {
	const command = "sh scripts/module.sh build/kedge.wasm.gz"
	kedge := load(t, filepath.Join(clients.Root(), "dfx.json")).(map[string]any)["canisters"].(map[string]any)["kedge"].(map[string]any)
	require.Equal(t, []any{command}, kedge["build"])
	require.Equal(t, "build/kedge.wasm.gz", kedge["wasm"])
	require.NotContains(t, kedge, "gzip", "dfx would compress the module anew")
	require.NotContains(t, kedge, "shrink")
	require.NotContains(t, kedge, "optimize")
	require.NotContains(t, kedge, "metadata", "dfx would write it into the module")

	icp, err := os.ReadFile(filepath.Join(clients.Root(), "icp.yaml"))
	require.NoError(t, err)
	require.Contains(t, string(icp), "- "+command+"\n            - cp build/kedge.wasm.gz \"$ICP_WASM_OUTPUT_PATH\"\n")

	makefile, err := os.ReadFile(filepath.Join(clients.Root(), "Makefile"))
	require.NoError(t, err)
	require.Contains(t, strings.ReplaceAll(string(makefile), "$(WASM)", "build/kedge.wasm.gz"), command+"\n")
}

func TestIcpReadsTheProject(t *testing.T) {
	icp := clients.ICP(t)
	show := exec.Command(icp, "project", "show")
	show.Dir = clients.Root()
	show.Env = append(os.Environ(), "ICP_HOME="+t.TempDir(), "DO_NOT_TRACK=1")
	out, err := show.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "scripts/module.sh")
	require.Contains(t, string(out), "http://127.0.0.1:4943/")
}

func compile(t *testing.T, path string) *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("schema.json", load(t, path)))
	schema, err := c.Compile("schema.json")
	require.NoError(t, err)
	return schema
}

func load(t *testing.T, path string) any {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	v, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	return v
}
