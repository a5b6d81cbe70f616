package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/internal/wasmhost"
	"kedge/wasm"
)

func icbuild(args ...string) error { return run(args, io.Discard) }

func write(t *testing.T, dir, name, text string) string {
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

func gunzip(t *testing.T, packed []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	require.True(t, r.ModTime.IsZero())
	require.Empty(t, r.Name)
	module, err := io.ReadAll(r)
	require.NoError(t, err)
	return module
}

func TestBuild(t *testing.T) {
	dir := t.TempDir()
	did := write(t, dir, "hello.did", "service : { greet : (text) -> (text) }")
	note := write(t, dir, "note.txt", "for everyone")
	secret := write(t, dir, "secret.txt", "for controllers")
	out := filepath.Join(dir, "new", "hello.wasm.gz")
	require.NoError(t, icbuild("-o", out, "-candid", did, "-args", "(opt nat)", "-meta", "note="+note, "-meta", "private:secret="+secret, "kedge/examples/hello"))

	packed, err := os.ReadFile(out)
	require.NoError(t, err)
	module := gunzip(t, packed)
	m, err := wasm.Decode(module)
	require.NoError(t, err)
	var sections []string
	for _, c := range m.Customs {
		sections = append(sections, c.Name+" = "+string(c.Bytes))
	}
	require.Equal(t, []string{
		"icp:public candid:service = service : { greet : (text) -> (text) }",
		"icp:public candid:args = (opt nat)",
		"icp:public note = for everyone",
		"icp:private secret = for controllers",
	}, sections)

	h := wasmhost.New(t, module)
	r, err := h.Update("greet", []byte("you"))
	require.NoError(t, err)
	require.Equal(t, "hello you", string(r.Reply))
	r, err = h.Query("greeted", nil)
	require.NoError(t, err)
	require.Equal(t, "1", string(r.Reply))

	// Not compressed it is the same module, and the names can stay.
	plain := filepath.Join(dir, "hello.wasm")
	require.NoError(t, icbuild("-o", plain, "-names", "kedge/examples/hello"))
	module, err = os.ReadFile(plain)
	require.NoError(t, err)
	m, err = wasm.Decode(module)
	require.NoError(t, err)
	names, err := m.Names()
	require.NoError(t, err)
	require.NotEmpty(t, names.Functions)

	left, err := filepath.Glob(filepath.Join(dir, "*", ".icbuild-*"))
	require.NoError(t, err)
	require.Empty(t, left, "no temporary files stay")
}

// module writes a module of its own that uses nothing but the system.
func module(t *testing.T, source string) (dir string) {
	dir = t.TempDir()
	write(t, dir, "go.mod", "module example\n\ngo 1.26\n")
	write(t, dir, "main.go", source)
	return dir
}

const canister = `package main

import "runtime/debug"

//go:wasmimport ic0 msg_reply
func reply()

//go:wasmexport canister_update__m
func m() {
	if _, ok := debug.ReadBuildInfo(); ok {
		reply()
	}
}

func main() {}
`

// The same sources give the same bytes in any directory, whatever the environment says.
func TestBuildIsReproducible(t *testing.T) {
	var first []byte
	for _, env := range []map[string]string{{}, {"GOFLAGS": "-ldflags=-X=main.x=y", "GOWASM": "satconv"}} {
		for k, v := range env {
			t.Setenv(k, v)
		}
		dir := module(t, canister)
		t.Chdir(dir)
		require.NoError(t, icbuild("-o", "out.wasm.gz", "."))
		packed, err := os.ReadFile("out.wasm.gz")
		require.NoError(t, err)
		if first == nil {
			first = packed
		}
		require.True(t, bytes.Equal(first, packed))
		require.NotContains(t, string(gunzip(t, packed)), dir)
	}
}

// What is embedded can be another file than the one in the sources, wherever it lies.
func TestBuildWithAnotherFile(t *testing.T) {
	source := strings.ReplaceAll(canister, "import \"runtime/debug\"", "import (\n\t_ \"embed\"\n\t\"runtime/debug\"\n)\n\n//go:embed page\nvar page string")
	source = strings.ReplaceAll(source, "ok {", "ok || page == \"x\" {")
	var first []byte
	for range 2 {
		dir := module(t, source)
		write(t, dir, "page", "the page of the sources")
		other := write(t, t.TempDir(), "page", "another page, which was built")
		t.Chdir(dir)
		require.NoError(t, icbuild("-o", "out.wasm.gz", "-embed", "page="+other, "."))
		packed, err := os.ReadFile("out.wasm.gz")
		require.NoError(t, err)
		require.Contains(t, string(gunzip(t, packed)), "another page, which was built")
		require.NotContains(t, string(gunzip(t, packed)), "the page of the sources")
		if first == nil {
			first = packed
		}
		require.True(t, bytes.Equal(first, packed), "it does not matter where the file lies")
	}
}

func TestBuildRefuses(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out.wasm")
	text := write(t, dir, "text", "text")
	binary := write(t, dir, "binary", "\xff\xfe")
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "want one package after the options, got 0"},
		{[]string{"-o", out, "./a", "./b"}, `want one package after the options, got 2: ["./a" "./b"]`},
		{[]string{"./a"}, "no output: say where the module goes with -o FILE"},
		{[]string{"-x"}, "flag provided but not defined: -x"},
		{[]string{"-o", out, "-candid", filepath.Join(dir, "missing.did"), "./a"}, "-candid: open " + filepath.Join(dir, "missing.did")},
		{[]string{"-o", out, "-candid", binary, "./a"}, "is not text in UTF-8"},
		{[]string{"-o", out, "-args", "opt nat", "./a"}, `-args: want Candid types in parentheses, as "(opt nat)", got "opt nat"`},
		{[]string{"-o", out, "-meta", "name", "./a"}, `want NAME=FILE or private:NAME=FILE, got "name"`},
		{[]string{"-o", out, "-meta", "name=" + dir + "/missing", "./a"}, "-meta name: open "},
		{[]string{"-o", out, "-embed", "page", "./a"}, `want FILE=FILE, got "page"`},
		{[]string{"-o", out, "-embed", text + "=" + dir + "/missing", "./a"}, "no such file"},
		{[]string{"-o", out, "-embed", dir + "/missing=" + text, "./a"}, "no such file"},
		{[]string{"-o", out, "-embed", dir + "=" + text, "./a"}, "is no file"},
		{[]string{"-o", dir, "./a"}, "is a directory"},
		{[]string{"-o", filepath.Join(text, "out.wasm"), "./a"}, "-o: mkdir "},
		{[]string{"-o", out, "kedge/cdk/no/such/package"}, "go build kedge/cdk/no/such/package failed:\n"},
		{[]string{"-o", out, "kedge/cdk/link"}, "requires exactly one main package"},
	} {
		require.ErrorContains(t, icbuild(c.args...), c.want, "%q", c.args)
	}
	_, err := os.Stat(out)
	require.ErrorIs(t, err, os.ErrNotExist)

	t.Chdir(module(t, strings.ReplaceAll(canister, "//go:wasmexport", "//")))
	require.ErrorContains(t, icbuild("-o", out, "."), "package .: the package exports no entry point of a canister")
	t.Chdir(module(t, canister+"\n//go:wasmexport canister_query__m\nfunc q() {}\n"))
	require.ErrorContains(t, icbuild("-o", out, "."), `the exports "canister_update__m" and "canister_query__m" are both the canister method m`)
}
