package network

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/ui"
)

// stopWait is how long a network may take to save its state and end.
const stopWait = 30 * time.Second

func (a verbs) networkStop() *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "stop the network that was started from this folder",
		Long: `Asks the network to save its state and end, and waits until it has. A network that
was killed instead loses nothing that it had answered.`,
		Example: `  kedge network stop
  kedge network stop --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.stopNetwork(cmd.Context()) },
	}
}

func (a verbs) stopNetwork(ctx context.Context) error {
	state, err := project.LoadNetwork()
	if err != nil {
		return err
	}
	u, err := url.Parse(state.URL)
	if err != nil {
		return fmt.Errorf("%s is damaged: %w", project.NetworkPath(), err)
	}
	pid, err := project.NetworkProcess()
	if err != nil {
		return err
	}
	if pid == 0 {
		if err := os.Remove(project.NetworkPath()); err != nil {
			return fmt.Errorf("clearing the state of a network that has ended: %w", err)
		}
		return a.Result(map[string]bool{"stopped": false}, "the network had ended already")
	}
	if status, err := client.Ask(ctx, u); err == nil && hex.EncodeToString(status.RootKey) != state.RootKey {
		return ui.Hinted(fmt.Errorf("another network answers at %s than the one that was started from this folder, so nothing was stopped", state.URL),
			"process %d holds %s; end it if that is the one", pid, project.Folder())
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return fmt.Errorf("finding the network's process %d: %w", pid, err)
	}
	if err := process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping the network's process %d: %w", pid, err)
	}
	defer a.Working("stopping the network, which saves its state")()
	deadline := time.Now().Add(stopWait)
	for {
		// The network removes its state file as the last thing that it does.
		if _, err := project.LoadNetwork(); errors.Is(err, project.ErrNoNetwork) {
			return a.Result(map[string]bool{"stopped": true}, "stopped the network at "+state.URL)
		}
		if process.Signal(syscall.Signal(0)) != nil { // it was killed, or could not clear up
			if err := os.Remove(project.NetworkPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("clearing the state of the network: %w", err)
			}
			continue
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the network's process %d has not ended within %s", pid, stopWait)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
