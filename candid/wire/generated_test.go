package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/gen"
	"kedge/candid/wire"
	"kedge/internal/vectors"
)

// TestOfficialGenerated runs the official tests against code that the generator
// writes for their types. The code is compiled as part of this module without
// being written into it, by an overlay.
func TestOfficialGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a program")
	}
	dir := vectors.Dir(t, "candid")
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	tmp := t.TempDir()
	overlay := map[string]string{}
	write := func(path string, content []byte) {
		name := filepath.Join(tmp, fmt.Sprintf("%d.go", len(overlay)))
		require.NoError(t, os.WriteFile(name, content, 0o600))
		overlay[filepath.Join(root, "candid", "wire", "official", path)] = name
	}

	var imports, runs strings.Builder
	var input bytes.Buffer
	var tests []officialTest
	for _, kind := range []string{"prim", "construct", "reference", "subtypes"} {
		src, err := os.ReadFile(filepath.Join(dir, kind+".test.did"))
		require.NoError(t, err)
		file, some := parseTests(t, string(src))
		var service did.Service
		var dispatch strings.Builder
		for i, test := range some {
			name := fmt.Sprintf("m%04d", i)
			service.Methods = append(service.Methods, did.Method{Name: name, Type: did.Func{Args: test.types}})
			var vars strings.Builder
			for k := range test.types {
				fmt.Fprintf(&vars, "a%d, ", k)
			}
			fmt.Fprintf(&dispatch, "%q: func(b []byte) ([]byte, error) {\n%serr := DecodeM%04[3]dArgs(b)\nif err != nil {\nreturn nil, err\n}\nreturn EncodeM%04[3]dArgs(%[4]s), nil\n},\n",
				name, vars.String(), i, strings.TrimSuffix(vars.String(), ", "))
			if test.left.Doc != nil {
				fmt.Fprintf(&input, "%s %s %x\n", kind, name, test.left.Text)
				tests = append(tests, test)
			}
		}
		file.Service = service
		code, err := gen.Generate(file, kind, kind)
		require.NoError(t, err)
		write(kind+"/gen.go", code)
		write(kind+"/run.go", []byte("package "+kind+"\nvar Run = map[string]func([]byte) ([]byte, error){\n"+
			dispatch.String()+"}\n"))
		fmt.Fprintf(&imports, "%q\n", "kedge/candid/wire/official/"+kind)
		fmt.Fprintf(&runs, "%q: %s.Run,\n", kind, kind)
	}
	write("main.go", []byte(`package main
import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
`+imports.String()+`)
func main() {
	kinds := map[string]map[string]func([]byte) ([]byte, error){
`+runs.String()+`}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		f := strings.Split(in.Text(), " ")
		data, _ := hex.DecodeString(f[2])
		out, err := kinds[f[0]][f[1]](data)
		if err != nil {
			fmt.Println("error", err)
		} else {
			fmt.Printf("ok %x\n", out)
		}
	}
}
`))
	replace, err := json.Marshal(map[string]any{"Replace": overlay})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(tmp, "overlay.json"), replace, 0o600))

	cmd := exec.Command("go", "run", "-overlay", filepath.Join(tmp, "overlay.json"), "./candid/wire/official")
	cmd.Dir = root
	cmd.Stdin = &input
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())

	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, len(tests))
	for i, test := range tests {
		verdict, rest, _ := strings.Cut(lines[i], " ")
		if (verdict == "ok") != (test.relation != "!:") {
			t.Errorf("line %d, %q: %s", test.line, test.about, lines[i])
			continue
		}
		if verdict != "ok" {
			continue
		}
		// What the generated code encodes again must be what the walk through
		// the type, which TestOfficial judges, made of the message.
		again, err := hex.DecodeString(rest)
		require.NoError(t, err)
		want, err := decodeAll([]byte(test.left.Text), test.table, test.args)
		require.NoError(t, err)
		got, err := decodeAll(again, test.table, test.args)
		require.NoError(t, err, "line %d, %q", test.line, test.about)
		require.Equal(t, showAll(want), showAll(got), "line %d, %q", test.line, test.about)
		require.Equal(t, string(wire.AppendHeader(nil, test.table, test.args)), string(again[:len(wire.AppendHeader(nil, test.table, test.args))]))
	}
}
