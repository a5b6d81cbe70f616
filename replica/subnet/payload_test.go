package subnet

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/ic/management"
)

// Which type of its table a message's first argument has; hostile counts end at once.
func TestFirstType(t *testing.T) {
	for arg, want := range map[string]int{
		"DIDL\x01\x6c\x00\x01\x00":                         0,
		"DIDL\x02\x6e\x01\x6c\x01\x05\x7d\x01\x01":         1,
		"DIDL\x00\x01\x7d":                                 -1, // a primitive type
		"DIDL\x00\x00":                                     -1,
		"DIDL\x02\x6a\x00\x00\x00\x6c\x00\x01\x01":         1,
		"DIDL\x01\x6c\xff\xff\xff\xff\x0f\x01\x7d":         -1,
		"DIDL\xff\xff\xff\xff\x0f\x6c\xff\xff\xff\xff\x0f": -1,
		"DIDL": -1,
	} {
		index, ok := firstType([]byte(arg))
		require.Equal(t, want >= 0, ok, "%q", arg)
		if ok {
			require.EqualValues(t, want, index, "%q", arg)
		}
	}
}

// What is known of production's words is used, and this network's words otherwise.
func TestBadPayload(t *testing.T) {
	const record = "DIDL\x01\x6c\x01\x01\x7d\x01\x00\x00" // record { 1 : nat }
	for arg, want := range map[string]string{
		"\x00":         "Error decoding candid: Cannot parse header 00: binary parser error: io error",
		"DIDL\x00\x00": "Error decoding candid: No more values on the wire, the expected type record { canister_id : principal } is not opt, null, or reserved",
		record: "Error decoding candid: Fail to decode argument 0 from table0 to record { canister_id : principal }: " +
			"Subtyping error: field canister_id is not optional field",
		"DIDL\x00\x01\x7d\x00": "Error decoding candid: argument 1: expected record, got nat at offset 7",
	} {
		_, err := management.DecodeStartCanisterArgs([]byte(arg))
		require.Error(t, err)
		require.Equal(t, want, badPayload("start_canister", []byte(arg), err).Message)
	}
}

func TestBadPayloadOfAnUnknownCase(t *testing.T) {
	file, err := did.Parse(`service : { m : (record { mode : variant { 1234567 }; canister_id : principal; wasm_module : blob; arg : blob }) -> () }`)
	require.NoError(t, err)
	header := did.NewCompiler(file).Signature(file.Methods()[0].Type.(did.Func).Args).Header
	arg := []byte(header + "\x00" + "\x00" + "\x00" + "\x01\x00") // arg, wasm_module, mode, canister_id: by ascending id
	_, err = management.DecodeInstallCodeArgs(arg)
	require.ErrorContains(t, err, "unknown variant case with id 1234567")
	require.Regexp(t, `^Error decoding candid: Fail to decode argument 0 from table\d to record \{\n  arg : blob;\n[^$]*Subtyping error: Unknown variant field 1_234_567$`,
		badPayload("install_code", arg, err).Message)
}
