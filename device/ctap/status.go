package ctap

import "fmt"

// Status is the first byte of an answer (CTAP 2.1, section 8.2). It is an error, but for [OK].
type Status byte

// The status codes that this authenticator answers with.
const (
	OK                     Status = 0x00
	InvalidCommand         Status = 0x01
	InvalidParameter       Status = 0x02
	InvalidLength          Status = 0x03
	InvalidSequence        Status = 0x04
	CBORUnexpectedType     Status = 0x11
	InvalidCBOR            Status = 0x12
	MissingParameter       Status = 0x14
	CredentialExcluded     Status = 0x19
	UnsupportedAlgorithm   Status = 0x26
	OperationDenied        Status = 0x27
	KeyStoreFull           Status = 0x28
	UnsupportedOption      Status = 0x2B
	InvalidOption          Status = 0x2C
	KeepaliveCancel        Status = 0x2D
	NoCredentials          Status = 0x2E
	UserActionTimeout      Status = 0x2F
	NotAllowed             Status = 0x30
	PINInvalid             Status = 0x31
	PINBlocked             Status = 0x32
	PINAuthInvalid         Status = 0x33
	PINAuthBlocked         Status = 0x34
	PINNotSet              Status = 0x35
	PUATRequired           Status = 0x36
	PINPolicyViolation     Status = 0x37
	UVBlocked              Status = 0x3C
	IntegrityFailure       Status = 0x3D
	InvalidSubcommand      Status = 0x3E
	UVInvalid              Status = 0x3F
	UnauthorizedPermission Status = 0x40
	LargeBlobStorageFull   Status = 0x18
	Other                  Status = 0x7F
)

var statusNames = map[Status]string{
	OK: "success", InvalidCommand: "invalid command", InvalidParameter: "invalid parameter", InvalidLength: "invalid length",
	InvalidSequence: "invalid sequence", UVBlocked: "user verification blocked", IntegrityFailure: "integrity failure",
	UVInvalid: "user not verified", LargeBlobStorageFull: "large blobs are full",
	CBORUnexpectedType: "unexpected CBOR type", InvalidCBOR: "invalid CBOR", MissingParameter: "missing parameter",
	CredentialExcluded: "credential excluded", UnsupportedAlgorithm: "unsupported algorithm", OperationDenied: "operation denied",
	KeyStoreFull: "key store full", UnsupportedOption: "unsupported option", InvalidOption: "invalid option",
	KeepaliveCancel: "cancelled", NoCredentials: "no credentials", UserActionTimeout: "nobody pressed a key in time",
	NotAllowed: "not allowed", PINInvalid: "wrong PIN", PINBlocked: "PIN blocked until a reset",
	PINAuthInvalid: "PIN authentication invalid", PINAuthBlocked: "PIN blocked until the key is plugged in again",
	PINNotSet: "no PIN set", PUATRequired: "PIN required", PINPolicyViolation: "PIN too short or too long",
	InvalidSubcommand: "invalid subcommand", UnauthorizedPermission: "permission not allowed", Other: "other error",
}

// Error names the status.
func (s Status) Error() string {
	if name, ok := statusNames[s]; ok {
		return fmt.Sprintf("%s (CTAP status 0x%02x)", name, byte(s))
	}
	return fmt.Sprintf("CTAP status 0x%02x", byte(s))
}
