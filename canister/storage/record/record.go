package record

import (
	"encoding/binary"
	"fmt"

	"kedge/canister/identity"
)

// The record of an anchor, versions 2 and 3; what is marked 3 is not in version 2. The largest legal anchor (ten
// devices and 2,500 variable bytes, all ten with everything that a rule can put there) takes less than 5,000
// bytes, so without contacts it always fits a slot and one overflow block; with seven contacts that all
// approve, 332 bytes, it takes a second block at most. Nothing that one device does can take the room that a
// rule needs for another.
//
//	off  len
//	  0    8  created at, ns since the epoch
//	  8    8  session limit, ns
//	 16    1  bit 0 guard, 1 device-bound demand, 2 registration mode is open, 3 a device is tentative,
//	          4 there is the tag of a legacy record, 5 there are contacts (3)
//	 17    1  zero
//	 18    2  number of devices
//	 20    2  number of duplicates
//	    0|15  registration mode: u16 opener, u64 expiry, u8 attempts, u32 code
//	          tentative device, if any: a device record
//	     0|8  tag of the anchor's record in a legacy store (see storage.Legacy)
//	0|10+n·46 contacts (3): u8 threshold, u8 number n, u64 delay, then for each
//	            u64 anchor
//	            u8  bit 0 it has accepted, 1 a protected device approved, 2 noted in the history
//	            29  principal of the key that it approves, zero for none
//	            u64 approved at, ns of service time
//	          devices, duplicates: device records
//
// Version 1 is
//
//	0    2  number of devices
//	2    2  number of duplicates
//	        devices, duplicates: device records of version 1
const (
	// Max is the greatest length of the record of an anchor in bytes. Legal anchors are far below;
	// imported giants stay below it too, their old records having at most 4,094 bytes.
	Max = 60 << 10

	flagGuard        = 1 << 0
	flagDeviceBound  = 1 << 1
	flagRegistration = 1 << 2
	flagTentative    = 1 << 3
	flagTag          = 1 << 4
	flagContacts     = 1 << 5

	fixedHead    = 22
	contactsHead = 10
	contactSize  = 46
)

// Flags of a contact.
const (
	flagAccepted    = 1 << 0
	flagByProtected = 1 << 1
	flagNoted       = 1 << 2
)

var le = binary.LittleEndian

// Append appends the record of an anchor in a version, with the tag of its legacy record if any.
func Append(b []byte, a *identity.Anchor, version byte, tag *uint64) ([]byte, error) {
	start := len(b)
	if max(len(a.Devices), len(a.Copies)) > 0xffff {
		return nil, fmt.Errorf("anchor %d has more than 65535 devices", a.Number)
	}
	var err error
	if version >= Version2 {
		reg := a.Registration
		hasContacts := version >= Version3 && a.HasContacts()
		b = le.AppendUint64(b, a.CreatedAt)
		b = le.AppendUint64(b, a.SessionLimit)
		b = append(b, bit(a.Guard, flagGuard)|bit(a.DeviceBound, flagDeviceBound)|bit(reg != nil, flagRegistration)|
			bit(reg != nil && reg.Tentative != nil, flagTentative)|bit(tag != nil, flagTag)|bit(hasContacts, flagContacts), 0)
		b = le.AppendUint16(b, uint16(len(a.Devices)))
		b = le.AppendUint16(b, uint16(len(a.Copies)))
		if reg != nil {
			b = le.AppendUint16(b, uint16(reg.Opener))
			b = le.AppendUint64(b, reg.ExpiresAt)
			b = append(b, reg.Attempts)
			b = le.AppendUint32(b, reg.Code)
			if reg.Tentative != nil {
				if b, err = appendDevice(b, &identity.Device{Data: *reg.Tentative}, version); err != nil {
					return nil, fmt.Errorf("anchor %d: tentative %w", a.Number, err)
				}
			}
		}
		if tag != nil {
			b = le.AppendUint64(b, *tag)
		}
		switch {
		case !hasContacts:
		case a.Stored != nil: // nothing has looked at them
			b = a.Stored.AppendTo(b)
		default:
			if b, err = appendContacts(b, a.Contacts); err != nil {
				return nil, fmt.Errorf("anchor %d: %w", a.Number, err)
			}
		}
	} else {
		b = le.AppendUint16(b, uint16(len(a.Devices)))
		b = le.AppendUint16(b, uint16(len(a.Copies)))
	}
	for i := range a.Devices {
		if b, err = appendDevice(b, &a.Devices[i], version); err != nil {
			return nil, fmt.Errorf("anchor %d: %w", a.Number, err)
		}
	}
	for i := range a.Copies {
		if b, err = appendDevice(b, &identity.Device{Data: a.Copies[i]}, version); err != nil {
			return nil, fmt.Errorf("anchor %d: duplicate of a %w", a.Number, err)
		}
	}
	if len(b)-start > Max {
		return nil, fmt.Errorf("the record of anchor %d takes %d bytes, more than %d", a.Number, len(b)-start, Max)
	}
	return b, nil
}

// Decode reads the record of an anchor, and the tag of its legacy record, 0 for none. The anchor's
// byte fields are parts of b; its devices are put in the room that a.Devices has, which is zero, and its
// contacts in that of a.Contacts, if there is any.
func Decode(b []byte, version byte, a *identity.Anchor) (tag uint64, err error) {
	return decode(b, version, a, nil)
}

// DecodeLazily is Decode but for recovery contacts: it leaves them in stored, which becomes a.Stored, until they
// are asked for. Only then they take the room of a.Contacts.
func DecodeLazily(b []byte, version byte, a *identity.Anchor, stored *StoredContacts) (tag uint64, err error) {
	return decode(b, version, a, stored)
}

func decode(b []byte, version byte, a *identity.Anchor, stored *StoredContacts) (tag uint64, err error) {
	r := reader{b: b}
	room := a.Contacts
	a.Contacts = nil
	devices, duplicates, tag, contacts := r.head(version, a)
	if len(contacts) > 0 {
		if stored == nil {
			a.Contacts = decodeContacts(contacts, room)
		} else {
			*stored = StoredContacts{contacts, room}
			a.Stored = stored
		}
	}
	if r.failed {
		return 0, fmt.Errorf("a record of version %d begins with what that version does not have", version)
	}
	if devices+duplicates > len(r.b)/fixed1 {
		return 0, fmt.Errorf("%d devices and %d duplicates in %d bytes", devices, duplicates, len(r.b))
	}
	switch {
	case devices == 0:
		a.Devices = nil
	case devices <= cap(a.Devices): // in the room that the caller has given
		a.Devices = a.Devices[:devices]
	default:
		a.Devices = make([]identity.Device, devices)
	}
	for i := range a.Devices {
		r.device(&a.Devices[i])
	}
	if duplicates > 0 {
		a.Copies = make([]identity.Data, duplicates)
	}
	for i := range a.Copies {
		var d identity.Device
		r.device(&d)
		a.Copies[i] = d.Data
	}
	if r.failed || len(r.b) != 0 {
		return 0, fmt.Errorf("the devices do not fill the %d bytes of a record of version %d", len(b), version)
	}
	return tag, nil
}

// head reads what comes before the devices; it cuts out the contacts, if there are any.
func (r *reader) head(version byte, a *identity.Anchor) (devices, duplicates int, tag uint64, contacts []byte) {
	if version < Version2 {
		return int(r.u16()), int(r.u16()), 0, nil
	}
	b := r.b
	if len(b) < fixedHead {
		r.failed = true
		return 0, 0, 0, nil
	}
	rest := b[fixedHead:]
	flags := b[16]
	devices, duplicates = int(le.Uint16(b[18:])), int(le.Uint16(b[20:]))
	a.CreatedAt, a.SessionLimit = le.Uint64(b), le.Uint64(b[8:])
	a.Guard, a.DeviceBound = flags&flagGuard != 0, flags&flagDeviceBound != 0
	if flags&flagRegistration != 0 {
		r.b = rest
		a.Registration = &identity.Registration{
			Opener: identity.DeviceID(r.u16()), ExpiresAt: r.u64(), Attempts: r.u8(), Code: r.u32(),
		}
		if flags&flagTentative != 0 {
			var d identity.Device
			r.device(&d)
			a.Registration.Tentative = &d.Data
		}
		rest = r.b
	}
	if flags&flagTag != 0 {
		r.b = rest
		tag = r.u64()
		rest = r.b
	}
	if flags&flagContacts != 0 {
		n := contactsHead
		if len(rest) >= contactsHead {
			n += int(rest[1]) * contactSize
		}
		if len(rest) < n || version < Version3 {
			r.failed = true
			return devices, duplicates, tag, nil
		}
		contacts, rest = rest[:n], rest[n:]
	}
	r.b = rest
	return devices, duplicates, tag, contacts
}
