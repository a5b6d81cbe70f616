package management_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/management"
)

// The first two were run on the production execution code (tests/production: more/install_modes, inter/mgmt), the third
// follows from the same rules.
func TestArgumentText(t *testing.T) {
	for method, want := range map[string]string{
		"install_code": `record {
  arg : blob;
  wasm_module : blob;
  mode : variant {
    reinstall;
    upgrade : opt record {
      wasm_memory_persistence : opt variant { keep; replace };
      skip_pre_upgrade : opt bool;
    };
    install;
  };
  canister_id : principal;
  sender_canister_version : opt nat64;
}`,
		"ecdsa_public_key": `record {
  key_id : record { name : text; curve : variant { secp256k1 } };
  canister_id : opt principal;
  derivation_path : vec blob;
}`,
		"start_canister": "record { canister_id : principal }",
	} {
		got, ok := management.ArgumentText(method)
		require.True(t, ok, method)
		require.Equal(t, want, got)
	}
	for _, method := range []string{"raw_rand", "nothing"} {
		_, ok := management.ArgumentText(method)
		require.False(t, ok, method)
	}
}
