package minicbor

import (
	"encoding/hex"
	"math"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAppendAgreesWithFxamacker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "int")
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		s := rapid.String().Draw(t, "text")
		want, err := cbor.Marshal([]any{n, b, s})
		require.NoError(t, err)
		got := AppendText(AppendBytes(AppendInt(AppendHead(nil, Array, 3), n), b), s)
		require.Equal(t, want, got)

		r := NewReader(got)
		_, err = r.Array()
		require.NoError(t, err)
		n2, err := r.Int()
		require.NoError(t, err)
		require.Equal(t, n, n2)
		b2, err := r.Bytes()
		require.NoError(t, err)
		require.Equal(t, b, b2)
		s2, err := r.Text()
		require.NoError(t, err)
		require.Equal(t, s, s2)
		require.NoError(t, r.Done())

		skip := NewReader(got)
		require.NoError(t, skip.Skip(2))
		require.NoError(t, skip.Done())
	})
}

func TestHeads(t *testing.T) {
	for _, n := range []uint64{0, 23, 24, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint64} {
		got, err := NewReader(AppendHead(nil, Uint, n)).Uint()
		require.NoError(t, err)
		require.Equal(t, n, got)
	}
}

func TestRefuses(t *testing.T) {
	read := map[string]func(*Reader) error{
		"int":   func(r *Reader) error { _, err := r.Int(); return err },
		"uint":  func(r *Reader) error { _, err := r.Uint(); return err },
		"bytes": func(r *Reader) error { _, err := r.Bytes(); return err },
		"text":  func(r *Reader) error { _, err := r.Text(); return err },
		"tag":   func(r *Reader) error { return r.SkipTag(SelfDescribed) },
		"skip":  func(r *Reader) error { return r.Skip(3) },
	}
	for _, tc := range []struct{ kind, hex, want string }{
		{"int", "", "data ends at offset 0"},
		{"int", "1bffffffffffffffff", "does not fit"},
		{"int", "60", "expected integer at offset 0, got text string"},
		{"uint", "20", "expected unsigned integer"},
		{"uint", "19ff", "data ends inside the head"},
		{"uint", "1c", "indefinite or reserved"},
		{"uint", "f5", "simple value"},
		{"bytes", "5f", "indefinite"},
		{"bytes", "43aabb", "longer than the data"},
		{"text", "61ff", "not UTF-8"},
		{"tag", "c101", "unexpected tag 1"},
		{"skip", "81818181", "nested too deep"},
		{"skip", "ff", "break"},
		{"skip", "fb00", "data ends inside the value"},
		{"skip", "a101", "data ends"},
		{"skip", "9bffffffffffffffff", "data ends"},
	} {
		data, err := hex.DecodeString(tc.hex)
		require.NoError(t, err)
		require.ErrorContains(t, read[tc.kind](NewReader(data)), tc.want, tc.hex)
	}
}

func TestSkipEveryKind(t *testing.T) {
	data, err := cbor.Marshal(map[string]any{"a": true, "b": 1.5, "c": nil, "d": []any{-1, cbor.Tag{Number: 9, Content: "x"}}})
	require.NoError(t, err)
	r := NewReader(append(data, 0x07))
	require.NoError(t, r.Skip(8))
	require.Equal(t, []byte{7}, r.Rest())
	require.ErrorContains(t, r.Done(), "1 bytes left over")
}

func FuzzSkip(f *testing.F) {
	f.Add([]byte{0xa1, 0x61, 'a', 0xfb, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(data)
		if r.Skip(16) == nil && r.Done() == nil {
			if err := cbor.Wellformed(data); err != nil {
				t.Fatalf("skipped %x, but it is not well-formed: %v", data, err)
			}
		}
	})
}

func TestFields(t *testing.T) {
	for _, tc := range []struct {
		name, hex, want string
		all             bool
	}{
		{"both", "a2616101616202", "", true},
		{"in another order", "a2616202616101", "", true},
		{"one", "a1616101", "", false},
		{"one is missing", "a1616101", `field "b" is missing`, true},
		{"both are missing", "a0", `field "a" is missing`, true},
		{"repeated", "a2616101616101", `unknown or repeated field "a"`, false},
		{"unknown", "a1616301", `unknown or repeated field "c"`, false},
		{"of another type", "a1616140", "a: cbor: expected unsigned integer at offset 3, got byte string", false},
		{"a key that is no text", "a10101", "expected text string at offset 1, got unsigned integer", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, err := hex.DecodeString(tc.hex)
			require.NoError(t, err)
			r := NewReader(data)
			var a, b uint64
			read := r.Fields
			if tc.all {
				read = r.AllFields
			}
			err = read(map[string]func() error{
				"a": func() (err error) { a, err = r.Uint(); return err },
				"b": func() (err error) { b, err = r.Uint(); return err },
			})
			if tc.want != "" {
				require.ErrorContains(t, err, tc.want)
				return
			}
			require.NoError(t, err)
			require.NoError(t, r.Done())
			require.EqualValues(t, 1, a)
			require.Equal(t, tc.all, b == 2)
		})
	}
}
