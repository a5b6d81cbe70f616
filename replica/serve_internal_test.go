package replica

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/replica/httpapi"
)

// A client that sends a head and no body, half a head, or nothing after an answer, does not hold its connection
// for ever.
func TestSlowClientsAreCutOff(t *testing.T) {
	const short = 50 * time.Millisecond
	long := timeouts{header: time.Hour, body: time.Hour, idle: time.Hour}
	for name, test := range map[string]struct {
		limits timeouts
		send   string
	}{
		"half a head":    {timeouts{header: short, body: time.Hour, idle: time.Hour}, "GET /api/v2/status HTTP/1.1\r\nHo"},
		"no body":        {timeouts{header: time.Hour, body: short, idle: time.Hour}, "POST /api/v2/canister/aaaaa-aa/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cbor\r\nContent-Length: 1000\r\n\r\nhalf"},
		"no more":        {timeouts{header: time.Hour, body: time.Hour, idle: short}, "GET /api/v2/status HTTP/1.1\r\nHost: localhost\r\n\r\n"},
		"nothing at all": {timeouts{header: short, body: time.Hour, idle: time.Hour}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := Start(WithListen("127.0.0.1:0"))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, n.Close()) })
			require.NotZero(t, n.server.ReadHeaderTimeout)
			require.NotZero(t, n.server.ReadTimeout)
			require.NotZero(t, n.server.IdleTimeout)

			handler := httpapi.New(backend{n}, httpapi.Options{Version: implementation})
			require.True(t, endsConnection(t, newServer(handler, test.limits), test.send, 30*time.Second))
			require.False(t, endsConnection(t, newServer(handler, long), test.send, 4*short), "by this limit alone")
		})
	}
}

// endsConnection sends something and reports whether the server ends the connection within a time.
func endsConnection(t *testing.T, server *http.Server, send string, within time.Duration) bool {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, send)
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(within)))
	_, err = io.Copy(io.Discard, bufio.NewReader(conn))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// The cache of compiled modules is a convenience: one that cannot be used is said and done without.
func TestModuleCacheIsOptional(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	var log bytes.Buffer
	n, err := Start(WithCache(filepath.Join(file, "modules")), WithLog(&log))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	require.Contains(t, log.String(), "compiled modules are not kept: open the cache of compiled modules in ")
	require.NotNil(t, n.engine)
}
