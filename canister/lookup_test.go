package canister

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/canister/identity"
)

func TestDevicesByLastUse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var devices []identity.Device
		for _, at := range rapid.SliceOfN(rapid.Uint64Range(0, 3), 0, 15).Draw(t, "last used") {
			devices = append(devices, identity.Device{ID: identity.DeviceID(len(devices)), LastUsed: at})
		}
		var got []identity.Device
		for _, i := range byLastUse(devices, nil) {
			got = append(got, devices[i])
		}
		slices.SortStableFunc(devices, func(x, y identity.Device) int { return int(y.LastUsed) - int(x.LastUsed) })
		require.Equal(t, devices, got)
	})
}
