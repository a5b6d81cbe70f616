package identity

import (
	"kedge/ic/principal"
)

// Limits of an anchor. All lengths are in bytes.
const (
	MaxDevices       = 10   // devices of one anchor
	MaxVariableBytes = 2500 // sum of Data.VariableBytes over the anchor: devices, copies and the tentative device
	MaxAlias         = 64
	MaxPublicKey     = 300
	MaxCredentialID  = 1023
	MaxOrigin        = 100
	AAGUIDSize       = 16
	MaxSessionKey    = 300 // public key of a session, in a delegation
	MaxAskers        = MaxDevices - 1
)

// Time spans, all in nanoseconds.
const (
	second = uint64(1e9)
	day    = 24 * 3600 * second

	LapseAfter         = 7 * day       // of service time: rule 2, a granted mark without a call of its own
	MinReleaseDelay    = 30 * day      // of service time: rule 6
	MaxReleaseDelay    = 365 * day     // of service time: rule 6
	MinSession         = 60 * second   // shortest setting of the session limit
	MaxSession         = 30 * day      // longest session, and the limit where an anchor sets none
	DefaultSession     = 1800 * second // a session whose length nobody named
	TemporaryKeyLife   = 600 * second
	RegistrationWindow = 900 * second // registration mode
	ChallengeLife      = 300 * second // attestation challenge
)

// RegistrationAttempts is the number of wrong verification codes that end registration mode.
const RegistrationAttempts = 3

// Purpose of a device. The values are stored.
type Purpose uint8

// The purposes of Internet Identity.
const (
	Authentication Purpose = 0
	Recovery       Purpose = 1
	Purposes               = 2 // how many there are
)

// KeyType of a device. The values are stored.
type KeyType uint8

// The key types of Internet Identity.
const (
	Unknown           KeyType = 0
	Platform          KeyType = 1
	CrossPlatform     KeyType = 2
	SeedPhrase        KeyType = 3
	BrowserStorageKey KeyType = 4
	KeyTypes                  = 5 // how many there are
)

// Data is what a client says of a device: the classic fields. Optional byte fields are absent when
// nil and present, if empty, when not.
type Data struct {
	PublicKey    []byte   // DER, at most MaxPublicKey
	Alias        string   // at most MaxAlias
	CredentialID []byte   // optional, at most MaxCredentialID; never with SeedPhrase
	AAGUID       []byte   // optional, exactly AAGUIDSize
	Purpose      Purpose  //
	KeyType      KeyType  //
	Protected    bool     // the protection mark
	HasOrigin    bool     // whether Origin is present
	Origin       string   // at most MaxOrigin
	Metadata     Metadata // optional: absent when nil
}

// MetadataKind says which field of a MetadataEntry holds its value. The values are stored.
type MetadataKind uint8

// The kinds of metadata value.
const (
	MetadataText  MetadataKind = 0
	MetadataBytes MetadataKind = 1
	MetadataMap   MetadataKind = 2
)

// MetadataEntry is one key with a value of one Kind.
type MetadataEntry struct {
	Key   string
	Kind  MetadataKind
	Text  string
	Bytes []byte
	Map   Metadata
}

// Metadata is a list of entries, as the client sent it.
type Metadata []MetadataEntry

// DeviceID names a device within its anchor, for asker lists and registration mode: the lowest number
// that was free when the device was added. References die with their device, so numbers are reused.
type DeviceID uint16

// Device is one device of an anchor. A device is protected, in the sense of every rule, if it is
// marked (Data.Protected) and Proven.
type Device struct {
	Data
	ID        DeviceID
	Principal principal.Principal // self-authenticating principal of PublicKey, stored so that nobody hashes per call

	Proven   bool   // it has itself signed an update call here that replied
	LastUsed uint64 // ns since the epoch of its last own update call, 0 for none
	AddedAt  uint64 // ns since the epoch, 0 where unknown (imported)
	// AddedUnprotected says that a device which was not protected brought it. If such a device takes it away
	// again within a day, that is routine, see Event.Routine.
	AddedUnprotected bool

	SessionsUntil uint64 // ns since the epoch: expiry of its longest delegation, 0 for none

	// LapsesAt, in ns of service time, is when the mark of a device that has never called ends. 0 unless
	// marked and not proven.
	LapsesAt uint64

	Temporary   TemporaryKey // the zero value for none
	Consent     *Consent     // own consent to its release, nil for none; only on a protected device
	Challenge   Challenge    // pending attestation challenge, the zero value for none
	Attestation Attestation  // the zero value if never attested

	// AgreesToContacts says that this device agrees to the anchor's recovery contacts (rule 11); only on a
	// protected device of an anchor that has contacts.
	AgreesToContacts bool
}

// TemporaryKey is a principal that acts for a device for a while after registration (rule 7).
type TemporaryKey struct {
	Principal principal.Principal
	ExpiresAt uint64 // ns since the epoch; 0 for no key
}

// Consent of a protected device to its own release (rule 6). A consent has at least one asker.
type Consent struct {
	Delay  uint64  // ns of service time, MinReleaseDelay to MaxReleaseDelay
	Askers []Asker // at most MaxAskers, in the order named
}

// Asker is a device that may ask for a release, and its request once it has asked.
type Asker struct {
	ID          DeviceID
	CompletesAt uint64 // ns of service time from which the asker may complete; 0 while it has not asked
}

// Challenge of a pending attestation: one per device, spent by any answer.
type Challenge struct {
	Nonce     [16]byte
	ExpiresAt uint64 // ns since the epoch; 0 for none
}

// Attestation is what a verified WebAuthn assertion said, at At (ns since the epoch, 0 for never).
type Attestation struct {
	At             uint64
	UserPresent    bool
	UserVerified   bool
	BackupEligible bool
	BackedUp       bool
	Counter        uint32
	CounterStalled bool // some assertion brought a counter that had not grown; shown, never a lock-out
}

// Registration is an open registration mode (docs/glossary.md). It lives in its anchor.
type Registration struct {
	Opener    DeviceID
	ExpiresAt uint64 // ns since the epoch
	Attempts  uint8  // wrong codes so far, below RegistrationAttempts
	Code      uint32 // verification code, below 1,000,000; only with a tentative device
	Tentative *Data  // nil until a device is offered; never marked
}

// Anchor is the whole state of one anchor. Everything but Number and Events is stored in its record.
type Anchor struct {
	Number    uint64 // the user number
	CreatedAt uint64 // ns since the epoch, 0 where unknown (imported)

	Devices []Device // in the order added; public keys differ
	// Copies are imported records whose key a device of Devices already has. They count as that device,
	// are kept as they were, and go when it is changed, replaced or removed.
	Copies []Data

	Guard        bool   // rule 3
	DeviceBound  bool   // rule 9: the demand
	SessionLimit uint64 // ns, MinSession to MaxSession; 0 for MaxSession (rule 8)
	Registration *Registration
	Contacts     *Contacts // nil for none (rule 11), and while they are in Stored

	// Stored are the recovery contacts as they were read, until something asks for them. Most calls never do,
	// so nobody pays for taking them apart. Read them with RecoveryContacts.
	Stored StoredContacts

	Events []Event // what this call has to add to the history, oldest first; not part of the record
}
