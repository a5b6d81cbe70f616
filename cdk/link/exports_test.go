package link

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/wasm"
)

func TestNetworkName(t *testing.T) {
	for goName, want := range map[string]string{
		"canister_update__greet":                          "canister_update greet",
		"canister_query__http_request":                    "canister_query http_request",
		"canister_query____get_candid_interface_tmp_hack": "canister_query __get_candid_interface_tmp_hack",
		"canister_update__a__b":                           "canister_update a__b",
		"canister_composite_query__all":                   "canister_composite_query all",
		"canister_init":                                   "canister_init",
		"canister_inspect_message":                        "canister_inspect_message",
		"helper__function":                                "helper__function",
		"canister_update_greet":                           "canister_update_greet",
	} {
		require.Equal(t, want, networkName(goName))
	}
}

func TestMergeData(t *testing.T) {
	segment := func(offset int, text string) wasm.Data {
		return wasm.Data{Offset: wasm.ConstI32(int32(offset)), Bytes: []byte(text)}
	}
	const far = scratchEnd + 1000
	l := &linker{goData: 5, m: &wasm.Module{Data: []wasm.Data{
		segment(far, "far"), segment(scratchEnd, "ab"), segment(scratchEnd+2, "cd"), segment(scratchEnd+4+maxGap, "e"),
		segment(far+500, ""), segment(scratchBegin, "own"),
	}}}
	require.NoError(t, l.mergeData())
	require.Equal(t, []wasm.Data{
		segment(scratchBegin, "own"),
		segment(scratchEnd, "abcd"+string(make([]byte, maxGap))+"e"),
		segment(far, "far"),
	}, l.m.Data)

	l = &linker{goData: 1, m: &wasm.Module{Data: []wasm.Data{{Mode: wasm.Passive}}}}
	require.EqualError(t, l.mergeData(), "data segment 0: it is not active with a constant offset")
}
