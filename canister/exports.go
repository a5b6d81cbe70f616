package canister

import "kedge/cdk"

// The entry points of the canister. The linker makes `canister_update add` of canister_update__add.

//go:wasmexport canister_init
func exportInit() { cdk.Init(install) }

//go:wasmexport canister_post_upgrade
func exportPostUpgrade() { cdk.PostUpgrade(upgrade) }

//go:wasmexport canister_global_timer
func exportTimer() { cdk.Timer(tick) }

//go:wasmexport canister_inspect_message
func exportInspectMessage() { cdk.InspectMessage(inspect) }

//go:wasmexport canister_update__init_salt
func exportInitSalt() { asUpdate(initSalt) }

//go:wasmexport canister_update__create_challenge
func exportCreateChallenge() { asUpdate(createChallenge) }

//go:wasmexport canister_update__register
func exportRegister() { asUpdate(register) }

//go:wasmexport canister_update__add
func exportAdd() { asUpdate(add) }

//go:wasmexport canister_update__update
func exportUpdate() { asUpdate(update) }

//go:wasmexport canister_update__replace
func exportReplace() { asUpdate(replace) }

//go:wasmexport canister_update__remove
func exportRemove() { asUpdate(remove) }

//go:wasmexport canister_update__get_anchor_info
func exportGetAnchorInfo() { asUpdate(getAnchorInfo) }

//go:wasmexport canister_update__enter_device_registration_mode
func exportEnterDeviceRegistrationMode() { asUpdate(enterDeviceRegistrationMode) }

//go:wasmexport canister_update__exit_device_registration_mode
func exportExitDeviceRegistrationMode() { asUpdate(exitDeviceRegistrationMode) }

//go:wasmexport canister_update__add_tentative_device
func exportAddTentativeDevice() { asUpdate(addTentativeDevice) }

//go:wasmexport canister_update__verify_tentative_device
func exportVerifyTentativeDevice() { asUpdate(verifyTentativeDevice) }

//go:wasmexport canister_update__prepare_delegation
func exportPrepareDelegation() { asUpdate(prepareDelegation) }

//go:wasmexport canister_update__protect
func exportProtect() { asUpdate(protect) }

//go:wasmexport canister_update__unprotect
func exportUnprotect() { asUpdate(unprotect) }

//go:wasmexport canister_update__guard_set
func exportGuardSet() { asUpdate(guardSet) }

//go:wasmexport canister_update__device_bound_set
func exportDeviceBoundSet() { asUpdate(deviceBoundSet) }

//go:wasmexport canister_update__session_limit_set
func exportSessionLimitSet() { asUpdate(sessionLimitSet) }

//go:wasmexport canister_update__release_consent
func exportReleaseConsent() { asUpdate(releaseConsent) }

//go:wasmexport canister_update__release_request
func exportReleaseRequest() { asUpdate(releaseRequest) }

//go:wasmexport canister_update__release_cancel
func exportReleaseCancel() { asUpdate(releaseCancel) }

//go:wasmexport canister_update__release_complete
func exportReleaseComplete() { asUpdate(releaseComplete) }

//go:wasmexport canister_update__contacts_set
func exportContactsSet() { asUpdate(contactsSet) }

//go:wasmexport canister_update__contacts_agree
func exportContactsAgree() { asUpdate(contactsAgree) }

//go:wasmexport canister_update__contacts_complete
func exportContactsComplete() { asUpdate(contactsComplete) }

//go:wasmexport canister_update__contact_accept
func exportContactAccept() { asUpdate(contactAccept) }

//go:wasmexport canister_update__contact_approve
func exportContactApprove() { asUpdate(contactApprove) }

//go:wasmexport canister_update__contact_withdraw
func exportContactWithdraw() { asUpdate(contactWithdraw) }

//go:wasmexport canister_query__contact_status
func exportContactStatus() { asQuery(contactStatus) }

//go:wasmexport canister_update__attestation_challenge
func exportAttestationChallenge() { asUpdate(attestationChallenge) }

//go:wasmexport canister_update__attest
func exportAttest() { asUpdate(attest) }

//go:wasmexport canister_query__lookup
func exportLookup() { asQuery(lookup) }

//go:wasmexport canister_query__get_anchor_credentials
func exportGetAnchorCredentials() { asQuery(getAnchorCredentials) }

//go:wasmexport canister_query__get_principal
func exportGetPrincipal() { asQuery(getPrincipal) }

//go:wasmexport canister_query__lookup_device_key
func exportLookupDeviceKey() { asQuery(lookupDeviceKey) }

//go:wasmexport canister_query__get_delegation
func exportGetDelegation() { asQuery(getDelegation) }

//go:wasmexport canister_query__stats
func exportStats() { asQuery(stats) }

//go:wasmexport canister_query__config
func exportConfig() { asQuery(config) }

//go:wasmexport canister_query__http_request
func exportHttpRequest() { asQuery(httpRequest) }

//go:wasmexport canister_query__recovery_report
func exportRecoveryReport() { asQuery(recoveryReport) }

//go:wasmexport canister_query__history
func exportHistory() { asQuery(history) }

//go:wasmexport canister_query__lookup_by_credential
func exportLookupByCredential() { asQuery(lookupByCredential) }

//go:wasmexport canister_update__lookup_caller_identity_by_recovery_phrase
func exportLookupCallerIdentityByRecoveryPhrase() { asUpdate(lookupCallerIdentityByRecoveryPhrase) }

//go:wasmexport canister_query__whoami
func exportWhoami() { asQuery(whoami) }

//go:wasmexport canister_query__lookup_caller
func exportLookupCaller() { asQuery(lookupCaller) }

//go:wasmexport canister_query__migration_status
func exportMigrationStatus() { asQuery(migrationStatus) }

//go:wasmexport canister_update__migration_step
func exportMigrationStep() { asUpdate(migrationStep) }

//go:wasmexport canister_update__migration_pause
func exportMigrationPause() { asUpdate(migrationPause) }

//go:wasmexport canister_update__migration_resume
func exportMigrationResume() { asUpdate(migrationResume) }

//go:wasmexport canister_update__finalize_migration
func exportFinalizeMigration() { asUpdate(finalizeMigration) }

//go:wasmexport canister_update__fsck
func exportFsck() { asUpdate(fsck) }
