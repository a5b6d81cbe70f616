package ii

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func hexed(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return b
}

// The heads are those of RFC 8949, appendix A.
func TestCBORHeads(t *testing.T) {
	for _, c := range []struct {
		text        string
		major, info byte
		n           uint64
		left        int
	}{
		{"00", cborUint, 0, 0, 0},
		{"17", cborUint, 23, 23, 0},
		{"1818", cborUint, 24, 24, 0},
		{"1903e8", cborUint, 25, 1000, 0},
		{"1a000f4240", cborUint, 26, 1_000_000, 0},
		{"1bffffffffffffffff", cborUint, 27, 18446744073709551615, 0},
		{"1b0102030405060708 09", cborUint, 27, 0x0102030405060708, 1},
		{"20", cborNegative, 0, 0, 0},
		{"44 01020304", cborBytes, 4, 4, 4},
		{"6161", cborText, 1, 1, 1},
		{"80", cborArray, 0, 0, 0},
		{"9fff", cborArray, cborIndefinite, 0, 1},
		{"bfff", cborMap, cborIndefinite, 0, 1},
		{"c1", cborTag, 1, 1, 0},
		{"f6", cborOther, cborNull, cborNull, 0},
	} {
		r := cborReader{b: hexed(t, c.text)}
		major, info, n := r.head()
		require.NoError(t, r.err, c.text)
		require.Equal(t, [3]any{c.major, c.info, c.n}, [3]any{major, info, n}, c.text)
		require.Len(t, r.b, c.left, c.text)
	}
	for _, text := range []string{"", "18", "19 03", "1a 000f42", "1b 00000000000000", "1c", "1d", "1e", "1f", "5f", "7f", "df", "ff", "fc"} {
		r := cborReader{b: hexed(t, text)}
		major, info, n := r.head()
		require.ErrorIs(t, r.err, errCBOR, text)
		require.Empty(t, r.b, text)
		require.Equal(t, [3]any{byte(cborOther), byte(cborNull), uint64(0)}, [3]any{major, info, n}, text)
	}
}

func TestCBORValues(t *testing.T) {
	const bad = "bad"
	list := func(r *cborReader) any {
		out := []uint64{}
		r.list(func() { _, _, n := r.head(); out = append(out, n) })
		return out
	}
	fields := func(r *cborReader) any {
		out := []uint64{}
		r.fields(func(key uint64) bool {
			out = append(out, key)
			if key == 1 {
				r.head()
			}
			return key == 1
		})
		return out
	}
	octets := func(r *cborReader) any { return r.bytes() }
	boolean := func(r *cborReader) any { return r.boolean() }
	empty := func(r *cborReader) any { return r.empty() }
	skip := func(r *cborReader) any { r.skip(0); return nil }
	var none []byte
	for _, c := range []struct {
		name string
		read func(*cborReader) any
		text string
		want any
		left int
	}{
		{"list", list, "80", []uint64{}, 0},
		{"list", list, "83 01 02 1818", []uint64{1, 2, 24}, 0},
		{"list", list, "82 01 02 03", []uint64{1, 2}, 1},
		{"list", list, "9f 01 02 ff 03", []uint64{1, 2}, 1},
		{"list", list, "9f ff", []uint64{}, 0},
		{"list", list, "f6 01", []uint64{}, 1},
		{"list", list, "9f 01", bad, 0},
		{"list", list, "83 01 02", bad, 0},
		{"list", list, "a0", bad, 0},
		{"list", list, "f5", bad, 0},
		{"list", list, "16", bad, 0}, // the number 22 is not null

		{"fields", fields, "a0", []uint64{}, 0},
		{"fields", fields, "a3 01 05 02 820102 03 a1 6161 f6", []uint64{1, 2, 3}, 0},
		{"fields", fields, "bf 01 05 02 05 ff 00", []uint64{1, 2}, 1},
		{"fields", fields, "a1 20 00", bad, 0},
		{"fields", fields, "a1 6161 00", bad, 0},
		{"fields", fields, "80", bad, 0},
		{"fields", fields, "f6", bad, 0},
		{"fields", fields, "a1 02", bad, 0},

		{"bytes", octets, "f6 01", none, 1},
		{"bytes", octets, "40", []byte{}, 0},
		{"bytes", octets, "42 0102", []byte{1, 2}, 0},
		{"bytes", octets, "42 0102 03", []byte{1, 2}, 1},
		{"bytes", octets, "80", []byte{}, 0},
		{"bytes", octets, "83 00 18ff 17", []byte{0, 255, 23}, 0},
		{"bytes", octets, "9f 01 ff", []byte{1}, 0},
		{"bytes", octets, "43 0102", bad, 0},
		{"bytes", octets, "81 190100", bad, 0},
		{"bytes", octets, "81 20", bad, 0},
		{"bytes", octets, "f5", bad, 0},
		{"bytes", octets, "16", bad, 0},
		{"bytes", octets, "61 61", bad, 0},

		{"boolean", boolean, "f4", false, 0},
		{"boolean", boolean, "f5", true, 0},
		{"boolean", boolean, "f6 00", false, 1},
		{"boolean", boolean, "f3", bad, 0},
		{"boolean", boolean, "f7", bad, 0},
		{"boolean", boolean, "15", bad, 0},
		{"boolean", boolean, "", bad, 0},

		{"empty", empty, "f6 01", true, 1},
		{"empty", empty, "80", true, 0},
		{"empty", empty, "60", true, 0},
		{"empty", empty, "6161 02", false, 1},
		{"empty", empty, "81 00", false, 0},
		{"empty", empty, "f5", false, 0},
		{"empty", empty, "00", false, 0},
		{"empty", empty, "", bad, 0},

		{"skip", skip, "00 01", nil, 1},
		{"skip", skip, "42 0102 01", nil, 1},
		{"skip", skip, "62 6162", nil, 0},
		{"skip", skip, "82 42 0102 01 02", nil, 1},
		{"skip", skip, "a2 00 01 02 8103 04", nil, 1},
		{"skip", skip, "c1 1903e8 01", nil, 1},
		{"skip", skip, "9f 01 bf 01 02 ff ff 03", nil, 1},
		{"skip", skip, "f6 01", nil, 1},
		{"skip", skip, "43 0102", bad, 0},
		{"skip", skip, "63 6162", bad, 0},
		{"skip", skip, "a1 00", bad, 0},
		{"skip", skip, "c1", bad, 0},
		{"skip", skip, "", bad, 0},
		{"skip", skip, strings.Repeat("81", cborDepth-1) + "80 01", nil, 1},
		{"skip", skip, strings.Repeat("81", cborDepth) + "80", bad, 0},
		{"skip", skip, strings.Repeat("a1 00", cborDepth-1) + "00 01", nil, 1},
		{"skip", skip, strings.Repeat("a1 00", cborDepth) + "00", bad, 0},
		{"skip", skip, "a1" + strings.Repeat("81", cborDepth-2) + "00 00", nil, 0},
		{"skip", skip, "a1" + strings.Repeat("81", cborDepth) + "00 00", bad, 0},
		{"skip", skip, strings.Repeat("c1", cborDepth-1) + "00", nil, 0},
		{"skip", skip, strings.Repeat("c1", cborDepth) + "00", bad, 0},
	} {
		t.Run(c.name+" "+c.text, func(t *testing.T) {
			r := cborReader{b: hexed(t, c.text)}
			got := c.read(&r)
			if c.want == bad {
				require.ErrorIs(t, r.err, errCBOR)
				require.Empty(t, r.b)
				return
			}
			require.NoError(t, r.err)
			require.Equal(t, c.want, got)
			require.Len(t, r.b, c.left)
		})
	}
}

func TestMappedAnchors(t *testing.T) {
	for _, c := range []struct {
		text string
		want mapped
	}{
		{"a0", mapped{locks: map[string]bool{}}},
		{"a1 00 6161", mapped{locks: map[string]bool{}, named: true}},
		{"a1 00 f6", mapped{locks: map[string]bool{}}},
		{"a1 01 81 00", mapped{locks: map[string]bool{}, named: true}},
		{"a2 00 6161 01 80", mapped{locks: map[string]bool{}, named: true}},
		{"a2 00 60 01 8100", mapped{locks: map[string]bool{}, named: true}},
		{"a1 02 6161", mapped{locks: map[string]bool{}}}, // a field that nobody asks for
		{"a1 03 81 a2 00 416b 03 f5", mapped{keys: [][]byte{[]byte("k")}, locks: map[string]bool{}}},
		{"a1 04 82 a2 00 416b 03 f5 a2 00 416c 03 f4", mapped{keys: [][]byte{[]byte("k"), []byte("l")}, locks: map[string]bool{"k": true, "l": false}}},
		{"a1 04 82 a2 00 416b 03 f5 a2 00 416c 09 f5", mapped{keys: [][]byte{[]byte("k"), []byte("l")}, locks: map[string]bool{"k": true, "l": false}}},
		{"a2 03 81 a1 00 4170 04 81 a2 03 f6 00 4171", mapped{keys: [][]byte{[]byte("p"), []byte("q")}, locks: map[string]bool{"q": false}}},
	} {
		b := hexed(t, c.text)
		got, err := decodeMapped(b)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got, c.text)
		for n := range b {
			_, err = decodeMapped(b[:n])
			require.ErrorIs(t, err, errCBOR, "%s cut to %d bytes", c.text, n)
		}
		got, err = decodeMapped(append(slices.Clone(b), 0))
		require.ErrorIs(t, err, errCBOR, "%s and more", c.text)
		require.Equal(t, mapped{}, got)
	}
}
