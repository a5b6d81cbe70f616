package canister

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/ic/principal"
)

// The table of permissions says who is let in: every row, each kind of caller, and arguments of every length
// around the longest that are let in.
func TestInspectWalksTheTable(t *testing.T) {
	network := installed(t)
	controller := principal.SelfAuthenticating([]byte("controller"))
	network.AddController(controller)
	let := func(caller principal.Principal, method string, size int) bool {
		network.SetCaller(caller)
		ok, err := network.Inspect(exportInspectMessage, method, make([]byte, size))
		require.NoError(t, err)
		return ok
	}
	stranger := principal.SelfAuthenticating([]byte("on no anchor"))
	require.Len(t, identity.Permissions, len(kedge.Methods))
	for _, row := range identity.Permissions {
		t.Run(row.Method, func(t *testing.T) {
			longest := 2*row.Argument + 4096
			for _, size := range []int{0, row.Argument, longest} {
				require.True(t, let(stranger, row.Method, size), "a key on no anchor may be on one")
				require.Equal(t, row.Cells[identity.RoleAnyone] != identity.Refused, let(principal.Anonymous, row.Method, size))
				require.True(t, let(controller, row.Method, size))
			}
			require.False(t, let(stranger, row.Method, longest+1))
			require.False(t, let(principal.Anonymous, row.Method, longest+1))
			require.True(t, let(controller, row.Method, 2<<20))
		})
	}
	for _, method := range []string{"create_challenge", "add_tentative_device", "register", "lookup", "http_request"} {
		require.True(t, let(principal.Anonymous, method, 10), "classic pages send %s anonymously", method)
	}
	for _, method := range []string{"", "no_such_method", "canister_init", "Add"} {
		for _, caller := range []principal.Principal{stranger, principal.Anonymous, controller} {
			require.False(t, let(caller, method, 0), "%q", method)
		}
	}
}

// What the table calls the longest legal argument is at least as long as what our encoder makes of it.
func TestLongestArguments(t *testing.T) {
	blob := func(n int) []byte { return bytes.Repeat([]byte{1}, n) }
	text := func(n int) *string { s := strings.Repeat("x", n); return &s }
	number, key, nat := ^uint64(0), blob(identity.MaxPublicKey), ^uint64(0)
	temporary := principal.SelfAuthenticating(key)
	// Of all ways to fill the bytes of an anchor, many short entries of metadata encode longest.
	device := kedge.DeviceData{Pubkey: key, Alias: *text(identity.MaxAlias), CredentialID: blob(identity.MaxCredentialID), Aaguid: blob(identity.AAGUIDSize),
		Origin: text(identity.MaxOrigin), KeyType: kedge.KeyTypeSeedPhrase}
	for range (identity.MaxVariableBytes - 300 - 64 - 1023 - 100) / 6 {
		device.Metadata = append(device.Metadata, kedge.MetadataMapItem{F0: "k", F1: kedge.MetadataValue{Tag: kedge.MetadataValueTagString}})
	}
	answer := kedge.ChallengeResult{Key: *text(10), Chars: *text(10)}
	max32 := ^uint32(0)
	consent := &kedge.ReleaseConsentConsent{Delay: nat}
	for range identity.MaxAskers {
		consent.Askers = append(consent.Askers, key)
	}
	version := uint16(1)
	setting := &kedge.ContactsSetting{Threshold: 7, Delay: nat, Anchors: make([]uint64, identity.MaxContacts)}
	longest := map[string][]byte{
		"contacts_set":                   kedge.EncodeContactsSetArgs(number, setting),
		"contacts_agree":                 kedge.EncodeContactsAgreeArgs(number, true),
		"contacts_complete":              kedge.EncodeContactsCompleteArgs(number, device),
		"contact_accept":                 kedge.EncodeContactAcceptArgs(number, number),
		"contact_approve":                kedge.EncodeContactApproveArgs(number, number, temporary),
		"contact_withdraw":               kedge.EncodeContactWithdrawArgs(number, number, true),
		"contact_status":                 kedge.EncodeContactStatusArgs(number, &number),
		"create_challenge":               kedge.EncodeCreateChallengeArgs(),
		"register":                       kedge.EncodeRegisterArgs(device, answer, &temporary),
		"add":                            kedge.EncodeAddArgs(number, device),
		"update":                         kedge.EncodeUpdateArgs(number, key, device),
		"replace":                        kedge.EncodeReplaceArgs(number, key, device),
		"remove":                         kedge.EncodeRemoveArgs(number, key),
		"lookup":                         kedge.EncodeLookupArgs(number),
		"lookup_by_credential":           kedge.EncodeLookupByCredentialArgs(blob(identity.MaxCredentialID), &nat),
		"lookup_caller":                  kedge.EncodeLookupCallerArgs(&nat),
		"lookup_device_key":              kedge.EncodeLookupDeviceKeyArgs(blob(identity.MaxCredentialID)),
		"get_anchor_credentials":         kedge.EncodeGetAnchorCredentialsArgs(number),
		"get_anchor_info":                kedge.EncodeGetAnchorInfoArgs(number),
		"get_principal":                  kedge.EncodeGetPrincipalArgs(number, *text(255)),
		"prepare_delegation":             kedge.EncodePrepareDelegationArgs(number, *text(255), blob(identity.MaxSessionKey), &nat),
		"get_delegation":                 kedge.EncodeGetDelegationArgs(number, *text(255), blob(identity.MaxSessionKey), nat),
		"enter_device_registration_mode": kedge.EncodeEnterDeviceRegistrationModeArgs(number),
		"exit_device_registration_mode":  kedge.EncodeExitDeviceRegistrationModeArgs(number),
		"add_tentative_device":           kedge.EncodeAddTentativeDeviceArgs(number, device),
		"verify_tentative_device":        kedge.EncodeVerifyTentativeDeviceArgs(number, "123456"),
		"protect":                        kedge.EncodeProtectArgs(number, key),
		"unprotect":                      kedge.EncodeUnprotectArgs(number, key),
		"guard_set":                      kedge.EncodeGuardSetArgs(number, true),
		"device_bound_set":               kedge.EncodeDeviceBoundSetArgs(number, true),
		"session_limit_set":              kedge.EncodeSessionLimitSetArgs(number, &nat),
		"release_consent":                kedge.EncodeReleaseConsentArgs(number, consent),
		"release_request":                kedge.EncodeReleaseRequestArgs(number, key),
		"release_cancel":                 kedge.EncodeReleaseCancelArgs(number, key),
		"release_complete":               kedge.EncodeReleaseCompleteArgs(number, key),
		"recovery_report":                kedge.EncodeRecoveryReportArgs(number),
		"history":                        kedge.EncodeHistoryArgs(number, &nat, max32),
		"attestation_challenge":          kedge.EncodeAttestationChallengeArgs(number),
		"attest":                         kedge.EncodeAttestArgs(number, kedge.Assertion{ClientData: blob(maxClientData), AuthenticatorData: blob(maxAuthenticatorData), Signature: blob(maxSignature)}),
		"init_salt":                      kedge.EncodeInitSaltArgs(),
		"whoami":                         kedge.EncodeWhoamiArgs(),
		"stats":                          kedge.EncodeStatsArgs(),
		"config":                         kedge.EncodeConfigArgs(),
		"migration_status":               kedge.EncodeMigrationStatusArgs(),
		"migration_step":                 kedge.EncodeMigrationStepArgs(&version, []kedge.Loss{kedge.LossProtections, kedge.LossGuards, kedge.LossConsents, kedge.LossDemands, kedge.LossContacts}),
		"migration_pause":                kedge.EncodeMigrationPauseArgs(),
		"migration_resume":               kedge.EncodeMigrationResumeArgs(),
		"finalize_migration":             kedge.EncodeFinalizeMigrationArgs(&kedge.FinalizeOptions{}),
		"fsck":                           kedge.EncodeFsckArgs(&kedge.FsckOptions{From: &nat, Max: &max32}),
		"lookup_caller_identity_by_recovery_phrase": kedge.EncodeLookupCallerIdentityByRecoveryPhraseArgs(),
		"http_request": nil, // as long as a gateway lets it be
	}
	for _, row := range identity.Permissions {
		arg, listed := longest[row.Method]
		require.True(t, listed, "%s is missing in the table of longest arguments above", row.Method)
		require.LessOrEqual(t, len(arg), row.Argument, row.Method)
		if arg != nil {
			require.LessOrEqual(t, row.Argument, 2*len(arg)+400, "%s: %d bytes are enough", row.Method, len(arg))
		}
	}
}
