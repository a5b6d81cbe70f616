package traps_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/traps"
)

// classic are the files of the rules whose refusals classic methods give; those of the others are answered with a code.
var classic = []string{"actor.go", "devices.go", "limits.go", "registration.go"}

const rules = "../../canister/identity"

// Every refusal that the rules have for classic methods is known by its text, and by the name of its code. The texts
// are read from the rules' source, so that a new one is missed here.
func TestEveryTextOfTheRulesIsKnown(t *testing.T) {
	names := codeNames(t)
	found := map[string]bool{}
	for _, name := range classic {
		inspect(t, name, func(code, text string) {
			for _, prefix := range []string{"", "failed to add device: ", "failed to register anchor 10000: "} {
				got, known := traps.NameOf(prefix + text)
				require.True(t, known, "%s: %s", name, text)
				require.Equal(t, names[code], got, text)
			}
			found[names[code]] = true
		})
	}
	require.Greater(t, len(found), 20)
	for _, text := range traps.Texts {
		if text.Name != "no_such_anchor" && text.Name != "rate_limited" { // they come from elsewhere
			require.True(t, found[text.Name], "no refusal of the rules is %s", text.Name)
		}
	}
}

// inspect calls saw with the code and a text of every Error that a file makes.
func inspect(t *testing.T, name string, saw func(code, text string)) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(rules, name), nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if kind, named := typeName(literal, ok); !named || kind != "Error" {
			return true
		}
		fields := map[string]ast.Expr{}
		for _, e := range literal.Elts {
			pair := e.(*ast.KeyValueExpr)
			fields[pair.Key.(*ast.Ident).Name] = pair.Value
		}
		saw(fields["Code"].(*ast.Ident).Name, sample(t, fields["Message"]))
		return true
	})
}

func typeName(literal *ast.CompositeLit, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	name, ok := literal.Type.(*ast.Ident)
	if !ok {
		return "", false
	}
	return name.Name, true
}

// sample is a text as the expression makes it, with something in the place of what is computed.
func sample(t *testing.T, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		require.NoError(t, err)
		return text
	case *ast.BinaryExpr:
		return sample(t, e.X) + sample(t, e.Y)
	case *ast.CallExpr:
		if name, ok := e.Fun.(*ast.Ident); ok {
			return map[string]string{"decimal": "17", "hexadecimal": "0a0b"}[name.Name]
		}
		return "2vxsx-fae" // the text of a principal, or of an error
	case *ast.Ident:
		return "alias"
	}
	require.FailNow(t, "a text that is made in another way")
	return ""
}

// codeNames are the names that the rules give their codes.
func codeNames(t *testing.T) map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(rules, "errors.go"), nil, 0)
	require.NoError(t, err)
	names := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if pair, ok := n.(*ast.KeyValueExpr); ok {
			names[pair.Key.(*ast.Ident).Name] = strings.Trim(pair.Value.(*ast.BasicLit).Value, `"`)
		}
		return true
	})
	require.Equal(t, "not_a_device", names["ErrNotADevice"])
	return names
}

// A text that only contains one of these says something else.
func TestOnlyWholeTexts(t *testing.T) {
	for _, text := range []string{
		"", "x could not be authenticated. But", `unknown field "Device is locked"`,
		"alias: 2vxsx-fae could not be authenticated.", "an alias is out of range", "rate limit reached, try again later.",
		"failed to do something: bad Identity Anchor 7",
	} {
		_, known := traps.NameOf(text)
		require.False(t, known, text)
	}
}

// The page's checked-in table is this one.
func TestPageTableIsFresh(t *testing.T) {
	got, err := os.ReadFile("../../frontend-shim/src/candid/traps.gen.ts")
	require.NoError(t, err)
	require.Equal(t, traps.TypeScript(), string(got), "run go generate ./candid/...")
}
