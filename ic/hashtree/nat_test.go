package hashtree

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNat(t *testing.T) {
	for _, n := range []uint64{0, 1, 127, 128, 624485, 1<<63 - 1, 1<<64 - 1} {
		got, err := DecodeNat(EncodeNat(n))
		require.NoError(t, err)
		require.Equal(t, n, got)
	}
	for _, raw := range [][]byte{nil, {0x80}, {0x00, 0x00}, bytes.Repeat([]byte{0xff}, 10), bytes.Repeat([]byte{0x80}, 12)} {
		_, err := DecodeNat(raw)
		require.Error(t, err, "%x", raw)
	}
}
