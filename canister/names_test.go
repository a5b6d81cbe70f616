package canister

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/kedge"
	"kedge/canister/identity"
)

// tagsOf are the cases of a variant of kedge.did.
func tagsOf(t *testing.T, variant string) []string {
	t.Helper()
	file, err := did.Parse(kedge.Interface)
	require.NoError(t, err)
	definition := file.Lookup(variant)
	require.NotNil(t, definition, variant)
	var tags []string
	for _, f := range definition.Type.(did.Variant).Fields {
		tags = append(tags, f.Name)
	}
	return tags
}

// names are what values of either side call themselves.
func names[T fmt.Stringer](values []T) (out []string) {
	for _, v := range values {
		out = append(out, v.String())
	}
	return out
}

// Every value of the rules has the case of its name, and every case its value.
func TestTablesOfNames(t *testing.T) {
	all := map[string][]string{
		"ErrorCode":       names(errorCodes[1:]),
		"EventKind":       names(eventKinds[1:]),
		"Scenario":        names(scenarios[:]),
		"Outcome":         names(outcomes[:]),
		"Advice":          names(advices[identity.StepCall:]),
		"WarningKind":     names(warningKinds[:]),
		"ProtectionState": names(protections[:]),
	}
	for variant, got := range all {
		require.ElementsMatch(t, tagsOf(t, variant), got, variant)
	}
	require.Nil(t, adviceTo(identity.StepNone))
	require.Equal(t, kedge.AdviceProveDevice, *adviceTo(identity.StepCall))
	for code := identity.Code(1); code < identity.Codes; code++ {
		require.Equal(t, code.String(), errorCodes[code].String())
	}
	for kind := identity.EventKind(1); kind < identity.EventKinds; kind++ {
		require.Equal(t, kind.String(), eventKinds[kind].String())
	}
	for step := identity.StepNone + 1; step < identity.Steps; step++ {
		require.Equal(t, step.String(), advices[step].String())
	}
}

// Clients have a text for every reason, so each is given somewhere.
func TestEveryReasonIsGiven(t *testing.T) {
	used := map[string]bool{}
	for _, dir := range []string{".", "identity"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, name := range files {
			if base := filepath.Base(name); base == "errors.go" || strings.HasSuffix(base, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					used[id.Name] = true
				}
				return true
			})
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "identity/errors.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	reasons := 0
	for _, d := range file.Decls {
		if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.CONST {
			for _, s := range d.Specs {
				if name := s.(*ast.ValueSpec).Names[0].Name; strings.HasPrefix(name, "Err") {
					reasons++
					require.True(t, used[name], "nothing refuses with %s", name)
				}
			}
		}
	}
	require.Equal(t, int(identity.Codes)-1, reasons)
}

func TestKeyTypesAndPurposes(t *testing.T) {
	var seen []string
	for k := identity.KeyType(0); k < identity.KeyTypes; k++ {
		require.Equal(t, k.String(), keyTypeTo[k].String())
		require.Equal(t, k, keyTypeFrom[keyTypeTo[k]])
		seen = append(seen, k.String())
	}
	require.ElementsMatch(t, tagsOf(t, "KeyType"), seen)
	seen = nil
	for p := identity.Purpose(0); p < identity.Purposes; p++ {
		require.Equal(t, p.String(), purposeTo[p].String())
		require.Equal(t, p, purposeFrom[purposeTo[p]])
		seen = append(seen, p.String())
	}
	require.ElementsMatch(t, tagsOf(t, "Purpose"), seen)
}
