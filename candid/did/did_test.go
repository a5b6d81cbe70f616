package did_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/wire"
	"kedge/internal/vectors"
)

func TestParse(t *testing.T) {
	f, err := did.Parse(`
/* head /* nested */ */
// A key.
// Of DER.
type Key = blob;

// Not of Kind, as an empty line follows.

type Kind = variant { a; 3; b : text; "c d" : nat; }; // behind
type R = record { nat; text; 7 : bool; int8; k : opt Key; };
type text_like = variant { reserved_key; opt_in : nat_like }; type nat_like = nat;
type F = func (Key, name : text) -> (nat) query;
type S = service { go : F; "tick" : () -> () oneway };
service kedge : (opt R, Kind) -> {
	// Does it.
	do : (Key) -> (x : R, Kind) composite_query;
	via : F;
}`)
	require.NoError(t, err)
	require.Len(t, f.Types, 7)
	require.Equal(t, []string{"A key.", "Of DER."}, f.Lookup("Key").Doc)
	require.Empty(t, f.Lookup("Kind").Doc)

	kind := f.Lookup("Kind").Type.(did.Variant)
	require.Equal(t, []string{"", "a", "b", "c d"}, []string{kind.Fields[0].Name, kind.Fields[1].Name, kind.Fields[2].Name, kind.Fields[3].Name})
	require.Equal(t, did.Primitive(wire.Null), kind.Fields[0].Type)

	r := f.Lookup("R").Type.(did.Record)
	ids := []uint32{}
	for _, field := range r.Fields {
		ids = append(ids, field.ID)
	}
	require.Equal(t, []uint32{0, 1, 7, 8, wire.Hash("k")}, ids)

	require.Len(t, f.Init, 2)
	methods := f.Methods()
	require.Equal(t, "do", methods[0].Name)
	require.Equal(t, []string{"Does it."}, methods[0].Doc)
	require.Equal(t, wire.CompositeQuery, methods[0].Type.(did.Func).Mode)
	require.Equal(t, "name", methods[1].Type.(did.Func).Args[1].Name)
	tick := f.Lookup("S").Type.(did.Service).Methods[1]
	require.Equal(t, wire.Oneway, tick.Type.(did.Func).Mode)
}

func TestParseRefuses(t *testing.T) {
	for src, want := range map[string]string{
		"type A = B;":                                    `1:10: unknown type "B"`,
		"type A = nat; type A = int;":                    `1:20: type "A" is defined twice`,
		"type A = B; type B = A;":                        `1:6: type "A" is defined by itself`,
		"type A = opt;":                                  `1:13: expected a type, got ";"`,
		"type nat = text;":                               `1:6: expected the name of a type, got "nat"`,
		"type A = record { a : nat; a : text };":         "two fields with the number 97",
		"type A = record { 4294967296 : nat };":          "1:19: a field's number must be below 4294967296",
		"type A = record { 4294967295 : nat; nat };":     "a field's number must be below 4294967296",
		"type A = variant { opt : };":                    `1:26: expected a type, got "}"`,
		"type A = nat":                                   "",
		"type A = nat type B = nat":                      `1:14: expected ";", got "type"`,
		"service : { a : () -> (); a : () -> () }":       `two methods with the name "a"`,
		"service : { a : nat }":                          `the method "a" is not a function`,
		"type A = nat; service : A":                      "the service is not of a service type",
		"service : {}; service : {}":                     "1:15: a second service",
		"import \"x.did\";":                              `1:1: expected a type definition or the service, got "import"`,
		"type A = \"x;":                                  "1:10: a text does not end",
		"type A = \"\\q\";":                              `1:10: unknown escape \q`,
		"type A = \"\\u{110000}\";":                      "is not \\u{…} with the number of a character",
		"/* type":                                        "a comment does not end",
		"type A = §;":                                    `1:10: unexpected character '§'`,
		"type A = func (nat -> (nat);":                   `1:20: expected ",", got "->"`,
		"type A = record { a : record { b : nat; c : };": `expected a type, got "}"`,
	} {
		_, err := did.Parse(src)
		if want == "" {
			require.NoError(t, err, src)
		} else {
			require.ErrorContains(t, err, want, src)
		}
	}
}

// Recursive types become entries that name themselves, equal ones a single entry.
func TestCompile(t *testing.T) {
	f, err := did.Parse(`type A = record { a : opt A; b : vec nat8; c : blob };
		type B = C; type C = D; type D = opt B;
		type M = vec record { text; variant { map : M; string : text } };`)
	require.NoError(t, err)
	c := did.NewCompiler(f)
	for _, name := range []string{"A", "B", "C", "D", "M"} {
		c.Ref(did.Name{Name: name})
	}
	require.Equal(t, c.Ref(did.Name{Name: "B"}), c.Ref(did.Name{Name: "D"}))
	b := c.Ref(did.Name{Name: "B"})
	require.Equal(t, wire.Entry{Op: wire.Opt, Elem: b}, c.Table[b])
	a := c.Table[c.Ref(did.Name{Name: "A"})]
	require.Equal(t, a.Fields[1].Type, a.Fields[2].Type)
	require.Len(t, c.Table, 3+1+3)
}

// The management canister's interface is read in full.
func TestManagementInterface(t *testing.T) {
	src, err := os.ReadFile(filepath.Join(vectors.Dir(t, "ic"), "ic.did"))
	require.NoError(t, err)
	f, err := did.Parse(string(src))
	require.NoError(t, err)
	require.Greater(t, len(f.Methods()), 30)
	c := did.NewCompiler(f)
	service := c.Ref(f.Service)
	require.True(t, wire.Subtype(c.Table, service, c.Table, service))
}

func FuzzParse(f *testing.F) {
	f.Add("type A = record { a : opt A; 3 : blob };\nservice : (opt A) -> { m : (A) -> (x : nat) query }")
	f.Add("type V = variant { a; \"\\u{2603}\" : func () -> () oneway }; // x")
	f.Fuzz(func(t *testing.T, src string) {
		file, err := did.Parse(src)
		if err != nil {
			return
		}
		c := did.NewCompiler(file)
		for _, d := range file.Types {
			c.Ref(did.Name{Name: d.Name})
		}
		for _, m := range file.Methods() {
			c.Signature(m.Type.(did.Func).Args)
		}
	})
}

// The first text was captured from the production execution code (the refusal of an install_code by the Candid library
// for Rust); the others follow from the language.
func TestTypeText(t *testing.T) {
	for text, want := range map[string]string{
		`type mode = variant { install; reinstall; upgrade : opt record { skip_pre_upgrade : opt bool; wasm_memory_persistence : opt variant { keep; replace } } };
		service : { m : (record { mode : mode; canister_id : principal; wasm_module : vec nat8; arg : blob; sender_canister_version : opt nat64 }) -> () }`: `record {
  arg : blob;
  wasm_module : blob;
  mode : variant {
    reinstall;
    upgrade : opt record {
      wasm_memory_persistence : opt variant { keep; replace };
      skip_pre_upgrade : opt bool;
    };
    install;
  };
  canister_id : principal;
  sender_canister_version : opt nat64;
}`,
		`type list = record { head : nat; tail : opt list }; service : { m : (vec list) -> () }`:                                               "vec list",
		`type f = func (text, nat8) -> (int) query; service : { m : (record { f; service { a : f; b : () -> () oneway }; record {} }) -> () }`: "record {\n  0 : func (text, nat8) -> (int) query;\n  1 : service { a : (text, nat8) -> (int) query; b : () -> () oneway };\n  2 : record {};\n}",
	} {
		file, err := did.Parse(text)
		require.NoError(t, err)
		require.Equal(t, want, file.TypeText(file.Methods()[0].Type.(did.Func).Args[0].Type))
	}
}
