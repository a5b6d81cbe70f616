package network_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/cli"
	"kedge/cli/client"
)

// launch runs kedge with the arguments of icp until the test cancels it, and returns its exit code.
func launch(ctx context.Context, log *bytes.Buffer, args ...string) int {
	system := cli.RealSystem()
	system.Args, system.Stdin, system.Stdout, system.Stderr = args, strings.NewReader(""), log, log
	return cli.Main(ctx, system)
}

func TestLauncher(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var log bytes.Buffer
	ended := make(chan int, 1)
	// As icp 1.5.0 does, and with a flag that nobody has heard of.
	go func() {
		ended <- launch(ctx, &log, "--interface-version", "1.1.0", "--state-dir", filepath.Join(dir, "state"), "--bind", "127.0.0.1",
			"--status-dir", dir, "--ii", "--subnet=application", "--domain=localhost", "--artificial-delay-ms", "7", "--of-tomorrow")
	}()

	var line []byte
	require.Eventually(t, func() bool {
		line, _ = os.ReadFile(filepath.Join(dir, "status.json"))
		return len(line) > 0
	}, time.Minute, 5*time.Millisecond)
	require.Equal(t, len(line)-1, bytes.IndexByte(line, '\n'), "one line, ended by a newline")
	var status struct {
		V           string
		GatewayPort int    `json:"gateway_port"`
		RootKey     string `json:"root_key"`
	}
	require.NoError(t, json.Unmarshal(line, &status))
	require.Equal(t, "1", status.V)
	require.Len(t, status.RootKey, 266)
	u := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", status.GatewayPort)}
	healthy, err := client.Ask(t.Context(), u)
	require.NoError(t, err)
	require.Equal(t, "healthy", healthy.Health)

	cancel() // as SIGINT does
	require.Zero(t, <-ended, log.String())
	_, err = client.Ask(t.Context(), u)
	require.Error(t, err)
}

func TestLauncherRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--interface-version", "2.0.0", "--status-dir", "."}, `--interface-version "2.0.0" is not supported`},
		{[]string{"--interface-version=1.1.0"}, "--status-dir is missing"},
		{[]string{"network", "launcher", "--status-dir", "."}, `--interface-version "" is not supported`},
		{[]string{"--interface-version", "1.1.0", "--status-dir", ".", "--bind", "nowhere"}, `--bind "nowhere" is not an IP address`},
	} {
		var log bytes.Buffer
		require.NotZero(t, launch(t.Context(), &log, c.args...))
		require.Contains(t, log.String(), c.want)
	}
}
