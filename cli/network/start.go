package network

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/replica"
)

// startWait is how long a network in the background may take to become healthy.
const startWait = 60 * time.Second

type networkOptions struct {
	port       uint16
	bind       string
	background bool
	stateDir   string // empty: nothing is kept
	clean      bool
	sync       bool
	outcalls   bool
	rateLimit  bool
}

type networkStarted struct {
	URL     string `json:"url"`
	RootKey string `json:"root_key"`
	PID     int    `json:"pid"`
}

func (a verbs) networkStart() *cobra.Command {
	var o networkOptions
	cmd := &cobra.Command{
		Use:   "start",
		Short: "run a local network, in the foreground unless told otherwise",
		Long: `Runs a network of the Internet Computer with one node on this machine, for
development and tests. Any client works with it: kedge, dfx, icp, agents. It
answers at 127.0.0.1:4943, as dfx's own network does. Ctrl-C ends it.

Its state is kept in .kedge/network (--state-dir): whatever it acknowledged is there
again when it is next started, even if its process was killed. --sync also waits for
the disk, so that it survives the death of the machine.

With --allow-http-outcalls canisters may make HTTP requests (http_request of the
management canister): https to anywhere, http to this machine. The replies are those
of one node: unlike on the production network nothing compares them.`,
		Example: `  kedge network start
  kedge network start --background
  kedge network start --clean --yes         # begin with nothing on it
  kedge network start --port 0 --json       # any free port; prints {"url":…} once healthy`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.clean && o.stateDir == "" {
				return ui.Usagef("--clean is about the state folder, and --state-dir is empty")
			}
			if o.background {
				return a.startInBackground(cmd.Context(), o)
			}
			return a.runNetwork(cmd.Context(), o)
		},
	}
	cmd.Flags().Uint16Var(&o.port, "port", session.LocalPort, "port to listen on; 0 picks a free one")
	cmd.Flags().StringVar(&o.bind, "bind", "127.0.0.1", "address to listen on")
	cmd.Flags().BoolVar(&o.background, "background", false, "return once the network is healthy and leave it running")
	cmd.Flags().StringVar(&o.stateDir, "state-dir", defaultStateDir(), "folder that the network keeps its state in; empty keeps nothing")
	cmd.Flags().Lookup("state-dir").DefValue = ".kedge/network" // of the project, wherever the working folder is
	cmd.Flags().BoolVar(&o.clean, "clean", false, "erase the state first")
	a.YesFlag(cmd)
	cmd.Flags().BoolVar(&o.sync, "sync", false, "wait for the disk after every round")
	cmd.Flags().BoolVar(&o.outcalls, "allow-http-outcalls", false, "let canisters make HTTP requests; the replies are those of one node")
	cmd.Flags().BoolVar(&o.rateLimit, "rate-limit", false, "refuse installations for some rounds after an expensive one, as the production network does")
	return cmd
}

// errStarted says that a network runs from this folder already.
func errStarted() error {
	at := ""
	if state, err := project.LoadNetwork(); err == nil {
		at = ", at " + state.URL
	}
	return ui.Hinted(fmt.Errorf("a network started from this folder runs already%s", at), "kedge network stop")
}

// confirmClean asks before a state that is there is erased.
func (a verbs) confirmClean(o networkOptions) error {
	if entries, err := os.ReadDir(o.stateDir); !o.clean || err != nil || len(entries) == 0 {
		return nil
	}
	return a.Confirm(fmt.Sprintf("--clean erases every canister of the network in %s, for ever", o.stateDir))
}

// listen takes the port. The error says what to do if somebody else has it.
func listen(o networkOptions) (net.Listener, error) {
	if net.ParseIP(o.bind) == nil {
		return nil, ui.Usagef("--bind %q is not an IP address", o.bind)
	}
	address := net.JoinHostPort(o.bind, strconv.Itoa(int(o.port)))
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, ui.Hinted(fmt.Errorf("port %d is in use at %s", o.port, o.bind),
			"kedge network status says whether that is a network; --port 0 picks a free port")
	}
	if err != nil {
		return nil, fmt.Errorf("listening at %s: %w", address, err)
	}
	return l, nil
}

// startInBackground runs the same command without --background in a process of its own and waits
// for its line of JSON.
func (a verbs) startInBackground(ctx context.Context, o networkOptions) error {
	if running() {
		return errStarted()
	}
	if err := a.confirmClean(o); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the kedge program: %w", err)
	}
	if err := project.Make(); err != nil {
		return err
	}
	log, err := os.Create(networkLogPath())
	if err != nil {
		return fmt.Errorf("making the network's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	child := exec.Command(program, "network", "start", "--json", "--port", strconv.Itoa(int(o.port)), "--bind", o.bind,
		"--state-dir", o.stateDir, "--clean="+strconv.FormatBool(o.clean), "--yes", "--sync="+strconv.FormatBool(o.sync),
		"--allow-http-outcalls="+strconv.FormatBool(o.outcalls), "--rate-limit="+strconv.FormatBool(o.rateLimit))
	child.Stderr = log
	child.SysProcAttr = detached()
	out, err := child.StdoutPipe()
	if err != nil {
		return fmt.Errorf("starting the network: %w", err)
	}
	if err := child.Start(); err != nil {
		return fmt.Errorf("starting the network: %w", err)
	}
	done := a.Working("starting the network")
	started, err := awaitStart(ctx, out)
	done()
	if err != nil {
		_ = child.Process.Kill()
		_ = child.Wait()
		if reason := lastError(networkLogPath()); reason != "" {
			err = errors.New(reason)
		}
		return ui.Hinted(fmt.Errorf("the network did not start: %w", err), "its log is %s", networkLogPath())
	}
	if err := child.Process.Release(); err != nil {
		return fmt.Errorf("letting go of the network's process: %w", err)
	}
	return a.Result(started, fmt.Sprintf("network at %s, process %d; kedge network stop ends it", started.URL, started.PID))
}

// awaitStart reads the line that says that the network is healthy.
func awaitStart(ctx context.Context, out io.Reader) (networkStarted, error) {
	type answer struct {
		started networkStarted
		err     error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(out).ReadBytes('\n')
		var started networkStarted
		if err == nil {
			err = json.Unmarshal(line, &started)
		} else if errors.Is(err, io.EOF) {
			err = errors.New("its process ended")
		}
		answers <- answer{started, err}
	}()
	select {
	case got := <-answers:
		return got.started, got.err
	case <-ctx.Done():
		return networkStarted{}, ctx.Err()
	case <-time.After(startWait):
		return networkStarted{}, fmt.Errorf("it is not healthy after %s", startWait)
	}
}

// lastError returns the error that a log ends with; the network writes it as a line of JSON.
func lastError(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	reason := ""
	for line := range strings.SplitSeq(string(data), "\n") {
		var failed struct{ Error ui.Failure }
		if json.Unmarshal([]byte(line), &failed) == nil && failed.Error.Message != "" {
			reason = failed.Error.Message
		}
	}
	return reason
}

func networkLogPath() string { return filepath.Join(project.Folder(), "network.log") }

// runNetwork runs the network until the context ends.
func (a verbs) runNetwork(ctx context.Context, o networkOptions) (err error) {
	release, held, err := project.HoldNetwork()
	if err != nil {
		return err
	}
	if !held {
		return errStarted()
	}
	defer func() { err = errors.Join(err, release()) }()
	// Taking the port first tells a port that is in use from everything else that can go wrong.
	l, err := listen(o)
	if err != nil {
		return err
	}
	// Until the network has it, it is to be closed here.
	handed := false
	defer func() {
		if !handed {
			_ = l.Close()
		}
	}()
	address := l.Addr().String()
	options := []replica.Option{replica.WithListener(l), replica.WithLog(a.Stderr)}
	if o.clean {
		if err := a.confirmClean(o); err != nil {
			return err
		}
		if err := eraseState(o.stateDir); err != nil {
			return err
		}
	}
	if o.stateDir != "" {
		options = append(options, replica.WithState(o.stateDir))
	}
	if o.sync {
		options = append(options, replica.WithSync())
	}
	if o.outcalls {
		options = append(options, replica.WithOutcalls(nil))
	}
	if dir, err := os.UserCacheDir(); err == nil {
		options = append(options, replica.WithCache(filepath.Join(dir, "kedge", "modules")))
	}
	if o.rateLimit {
		options = append(options, replica.WithRateLimit())
	}
	network, err := replica.Start(options...)
	if err != nil {
		return fmt.Errorf("starting the network: %w", err)
	}
	handed = true
	// The state file goes last: network stop takes it for the end, and the state folder is free then.
	defer func() { err = errors.Join(err, network.Close(), project.DropNetwork(os.Getpid())) }()
	u := &url.URL{Scheme: "http", Host: address}
	if _, err := client.Ask(ctx, u); err != nil {
		return err
	}
	started := networkStarted{URL: u.String(), RootKey: hex.EncodeToString(network.RootKey()), PID: os.Getpid()}
	if err := project.SaveNetwork(project.NetworkState{URL: started.URL, PID: started.PID, RootKey: started.RootKey}); err != nil {
		return err
	}
	if err := a.Result(started, fmt.Sprintf("network at %s, ctrl-C ends it", started.URL)); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-network.Failed():
		return err
	}
}
