package ctap

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/device"
)

// The values of these tests are from linux/uhid.h, by hand: packed structures behind a type of 4 bytes, numbers as
// a little-endian machine has them.
func littleEndian(t *testing.T) {
	t.Helper()
	if order.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the bytes of these tests are those of a little-endian machine")
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return data
}

// fixed is a text in a field of fixed size.
func fixed(text string, size int) []byte {
	return append([]byte(text), make([]byte, size-len(text))...)
}

func TestCreateEvent(t *testing.T) {
	littleEndian(t)
	want := bytes.Join([][]byte{
		unhex(t, "0b000000"), // UHID_CREATE2
		fixed("Kedge security key laptop", 128), fixed("kedge", 64), fixed("8cca-05d7-3e24-12d2", 64),
		unhex(t, "2200"),     // rd_size: 34
		unhex(t, "0300"),     // bus: BUS_USB
		unhex(t, "d0f10000"), // vendor
		unhex(t, "444b0000"), // product
		unhex(t, "01000000"), // version
		unhex(t, "00000000"), // country
		// The report descriptor of CTAP 2.1, section 11.2.8.
		fixed(string(unhex(t, "06d0f1 0901 a101 0920 1500 26ff00 7508 9540 8102 0921 1500 26ff00 7508 9540 9102 c0")), 4096),
		make([]byte, 4), // the union is aligned to 8
	}, nil)
	require.Len(t, want, 4380) // sizeof(struct uhid_event)
	require.Equal(t, want, createEvent("Kedge security key laptop", "8cca-05d7-3e24-12d2"))

	// A name that does not fit keeps the zero at its end.
	long := createEvent(strings.Repeat("n", 300), strings.Repeat("u", 300))
	require.Len(t, long, 4380)
	require.Equal(t, byte('n'), long[4+126])
	require.Zero(t, long[4+127])
	require.Equal(t, byte('u'), long[4+192+62])
	require.Zero(t, long[4+192+63])
	require.Equal(t, unhex(t, "2200"), long[260:262])
}

func TestEventsToTheKernel(t *testing.T) {
	littleEndian(t)
	p := [PacketSize]byte{0xff, 0xff, 0xff, 0xff, 0x86}
	p[63] = 0x77
	require.Equal(t, unhex(t, "0c000000 4000 ffffffff86"+strings.Repeat("00", 58)+"77"), inputEvent(p))
	require.Equal(t, unhex(t, "01000000"), destroyEvent())
	require.Equal(t, unhex(t, "0a000000 2a000000 0500 0000"), getReportReply(42))
	require.Equal(t, unhex(t, "0e000000 2a000000 0500"), setReportReply(42, 5))
	require.Equal(t, unhex(t, "0e000000 01020304 0000"), setReportReply(0x04030201, 0))
}

// output is UHID_OUTPUT: data[4096], size, rtype.
func output(data []byte, size uint16, kind byte) []byte {
	e := append(fixed("\x06\x00\x00\x00", 4), fixed(string(data), 4096)...)
	return append(append(e, byte(size), byte(size>>8), kind), make([]byte, 4380-4103)...)
}

func TestEventsFromTheKernel(t *testing.T) {
	littleEndian(t)
	packet := [PacketSize]byte{1, 2, 3, 4, 0x81}
	packet[63] = 9
	numbered := append([]byte{0}, packet[:]...)
	for name, c := range map[string]struct {
		event []byte
		want  uhidEvent
	}{
		"start":                      {fixed("\x02\x00\x00\x00", 4380), uhidEvent{kind: 2}},
		"stop":                       {fixed("\x03\x00\x00\x00", 4380), uhidEvent{kind: 3}},
		"open":                       {fixed("\x04\x00\x00\x00", 4380), uhidEvent{kind: 4}},
		"close":                      {fixed("\x05\x00\x00\x00", 4), uhidEvent{kind: 5}},
		"output with its number":     {output(numbered, 65, 1), uhidEvent{kind: 6, packet: &packet}},
		"output without a number":    {output(packet[:], 64, 1), uhidEvent{kind: 6, packet: &packet}},
		"output of another report":   {output(append([]byte{7}, packet[:]...), 65, 1), uhidEvent{kind: 6}},
		"output of a feature":        {output(numbered, 65, 0), uhidEvent{kind: 6}},
		"output that is too short":   {output(packet[:], 63, 1), uhidEvent{kind: 6}},
		"output that is too long":    {output(packet[:], 66, 1), uhidEvent{kind: 6}},
		"output larger than its own": {output(packet[:], 5000, 1), uhidEvent{kind: 6}},
		"get report":                 {append(unhex(t, "09000000 2a000000 00 02"), make([]byte, 4370)...), uhidEvent{kind: 9, id: 42}},
		"set report": {
			append(append(unhex(t, "0d000000 2a000000 00 01 4100"), fixed(string(numbered), 4096)...), make([]byte, 272)...),
			uhidEvent{kind: 13, id: 42, packet: &packet},
		},
		"set report of a feature": {append(unhex(t, "0d000000 2a000000 00 00 4100"), make([]byte, 4368)...), uhidEvent{kind: 13, id: 42}},
		"of a newer kernel":       {fixed("\x63\x00\x00\x00", 4380), uhidEvent{kind: 0x63}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseUHID(c.event)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	for name, event := range map[string][]byte{
		"nothing": {}, "half a type": {6, 0}, "output": output(packet[:], 64, 1)[:4102], "get report": unhex(t, "09000000 2a000000 00"),
		"set report": append(unhex(t, "0d000000 2a000000 00 01 4000"), packet[:]...),
	} {
		_, err := parseUHID(event)
		require.ErrorIs(t, err, errUHIDEvent, name)
	}
}

// No bytes of the kernel break the parser.
func FuzzUHID(f *testing.F) {
	f.Add([]byte{})
	f.Add(output([]byte("packet"), 65, 1))
	f.Add([]byte("\x0d\x00\x00\x00\x2a\x00\x00\x00\x00\x01\x41\x00"))
	f.Add([]byte("\x09\x00\x00\x00\x2a\x00\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		event, err := parseUHID(data)
		if err != nil {
			require.Equal(t, uhidEvent{}, event)
		} else if event.packet != nil {
			require.Contains(t, []uint32{6, 13}, event.kind)
		}
	})
}

type onlyKey struct{ key *device.SecurityKey }

func (m onlyKey) Load() (*device.SecurityKey, error)             { return m.key, nil }
func (m onlyKey) Change(f func(*device.SecurityKey) error) error { return f(m.key) }
