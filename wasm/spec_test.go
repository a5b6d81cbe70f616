package wasm_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/wasm"
)

// specification returns the files of WebAssembly's own test suite, version 2 and tail calls, that wazero's module brings.
func specification(t *testing.T) (files []string) {
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero")
	dir, err := list.Output()
	require.NoError(t, err)
	for _, part := range []string{"v2", "tail-call"} {
		found, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "internal", "integration_test", "spectest", part, "testdata", "*.json"))
		require.NoError(t, err)
		require.NotEmpty(t, found, part)
		files = append(files, found...)
	}
	return files
}

// otherReasons are the texts of the parser that production uses, by those that the test suite states, where they differ.
var otherReasons = map[string]string{
	"invalid lane index":   "SIMD index out of bounds",
	"unknown global":       "constant expression required: global.get of locally defined global",
	"invalid result arity": "type mismatch: expected a type but nothing on stack", // a select whose empty list of types was lost
	"start function":       "invalid start function type",
	"multiple memories":    "2 memories; multi-memory is not supported",
	"type mismatch":        "indirect calls must go through a table with type <= funcref",
	"unknown data segment": "data count section required",
}

// The verdicts on the modules of WebAssembly's test suite are those that it states. So are the reasons why modules are
// invalid: production's parser gives them in the same words, but for otherReasons, and goes on from there.
func TestSpecification(t *testing.T) {
	valid, invalid, malformed := 0, 0, 0
	for _, file := range specification(t) {
		for _, c := range commands(t, file) {
			code, err := os.ReadFile(filepath.Join(filepath.Dir(file), c.Filename))
			require.NoError(t, err)
			m, err := wasm.Decode(code)
			if err == nil {
				err = wasm.Validate(m)
			}
			where := fmt.Sprintf("%s:%d: %s", filepath.Base(file), c.Line, c.Filename)
			switch c.Type {
			case "assert_malformed":
				malformed++
				// An index of a memory in more bytes than it needs is not malformed any more.
				require.True(t, err != nil || c.Text == "zero byte expected", "%s: %s", where, c.Text)
			case "assert_invalid":
				invalid++
				var e *wasm.DecodeError
				require.ErrorAs(t, err, &e, "%s: %s", where, c.Text)
				if got := e.InProduction(); !strings.HasPrefix(got, c.Text) {
					require.NotEmpty(t, otherReasons[c.Text], "%s: %s: %s", where, c.Text, got)
					require.Contains(t, got, otherReasons[c.Text], where)
				}
			default:
				valid++
				require.NoError(t, err, where)
			}
		}
	}
	t.Logf("%d valid modules, %d invalid and %d malformed ones", valid, invalid, malformed)
	require.Greater(t, min(valid, invalid, malformed), 500)
}

// command is one of the test suite that is about a module.
type command struct {
	Type, Filename, Text string
	Line                 int
	ModuleType           string `json:"module_type"`
}

// commands are those of a file that are about binary modules.
func commands(t *testing.T, file string) []command {
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var suite struct{ Commands []command }
	require.NoError(t, json.Unmarshal(raw, &suite), file)
	return slices.DeleteFunc(suite.Commands, func(c command) bool { return c.Filename == "" || c.ModuleType == "text" })
}
