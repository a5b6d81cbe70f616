package derive

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

// allSeed is the BIP-39 seed of "all" twelve times, which SLIP-0021 and SLIP-0022 take in their
// examples.
const allSeed = "c76c4ac4f4e4a00d6b274d5c39c700bb4a7ddc04fbc6f78e85ca75007b5b495f74a9043eeb77bdd53aa6fc3a0e31462270316fa04b8c19114c8798706cd02ac8"

// The vectors are those of SLIP-0021 itself.
func TestSymmetric(t *testing.T) {
	tests := []struct {
		labels []string
		key    string
	}{
		{nil, "dbf12b44133eaab506a740f6565cc117228cbf1dd70635cfa8ddfdc9af734756"},
		{[]string{"SLIP-0021"}, "1d065e3ac1bbe5c7fad32cf2305f7d709dc070d672044a19e610c77cdf33de0d"},
		{[]string{"SLIP-0021", "Master encryption key"}, "ea163130e35bbafdf5ddee97a17b39cef2be4b4f390180d65b54cf05c6a82fde"},
		{[]string{"SLIP-0021", "Authentication key"}, "47194e938ab24cc82bfa25f6486ed54bebe79c40ae2a5a32ea6db294d81861a6"},
	}
	for _, tc := range tests {
		require.Equal(t, tc.key, hex.EncodeToString(Symmetric(unhex(t, allSeed), tc.labels...)), "%q", tc.labels)
	}
}
