package network

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kedge/cli/ui"
	"kedge/internal/fileio"
	"kedge/replica"
)

// How `icp network start` runs a network: ICP_CLI_NETWORK_LAUNCHER_PATH names a program, icp starts it with
// flags and no command, waits for <status-dir>/status.json and later ends it with SIGINT. A kedge that is
// started so behaves as if `network launcher` had been typed.

// launcherFlag is the flag that icp's flags begin with.
const launcherFlag = "--interface-version"

// AsLauncher adds the command that icp leaves out.
func AsLauncher(args []string) []string {
	if len(args) > 0 && (args[0] == launcherFlag || strings.HasPrefix(args[0], launcherFlag+"=")) {
		return append([]string{"network", "launcher"}, args...)
	}
	return args
}

type launcherOptions struct {
	interfaceVersion    string
	stateDir, statusDir string
	network             networkOptions
}

// launcherStatus is the line of status.json, version 1.
type launcherStatus struct {
	Version     string `json:"v"`
	GatewayPort int    `json:"gateway_port"`
	RootKey     string `json:"root_key"`
}

func (a verbs) networkLauncher() *cobra.Command {
	var o launcherOptions
	cmd := &cobra.Command{
		Use:   "launcher",
		Short: "run a local network for `icp network start`",
		Long: `Runs a network as icp 1.5 expects it of its network launcher. It need not be typed:
icp starts kedge itself when ICP_CLI_NETWORK_LAUNCHER_PATH is the path of this
program. Flags of icp that this network has nothing for, such as --nns, are ignored.`,
		Example: `  ICP_CLI_NETWORK_LAUNCHER_PATH=$(command -v kedge) icp network start
  kedge network launcher --interface-version 1.1.0 --state-dir state --status-dir status`,
		Args:   ui.Args(cobra.NoArgs),
		Hidden: true,
		// Later versions of icp may bring flags that this program cannot know.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		RunE:               func(cmd *cobra.Command, _ []string) error { return a.runLauncher(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.interfaceVersion, launcherFlag[2:], "", "version of the interface between icp and its launcher")
	flags.StringVar(&o.stateDir, "state-dir", "", "folder that the network keeps its state in")
	flags.StringVar(&o.statusDir, "status-dir", "", "folder that status.json is written to once the network is healthy")
	flags.StringVar(&o.network.bind, "bind", "127.0.0.1", "address to listen on")
	flags.Uint16Var(&o.network.port, "gateway-port", 0, "port to listen on; 0 picks a free one")
	return cmd
}

// runLauncher runs the network until the context ends.
func (a verbs) runLauncher(ctx context.Context, o launcherOptions) (err error) {
	if major, _, _ := strings.Cut(o.interfaceVersion, "."); major != "1" {
		return ui.Usagef("%s %q is not supported, only version 1 is", launcherFlag, o.interfaceVersion)
	}
	if o.statusDir == "" {
		return ui.Usagef("--status-dir is missing")
	}
	l, err := listen(o.network)
	if err != nil {
		return err
	}
	address := l.Addr().(*net.TCPAddr)
	if err := l.Close(); err != nil {
		return fmt.Errorf("listening at %s: %w", address, err)
	}
	// icp itself gives its users what they start with.
	options := []replica.Option{replica.WithListen(address.String()), replica.WithLog(a.Stderr), replica.WithoutFunds()}
	if o.stateDir != "" {
		options = append(options, replica.WithState(o.stateDir))
	}
	if dir, err := os.UserCacheDir(); err == nil {
		options = append(options, replica.WithCache(filepath.Join(dir, "kedge", "modules")))
	}
	network, err := replica.Start(options...)
	if err != nil {
		return fmt.Errorf("starting the network: %w", err)
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	if err := writeLauncherStatus(o.statusDir, launcherStatus{Version: "1", GatewayPort: address.Port, RootKey: hex.EncodeToString(network.RootKey())}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// writeLauncherStatus writes one line that ends in a newline: icp reads the file once it has one.
func writeLauncherStatus(dir string, status launcherStatus) error {
	line, err := json.Marshal(status)
	if err != nil {
		return fmt.Errorf("encoding the status: %w", err)
	}
	if err := fileio.WriteFile(filepath.Join(dir, "status.json"), append(line, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the status for icp: %w", err)
	}
	return nil
}
