package ui

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRemaining(t *testing.T) {
	for seconds, want := range map[uint64]string{
		0: "0s", 1: "1s", 59: "59s", 60: "1m", 61: "1m 1s", 3599: "59m 59s", 3600: "1h", 3601: "1h", 3660: "1h 1m", 86399: "23h 59m",
		86400: "1d", 90000: "1d 1h", 30*86400 - 1: "29d 23h", 30 * 86400: "30d", 365 * 86400: "365d", math.MaxUint64: "213503982334601d 7h",
	} {
		require.Equal(t, want, Remaining(seconds))
	}
}
