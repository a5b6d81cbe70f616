package network

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kedge/cli/project"
	"kedge/cli/ui"
	"kedge/internal/fileio"
)

// defaultStateDir is where the network keeps its state, in the folder that it is started from.
func defaultStateDir() string { return filepath.Join(project.Folder(), "network") }

func (a verbs) networkReset() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "reset",
		Short: "erase the state of the local network, every canister on it included",
		Long: `Deletes the folder with the state of a network that is not running. The canister ids
that kedge deploy recorded stay; the next deploy finds them gone and makes new ones.`,
		Example: `  kedge network reset --yes
  kedge network reset --state-dir /tmp/network`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if running() {
				return errRuns
			}
			if err := a.Confirm(fmt.Sprintf("this erases every canister of the network in %s, for ever", dir)); err != nil {
				return err
			}
			if err := eraseState(dir); err != nil {
				return err
			}
			a.sayStale()
			return a.Result(map[string]string{"state_dir": dir}, fmt.Sprintf("erased the network's state in %s", dir))
		},
	}
	a.YesFlag(cmd)
	cmd.Flags().StringVar(&dir, "state-dir", defaultStateDir(), "folder that the network keeps its state in")
	cmd.Flags().Lookup("state-dir").DefValue = ".kedge/network" // of the project, wherever the working folder is
	return cmd
}

// sayStale says which files name canisters of the network that was erased. They are left alone: dfx and icp own
// theirs, and kedge deploy makes a new canister where its own is gone.
func (a verbs) sayStale() {
	found, err := project.FindCanister(project.Root(), a.Target())
	if err != nil {
		return
	}
	for _, known := range found {
		a.Note("canister %s is gone with the network; %s still names it until %s deploy makes another", known.ID, known.File, known.Tool)
	}
}

// errRuns says that the state is in use.
var errRuns = ui.Hinted(errors.New("the network runs, so its state is not erased"), "kedge network stop")

// running reports whether a network that was started from this folder runs.
func running() bool {
	pid, err := project.NetworkProcess()
	return err != nil || pid != 0
}

// eraseState removes the files that the network keeps its state in. A folder with anything else in it is
// not one, whatever --state-dir says, and is left alone.
func eraseState(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("erasing the network's state: %w", err)
	}
	for _, entry := range entries {
		if !isStateFile(entry) {
			return fmt.Errorf("%q has %q in it, so it is not a state folder of a network, and nothing was erased", dir, entry.Name())
		}
	}
	// Whoever runs a network on the folder, from wherever, holds its lock.
	lock, free, err := fileio.TryLockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return fmt.Errorf("erasing the network's state: %w", err)
	}
	if !free {
		return errRuns
	}
	defer func() { _ = lock.Unlock() }()
	for _, entry := range entries {
		if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil {
			return fmt.Errorf("erasing the network's state: %w", err)
		}
	}
	return nil
}

// isStateFile knows the names that packages replica and replica/store give.
func isStateFile(entry fs.DirEntry) bool {
	if !entry.Type().IsRegular() {
		return false
	}
	if entry.Name() == "lock" || entry.Name() == "keys" {
		return true
	}
	for _, prefix := range []string{"checkpoint-", "count-", "log-", "new-"} {
		if rest, found := strings.CutPrefix(entry.Name(), prefix); found && rest != "" && strings.Trim(rest, "0123456789") == "" {
			return true
		}
	}
	return false
}
