package client

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// An installation that is refused for the rate of installations is tried again, any other is not.
func TestInstallationsAreRetried(t *testing.T) {
	limited := fmt.Errorf("install: %w", &Reject{Code: 2, ErrorCode: "IC0209"})
	other := errors.New("no")
	for name, test := range map[string]struct {
		answers []error
		calls   int
		want    error
	}{
		"at once":    {[]error{nil}, 1, nil},
		"later":      {[]error{limited, limited, nil}, 3, nil},
		"another":    {[]error{limited, other, nil}, 2, other},
		"other code": {[]error{&Reject{ErrorCode: "IC0207"}, nil}, 1, &Reject{ErrorCode: "IC0207"}},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			err := retryInstall(t.Context(), 0, func() error { calls++; return test.answers[calls-1] })
			require.Equal(t, test.want, err)
			require.Equal(t, test.calls, calls)
		})
	}
	calls := 0
	require.Error(t, retryInstall(t.Context(), 0, func() error { calls++; return limited }))
	require.Equal(t, installRetries+1, calls, "not for ever")
}
