package identity

// Code is the stable name of a reason for refusal, the same in Candid (one variant tag each, see
// Code.String) and in every client.
type Code uint8

// The reasons. Comments name the fields of Error that are set.
const (
	_ Code = iota

	// Who calls, and on what.
	ErrNotADevice   // the caller is no device of the anchor
	ErrNoSuchDevice // Key
	ErrTemporaryKey // a temporary key may not do this (rule 7)
	ErrNoSuchAnchor // used by the canister
	ErrCorrupted    // used by the canister: the stored record fails its checksum
	ErrNotController
	ErrBadArgument // Field

	// Protection (rules 1, 2, 3, 5, 9).
	ErrSelfOnly          // Key: protected, so only it may do this
	ErrNotGranted        // only a protected device grants a mark, or the device itself while none is marked
	ErrNeedsProtected    // only a protected device may do this
	ErrGuarded           // the guard is on and the caller is not protected
	ErrGuardNeedsDevice  // would leave a guarded anchor without a protected device
	ErrLastDevice        // rule 5
	ErrNotDeviceBound    // Key: the demand of rule 9 is on and the key is not attested device-bound
	ErrOwnSignature      // Key: a canister signature of this canister
	ErrTentativeMarked   // a tentative device is never marked
	ErrTemporaryIsDevice // the temporary key is the device, or anonymous
	ErrCallerMismatch    // register: the caller is neither the device nor the temporary key

	// Device data (rule 4 and the limits).
	ErrDeviceExists   // Key
	ErrTooManyDevices // Length, Limit
	ErrFieldTooLong   // Field, Length, Limit
	ErrTooLarge       // Length, Limit: sum of the variable fields
	ErrReservedKey    // Field: metadata key
	ErrBadAAGUID      // Length, Limit
	ErrSecondPhrase
	ErrPhraseCredential // a phrase has no credential id
	ErrCredentialExists // another device of the anchor has the credential id
	ErrKeyChange        // update may not change the public key
	ErrKeyTypeChange    // update may not change the key type

	// Release (rule 6).
	ErrBadDelay     // Length, Limit in s: what was asked, and the nearest allowed
	ErrBadAskers    // none, too many, or the device itself
	ErrNoConsent    // Key: has not consented, or the caller is not named
	ErrAlreadyAsked // At: service time of completion, ns
	ErrNotAsked     // Key: nothing is pending
	ErrTooEarly     // At: service time of completion, ns
	ErrBadLimit     // Length, Limit in s: session limit
	ErrNotOpener    // registration mode was opened by another device
	ErrNoChallenge  // no attestation challenge is pending, or it has expired
	ErrBadAssertion // Field says what failed
	ErrEligibility  // the backup-eligible flag differs from the recorded one
	ErrUnusableKey  // Key: nobody can ever sign with it

	// Recovery contacts (rule 11).
	ErrBadContacts      // Field, and Length and Limit where there is one too many or too few
	ErrNoContacts       // the anchor has none
	ErrNotAContact      // whether the anchor has contacts or not
	ErrNotAccepted      // the contact has not accepted yet
	ErrNotApproved      // Length, Limit: approvals, and how many it takes, if there is any
	ErrAlreadyProtected // Key: the new key is a protected device already
	ErrPhraseNewcomer   // the new device is a recovery phrase

	Codes // how many codes there are, 0 included
)

var codeNames = [Codes]string{
	ErrNotADevice:        "not_a_device",
	ErrNoSuchDevice:      "no_such_device",
	ErrTemporaryKey:      "temporary_key",
	ErrNoSuchAnchor:      "no_such_anchor",
	ErrCorrupted:         "corrupted",
	ErrNotController:     "not_controller",
	ErrBadArgument:       "bad_argument",
	ErrSelfOnly:          "self_only",
	ErrNotGranted:        "not_granted",
	ErrNeedsProtected:    "needs_protected",
	ErrGuarded:           "guarded",
	ErrGuardNeedsDevice:  "guard_needs_device",
	ErrLastDevice:        "last_device",
	ErrNotDeviceBound:    "not_device_bound",
	ErrOwnSignature:      "own_signature",
	ErrTentativeMarked:   "tentative_marked",
	ErrTemporaryIsDevice: "temporary_is_device",
	ErrCallerMismatch:    "caller_mismatch",
	ErrDeviceExists:      "device_exists",
	ErrTooManyDevices:    "too_many_devices",
	ErrFieldTooLong:      "field_too_long",
	ErrTooLarge:          "too_large",
	ErrReservedKey:       "reserved_key",
	ErrBadAAGUID:         "bad_aaguid",
	ErrSecondPhrase:      "second_phrase",
	ErrPhraseCredential:  "phrase_credential",
	ErrCredentialExists:  "credential_exists",
	ErrKeyChange:         "key_change",
	ErrKeyTypeChange:     "key_type_change",
	ErrBadDelay:          "bad_delay",
	ErrBadAskers:         "bad_askers",
	ErrNoConsent:         "no_consent",
	ErrAlreadyAsked:      "already_asked",
	ErrNotAsked:          "not_asked",
	ErrTooEarly:          "too_early",
	ErrBadLimit:          "bad_limit",
	ErrNotOpener:         "not_opener",
	ErrNoChallenge:       "no_challenge",
	ErrBadAssertion:      "bad_assertion",
	ErrEligibility:       "eligibility",
	ErrUnusableKey:       "unusable_key",
	ErrBadContacts:       "bad_contacts",
	ErrNoContacts:        "no_contacts",
	ErrNotAContact:       "not_a_contact",
	ErrNotAccepted:       "not_accepted",
	ErrNotApproved:       "not_approved",
	ErrAlreadyProtected:  "already_protected",
	ErrPhraseNewcomer:    "phrase_newcomer",
}

// String returns the stable snake_case name, which is the Candid variant tag.
func (c Code) String() string {
	if c >= Codes {
		return "unknown"
	}
	return codeNames[c]
}

// Error is a refusal. New methods reply with it; classic methods trap with Error(), whose wording is
// what clients of Internet Identity match on (dfinity/internet-identity, src/internet_identity), where that has a wording.
type Error struct {
	Code    Code
	Prefix  string // of the classic text: "failed to add device: "
	Message string // what was wrong and what to do
	Key     []byte // public key of the device concerned, or nil
	Field   string
	Length  uint64
	Limit   uint64
	At      uint64
}

// Error returns the classic text: prefix and message.
func (e *Error) Error() string { return e.Prefix + e.Message }

// CodeOf returns the code of err, 0 if err is nil or no *Error.
func CodeOf(err error) Code {
	if e, ok := err.(*Error); ok {
		return e.Code
	}
	return 0
}
