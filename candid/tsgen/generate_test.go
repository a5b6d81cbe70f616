package tsgen_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/tsgen"
)

func generate(t *testing.T, src string) (string, error) {
	t.Helper()
	f, err := did.Parse(src)
	require.NoError(t, err)
	return tsgen.Generate(f, "x.did", "./wire.ts")
}

// What the package's comment says becomes of each type.
func TestTypes(t *testing.T) {
	code, err := generate(t, `
		// A user.
		type User = nat64;
		type Kind = variant { small; big };
		type Shape = variant { none; circle : nat8; };
		type Tree = record { value : text; left : opt Tree; };
		type All = record { n : nat; blobs : vec blob; twice : opt opt nat32; who : principal; 5 : bool; pair : record { text; User }; };
		service : {
			get : (User, all : All) -> (opt Shape) query;
			put : () -> (Tree, bool);
		}`)
	require.NoError(t, err)
	for _, want := range []string{
		"// A user.\nexport type User = bigint;\nexport const User: c.Type<User> = /* @__PURE__ */ c.named(() => c.Nat64);\n",
		"export type Kind = \n  | \"small\"\n  | \"big\";\n", `c.enumeration("small", "big")`,
		"| { tag: \"none\"; value: null }\n  | { tag: \"circle\"; value: number };\n", "c.variant({none: c.Null, circle: c.Nat8})",
		"  left: Tree | null;\n", "c.record({value: c.Text, left: c.opt(Tree)})",
		"  n: bigint;\n  blobs: Array<Uint8Array>;\n  twice: [number | null] | null;\n  who: c.Principal;\n  _5_: boolean;\n  pair: [string, User];\n",
		"twice: c.box(c.opt(c.Nat32))", "pair: c.tuple(c.Text, User)",
		"export const get: c.Method<[arg0: User, all: All], [Shape | null]> = /* @__PURE__ */ c.method(\"get\", true, () => [User, All], () => [c.opt(Shape)]);\n",
		"export const put: c.Method<[], [Tree, boolean]> = ",
	} {
		require.Contains(t, code, want)
	}
}

func TestRefuses(t *testing.T) {
	for src, want := range map[string]string{
		"service : { \"delete\" : () -> () }":     `method "delete" is no TypeScript name`,
		"type class = nat;":                       `type "class" is no TypeScript name`,
		"service : { go : (func () -> ()) -> ()}": "func and service values are not supported",
	} {
		_, err := generate(t, src)
		require.EqualError(t, err, want, src)
	}
}
