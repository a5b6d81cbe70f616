package main

import (
	"kedge/candid"
	"kedge/canister/identity"
)

// errorCodes are the reasons for refusal in Candid; a test compares their names. A table and no map, here and
// beside: a map is built at installation, and costs a thousand instructions an entry.
var errorCodes = [...]candid.ErrorCode{
	identity.ErrNotADevice:        candid.ErrorCodeNotADevice,
	identity.ErrNoSuchDevice:      candid.ErrorCodeNoSuchDevice,
	identity.ErrTemporaryKey:      candid.ErrorCodeTemporaryKey,
	identity.ErrNoSuchAnchor:      candid.ErrorCodeNoSuchAnchor,
	identity.ErrCorrupted:         candid.ErrorCodeCorrupted,
	identity.ErrNotController:     candid.ErrorCodeNotController,
	identity.ErrBadArgument:       candid.ErrorCodeBadArgument,
	identity.ErrSelfOnly:          candid.ErrorCodeSelfOnly,
	identity.ErrNotGranted:        candid.ErrorCodeNotGranted,
	identity.ErrNeedsProtected:    candid.ErrorCodeNeedsProtected,
	identity.ErrGuarded:           candid.ErrorCodeGuarded,
	identity.ErrGuardNeedsDevice:  candid.ErrorCodeGuardNeedsDevice,
	identity.ErrLastDevice:        candid.ErrorCodeLastDevice,
	identity.ErrNotDeviceBound:    candid.ErrorCodeNotDeviceBound,
	identity.ErrOwnSignature:      candid.ErrorCodeOwnSignature,
	identity.ErrTentativeMarked:   candid.ErrorCodeTentativeMarked,
	identity.ErrTemporaryIsDevice: candid.ErrorCodeTemporaryIsDevice,
	identity.ErrCallerMismatch:    candid.ErrorCodeCallerMismatch,
	identity.ErrDeviceExists:      candid.ErrorCodeDeviceExists,
	identity.ErrTooManyDevices:    candid.ErrorCodeTooManyDevices,
	identity.ErrFieldTooLong:      candid.ErrorCodeFieldTooLong,
	identity.ErrTooLarge:          candid.ErrorCodeTooLarge,
	identity.ErrReservedKey:       candid.ErrorCodeReservedKey,
	identity.ErrBadAAGUID:         candid.ErrorCodeBadAaguid,
	identity.ErrSecondPhrase:      candid.ErrorCodeSecondPhrase,
	identity.ErrPhraseCredential:  candid.ErrorCodePhraseCredential,
	identity.ErrCredentialExists:  candid.ErrorCodeCredentialExists,
	identity.ErrKeyChange:         candid.ErrorCodeKeyChange,
	identity.ErrKeyTypeChange:     candid.ErrorCodeKeyTypeChange,
	identity.ErrBadDelay:          candid.ErrorCodeBadDelay,
	identity.ErrBadAskers:         candid.ErrorCodeBadAskers,
	identity.ErrNoConsent:         candid.ErrorCodeNoConsent,
	identity.ErrAlreadyAsked:      candid.ErrorCodeAlreadyAsked,
	identity.ErrNotAsked:          candid.ErrorCodeNotAsked,
	identity.ErrTooEarly:          candid.ErrorCodeTooEarly,
	identity.ErrBadLimit:          candid.ErrorCodeBadLimit,
	identity.ErrNotOpener:         candid.ErrorCodeNotOpener,
	identity.ErrNoChallenge:       candid.ErrorCodeNoChallenge,
	identity.ErrBadAssertion:      candid.ErrorCodeBadAssertion,
	identity.ErrEligibility:       candid.ErrorCodeEligibility,
	identity.ErrRateLimited:       candid.ErrorCodeRateLimited,
	identity.ErrBadCaptcha:        candid.ErrorCodeBadCaptcha,
	identity.ErrAnchorsFull:       candid.ErrorCodeAnchorsFull,
	identity.ErrRegistrationOff:   candid.ErrorCodeRegistrationOff,
}
