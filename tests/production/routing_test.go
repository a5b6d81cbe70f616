package production_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A canister's call of the management canister is routed by its argument before anything else. The right answers
// were read in dfinity/ic, rs/embedders, system_api/routing.rs (resolve_destination): which methods are read, and what
// a refusal names. The forwarding canister is that of the scenario inter/mgmt, which bears out the form.
func TestRoutingOfManagementCalls(t *testing.T) {
	const (
		zero    = "Error decoding candid: Cannot parse header 00: binary parser error: io error"
		unknown = "4449444c016c01b3c4b1f204680100010a00000000001fffff0101" // record { canister_id = … }
		absent  = "CanisterId(b65vx-3qaaa-aaaaa-7777q-cai)"
	)
	unread := func(method string) string {
		return "3Unable to route management canister request " + method +
			`: UserError(UserError { code: InvalidManagementPayload, description: "` + zero + `" })`
	}
	p := forwarder(t)
	for _, c := range []struct{ method, arg, want string }{
		{"canister_status", "00", unread("canister_status")},
		{"start_canister", "00", unread("start_canister")},
		{"update_settings", "00", unread("update_settings")},
		{"install_code", "00", unread("install_code")},
		{"install_chunked_code", "00", unread("install_chunked_code")},
		{"uninstall_code", "00", unread("uninstall_code")},
		{"canister_info", "00", unread("canister_info")},
		{"stored_chunks", "00", unread("stored_chunks")},
		{"list_canister_snapshots", "00", unread("list_canister_snapshots")},
		{"provisional_top_up_canister", "00", unread("provisional_top_up_canister")},
		{"subnet_info", "00", unread("subnet_info")},
		{"sign_with_schnorr", "00", unread("sign_with_schnorr")},
		{"vetkd_public_key", "00", unread("vetkd_public_key")},
		{"bitcoin_get_balance", "00", unread("bitcoin_get_balance")},
		{"create_canister", "00", "4" + zero},
		{"provisional_create_canister_with_cycles", "00", "4" + zero},
		{"raw_rand", "00", "4" + zero},
		{"http_request", "00", "4" + zero},
		{"canister_status", unknown, "3Unable to route management canister request canister_status: SubnetNotFound(" + absent + ", DepositCycles)"},
		{"start_canister", unknown, "3Unable to route management canister request start_canister: SubnetNotFound(" + absent + ", DepositCycles)"},
		{"stop_canister", unknown, "3Unable to route management canister request stop_canister: SubnetNotFound(" + absent + ", DepositCycles)"},
		{"delete_canister", unknown, "3Unable to route management canister request delete_canister: SubnetNotFound(" + absent + ", DepositCycles)"},
		{"uninstall_code", unknown, "3Unable to route management canister request uninstall_code: SubnetNotFound(" + absent + ", UninstallCode)"},
		{"stored_chunks", unknown, "3Unable to route management canister request stored_chunks: SubnetNotFound(" + absent + ", StoredChunks)"},
	} {
		t.Run(c.method+" "+c.arg, func(t *testing.T) {
			name := string(rune(len(c.method))) + c.method
			o, err := p.update(&step{Op: "update", To: "{m}", Method: "fwd", As: "alice", Arg: hexOf(name) + "00000000000000000000" + c.arg}, false)
			require.NoError(t, err)
			require.NotNil(t, o.refusal, "a reply: %x", o.reply)
			require.Equal(t, c.want, o.refusal.Message)
		})
	}
}

// forwarder is a player with the canisters of the scenario inter/mgmt.
func forwarder(t *testing.T) *player {
	p := newPlayer(t, t.TempDir())
	for _, s := range vectors(t) {
		if s.Name != "inter/mgmt" {
			continue
		}
		const installed = 7 // steps
		for i := range s.Steps[:installed] {
			c := &comparison{player: p, index: i, step: &s.Steps[i]}
			c.run()
			require.Empty(t, c.found)
		}
		return p
	}
	t.Fatal("there is no scenario inter/mgmt")
	return nil
}

// vectors are the scenarios that the repository has.
func vectors(t *testing.T) []scenario {
	var file struct{ Scenarios []scenario }
	require.NoError(t, json.Unmarshal(readTestdata(t, "half-a.json"), &file))
	return file.Scenarios
}

func readTestdata(t *testing.T, name string) []byte {
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return raw
}

func hexOf(text string) string { return hex.EncodeToString([]byte(text)) }
