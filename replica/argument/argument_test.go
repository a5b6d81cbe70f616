package argument_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/replica/argument"
)

// The first two were run on the production execution code (tests/production: more/install_modes, inter/mgmt), the third
// follows from the same rules.
func TestType(t *testing.T) {
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
		require.Equal(t, want, argument.Type(method))
	}
	for _, method := range []string{"raw_rand", "nothing"} {
		require.Empty(t, argument.Type(method), method)
	}
}
