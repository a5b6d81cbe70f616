package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/wire"
)

// fuzzTypes are what the fuzzer decodes as; together they have every kind of
// type.
const fuzzTypes = `
type List = opt record { head : int; tail : List };
type Tree = variant { leaf; node : record { Tree; Tree } };
type Map = vec record { text; variant { map : Map; string : text; bytes : blob } };
service : {
  a : (nat64, text, opt blob, principal) -> ();
  b : (record { pubkey : blob; alias : text; kind : variant { x; y : nat8 }; more : opt Map }) -> ();
  c : (List, Tree, Map) -> ();
  d : (vec opt nat, vec record {}, vec null, float64, int8, reserved) -> ();
  e : (opt func (List) -> (Tree) query, opt service { m : (nat) -> () }, opt opt empty) -> ();
}`

// FuzzDecode: whatever the bytes, decoding ends, without a panic; and what was
// decoded is encoded and decoded to the same.
func FuzzDecode(f *testing.F) {
	file, err := did.Parse(fuzzTypes)
	require.NoError(f, err)
	var sigs []wire.Signature
	c := did.NewCompiler(file)
	for _, m := range file.Methods() {
		sigs = append(sigs, c.Signature(m.Type.(did.Func).Args))
	}
	for i, values := range []string{
		`(7, "abc", opt blob "\01\02", principal "aaaaa-aa")`,
		`(record { pubkey = blob "\00"; alias = "x"; kind = variant { y = 3 }; more = opt vec { record { 0 = "k"; 1 = variant { map = vec {} } } } })`,
		`(opt record { head = -5; tail = null }, variant { node = record { variant { leaf }; variant { leaf } } }, vec {})`,
		`(vec { null; opt 300 }, vec { record {} }, vec { null; null }, 1.5, -3, null)`,
		`(opt func "aaaaa-aa".raw_rand, opt service "aaaaa-aa", opt null)`,
	} {
		v, err := parseValues(values, c.Table, sigs[i].Args)
		require.NoError(f, err, values)
		f.Add(uint8(i), encodeAll(c.Table, sigs[i].Args, v))
		f.Add(uint8(i+1), encodeAll(c.Table, sigs[i].Args, v))
	}
	for _, s := range []string{"DIDL\x01\x6d\x7f\x01\x00\xff\xff\xff\xff\x07", "DIDL\x01\x6e\x00\x01\x00\x01\x01\x00",
		"DIDL\x01\x67\x03ABC\x02\x00\x7e\x05\x00hello\x01", "DIDL\x01\x6c\x01\x00\x00\x01\x00"} {
		f.Add(uint8(3), []byte(s))
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		args := sigs[int(which)%len(sigs)].Args
		values, err := decodeAll(data, c.Table, args)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		again, err := decodeAll(encodeAll(c.Table, args, values), c.Table, args)
		require.NoError(t, err)
		require.Equal(t, showAll(values), showAll(again))
	})
}
