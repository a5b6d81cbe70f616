package canister

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCycles(t *testing.T) {
	for text, want := range map[string]string{
		"2t": "2000000000000", "1.5T": "1500000000000", "0.001 t": "1000000000", "500_000_000_000": "500000000000",
		"7": "7", "3k": "3000", "3m": "3000000", "3b": "3000000000", "3g": "3000000000", "1.234567890123t": "1234567890123",
	} {
		n, err := parseCycles(text)
		require.NoError(t, err, text)
		require.Equal(t, want, n.String(), text)
	}
	for _, text := range []string{"", "t", "lots", "-1", "+1", "1.5", "1e12", "1.2345678901234t", ".5t", "1.t2", "0", "0t", "1 2", "0x10", "1..2t",
		"99999999999999999999999999999999999999999"} {
		_, err := parseCycles(text)
		require.Error(t, err, text)
	}
	for n, want := range map[string]string{
		"0": "0", "999999": "999999", "1000000": "1.000 M", "2150000000": "2.150 G", "101977229925386": "101.977 T", "999999999999": "999.999 G",
	} {
		value, _ := new(big.Int).SetString(n, 10)
		require.Equal(t, want, cyclesText(value))
	}
	for n, want := range map[int64]string{0: "0 bytes", 1023: "1023 bytes", 1024: "1.0 KiB", 1536: "1.5 KiB", 8 << 30: "8.0 GiB", 1<<20 + 1: "1.0 MiB"} {
		require.Equal(t, want, bytesText(big.NewInt(n)))
	}
}

func TestParseMetrics(t *testing.T) {
	list, err := parseMetrics([]byte("# HELP a_b What it is.\n# TYPE a_b gauge\na_b 12 1700000000000\nc{le=\"1 } 2\"} 0.5\n\n# a comment\nd NaN\n"))
	require.NoError(t, err)
	require.Equal(t, []metric{{"a_b", "12", "What it is."}, {`c{le="1 } 2"}`, "0.5", ""}, {"d", "NaN", ""}}, list)
	for _, text := range []string{"a", "a ", " 1", "a 1 2 3", "{} "} {
		_, err := parseMetrics([]byte(text))
		require.Error(t, err, "%q", text)
	}
}

// Metrics come from canisters of others.
func FuzzParseMetrics(f *testing.F) {
	f.Add([]byte("# HELP a b\na{x=\"y\"} 1 2\n"))
	f.Add([]byte("a}"))
	f.Add([]byte("a 1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := parseMetrics(text)
		for _, m := range list {
			require.NotEmpty(t, m.Name)
			require.NotEmpty(t, m.Value)
		}
		if err != nil {
			require.Empty(t, list)
		}
	})
}
