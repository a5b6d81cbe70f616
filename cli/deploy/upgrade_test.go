package deploy

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/management"
)

// Whether calls have run is judged by two counters: the version of the canister, and what it paid for messages.
func TestUntouched(t *testing.T) {
	const fee = 2_000_000 // of one short message: a fixed fee of 1,200,000, and 2,000 for every byte
	began := count{version: 40, ingress: big.NewInt(500), fee: big.NewInt(fee)}
	for name, test := range map[string]struct {
		count   count
		version uint64
		paid    int64 // since
		want    bool
	}{
		"started and stopped":                     {began, 42, 3 * fee, true},
		"its timer ran":                           {began, 45, 3 * fee, true},
		"the least message of a user":             {began, 43, 3*fee + 1_200_000, false},
		"many messages":                           {began, 50, 10 * fee, false},
		"a version that did not move says all":    {count{version: 40}, 42, 0, true},
		"a version that moved, and no metrics":    {count{version: 40}, 43, 0, false},
		"no version and no metrics":               {count{}, 0, 0, false},
		"no version, and what was paid":           {count{ingress: big.NewInt(500), fee: big.NewInt(fee)}, 0, 3 * fee, true},
		"a fee that could not be measured":        {count{version: 40, ingress: big.NewInt(500), fee: new(big.Int)}, 43, 0, false},
		"a little longer messages than the fee's": {began, 44, 3*fee + fee/5, true},
	} {
		t.Run(name, func(t *testing.T) {
			ingress := big.NewInt(500 + test.paid)
			require.Equal(t, test.want, test.count.untouched(management.Status{Version: test.version}, ingress))
		})
	}
	require.False(t, began.untouched(management.Status{Version: 43}, nil), "what was paid is not known at the end")
}

// Another controller's message while a fee is measured makes it look twice as large, and as if a user's message had
// not been paid for.
func TestTheSmallerFeeCounts(t *testing.T) {
	const fee = 2_000_000
	large, small := big.NewInt(2*fee), big.NewInt(fee)
	paid := big.NewInt(500 + 4*fee)
	require.True(t, count{40, big.NewInt(500), large}.untouched(management.Status{Version: 44}, paid), "which is wrong")
	for _, measured := range [][2]*big.Int{{large, small}, {small, large}} {
		c := count{40, big.NewInt(500), smaller(measured[0], measured[1])}
		require.False(t, c.untouched(management.Status{Version: 44}, paid))
	}
	require.Nil(t, smaller(nil, small))
	c := count{40, big.NewInt(500), nil}
	require.False(t, c.untouched(management.Status{Version: 44}, paid), "a fee that is not known")
}
