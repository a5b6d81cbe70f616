package docs

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/internal/clients"
)

// What a reader of the repository cannot look up, or has to guess, does not come back: references to
// papers that are not here, words about how the project came to be, and the metaphors of its first year.
var phrases = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\b(ii|ic|device|web)\.md\b`), "cite a public source or a page of docs/"},
	{regexp.MustCompile(`\.\./shared\b`), "cite a public source or a page of docs/"},
	{regexp.MustCompile(`(?i)\b(issue|card) [0-9]+\b`), "say why, not who asked for it"},
	{regexp.MustCompile(`(?i)\bthe card\b`), "say why, not who asked for it"},
	{regexp.MustCompile(`(?i)\bwe?re asked for\b`), "say why, not who asked for it"},
	{regexp.MustCompile(`(?i)\bseed phrase\b`), "recovery phrase"},
	{regexp.MustCompile(`(?i)\b(house|houses|furnish|furnished|weighty)\b`), "the field's term: state, environment, security event"},
	{regexp.MustCompile(`(?i)\bthe (door|street|elder|figures of)\b`), "the field's term: admission, network, legacy store, metrics"},
}

// names are words that no package, file, top-level declaration or method is called by, alone.
var names = []string{
	"house", "door", "room", "figures", "operator", "judge", "look", "soon", "within", "elder", "adopt",
	"recount", "retire", "weighty", "strike", "beside", "upper", "switches", "street", "furnish", "play", "settle",
	"provider_kedge",
}

func tracked(t *testing.T, patterns ...string) []string {
	cmd := exec.Command("git", append([]string{"ls-files", "-z", "--"}, patterns...)...)
	cmd.Dir = clients.Root()
	out, err := cmd.Output()
	if err != nil {
		t.Skip("not a git checkout: ", err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
}

func TestWordsOfTheField(t *testing.T) {
	var found []string
	for _, name := range tracked(t, "*.go", "*.ts", "*.mjs", "*.md", "*.did", "*.sh", "Makefile") {
		if name == "tests/docs/words_test.go" || name == "tests/docs/docs_test.go" || name == "internal/vectors/vectors.go" || name == "CHANGELOG.md" || strings.HasSuffix(name, "_gen.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(clients.Root(), name))
		require.NoError(t, err)
		for _, p := range phrases {
			if at := p.pattern.FindIndex(text); at != nil {
				line := 1 + bytes.Count(text[:at[0]], []byte("\n"))
				found = append(found, name+":"+strconv.Itoa(line)+": "+string(text[at[0]:at[1]])+" → "+p.instead)
			}
		}
	}
	require.Empty(t, found, "\n"+strings.Join(found, "\n"))
}

func TestNamesOfTheField(t *testing.T) {
	banned := map[string]bool{}
	for _, n := range names {
		banned[n] = true
	}
	var found []string
	check := func(where, name string) {
		if name = strings.ToLower(name); banned[name] {
			found = append(found, where+": "+name)
		}
	}
	for _, name := range tracked(t, "*.go") {
		if strings.HasSuffix(name, "_gen.go") {
			continue
		}
		check(name, strings.TrimSuffix(strings.TrimSuffix(filepath.Base(name), ".go"), "_test"))
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(clients.Root(), name), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		check(name, file.Name.Name)
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				check(name, decl.Name.Name)
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						check(name, spec.Name.Name)
					case *ast.ValueSpec:
						for _, id := range spec.Names {
							check(name, id.Name)
						}
					}
				}
			}
		}
	}
	require.Empty(t, found, "\n"+strings.Join(found, "\n"))
}
