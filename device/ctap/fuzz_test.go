package ctap_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/device/ctap"
)

// Every command answers with a status that is not success, or with success; none of them panics.
func FuzzCall(f *testing.F) {
	for _, seed := range []string{"\x04", "\x0b", "\x07", "\x08", "\x06\xa1\x02\x01", "\x06\xa2\x01\x02\x02\x02", "\x0a\xa1\x02\x01", "\x01\xa0", "\x02\xa0", "\x0d\xa1\x01\x03",
		"\x02\xa2\x01\x61a\x02\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"\x01\xa4\x01\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x02\xa1\x62id\x61a\x03\xa1\x62id\x41a\x04\x81\xa2\x63alg\x26\x64type\x6apublic-key"} {
		f.Add([]byte(seed))
	}
	a, _ := plug(f, nil)
	f.Fuzz(func(t *testing.T, command []byte) {
		require.NotEmpty(t, a.Call(context.Background(), command, nil))
	})
}

// No run of packets breaks the framing: after them a client still gets a channel.
func FuzzPackets(f *testing.F) {
	f.Add([]byte("\xff\xff\xff\xff\x86\x00\x08abcdefgh"))
	f.Add([]byte("\x00\x00\x00\x01\x81\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x01\x00"))
	a, _ := plug(f, nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		answers := make(chan [ctap.PacketSize]byte, 1<<16)
		link := ctap.NewHID(a).Open(func(p [ctap.PacketSize]byte) error { answers <- p; return nil })
		defer link.Close()
		for ; len(data) > 0; data = data[min(len(data), ctap.PacketSize):] {
			var p [ctap.PacketSize]byte
			copy(p[:], data)
			link.Handle(p)
		}
		link.Handle([ctap.PacketSize]byte{0xff, 0xff, 0xff, 0xff, 0x86, 0, 8, 'n', 'o', 'n', 'c', 'e', '1', '2', '3'})
		for p := range answers {
			if string(p[7:15]) == "nonce123" {
				return
			}
		}
	})
}
