package canister

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/candid/wire"
	"kedge/canister/identity"
	"kedge/cdk/cdktest"
)

// entries are the exported methods by name. The first test holds the table to exports.go.
var entries = map[string]func(){
	"add":                            exportAdd,
	"add_tentative_device":           exportAddTentativeDevice,
	"attest":                         exportAttest,
	"attestation_challenge":          exportAttestationChallenge,
	"config":                         exportConfig,
	"contact_accept":                 exportContactAccept,
	"contact_approve":                exportContactApprove,
	"contact_status":                 exportContactStatus,
	"contact_withdraw":               exportContactWithdraw,
	"contacts_agree":                 exportContactsAgree,
	"contacts_complete":              exportContactsComplete,
	"contacts_set":                   exportContactsSet,
	"create_challenge":               exportCreateChallenge,
	"device_bound_set":               exportDeviceBoundSet,
	"enter_device_registration_mode": exportEnterDeviceRegistrationMode,
	"exit_device_registration_mode":  exportExitDeviceRegistrationMode,
	"finalize_migration":             exportFinalizeMigration,
	"fsck":                           exportFsck,
	"get_anchor_credentials":         exportGetAnchorCredentials,
	"get_anchor_info":                exportGetAnchorInfo,
	"get_delegation":                 exportGetDelegation,
	"get_principal":                  exportGetPrincipal,
	"guard_set":                      exportGuardSet,
	"history":                        exportHistory,
	"http_request":                   exportHttpRequest,
	"init_salt":                      exportInitSalt,
	"lookup":                         exportLookup,
	"lookup_by_credential":           exportLookupByCredential,
	"lookup_caller":                  exportLookupCaller,
	"lookup_caller_identity_by_recovery_phrase": exportLookupCallerIdentityByRecoveryPhrase,
	"lookup_device_key":                         exportLookupDeviceKey,
	"migration_pause":                           exportMigrationPause,
	"migration_resume":                          exportMigrationResume,
	"migration_status":                          exportMigrationStatus,
	"migration_step":                            exportMigrationStep,
	"prepare_delegation":                        exportPrepareDelegation,
	"protect":                                   exportProtect,
	"recovery_report":                           exportRecoveryReport,
	"register":                                  exportRegister,
	"release_cancel":                            exportReleaseCancel,
	"release_complete":                          exportReleaseComplete,
	"release_consent":                           exportReleaseConsent,
	"release_request":                           exportReleaseRequest,
	"remove":                                    exportRemove,
	"replace":                                   exportReplace,
	"session_limit_set":                         exportSessionLimitSet,
	"stats":                                     exportStats,
	"unprotect":                                 exportUnprotect,
	"update":                                    exportUpdate,
	"whoami":                                    exportWhoami,
	"verify_tentative_device":                   exportVerifyTentativeDevice,
}

// goNames are the functions of exports.go by the name that the linker gives them.
func goNames(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "exports.go", nil, parser.ParseComments)
	require.NoError(t, err)
	names := map[string]string{}
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		require.NotNil(t, f.Doc, "%s is not exported", f.Name)
		directive := f.Doc.List[len(f.Doc.List)-1].Text
		name, ok := strings.CutPrefix(directive, "//go:wasmexport ")
		require.True(t, ok, "%s is not exported: %s", f.Name, directive)
		name = strings.Replace(name, "__", " ", 1)
		require.NotContains(t, names, name, "exported twice")
		names[name] = f.Name.Name
	}
	return names
}

// What the interface promises is what the module exports, each as what it is.
func TestEveryMethodIsExportedAsWhatItIs(t *testing.T) {
	exported := goNames(t)
	want := []string{"canister_init", "canister_post_upgrade", "canister_global_timer", "canister_inspect_message"}
	for _, m := range kedge.Methods {
		kind := "canister_update "
		if m.Mode == wire.Query {
			kind = "canister_query "
		}
		want = append(want, kind+m.Name)
	}
	var got []string
	for name := range exported {
		got = append(got, name)
	}
	require.ElementsMatch(t, want, got)

	functions := map[string]bool{}
	for _, f := range exported {
		require.False(t, functions[f], "%s is two methods", f)
		functions[f] = true
	}
	for _, m := range kedge.Methods {
		require.Contains(t, entries, m.Name, "add it to the table above")
	}
	require.Len(t, entries, len(kedge.Methods))
}

// The table of permissions knows every method, as what it is.
func TestEveryMethodHasItsPermissions(t *testing.T) {
	for _, m := range kedge.Methods {
		row, ok := identity.PermissionOf(m.Name)
		require.True(t, ok, m.Name)
		require.Equal(t, m.Mode == wire.Query, row.Query, m.Name)
	}
	require.Len(t, identity.Permissions, len(kedge.Methods))
}

// installed is a canister on a fake network.
func installed(t *testing.T) *cdktest.Network {
	t.Helper()
	network := cdktest.Install(t)
	require.NoError(t, network.Deliver(exportInit, kedge.EncodeInitArgs(nil)))
	return network
}

// send delivers a message to a method as the kind of message that it takes.
func send(n *cdktest.Network, m wire.Method, arg []byte) ([]byte, error) {
	entry, listed := entries[m.Name]
	if !listed {
		panic(m.Name + " is missing in the table of entries in exports_test.go")
	}
	if m.Mode == wire.Query {
		return n.Query(entry, arg)
	}
	return n.Update(entry, arg)
}
