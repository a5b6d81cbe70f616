package canister

import (
	"kedge/candid/kedge"
	"kedge/canister/identity"
)

// errorCodes are the reasons for refusal in Candid; a test compares their names. A table and no map, here and
// beside: a map is built at installation, and costs a thousand instructions an entry.
var errorCodes = [...]kedge.ErrorCode{
	identity.ErrNotADevice:        kedge.ErrorCodeNotADevice,
	identity.ErrNoSuchDevice:      kedge.ErrorCodeNoSuchDevice,
	identity.ErrTemporaryKey:      kedge.ErrorCodeTemporaryKey,
	identity.ErrNoSuchAnchor:      kedge.ErrorCodeNoSuchAnchor,
	identity.ErrCorrupted:         kedge.ErrorCodeCorrupted,
	identity.ErrNotController:     kedge.ErrorCodeNotController,
	identity.ErrBadArgument:       kedge.ErrorCodeBadArgument,
	identity.ErrSelfOnly:          kedge.ErrorCodeSelfOnly,
	identity.ErrNotGranted:        kedge.ErrorCodeNotGranted,
	identity.ErrNeedsProtected:    kedge.ErrorCodeNeedsProtected,
	identity.ErrGuarded:           kedge.ErrorCodeGuarded,
	identity.ErrGuardNeedsDevice:  kedge.ErrorCodeGuardNeedsDevice,
	identity.ErrLastDevice:        kedge.ErrorCodeLastDevice,
	identity.ErrNotDeviceBound:    kedge.ErrorCodeNotDeviceBound,
	identity.ErrOwnSignature:      kedge.ErrorCodeOwnSignature,
	identity.ErrTentativeMarked:   kedge.ErrorCodeTentativeMarked,
	identity.ErrTemporaryIsDevice: kedge.ErrorCodeTemporaryIsDevice,
	identity.ErrCallerMismatch:    kedge.ErrorCodeCallerMismatch,
	identity.ErrDeviceExists:      kedge.ErrorCodeDeviceExists,
	identity.ErrTooManyDevices:    kedge.ErrorCodeTooManyDevices,
	identity.ErrFieldTooLong:      kedge.ErrorCodeFieldTooLong,
	identity.ErrTooLarge:          kedge.ErrorCodeTooLarge,
	identity.ErrReservedKey:       kedge.ErrorCodeReservedKey,
	identity.ErrBadAAGUID:         kedge.ErrorCodeBadAaguid,
	identity.ErrSecondPhrase:      kedge.ErrorCodeSecondPhrase,
	identity.ErrPhraseCredential:  kedge.ErrorCodePhraseCredential,
	identity.ErrCredentialExists:  kedge.ErrorCodeCredentialExists,
	identity.ErrKeyChange:         kedge.ErrorCodeKeyChange,
	identity.ErrKeyTypeChange:     kedge.ErrorCodeKeyTypeChange,
	identity.ErrBadDelay:          kedge.ErrorCodeBadDelay,
	identity.ErrBadAskers:         kedge.ErrorCodeBadAskers,
	identity.ErrNoConsent:         kedge.ErrorCodeNoConsent,
	identity.ErrAlreadyAsked:      kedge.ErrorCodeAlreadyAsked,
	identity.ErrNotAsked:          kedge.ErrorCodeNotAsked,
	identity.ErrTooEarly:          kedge.ErrorCodeTooEarly,
	identity.ErrBadLimit:          kedge.ErrorCodeBadLimit,
	identity.ErrNotOpener:         kedge.ErrorCodeNotOpener,
	identity.ErrNoChallenge:       kedge.ErrorCodeNoChallenge,
	identity.ErrBadAssertion:      kedge.ErrorCodeBadAssertion,
	identity.ErrEligibility:       kedge.ErrorCodeEligibility,
	identity.ErrRateLimited:       kedge.ErrorCodeRateLimited,
	identity.ErrBadCaptcha:        kedge.ErrorCodeBadCaptcha,
	identity.ErrAnchorsFull:       kedge.ErrorCodeAnchorsFull,
	identity.ErrRegistrationOff:   kedge.ErrorCodeRegistrationOff,
	identity.ErrUnusableKey:       kedge.ErrorCodeUnusableKey,
}
