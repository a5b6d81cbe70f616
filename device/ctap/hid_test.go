package ctap_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/device/ctap"
)

// wire is a client's end: packets written by hand, and messages put together again.
type wire struct {
	t    *testing.T
	link *ctap.Link
	got  chan [ctap.PacketSize]byte
}

func newWire(t *testing.T, h *ctap.HID) *wire {
	w := &wire{t: t, got: make(chan [ctap.PacketSize]byte, 4096)}
	w.link = h.Open(func(p [ctap.PacketSize]byte) error { w.got <- p; return nil })
	return w
}

func (w *wire) packet(parts ...any) {
	var data []byte
	for _, part := range parts {
		switch p := part.(type) {
		case uint32:
			data = binary.BigEndian.AppendUint32(data, p)
		case int:
			data = append(data, byte(p))
		case string:
			data = append(data, p...)
		}
	}
	var p [ctap.PacketSize]byte
	copy(p[:], data)
	w.link.Handle(p)
}

// message reads the next message; keep-alives are messages too.
func (w *wire) message() (channel uint32, command byte, data []byte) {
	w.t.Helper()
	first := <-w.got
	size := int(binary.BigEndian.Uint16(first[5:]))
	data = append(data, first[7:]...)
	for number := byte(0); len(data) < size; number++ {
		next := <-w.got
		require.Equal(w.t, first[:4], next[:4])
		require.Equal(w.t, number, next[4])
		data = append(data, next[5:]...)
	}
	return binary.BigEndian.Uint32(first[:]), first[4] & 0x7f, data[:size]
}

func (w *wire) expect(channel uint32, command byte, data string) {
	w.t.Helper()
	c, got, d := w.message()
	require.Equal(w.t, fmt.Sprintf("%08x %02x %q", channel, command, data), fmt.Sprintf("%08x %02x %q", c, got, d))
}

// nothing requires that no packet comes until everything that runs waits.
func (w *wire) nothing() {
	w.t.Helper()
	synctest.Wait()
	require.Empty(w.t, w.got)
}

// channel gets a channel.
func (w *wire) channel() uint32 {
	w.t.Helper()
	w.packet(broadcast, 0x86, 0, 8, "nonce123")
	c, command, data := w.message()
	require.Equal(w.t, broadcast, c)
	require.Equal(w.t, byte(0x06), command)
	require.Len(w.t, data, 17)
	require.Equal(w.t, "nonce123", string(data[:8]))
	require.Equal(w.t, byte(2), data[12], "version of the protocol")
	require.Equal(w.t, byte(0x0d), data[16], "WINK, CBOR, no MSG")
	return binary.BigEndian.Uint32(data[8:])
}

const (
	broadcast uint32 = 0xffffffff

	ping, initialize, wink, cborMessage, cancel, keepalive, failure = 0x81, 0x86, 0x88, 0x90, 0x91, 0x3b, 0x3f
)

// pressing is a person who answers when told to.
type pressing struct {
	asked   chan ctap.Prompt
	answers chan error
}

func newPressing() pressing { return pressing{make(chan ctap.Prompt, 8), make(chan error)} }

func (p pressing) presence(ctx context.Context, prompt ctap.Prompt) error {
	p.asked <- prompt
	select {
	case err := <-p.answers:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

const selection, getInfo = "\x0b", "\x04"

func TestChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := plug(t, nil)
		h := ctap.NewHID(a)
		one, other := newWire(t, h), newWire(t, h)
		first, second, third := one.channel(), one.channel(), other.channel()
		require.Len(t, map[uint32]bool{first: true, second: true, third: true, 0: true, broadcast: true}, 5)
		for _, c := range []struct {
			w       *wire
			channel uint32
		}{{one, first}, {one, second}, {other, third}} {
			c.w.packet(c.channel, ping, 0, 2, "hi")
			c.w.expect(c.channel, 0x01, "hi")
		}
		// A channel belongs to the connection that asked for it; nobody has channel 0; only INIT is broadcast.
		other.packet(first, ping, 0, 2, "hi")
		other.expect(first, failure, "\x0b")
		other.packet(uint32(0), ping, 0, 2, "hi")
		other.expect(0, failure, "\x0b")
		other.packet(broadcast, ping, 0, 2, "hi")
		other.expect(broadcast, failure, "\x0b")
		other.packet(uint32(0x12345678), initialize, 0, 8, "nonce123")
		other.expect(0x12345678, failure, "\x0b")
		for _, size := range []int{0, 7, 9, 200} {
			one.packet(broadcast, initialize, 0, size, "nonce1234")
			one.expect(broadcast, failure, "\x03")
		}
		// A connection that ends gives its channels back, and the others keep theirs.
		one.link.Close()
		one.packet(first, ping, 0, 2, "hi")
		one.expect(first, failure, "\x0b")
		other.packet(third, ping, 0, 2, "hi")
		other.expect(third, 0x01, "hi")
	})
}

func TestMessagesInPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := plug(t, nil)
		w := newWire(t, ctap.NewHID(a))
		c := w.channel()
		for _, size := range []int{0, 1, 57, 58, 116, 117, 7608, 7609} {
			data := strings.Repeat("0123456789abcdef", 500)[:size]
			w.packet(c, ping, size>>8, size, data[:min(size, 57)])
			for at, number := 57, 0; at < size; at, number = at+59, number+1 {
				w.packet(c, number, data[at:min(size, at+59)])
			}
			w.expect(c, 0x01, data)
		}
		w.packet(c, ping, 7610>>8, 7610&0xff)
		w.expect(c, failure, "\x03")
		// One packet too many is ignored.
		w.packet(c, 0, "late")
		w.nothing()
		// A packet that is left out, or comes twice, is an error, and the message is gone.
		for _, wrong := range []int{1, 0x7f} {
			w.packet(c, ping, 0, 200)
			w.packet(c, wrong)
			w.expect(c, failure, "\x04")
			w.packet(c, 0)
			w.nothing()
		}
		w.packet(c, ping, 0, 200)
		w.packet(c, 0)
		w.packet(c, 0)
		w.expect(c, failure, "\x04")
		// So is a message within a message.
		w.packet(c, ping, 0, 200)
		w.packet(c, ping, 0, 1, "x")
		w.expect(c, failure, "\x04")
		w.packet(c, ping, 0, 1, "x")
		w.expect(c, 0x01, "x")
	})
}

func TestPacketTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := plug(t, nil)
		w := newWire(t, ctap.NewHID(a))
		c := w.channel()
		w.packet(c, ping, 0, 200)
		time.Sleep(499 * time.Millisecond)
		w.packet(c, 0)
		time.Sleep(499 * time.Millisecond) // each packet has its own half second
		w.nothing()
		time.Sleep(2 * time.Millisecond)
		w.expect(c, failure, "\x05")
		w.packet(c, 1)
		w.nothing()
		w.packet(c, ping, 0, 1, "x")
		w.expect(c, 0x01, "x")
	})
}

func TestCommandsOfTheTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := plug(t, nil)
		h := ctap.NewHID(a)
		winks := 0
		h.Wink = func() { winks++ }
		w := newWire(t, h)
		c := w.channel()
		w.packet(c, wink, 0, 0)
		w.expect(c, 0x08, "")
		require.Equal(t, 1, winks)
		w.packet(c, wink, 0, 1, "x")
		w.expect(c, failure, "\x03")
		w.packet(c, cborMessage, 0, 0)
		w.expect(c, failure, "\x03")
		for _, command := range []int{0x83, 0x84, 0x80, 0xc0, 0xff, 0xbb, 0xbf} { // MSG, LOCK, and what is not for clients to send
			w.packet(c, command, 0, 0)
			w.expect(c, failure, "\x01")
		}
		w.packet(c, cancel, 0, 0) // with nothing to cancel
		w.nothing()
		h.Wink = nil
		w.packet(c, wink, 0, 0)
		w.expect(c, 0x08, "")
	})
}

// While the person is asked, the client that asks is kept waiting, every other one is told that the key is
// busy, and CANCEL of the one that asks ends the question.
func TestKeepaliveBusyCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		person := newPressing()
		a, _ := plug(t, person.presence)
		h := ctap.NewHID(a)
		one, other := newWire(t, h), newWire(t, h)
		mine, second, theirs := one.channel(), one.channel(), other.channel()
		one.packet(mine, cborMessage, 0, 1, selection)
		require.Equal(t, ctap.Select, (<-person.asked).Action)
		one.expect(mine, keepalive, "\x02") // the change is told at once
		for range 3 {
			began := time.Now()
			one.expect(mine, keepalive, "\x02")
			require.Equal(t, 100*time.Millisecond, time.Since(began).Round(time.Millisecond))
		}
		other.packet(theirs, ping, 0, 1, "x")
		other.expect(theirs, failure, "\x06")
		one.packet(second, cborMessage, 0, 1, getInfo)
		one.expect(second, failure, "\x06")
		one.packet(mine, cborMessage, 0, 1, getInfo) // the same channel, too
		one.expect(mine, failure, "\x06")
		other.packet(theirs, cancel, 0, 0)
		one.packet(second, cancel, 0, 0)
		synctest.Wait()
		require.Empty(t, one.got, "only the channel that asks cancels")
		one.packet(mine, cancel, 0, 0)
		one.expect(mine, keepalive, "\x01")
		one.expect(mine, 0x10, "\x2d")
		other.packet(theirs, ping, 0, 1, "x")
		other.expect(theirs, 0x01, "x")

		// A channel is given out at any time.
		one.packet(mine, cborMessage, 0, 1, selection)
		<-person.asked
		another := other.channel()
		other.packet(another, ping, 0, 1, "x")
		other.expect(another, failure, "\x06")
		person.answers <- nil
		for {
			_, command, data := one.message()
			if command == 0x10 {
				require.Equal(t, "\x00", string(data))
				return
			}
		}
	})
}

// A message that is not whole yet keeps others out as well.
func TestBusyWhileAMessageComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := plug(t, nil)
		h := ctap.NewHID(a)
		one, other := newWire(t, h), newWire(t, h)
		mine, theirs := one.channel(), other.channel()
		one.packet(mine, ping, 0, 100, "x")
		other.packet(theirs, ping, 0, 1, "x")
		other.expect(theirs, failure, "\x06")
		other.packet(mine, 0, "not from me")
		one.packet(mine, 0)
		one.expect(mine, 0x01, "x"+strings.Repeat("\x00", 99))
		other.packet(theirs, ping, 0, 1, "x")
		other.expect(theirs, 0x01, "x")
	})
}

// INIT on a channel starts it afresh: a message that is not whole is forgotten, a command is cancelled and its
// answer goes nowhere.
func TestResynchronise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		person := newPressing()
		a, _ := plug(t, person.presence)
		h := ctap.NewHID(a)
		w := newWire(t, h)
		c := w.channel()
		again := func() {
			t.Helper()
			w.packet(c, initialize, 0, 8, "another1")
			for {
				channel, command, data := w.message()
				if command == keepalive {
					continue
				}
				require.Equal(t, byte(0x06), command)
				require.Equal(t, c, channel)
				require.Equal(t, "another1", string(data[:8]))
				require.Equal(t, c, binary.BigEndian.Uint32(data[8:]))
				return
			}
		}
		w.packet(c, ping, 0, 200, "old")
		again()
		w.packet(c, 0)
		w.nothing()
		w.packet(c, ping, 0, 3, "new")
		w.expect(c, 0x01, "new")

		w.packet(c, cborMessage, 0, 1, selection)
		<-person.asked
		again()
		time.Sleep(time.Second)
		w.nothing()
		w.packet(c, ping, 0, 3, "new")
		w.expect(c, 0x01, "new")
	})
}

// A client that goes away while the person is asked ends the question, and frees the key.
func TestClientGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		person := newPressing()
		a, _ := plug(t, person.presence)
		h := ctap.NewHID(a)
		one, other := newWire(t, h), newWire(t, h)
		mine, theirs := one.channel(), other.channel()
		one.packet(mine, cborMessage, 0, 1, selection)
		<-person.asked
		one.link.Close()
		synctest.Wait()
		other.packet(theirs, ping, 0, 1, "x")
		other.expect(theirs, 0x01, "x")
	})
}

// Closing ends the question and answers nothing any more.
func TestCloseHID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		person := newPressing()
		a, _ := plug(t, person.presence)
		h := ctap.NewHID(a)
		w := newWire(t, h)
		c := w.channel()
		w.packet(c, cborMessage, 0, 1, selection)
		<-person.asked
		h.Close()
		for len(w.got) > 0 {
			_, command, _ := w.message()
			require.Equal(t, byte(keepalive), command)
		}
		w.packet(c, ping, 0, 1, "x")
		w.packet(broadcast, initialize, 0, 8, "nonce123")
		w.nothing()
	})
}

// Nobody presses for 30 seconds.
func TestNobodyPresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		person := newPressing()
		a, _ := plug(t, person.presence)
		began := time.Now()
		require.Equal(t, "\x2f", string(a.Call(t.Context(), []byte(selection), nil)))
		require.Equal(t, 30*time.Second, time.Since(began))
	})
}

// A connection that has all channels gets its own oldest one's place; it takes none from others.
func TestChannelsRunOut(t *testing.T) {
	a, _ := plug(t, nil)
	h := ctap.NewHID(a)
	w, other, late := newWire(t, h), newWire(t, h), newWire(t, h)
	theirs := other.channel()
	first := w.channel()
	given := map[uint32]bool{first: true, theirs: true}
	for range 1<<12 - 2 {
		c := w.channel()
		require.False(t, given[c])
		given[c] = true
	}
	late.packet(broadcast, initialize, 0, 8, "nonce123")
	late.expect(broadcast, failure, "\x7f")
	next := w.channel()
	require.False(t, given[next])
	w.packet(next, ping, 0, 1, "x")
	w.expect(next, 0x01, "x")
	w.packet(first, ping, 0, 1, "x")
	w.expect(first, failure, "\x0b")
	other.packet(theirs, ping, 0, 1, "x")
	other.expect(theirs, 0x01, "x")
}

// Serve reads whole packets and ends with what they come from.
func TestServePackets(t *testing.T) {
	a, _ := plug(t, nil)
	w := newWire(t, ctap.NewHID(a))
	packet := append([]byte("\xff\xff\xff\xff\x86\x00\x08nonce123"), make([]byte, 49)...)
	require.NoError(t, w.link.Serve(bytes.NewReader(packet)))
	_, command, _ := w.message()
	require.Equal(t, byte(0x06), command)
	require.ErrorContains(t, w.link.Serve(bytes.NewReader(packet[:63])), "reading a packet")
}
