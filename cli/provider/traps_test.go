package provider

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
)

// The texts are Internet Identity's, as its clients know them (dfinity/internet-identity,
// src/internet_identity/src).
func TestCodeOfTrap(t *testing.T) {
	for text, want := range map[string]kedge.ErrorCode{
		"2vxsx-fae could not be authenticated.": kedge.ErrorCodeNotADevice,
		"Device is locked. Must be authenticated with this device to mutate: authorized principal a, device principal b":                          kedge.ErrorCodeSelfOnly,
		"failed to remove device: Device is locked. Must be authenticated with this device to mutate: authorized principal a, device principal b": kedge.ErrorCodeSelfOnly,
		"Anchor device limit exceeded: num devices 11, limit 10":                                                                                  kedge.ErrorCodeTooManyDevices,
		"There is already a recovery phrase and only one is allowed.":                                                                             kedge.ErrorCodeSecondPhrase,
		"Device with key 0a0b already exists on this anchor.":                                                                                     kedge.ErrorCodeDeviceExists,
		"failed to read device data of user 10007: bad Identity Anchor 10007":                                                                     kedge.ErrorCodeNoSuchAnchor,
		"Identity Anchor 9 is out of range [10000, 10010)":                                                                                        kedge.ErrorCodeNoSuchAnchor,
	} {
		code, known := CodeOfTrap(text)
		require.True(t, known, text)
		require.Equal(t, want, code, text)
	}
	// A text that only contains one of these says something else.
	for _, text := range []string{
		"", "x could not be authenticated. But", `unknown field "Device is locked"`,
		"alias: 2vxsx-fae could not be authenticated.", "an alias is out of range",
	} {
		_, known := CodeOfTrap(text)
		require.False(t, known, text)
	}
}
