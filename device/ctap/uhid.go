package ctap

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// UHIDPath is where Linux lets a program be a HID device (Documentation/hid/uhid.rst of the kernel).
const UHIDPath = "/dev/uhid"

// UdevRule lets the user who sits at the machine, and nobody else, use /dev/uhid and the device that it makes. The
// number orders it before the rules that give seats their devices.
const UdevRule = `# /etc/udev/rules.d/70-kedge-uhid.rules: kedge key plug without root. Then, once, as root:
# modprobe uhid && udevadm control --reload && udevadm trigger --name-match=uhid
KERNEL=="uhid", SUBSYSTEM=="misc", MODE="0660", OPTIONS+="static_node=uhid", TAG+="uaccess"
SUBSYSTEM=="hidraw", KERNELS=="0003:F1D0:4B44.*", MODE="0660", TAG+="uaccess"
`

// The identity that the device has for the system, as if it were on USB: clients such as libfido2 look at no other bus.
// No vendor has the number; it is the usage page of FIDO.
const (
	uhidBus     = 0x03
	uhidVendor  = 0xf1d0
	uhidProduct = 0x4b44
)

// The types of struct uhid_event in linux/uhid.h.
const (
	uhidDestroy        = 1
	uhidStart          = 2
	uhidStop           = 3
	uhidOpen           = 4
	uhidClose          = 5
	uhidOutput         = 6
	uhidGetReport      = 9
	uhidGetReportReply = 10
	uhidCreate2        = 11
	uhidInput2         = 12
	uhidSetReport      = 13
	uhidSetReportReply = 14
)

// Sizes in bytes of linux/uhid.h. All structures are packed; numbers are in the machine's order.
const (
	uhidDataMax = 4096
	// The type and struct uhid_create2_req, the longest, and 4 bytes more since the union is aligned to 8.
	uhidEventSize = 4 + 128 + 64 + 64 + 2 + 2 + 4*4 + uhidDataMax + 4
)

// errIO is the errno that reports which do not exist are answered with.
const errIO = 5

// reportDescriptor says that the device is a FIDO authenticator with reports of 64 bytes (CTAP 2.1, section 11.2.8).
var reportDescriptor = []byte{
	0x06, 0xd0, 0xf1, // usage page: FIDO alliance
	0x09, 0x01, // usage: CTAPHID
	0xa1, 0x01, // collection: application
	0x09, 0x20, // usage: data in
	0x15, 0x00, 0x26, 0xff, 0x00, // from 0 to 255
	0x75, 0x08, 0x95, PacketSize, // 64 of 8 bits
	0x81, 0x02, // input: data, absolute, variable
	0x09, 0x21, // usage: data out
	0x15, 0x00, 0x26, 0xff, 0x00,
	0x75, 0x08, 0x95, PacketSize,
	0x91, 0x02, // output: data, absolute, variable
	0xc0, // end of the collection
}

var order = binary.NativeEndian

// createEvent is UHID_CREATE2: names in fields of fixed size, each ended by a zero.
func createEvent(name, unique string) []byte {
	e := make([]byte, uhidEventSize)
	order.PutUint32(e, uhidCreate2)
	copy(e[4:4+127], name)
	copy(e[4+128:4+128+63], "kedge")
	copy(e[4+192:4+192+63], unique)
	order.PutUint16(e[260:], uint16(len(reportDescriptor)))
	order.PutUint16(e[262:], uhidBus)
	order.PutUint32(e[264:], uhidVendor)
	order.PutUint32(e[268:], uhidProduct)
	order.PutUint32(e[272:], 1) // version of the device; behind it the country, which is none
	copy(e[280:], reportDescriptor)
	return e
}

// inputEvent is UHID_INPUT2, a packet to the client. The kernel takes events that are cut off behind what they hold.
func inputEvent(p [PacketSize]byte) []byte {
	e := order.AppendUint32(nil, uhidInput2)
	e = order.AppendUint16(e, PacketSize)
	return append(e, p[:]...)
}

func destroyEvent() []byte { return order.AppendUint32(nil, uhidDestroy) }

// getReportReply refuses a report that a client reads: there are none but packets.
func getReportReply(id uint32) []byte {
	e := order.AppendUint32(nil, uhidGetReportReply)
	e = order.AppendUint32(e, id)
	e = order.AppendUint16(e, errIO)
	return order.AppendUint16(e, 0) // no data
}

func setReportReply(id uint32, errno uint16) []byte {
	e := order.AppendUint32(nil, uhidSetReportReply)
	e = order.AppendUint32(e, id)
	return order.AppendUint16(e, errno)
}

// uhidEvent is an event from the kernel.
type uhidEvent struct {
	kind   uint32
	id     uint32            // of UHID_GET_REPORT and UHID_SET_REPORT
	packet *[PacketSize]byte // of UHID_OUTPUT and UHID_SET_REPORT, nil if it is no packet
}

// errUHIDEvent says that what was read is no event.
var errUHIDEvent = errors.New("an event of /dev/uhid that is cut off")

// parseUHID reads an event. Types that are not known have no other members: a newer kernel may have more of them.
func parseUHID(e []byte) (uhidEvent, error) {
	if len(e) < 4 {
		return uhidEvent{}, errUHIDEvent
	}
	out := uhidEvent{kind: order.Uint32(e)}
	e = e[4:]
	switch out.kind {
	case uhidOutput:
		if len(e) < uhidDataMax+3 {
			return uhidEvent{}, errUHIDEvent
		}
		const outputReport = 1
		if e[uhidDataMax+2] == outputReport {
			out.packet = packetOf(e[:uhidDataMax], order.Uint16(e[uhidDataMax:]))
		}
	case uhidGetReport:
		if len(e) < 6 {
			return uhidEvent{}, errUHIDEvent
		}
		out.id = order.Uint32(e)
	case uhidSetReport:
		if len(e) < 8+uhidDataMax {
			return uhidEvent{}, errUHIDEvent
		}
		const outputReport = 1
		out.id = order.Uint32(e)
		if e[5] == outputReport {
			out.packet = packetOf(e[8:8+uhidDataMax], order.Uint16(e[6:]))
		}
	}
	return out, nil
}

// packetOf returns the packet of a report, nil if it is none. A report number in front is 0, since the descriptor numbers
// none. What a client leaves off behind a shorter packet is zero.
func packetOf(data []byte, size uint16) *[PacketSize]byte {
	if int(size) > len(data) {
		return nil
	}
	data = data[:size]
	if len(data) == PacketSize+1 {
		if data[0] != 0 {
			return nil
		}
		data = data[1:]
	}
	if len(data) != PacketSize {
		return nil
	}
	p := [PacketSize]byte(data)
	return &p
}

// ServeUHID makes a HID device that browsers and other clients on this machine find, and carries packets until the
// context ends. The device is /dev/uhid, opened for reading and writing; it is closed in the end. name is what
// people see, unique tells two devices apart. ready is called once the device is there; it may be nil.
func ServeUHID(ctx context.Context, h *HID, device io.ReadWriteCloser, name, unique string, ready func()) error {
	var writing sync.Mutex
	write := func(e []byte) error {
		writing.Lock()
		defer writing.Unlock()
		_, err := device.Write(e)
		return err
	}
	defer func() { _ = device.Close() }()
	if err := write(createEvent(name, unique)); err != nil {
		return fmt.Errorf("making the device: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		_ = write(destroyEvent()) // closing does the same
		_ = device.Close()
	})
	defer stop()
	open := func() *Link { return h.Open(func(p [PacketSize]byte) error { return write(inputEvent(p)) }) }
	link := open()
	defer func() { link.Close() }()
	buffer := make([]byte, uhidEventSize)
	for {
		n, err := device.Read(buffer)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, io.EOF), errors.Is(err, fs.ErrClosed):
			return errors.New("the system took the device away")
		case err != nil:
			return fmt.Errorf("reading from the device: %w", err)
		}
		event, err := parseUHID(buffer[:n])
		if err != nil {
			return err
		}
		switch event.kind {
		case uhidStart:
			if ready != nil {
				ready()
				ready = nil
			}
		case uhidClose, uhidStop: // the last client has gone, and what it asked for is for nobody
			link.Close()
			link = open()
		case uhidOutput:
			if event.packet != nil {
				link.Handle(*event.packet)
			}
		case uhidGetReport:
			err = write(getReportReply(event.id))
		case uhidSetReport:
			if event.packet != nil {
				link.Handle(*event.packet)
				err = write(setReportReply(event.id, 0))
			} else {
				err = write(setReportReply(event.id, errIO))
			}
		}
		if err != nil {
			return fmt.Errorf("answering the system: %w", err)
		}
	}
}
