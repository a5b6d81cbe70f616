package canister

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
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

func TestErrorCodesHaveTheirNames(t *testing.T) {
	for _, code := range identity.Codes() {
		require.Equal(t, errorCodes[code].String(), code.String())
	}
	require.ElementsMatch(t, tagsOf(t, "ErrorCode"), names(identity.Codes()))
	require.Len(t, errorCodes, len(identity.Codes())+1, "code 0 is none")
}

func TestReportsHaveTheirNames(t *testing.T) {
	for s, tag := range scenarios {
		require.Equal(t, tag.String(), identity.Scenario(s).String())
	}
	require.Len(t, scenarios, int(identity.Scenarios))
	for o, tag := range outcomes {
		require.Equal(t, tag.String(), identity.Outcome(o).String())
	}
	for step, tag := range advices {
		require.Equal(t, tag.String(), step.String())
	}
	require.NotContains(t, advices, identity.StepNone)
	require.ElementsMatch(t, tagsOf(t, "Scenario"), names(scenarios[:]))
	require.ElementsMatch(t, tagsOf(t, "Outcome"), names(outcomes[:]))
	require.ElementsMatch(t, tagsOf(t, "Advice"), names(slices.Collect(maps.Values(advices))))
	require.ElementsMatch(t, tagsOf(t, "ProtectionState"), names(protections[:]))
	require.ElementsMatch(t, tagsOf(t, "EventKind"), names(eventKinds[1:]))
	require.ElementsMatch(t, tagsOf(t, "KeyType"), names(keyTypeTo[:]))
	require.ElementsMatch(t, tagsOf(t, "Purpose"), names(purposeTo[:]))
}

// Where the rules have no names to compare, the source says the same on both sides of the colon:
// identity.EventGuardOn: kedge.EventKindGuardOn.
func TestTablesSayTheSameOnBothSides(t *testing.T) {
	differently := map[string]string{
		"EventRequested": "EventKindReleaseRequested",
		"EventCancelled": "EventKindReleaseCancelled",
	}
	prefixes := map[string][2]string{ // of the rules, and of Candid
		"eventKinds":  {"Event", "EventKind"},
		"protections": {"", "ProtectionState"},
		"keyTypeTo":   {"", "KeyType"},
		"purposeTo":   {"", "Purpose"},
		"keyTypeFrom": {"", "KeyType"},
		"purposeFrom": {"", "Purpose"},
	}
	seen := 0
	for _, file := range []string{"history.go", "report.go", "convert.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			prefix, ok := prefixes[spec.Names[0].Name]
			if !ok {
				return true
			}
			seen++
			for _, e := range spec.Values[0].(*ast.CompositeLit).Elts {
				pair := e.(*ast.KeyValueExpr)
				rule, tag := pair.Key.(*ast.SelectorExpr), pair.Value.(*ast.SelectorExpr)
				if rule.X.(*ast.Ident).Name == "kedge" {
					rule, tag = tag, rule
				}
				want := differently[rule.Sel.Name]
				if want == "" {
					want = prefix[1] + strings.TrimPrefix(rule.Sel.Name, prefix[0])
				}
				require.Equal(t, want, tag.Sel.Name)
			}
			return false
		})
	}
	require.Equal(t, len(prefixes), seen)
}
