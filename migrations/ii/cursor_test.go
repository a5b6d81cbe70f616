package ii

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A cursor that has failed stays so, and reads nothing behind the end.
func TestCursor(t *testing.T) {
	number := func(c *cursor) any { return c.number() }
	present := func(c *cursor) any { return c.present() }
	blob := func(c *cursor) any { return string(c.blob()) }
	text := func(c *cursor) any { return c.text() }
	nat64 := func(c *cursor) any { return c.nat64() }
	variant := func(c *cursor) any { return c.variant([]uint8{7, 9}) }
	octet := func(c *cursor) any { return c.byte() }
	for _, c := range []struct {
		name string
		read func(*cursor) any
		text string
		want any // nil if it fails
		left int
	}{
		{"byte", octet, "\x05\x06", byte(5), 1},
		{"byte", octet, "", nil, 0},
		{"number", number, "\x00", uint64(0), 0},
		{"number", number, "\x7f\x01", uint64(127), 1},
		{"number", number, "\x80\x01", uint64(128), 0},
		{"number", number, "\xff\xff\xff\xff\x0f", uint64(1<<32 - 1), 0},
		{"number", number, "\xff\xff\xff\xff\x7f", uint64(1<<35 - 1), 0},
		{"number", number, "\xff\xff\xff\xff\xff\x01", nil, 0},
		{"number", number, "\x80", nil, 0},
		{"present", present, "\x00", false, 0},
		{"present", present, "\x01", true, 0},
		{"present", present, "\x02", nil, 0},
		{"present", present, "", nil, 0},
		{"blob", blob, "\x00", "", 0},
		{"blob", blob, "\x02ab", "ab", 0},
		{"blob", blob, "\x02abc", "ab", 1},
		{"blob", blob, "\x03ab", nil, 0},
		{"blob", blob, "\x80", nil, 0},
		{"text", text, "\x02\xc3\xa9", "é", 0},
		{"text", text, "\x02\xc3a", nil, 0},
		{"text", text, "\x03a", nil, 0},
		{"nat64", nat64, "\x01\x02\x03\x04\x05\x06\x07\x08", uint64(0x0807060504030201), 0},
		{"nat64", nat64, "\x01\x02\x03\x04\x05\x06\x07", nil, 0},
		{"variant", variant, "\x00", uint8(7), 0},
		{"variant", variant, "\x01", uint8(9), 0},
		{"variant", variant, "\x02", nil, 0},
		{"variant", variant, "", nil, 0},
	} {
		in := &cursor{b: []byte(c.text)}
		got := c.read(in)
		require.Equal(t, c.want == nil, in.failed, "%s of %q", c.name, c.text)
		if c.want != nil {
			require.Equal(t, c.want, got, "%s of %q", c.name, c.text)
			require.Len(t, in.b[in.at:], c.left, "%s of %q", c.name, c.text)
		}
		in = &cursor{b: []byte(c.text), failed: true}
		c.read(in)
		require.True(t, in.failed, "%s of %q", c.name, c.text)
	}
}
