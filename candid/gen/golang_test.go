package gen_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/gen"
)

func generate(src string) (string, error) {
	f, err := did.Parse(src)
	if err != nil {
		return "", err
	}
	code, err := gen.Generate(f, "p", "x.did")
	return string(code), err
}

// What package golang says becomes of each type.
func TestTypes(t *testing.T) {
	code, err := generate(`
		// A user.
		type User = nat64;
		type Kind = variant { small; big };
		type Shape = variant { none; circle : nat8; poly : vec record { int16; int16 } };
		type Tree = record { value : text; left : opt Tree; twin : Twin };
		type Twin = record { a : Twin };
		type Loop = vec Loop;
		type All = record {
			// the owner
			user_id : User; n : nat; blobs : vec blob; maybe : opt text; maybe_blob : opt blob; maybe_vec : opt vec nat8;
			twice : opt opt nat32; who : principal; call : func () -> (); peer : service {}; nothing : null; kind : Kind;
			inner : record { x : bool };
		};
		service : (opt User) -> {
			get : (User, All) -> (opt Shape) query;
			put : (User, User, type : text, data : Tree) -> (ok : bool, Loop);
		}`)
	require.NoError(t, err)
	for _, want := range []string{
		"// A user.\ntype User = uint64\n",
		"type Kind uint8\n", "KindSmall Kind = ", "KindBig   Kind = ", "func (c Kind) String() string {",
		"type Shape struct {\n\tTag    ShapeTag\n\tCircle uint8\n\tPoly   []ShapePoly\n}",
		"ShapeTagNone   ShapeTag = ",
		"type ShapePoly struct {\n\tF0 int16\n\tF1 int16\n}",
		"type Tree struct {\n\tValue string\n\tLeft  *Tree\n\tTwin  Twin\n}",
		"type Twin struct {\n\tA *Twin\n}", "type Loop []Loop\n",
		"\t// the owner\n\tUserID    User\n\tN         *big.Int\n\tBlobs     [][]byte\n\tMaybe     *string\n\tMaybeBlob []byte\n\tMaybeVec  []byte\n\tTwice     **uint32\n\tWho       principal.Principal\n\tCall      wire.FuncRef\n\tPeer      principal.Principal\n\tNothing   struct{}\n\tKind      Kind\n\tInner     AllInner\n}",
		"{Name: \"get\", Mode: wire.Query},\n\t{Name: \"put\"},\n",
		"func EncodeInitArgs(user *User) []byte",
		"func EncodeGetArgs(user User, all All) []byte", "func DecodeGetResult(data []byte) (shape *Shape, err error)",
		"func AppendPutArgs(b []byte, user User, user2 User, typeArg string, dataArg Tree) []byte",
		"func DecodePutResult(data []byte) (okArg bool, loop Loop, err error)",
	} {
		require.Contains(t, code, want)
	}
}

func TestCollisions(t *testing.T) {
	for src, want := range map[string]string{
		"type a_b = record {}; type AB = record {};":              `type "a_b" and type "AB" both become "AB" in Go`,
		"type A = record { x_y : nat; xY : nat; XY : nat };":      `type "A" would have two Go fields "XY"`,
		"type A = variant { tag : nat };":                         `type "A" would have two Go fields "Tag"`,
		"type ABody = nat; type A = record { body : record {} };": `type "ABody" has the name that an anonymous type would get`,
		"type Methods = record {}; service : { m : () -> () }":    `both become "Methods" in Go`,
		"service : { get_x : () -> (); getX : () -> (); }":        `both become "EncodeGetXArgs" in Go`,
		"type KindBig = record {}; type Kind = variant { big };":  `both become "KindBig" in Go`,
	} {
		_, err := generate(src)
		require.ErrorContains(t, err, want, src)
	}
}

// A client's side has no function of the service's, and the peer's file has just those.
func TestSides(t *testing.T) {
	f, err := did.Parse(`type R = record { a : nat }; type W = record { r : R }; service : { m : (W) -> (R) }`)
	require.NoError(t, err)
	code, test, err := gen.GenerateWithPeer(f, "p", "x.did", []string{"EncodeArgs", "DecodeResult"}, []string{"DecodeArgs", "EncodeResult"})
	require.NoError(t, err)
	for text, in := range map[string]bool{
		"func EncodeMArgs(": true, "func DecodeMResult(": true, "var Methods =": true,
		"func appendW(": true, "func appendR(": true, "func decodeR(": true,
		"func AppendMArgs(": false, "func DecodeMArgs(": false, "func EncodeMResult(": false, "func decodeW(": false,
	} {
		require.Equal(t, in, strings.Contains(string(code), text), text)
	}
	for text, in := range map[string]bool{
		"func DecodeMArgs(": true, "func EncodeMResult(": true, "func decodeW(": true,
		"func decodeR(": false, "func appendR(": false, "var Methods =": false, "type W ": false,
	} {
		require.Equal(t, in, strings.Contains(string(test), text), text)
	}

	_, err = gen.Generate(f, "p", "x.did", "Encode")
	require.ErrorContains(t, err, `no kind of function "Encode"`)
}
