package ctap_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/device"
	"kedge/device/ctap"
)

// memory is a store without a file.
type memory struct{ key *device.SecurityKey }

func (m memory) Load() (*device.SecurityKey, error)             { return m.key, nil }
func (m memory) Change(f func(*device.SecurityKey) error) error { return f(m.key) }

// plug makes an authenticator whose owner presses whenever asked, unless presence says otherwise.
func plug(t testing.TB, presence func(context.Context, ctap.Prompt) error) (*ctap.Authenticator, *device.SecurityKey) {
	t.Helper()
	root, err := device.NewRoot(rand.Reader)
	require.NoError(t, err)
	key, err := new(device.Keys).AddKey("laptop", root, time.Now())
	require.NoError(t, err)
	if presence == nil {
		presence = func(context.Context, ctap.Prompt) error { return nil }
	}
	a, err := ctap.New(ctap.Options{Store: memory{key}, Presence: presence, Random: rand.Reader, Now: time.Now, Report: func(err error) { t.Log(err) }})
	require.NoError(t, err)
	return a, key
}
