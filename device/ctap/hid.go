package ctap

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"
)

// Sizes in bytes of CTAPHID (CTAP 2.1, section 11.2.4).
const (
	// PacketSize is the size of every packet.
	PacketSize   = 64
	firstPayload = PacketSize - 7
	nextPayload  = PacketSize - 5
	maxMessage   = firstPayload + 128*nextPayload
)

const (
	broadcast   uint32 = 0xffffffff
	initPacket         = 0x80
	maxChannels        = 1 << 12
)

// The commands of CTAPHID.
const (
	hidPing      = 0x01
	hidInit      = 0x06
	hidWink      = 0x08
	hidCBOR      = 0x10
	hidCancel    = 0x11
	hidKeepalive = 0x3b
	hidError     = 0x3f
)

// The errors of CTAPHID.
const (
	errCommand  = 0x01
	errLength   = 0x03
	errSequence = 0x04
	errTimeout  = 0x05
	errBusy     = 0x06
	errChannel  = 0x0b
	errOther    = 0x7f
)

// Capabilities: WINK, CBOR, and no MSG, which is U2F.
const capabilities = 0x01 | 0x04 | 0x08

const (
	statusProcessing = 1
	statusPresence   = 2
)

// Times of CTAPHID.
const (
	packetTimeout     = 500 * time.Millisecond
	keepaliveInterval = 100 * time.Millisecond
)

// HID carries commands to an authenticator in packets. Several transports may use it at once; as the standard has it,
// one message is under way at a time, and who comes in between is told that the key is busy.
type HID struct {
	authenticator *Authenticator
	// Wink is called when a client asks the key to show itself. It may be nil.
	Wink func()

	mu       sync.Mutex
	channels map[uint32]*Link
	last     uint32
	current  *transaction
	speaker  uint32 // channel of the last command
	closed   bool
	running  sync.WaitGroup
}

// transaction is the message that is under way.
type transaction struct {
	link    *Link
	channel uint32
	command byte
	size    int
	data    []byte
	next    byte // number of the continuation packet that comes next
	timer   *time.Timer
	cancel  context.CancelFunc // once the command runs
	dropped bool               // the answer is for nobody
}

// Link is one transport's connection.
type Link struct {
	hid     *HID
	write   func([PacketSize]byte) error
	writing sync.Mutex
}

// NewHID returns what carries packets to the authenticator.
func NewHID(a *Authenticator) *HID {
	return &HID{authenticator: a, channels: map[uint32]*Link{}}
}

// Close ends what is under way, with the question to the person, waits until it has ended, and answers nothing
// any more.
func (h *HID) Close() {
	h.mu.Lock()
	h.closed = true
	if h.current != nil {
		h.abort(h.current)
	}
	h.mu.Unlock()
	h.running.Wait()
}

// Open connects a transport. Packets for the client are given to write, one at a time.
func (h *HID) Open(write func([PacketSize]byte) error) *Link { return &Link{hid: h, write: write} }

// Close ends what the connection has under way, and its channels.
func (l *Link) Close() {
	l.hid.mu.Lock()
	defer l.hid.mu.Unlock()
	for id, owner := range l.hid.channels {
		if owner == l {
			delete(l.hid.channels, id)
		}
	}
	if t := l.hid.current; t != nil && t.link == l {
		l.hid.abort(t)
	}
}

// Serve reads packets until the reader ends. Its error is nil at the end of a whole packet.
func (l *Link) Serve(r io.Reader) error {
	defer l.Close()
	for {
		var packet [PacketSize]byte
		switch _, err := io.ReadFull(r, packet[:]); err {
		case nil:
			l.Handle(packet)
		case io.EOF:
			return nil
		default:
			return fmt.Errorf("reading a packet: %w", err)
		}
	}
}

// send writes a message in packets.
func (l *Link) send(channel uint32, command byte, data []byte) {
	l.writing.Lock()
	defer l.writing.Unlock()
	for _, packet := range packets(channel, command, data) {
		if l.write(packet) != nil {
			return // the client went away; Serve sees it
		}
	}
}

func (l *Link) fail(channel uint32, code byte) { l.send(channel, hidError, []byte{code}) }

// packets cuts a message.
func packets(channel uint32, command byte, data []byte) [][PacketSize]byte {
	var first [PacketSize]byte
	binary.BigEndian.PutUint32(first[:], channel)
	first[4] = initPacket | command
	binary.BigEndian.PutUint16(first[5:], uint16(len(data)))
	n := copy(first[7:], data)
	all := [][PacketSize]byte{first}
	for number := byte(0); n < len(data); number++ {
		var p [PacketSize]byte
		binary.BigEndian.PutUint32(p[:], channel)
		p[4] = number
		n += copy(p[5:], data[n:])
		all = append(all, p)
	}
	return all
}

// Handle takes one packet from the client.
func (l *Link) Handle(p [PacketSize]byte) {
	h := l.hid
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	channel := binary.BigEndian.Uint32(p[:])
	if p[4]&initPacket == 0 {
		h.proceed(l, channel, p)
		return
	}
	command, size := p[4]&^initPacket, int(binary.BigEndian.Uint16(p[5:]))
	switch {
	case command == hidInit && (channel == broadcast || h.channels[channel] == l):
		h.initialize(l, channel, p, size)
	case channel == 0 || channel == broadcast || h.channels[channel] != l:
		l.fail(channel, errChannel)
	case command == hidCancel:
		if t := h.current; t != nil && t.link == l && t.channel == channel && t.cancel != nil {
			t.cancel()
		}
	case h.current != nil && h.current.channel == channel && h.current.cancel == nil:
		// A message has begun and another one begins: the standard ends the first.
		h.abort(h.current)
		l.fail(channel, errSequence)
	case h.current != nil:
		l.fail(channel, errBusy)
	case size > maxMessage:
		l.fail(channel, errLength)
	default:
		h.begin(l, channel, command, size, p)
	}
}

// initialize gives out a channel, or starts one afresh.
func (h *HID) initialize(l *Link, channel uint32, p [PacketSize]byte, size int) {
	if size != 8 {
		l.fail(channel, errLength)
		return
	}
	given := channel
	if channel == broadcast {
		if len(h.channels) >= maxChannels && !h.reclaim(l) {
			l.fail(channel, errOther)
			return
		}
		for h.last++; h.last == 0 || h.last == broadcast || h.channels[h.last] != nil; h.last++ {
		}
		given = h.last
		h.channels[given] = l
	} else if t := h.current; t != nil && t.channel == channel {
		h.abort(t)
	}
	answer := append([]byte(nil), p[7:15]...)
	answer = binary.BigEndian.AppendUint32(answer, given)
	answer = append(answer, 2, 1, 0, 0, capabilities) // protocol 2; device version 1.0.0
	l.send(channel, hidInit, answer)
}

// reclaim takes back the oldest channel of a connection: clients never give one back, and one that runs for weeks
// asks for many. Others' channels are not taken.
func (h *HID) reclaim(l *Link) bool {
	oldest, found := uint32(0), false
	for id, owner := range h.channels {
		if owner == l && (h.current == nil || h.current.channel != id) && (!found || id-h.last-1 < oldest-h.last-1) {
			oldest, found = id, true
		}
	}
	delete(h.channels, oldest)
	return found
}

func (h *HID) begin(l *Link, channel uint32, command byte, size int, p [PacketSize]byte) {
	t := &transaction{link: l, channel: channel, command: command, size: size}
	t.data = append(t.data, p[7:7+min(size, firstPayload)]...)
	h.current = t
	if len(t.data) == size {
		h.run(t)
		return
	}
	t.timer = time.AfterFunc(packetTimeout, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.current == t && t.cancel == nil {
			h.current = nil
			l.fail(channel, errTimeout)
		}
	})
}

// proceed takes a continuation packet. One that nothing waits for is ignored, as the standard has it.
func (h *HID) proceed(l *Link, channel uint32, p [PacketSize]byte) {
	t := h.current
	if t == nil || t.link != l || t.channel != channel || t.cancel != nil {
		return
	}
	if p[4] != t.next {
		h.abort(t)
		l.fail(channel, errSequence)
		return
	}
	t.next++
	t.data = append(t.data, p[5:5+min(t.size-len(t.data), nextPayload)]...)
	if len(t.data) == t.size {
		h.run(t)
		return
	}
	t.timer.Reset(packetTimeout)
}

// abort forgets a transaction. A command that runs is cancelled; the key stays busy until it has ended.
func (h *HID) abort(t *transaction) {
	if t.timer != nil {
		t.timer.Stop()
	}
	t.dropped = true
	if t.cancel != nil {
		t.cancel()
		return
	}
	h.current = nil
}

// run answers a whole message.
func (h *HID) run(t *transaction) {
	if t.timer != nil {
		t.timer.Stop()
	}
	answer := func(command byte, data []byte) {
		h.current = nil
		t.link.send(t.channel, command, data)
	}
	switch {
	case t.command == hidPing:
		answer(hidPing, bytes.Clone(t.data))
	case t.command == hidWink && t.size == 0:
		if h.Wink != nil {
			h.Wink()
		}
		answer(hidWink, nil)
	case t.command == hidCBOR && t.size > 0:
		ctx, cancel := context.WithCancel(context.Background())
		t.cancel = cancel
		if h.speaker != t.channel {
			// What one client began, another does not go on with.
			h.authenticator.forget()
			h.speaker = t.channel
		}
		h.running.Go(func() { h.execute(ctx, t) })
	case t.command == hidWink || t.command == hidCBOR:
		answer(hidError, []byte{errLength})
	default:
		answer(hidError, []byte{errCommand})
	}
}

// execute runs a command and keeps the client waiting with keep-alive packets.
func (h *HID) execute(ctx context.Context, t *transaction) {
	status := make(chan byte, 8)
	done := make(chan []byte, 1)
	go func() {
		done <- h.authenticator.Call(ctx, t.data, func(waiting bool) {
			if waiting {
				status <- statusPresence
			} else {
				status <- statusProcessing
			}
		})
	}()
	ticker := time.NewTicker(keepaliveInterval)
	defer ticker.Stop()
	now := byte(statusProcessing)
	keepalive := func() {
		h.mu.Lock()
		dropped := t.dropped
		h.mu.Unlock()
		if !dropped {
			t.link.send(t.channel, hidKeepalive, []byte{now})
		}
	}
	for {
		select {
		case s := <-status:
			if now != s {
				now = s
				keepalive() // a change is told at once
			}
		case <-ticker.C:
			keepalive()
		case answer := <-done:
			h.mu.Lock()
			defer h.mu.Unlock()
			t.cancel()
			h.current = nil
			switch {
			case t.dropped:
			case len(answer) > maxMessage:
				t.link.send(t.channel, hidCBOR, []byte{byte(Other)})
			default:
				t.link.send(t.channel, hidCBOR, answer)
			}
			return
		}
	}
}
