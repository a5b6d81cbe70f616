package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A phrase that is lost is released when its delay has passed, and removed then.
func TestReleaseIsCompleted(t *testing.T) {
	v := foundVillage(t)
	v.must("owner", "release", "consent", "--asker", "laptop", "--delay", "30d", "--phrase-file", "words.txt", "--as", "phrase")
	v.must("owner", "release", "request", "phrase", "--as", "laptop")
	v.pass(29 * 24 * time.Hour)
	code, _, stderr := v.run(nil, "owner", "release", "complete", "phrase", "--as", "laptop")
	require.Equal(t, 4, code)
	require.Contains(t, stderr, "kedge: error: the delay has not passed: ")
	v.pass(25 * time.Hour)
	v.must("owner", "release", "complete", "phrase", "--as", "laptop", "--json")
	v.must("owner", "device", "remove", "phrase", "--as", "laptop", "--yes")
	require.NotContains(t, v.must("owner", "device", "list", "--as", "laptop"), "recovery")
}
