package hashtree

import (
	"bytes"
	"encoding/hex"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func lbl(s string) []byte { return []byte(s) }

func path(labels ...string) [][]byte {
	var out [][]byte
	for _, l := range labels {
		out = append(out, lbl(l))
	}
	return out
}

// specTree is the example of the Interface Specification, "Certification".
func specTree() *Node {
	leaf := func(s string) *Node { return Leaf([]byte(s)) }
	return Fork(
		Fork(
			Labeled(lbl("a"), Fork(
				Fork(Labeled(lbl("x"), leaf("hello")), Empty()),
				Labeled(lbl("y"), leaf("world")))),
			Labeled(lbl("b"), leaf("good"))),
		Fork(
			Labeled(lbl("c"), Empty()),
			Labeled(lbl("d"), leaf("morning"))))
}

const specRoot = "eb5c5b2195e62d996b84c9bcc8259d19a83786a2f59e0878cec84c811f669aa0"

// specPruned is the same tree in the specification, reduced to /a/y and /d with their neighbours.
func specPruned(t require.TestingT) *Node {
	hash := func(s string) *Node {
		raw, err := hex.DecodeString(s)
		require.NoError(t, err)
		return Pruned(Hash(raw))
	}
	return Fork(
		Fork(
			Labeled(lbl("a"), Fork(
				hash("1b4feff9bef8131788b0c9dc6dbad6e81e524249c879e9f10f71ce3749f5a638"),
				Labeled(lbl("y"), Leaf(lbl("world"))))),
			Labeled(lbl("b"), hash("7b32ac0c6ba8ce35ac82c255fc7906f7fc130dab2a090f80fe12f9c2cae83ba6"))),
		Fork(
			hash("ec8324b8a1f1ac16bd2e806edba78006479c9877fed4eb464a25485465af601d"),
			Labeled(lbl("d"), Leaf(lbl("morning")))))
}

func TestSpecificationExample(t *testing.T) {
	sum := specTree().Hash()
	require.Equal(t, specRoot, hex.EncodeToString(sum[:]))
	require.Equal(t, "8301830183024161830183018302417882034568656c6c6f810083024179820345776f726c6483024162820344676f6f648301830241638100830241648203476d6f726e696e67",
		hex.EncodeToString(specTree().Encode()))

	pruned := specPruned(t)
	sum = pruned.Hash()
	require.Equal(t, specRoot, hex.EncodeToString(sum[:]))
	require.Equal(t, "83018301830241618301820458201b4feff9bef8131788b0c9dc6dbad6e81e524249c879e9f10f71ce3749f5a63883024179820345776f726c6483024162820458207b32ac0c6ba8ce35ac82c255fc7906f7fc130dab2a090f80fe12f9c2cae83ba6830182045820ec8324b8a1f1ac16bd2e806edba78006479c9877fed4eb464a25485465af601d830241648203476d6f726e696e67",
		hex.EncodeToString(pruned.Encode()))
}

func TestLookup(t *testing.T) {
	for _, tc := range []struct {
		name   string
		tree   *Node
		path   [][]byte
		value  string
		status Status
	}{
		{"value", specTree(), path("a", "x"), "hello", Found},
		{"empty subtree", specTree(), path("c"), "", Absent},
		{"subtree is no value", specTree(), path("a"), "", Malformed},
		{"below a leaf", specTree(), path("b", "z"), "", Absent},
		{"before the first", specTree(), path("A"), "", Absent},
		{"after the last", specTree(), path("e"), "", Absent},
		{"between", specTree(), path("aa"), "", Absent},
		// The specification lists these for the pruned tree.
		{"pruned a/a", specPruned(t), path("a", "a"), "", Unknown},
		{"pruned a/y", specPruned(t), path("a", "y"), "world", Found},
		{"pruned aa", specPruned(t), path("aa"), "", Absent},
		{"pruned b", specPruned(t), path("b"), "", Unknown},
		{"pruned bb", specPruned(t), path("bb"), "", Unknown},
		{"pruned d", specPruned(t), path("d"), "morning", Found},
		{"pruned e", specPruned(t), path("e"), "", Absent},
		{"all pruned", Pruned(Hash{}), path("a"), "", Unknown},
		{"empty", Empty(), path("a"), "", Absent},
		{"empty path", Leaf(lbl("v")), nil, "v", Found},
	} {
		t.Run(tc.name, func(t *testing.T) {
			value, status := tc.tree.Lookup(tc.path...)
			require.Equal(t, tc.status, status, status.String())
			require.Equal(t, tc.value, string(value))
		})
	}
}

func TestWitnessOfTheSpecification(t *testing.T) {
	full := specTree()
	w := full.Witness(path("a", "y"), path("d"))
	require.Equal(t, full.Hash(), w.Hash())
	decoded, err := Decode(w.Encode())
	require.NoError(t, err)
	require.Equal(t, full.Hash(), decoded.Hash(), "the hashes inside the witness are true")
	v, s := w.Lookup(path("a", "y")...)
	require.Equal(t, Found, s)
	require.Equal(t, "world", string(v))
	_, s = w.Lookup(path("a", "x")...)
	require.Equal(t, Unknown, s)
	_, s = w.Lookup(path("b")...)
	require.Equal(t, Unknown, s)
}

func TestDecodeRefuses(t *testing.T) {
	deep := Leaf(nil)
	for range MaxDepth {
		deep = Labeled(lbl("x"), deep)
	}
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "data ends at offset 0"},
		{"not an array", []byte{0x01}, "expected array"},
		{"unknown kind", []byte{0x81, 0x05}, "unknown kind of node 5"},
		{"empty with extra", []byte{0x82, 0x00, 0x00}, "has 2 elements instead of 1"},
		{"left over", []byte{0x81, 0x00, 0x00}, "1 bytes left over"},
		{"short hash", []byte{0x82, 0x04, 0x41, 0x00}, "hash of 1 bytes"},
		{"huge leaf", []byte{0x82, 0x03, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "longer than the data"},
		{"text value", []byte{0x82, 0x03, 0x61, 'a'}, "expected byte string"},
		{"indefinite", []byte{0x9f, 0x00, 0xff}, "indefinite"},
		{"other tag", []byte{0xc0, 0x81, 0x00}, "unexpected tag 0"},
		{"labels out of order", Fork(Labeled(lbl("b"), Empty()), Labeled(lbl("a"), Empty())).Encode(), `label "a" does not come after "b"`},
		{"label twice", Fork(Labeled(lbl("a"), Empty()), Labeled(lbl("a"), Empty())).Encode(), "does not come after"},
		{"leaf in a fork", Fork(Leaf(nil), Labeled(lbl("a"), Empty())).Encode(), "a leaf inside a fork"},
		{"too deep", deep.Encode(), "levels deep"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Decode(tc.data)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestDecodeAcceptsTheTag(t *testing.T) {
	got, err := Decode(append([]byte{0xd9, 0xd9, 0xf7}, specTree().Encode()...))
	require.NoError(t, err)
	require.Equal(t, specTree().Hash(), got.Hash())
}

// labels of few letters make prefixes of one another and neighbours likely.
func drawLabel(t *rapid.T, name string) string {
	return rapid.StringMatching(`[a-c\x00]{0,4}`).Draw(t, name)
}

func TestMapIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Map
		model := map[string]string{}
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				k, v := drawLabel(t, "label"), drawLabel(t, "value")
				m, model[k] = m.With(lbl(k), Leaf(lbl(v))), v
			},
			"delete": func(t *rapid.T) {
				k := drawLabel(t, "label")
				m = m.Without(lbl(k))
				delete(model, k)
			},
			"": func(t *rapid.T) {
				require.NoError(t, m.Tree().checkForm())
				keys := make([]string, 0, len(model))
				for k := range model {
					keys = append(keys, k)
				}
				sort.Strings(keys)
				var got []string
				for l, sub := range m.All {
					got = append(got, string(l))
					require.Equal(t, model[string(l)], string(sub.Value()))
				}
				require.ElementsMatch(t, keys, got)
				require.True(t, sort.StringsAreSorted(got))

				var fresh Map
				for _, k := range rapid.Permutation(keys).Draw(t, "order") {
					fresh = fresh.With(lbl(k), Leaf(lbl(model[k])))
				}
				require.Equal(t, m.Tree().Encode(), fresh.Tree().Encode(), "the shape depends on the contents alone")

				k := drawLabel(t, "probe")
				sub, ok := m.Get(lbl(k))
				v, there := model[k]
				require.Equal(t, there, ok)
				if ok {
					require.Equal(t, v, string(sub.Value()))
				}
			},
		})
	})
}

// A witness must answer as the whole tree does for the paths it was made for, and must hold no value
// that was not asked for.
func TestWitnessProvesAndHides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var outer Map
		values := 0
		for range rapid.IntRange(0, 6).Draw(t, "outer labels") {
			var inner Map
			for range rapid.IntRange(0, 6).Draw(t, "inner labels") {
				inner = inner.With(lbl(drawLabel(t, "inner")), Leaf(lbl("value")))
			}
			outer = outer.With(lbl(drawLabel(t, "outer")), inner.Tree())
		}
		full := outer.Tree()
		var paths [][][]byte
		for range rapid.IntRange(1, 4).Draw(t, "paths") {
			paths = append(paths, path(drawLabel(t, "first"), drawLabel(t, "second")))
		}
		found := map[string]bool{}
		w, err := Decode(full.Witness(paths...).Encode())
		require.NoError(t, err)
		require.Equal(t, full.Hash(), w.Hash())
		for _, p := range paths {
			want, wantStatus := full.Lookup(p...)
			got, status := w.Lookup(p...)
			require.Equal(t, wantStatus, status, "%q", p)
			require.Equal(t, want, got)
			if status == Found {
				found[string(bytes.Join(p, []byte{0xff}))] = true
			}
		}
		w.countLeaves(&values)
		require.Equal(t, len(found), values, "nothing is revealed but what was asked for")

		one := full.Witness(paths[0])
		require.Equal(t, full.Witness(paths...).Encode(), Merge(one, full.Witness(paths...)).Encode())
		again := w.Witness(paths[0])
		_, wantStatus := full.Lookup(paths[0]...)
		_, status := again.Lookup(paths[0]...)
		require.Equal(t, wantStatus, status, "a witness of a witness still proves")
	})
}

func (t *Node) countLeaves(n *int) {
	switch t.kind {
	case KindLeaf:
		*n++
	case KindFork:
		t.left.countLeaves(n)
		t.right.countLeaves(n)
	case KindLabeled:
		t.left.countLeaves(n)
	}
}

func TestWitnessOfNothing(t *testing.T) {
	w := specTree().Witness()
	require.Equal(t, KindPruned, w.Kind())
	require.Equal(t, specTree().Hash(), w.Hash())
	require.Equal(t, specTree().Encode(), specTree().Witness([][]byte{}).Encode())
}

func FuzzDecode(f *testing.F) {
	f.Add(specTree().Encode())
	f.Add([]byte{0xd9, 0xd9, 0xf7, 0x81, 0x00})
	f.Add([]byte{0x83, 0x01, 0x81, 0x00, 0x81, 0x00})
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := Decode(data)
		if err != nil {
			return
		}
		again, err := Decode(tree.Encode())
		if err != nil || again.Hash() != tree.Hash() {
			t.Fatalf("a decoded tree does not survive its own encoding: %v", err)
		}
		tree.Lookup(lbl("a"), lbl("b"))
		if w := tree.Witness(path("a", "b")); w.Hash() != tree.Hash() {
			t.Fatal("a witness has another hash")
		}
	})
}
