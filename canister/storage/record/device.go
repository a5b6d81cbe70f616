package record

import (
	"fmt"

	"kedge/canister/identity"
	"kedge/ic/principal"
)

// A device record. Version 1 has no bytes 64 … 79 and none of the parts marked 2. Its variable part
// follows at 64 (version 1) or 80 (versions 2 and 3). Bits marked 3 are zero in version 2.
//
//	off  len
//	  0    2  length of the whole record
//	  2    1  version: 1, 2 or 3
//	  3    1  bit 0 purpose (1 recovery), bits 1–3 key type, bit 4 protected (the mark), bit 5 proven,
//	          bit 6 has an origin, bit 7 has a credential id
//	  4    1  bit 0 has an AAGUID, 1 has metadata, 2 temporary key, 3 consent, 4 challenge, 5 attestation
//	  5    1  2: bit 0 added by a device that was not protected (builds before 2026-11-27 write and read 0);
//	          3: bit 1 it agrees to the contacts of its anchor
//	  6   29  self-authenticating principal of the key, zero for a copy or a tentative device
//	 35    1  number of askers of the consent
//	 36    8  last own update call, ns since the epoch
//	 44    8  lapse of the mark, ns of service time
//	 52    2  number of the device in its anchor
//	 54    2  length of the public key P
//	 56    2  length of the credential id C
//	 58    2  length of the alias A
//	 60    2  length of the origin O
//	 62    2  length of the metadata M
//	 64    8  2: added at, ns since the epoch
//	 72    8  2: expiry of its longest delegation, ns since the epoch
//	      P+C+A+O+M  public key, credential id, alias, origin, metadata (see codec.go)
//	    0|16  AAGUID
//	    0|38  2: temporary key: u8 length of the principal, principal in 29 bytes, u64 expiry
//	0|8+10·n  2: consent: u64 delay, then for each asker u16 device number, u64 completes at
//	    0|24  2: challenge: 16 bytes nonce, u64 expiry
//	    0|13  2: attestation: u64 time, u8 flags (bits 0 UP, 1 UV, 2 BE, 3 BS, 4 counter stalled), u32 counter
const (
	// Version1 is that of the first release.
	Version1 = 1
	// Version2 has the guard, consents, demands, session limits, attestations and registration mode.
	Version2 = 2
	// Version3 has recovery contacts and who agrees to them.
	Version3 = 3
	// Newest is the newest version.
	Newest = Version3

	fixed1 = 64
	fixed2 = 80

	principalSize = principal.MaxLen
)

var zeros [fixed2]byte

// First byte of flags of a device record.
const (
	flagRecovery      = 1 << 0
	shiftKeyType      = 1
	maskKeyType       = 7
	flagProtected     = 1 << 4
	flagProven        = 1 << 5
	flagOrigin        = 1 << 6
	flagHasCredential = 1 << 7
)

// Second byte of flags.
const (
	flagAAGUID      = 1 << 0
	flagMetadata    = 1 << 1
	flagTemporary   = 1 << 2
	flagConsent     = 1 << 3
	flagChallenge   = 1 << 4
	flagAttestation = 1 << 5
	flags2Known     = 1<<6 - 1
)

// Third byte of flags. A reader passes over the bits that it does not know.
const (
	flagAddedUnprotected = 1 << 0
	flagAgrees           = 1 << 1
)

func bit(set bool, mask byte) byte {
	if set {
		return mask
	}
	return 0
}

// appendDevice appends the record of a device in a version. Version 1 leaves out what it has no room for.
func appendDevice(b []byte, d *identity.Device, version byte) ([]byte, error) {
	if d.KeyType > maskKeyType || d.Purpose > identity.Recovery {
		return nil, fmt.Errorf("device has key type %d and purpose %d, which cannot be stored", d.KeyType, d.Purpose)
	}
	if n := len(d.AAGUID); d.AAGUID != nil && n != identity.AAGUIDSize {
		return nil, fmt.Errorf("device has an AAGUID of %d bytes, not %d", n, identity.AAGUIDSize)
	}
	if max(len(d.PublicKey), len(d.CredentialID), len(d.Alias), len(d.Origin)) > Max {
		return nil, fmt.Errorf("a field of the device is longer than %d bytes", Max)
	}
	size := fixed1
	if version >= Version2 {
		size = fixed2
	}
	start := len(b)
	b = append(b, zeros[:size]...)
	fixed := (*[fixed1]byte)(b[start:]) // whose parts are set without further checks of bounds
	if n := len(d.Principal.AppendTo(fixed[6:6])); n != 0 && n != principalSize {
		return nil, fmt.Errorf("device has a principal of %d bytes, not %d", n, principalSize)
	}
	fixed[2] = version
	fixed[3] = bit(d.Purpose == identity.Recovery, flagRecovery) | byte(d.KeyType)<<shiftKeyType |
		bit(d.Protected, flagProtected) | bit(d.Proven, flagProven) | bit(d.HasOrigin, flagOrigin) |
		bit(d.CredentialID != nil, flagHasCredential)
	flags := bit(d.AAGUID != nil, flagAAGUID) | bit(d.Metadata != nil, flagMetadata)
	if version >= Version2 {
		flags |= bit(d.Temporary.ExpiresAt != 0, flagTemporary) | bit(d.Consent != nil, flagConsent) |
			bit(d.Challenge.ExpiresAt != 0, flagChallenge) | bit(d.Attestation.At != 0, flagAttestation)
		more := (*[fixed2 - fixed1]byte)(b[start+fixed1:])
		le.PutUint64(more[0:8], d.AddedAt)
		le.PutUint64(more[8:16], d.SessionsUntil)
		if d.Consent != nil {
			if len(d.Consent.Askers) > 0xff {
				return nil, fmt.Errorf("consent names %d askers, at most 255 can be stored", len(d.Consent.Askers))
			}
			fixed[35] = byte(len(d.Consent.Askers))
		}
	}
	fixed[4] = flags
	if version >= Version2 {
		fixed[5] = bit(d.AddedUnprotected, flagAddedUnprotected) | bit(d.AgreesToContacts && version >= Version3, flagAgrees)
	}
	le.PutUint64(fixed[36:44], d.LastUsed)
	le.PutUint64(fixed[44:52], d.LapsesAt)
	le.PutUint16(fixed[52:54], uint16(d.ID))
	le.PutUint16(fixed[54:56], uint16(len(d.PublicKey)))
	le.PutUint16(fixed[56:58], uint16(len(d.CredentialID)))
	le.PutUint16(fixed[58:60], uint16(len(d.Alias)))
	le.PutUint16(fixed[60:62], uint16(len(d.Origin)))
	b = append(b, d.PublicKey...)
	b = append(b, d.CredentialID...)
	b = append(b, d.Alias...)
	b = append(b, d.Origin...)
	if d.Metadata != nil {
		at := len(b)
		var err error
		if b, err = appendMetadata(b, d.Metadata, 0); err != nil {
			return nil, err
		}
		if len(b)-at > Max {
			return nil, fmt.Errorf("metadata takes %d bytes, more than %d", len(b)-at, Max)
		}
		le.PutUint16(b[start+62:], uint16(len(b)-at))
	}
	if d.AAGUID != nil { // most have none, and to append nothing takes its instructions, too
		b = append(b, d.AAGUID...)
	}
	if flags&flagTemporary != 0 {
		var p [principalSize]byte
		d.Temporary.Principal.AppendTo(p[:0])
		b = append(b, byte(d.Temporary.Principal.Len()))
		b = append(b, p[:]...)
		b = le.AppendUint64(b, d.Temporary.ExpiresAt)
	}
	if flags&flagConsent != 0 {
		b = le.AppendUint64(b, d.Consent.Delay)
		for _, a := range d.Consent.Askers {
			b = le.AppendUint16(b, uint16(a.ID))
			b = le.AppendUint64(b, a.CompletesAt)
		}
	}
	if flags&flagChallenge != 0 {
		b = append(b, d.Challenge.Nonce[:]...)
		b = le.AppendUint64(b, d.Challenge.ExpiresAt)
	}
	if flags&flagAttestation != 0 {
		a := &d.Attestation
		b = le.AppendUint64(b, a.At)
		b = append(b, bit(a.UserPresent, 1)|bit(a.UserVerified, 2)|bit(a.BackupEligible, 4)|bit(a.BackedUp, 8)|bit(a.CounterStalled, 16))
		b = le.AppendUint32(b, a.Counter)
	}
	if len(b)-start > Max {
		return nil, fmt.Errorf("device takes %d bytes, more than %d", len(b)-start, Max)
	}
	le.PutUint16(b[start:], uint16(len(b)-start))
	return b, nil
}

// nextRecord cuts the next device record off r and checks its length and version; it returns the record
// with the length of its fixed part, or fails r.
func (r *reader) nextRecord() (rec []byte, fixed int) {
	if fixed = fixedPart(r.b); fixed == 0 {
		r.failed = true
		return nil, 0
	}
	n := le.Uint16(r.b)
	rec, r.b = r.b[:n:n], r.b[n:]
	return rec, fixed
}

// fixedPart returns the length of the fixed part of the device record that b begins with; 0 if its version is unknown, or
// its length less than that or more than there is.
func fixedPart(b []byte) (fixed int) {
	if len(b) < fixed1 {
		return 0
	}
	switch b[2] {
	case Version1:
		fixed = fixed1
	case Version2, Version3:
		fixed = fixed2
	default:
		return 0
	}
	if n := int(le.Uint16(b)); n < fixed || n > len(b) {
		return 0
	}
	return fixed
}

// device reads one device record of any version.
func (r *reader) device(d *identity.Device) {
	rec, fixed := r.nextRecord()
	if r.failed {
		return
	}
	f := (*[fixed1]byte)(rec) // whose parts are taken without further checks of bounds
	flags, flags2 := f[3], f[4]
	d.Purpose = identity.Purpose(flags & flagRecovery)
	d.KeyType = identity.KeyType(flags >> shiftKeyType & maskKeyType)
	d.Protected = flags&flagProtected != 0
	d.Proven = flags&flagProven != 0
	d.HasOrigin = flags&flagOrigin != 0
	d.Principal = storedPrincipal(f[6 : 6+principalSize])
	d.LastUsed = le.Uint64(f[36:44])
	d.LapsesAt = le.Uint64(f[44:52])
	d.ID = identity.DeviceID(le.Uint16(f[52:54]))
	if fixed == fixed2 {
		d.AddedUnprotected = f[5]&flagAddedUnprotected != 0
		d.AgreesToContacts = f[2] >= Version3 && f[5]&flagAgrees != 0
		more := (*[fixed2 - fixed1]byte)(rec[fixed1:])
		d.AddedAt = le.Uint64(more[0:8])
		d.SessionsUntil = le.Uint64(more[8:16])
	}
	// Where the parts end that every device has.
	rest := rec[fixed:]
	key := int(le.Uint16(f[54:56]))
	id := key + int(le.Uint16(f[56:58]))
	alias := id + int(le.Uint16(f[58:60]))
	origin := alias + int(le.Uint16(f[60:62]))
	metadata := origin + int(le.Uint16(f[62:64]))
	if metadata > len(rest) {
		r.failed = true
		return
	}
	if key > 0 {
		d.PublicKey = rest[:key:key]
	}
	if flags&flagHasCredential != 0 {
		d.CredentialID = rest[key:id:id]
	}
	d.Alias = text(rest[id:alias])
	d.Origin = text(rest[alias:origin])
	meta, v := reader{b: rest[origin:metadata]}, reader{b: rest[metadata:]}
	if flags2&flagMetadata != 0 {
		d.Metadata = meta.metadata(0)
	}
	if flags2&flagAAGUID != 0 {
		d.AAGUID = v.take(identity.AAGUIDSize)
	}
	if flags2&flagTemporary != 0 {
		n := min(int(v.u8()), principalSize)
		d.Temporary.Principal = principalOf(v.take(principalSize), n)
		d.Temporary.ExpiresAt = v.u64()
	}
	if flags2&flagConsent != 0 {
		d.Consent = &identity.Consent{Delay: v.u64(), Askers: make([]identity.Asker, rec[35])}
		for i := range d.Consent.Askers {
			d.Consent.Askers[i] = identity.Asker{ID: identity.DeviceID(v.u16()), CompletesAt: v.u64()}
		}
	}
	if flags2&flagChallenge != 0 {
		copy(d.Challenge.Nonce[:], v.take(len(d.Challenge.Nonce)))
		d.Challenge.ExpiresAt = v.u64()
	}
	if flags2&flagAttestation != 0 {
		d.Attestation.At = v.u64()
		f := v.u8()
		d.Attestation.UserPresent, d.Attestation.UserVerified = f&1 != 0, f&2 != 0
		d.Attestation.BackupEligible, d.Attestation.BackedUp = f&4 != 0, f&8 != 0
		d.Attestation.CounterStalled = f&16 != 0
		d.Attestation.Counter = v.u32()
	}
	if v.failed || len(v.b) != 0 || meta.failed || len(meta.b) != 0 || flags2&^flags2Known != 0 ||
		(fixed == fixed1 && flags2 > flagAAGUID|flagMetadata) {
		r.failed = true
	}
}

func storedPrincipal(b []byte) principal.Principal {
	for _, c := range b {
		if c != 0 {
			p, _ := principal.FromBytes(b) // not too long
			return p
		}
	}
	return principal.Principal{}
}

func principalOf(b []byte, n int) principal.Principal {
	if len(b) < n {
		return principal.Principal{}
	}
	p, _ := principal.FromBytes(b[:n]) // not too long
	return p
}
