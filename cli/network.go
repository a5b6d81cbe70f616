package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kedge/internal/fileio"

	"github.com/spf13/cobra"
)

func (a *app) networkCommand() *cobra.Command {
	return a.group("network", "run the local network", a.networkStart(), a.networkStatus(), a.networkStop(), a.networkReset(), a.networkLauncher())
}

// networkState is what .kedge/network.json says of the network that runs from this folder. The
// network writes it once it is healthy and removes it when it ends.
type networkState struct {
	Version int    `json:"version"`
	URL     string `json:"url"`
	PID     int    `json:"pid"`
	RootKey string `json:"root_key"`
}

const networkStateVersion = 1

func networkStatePath() string { return filepath.Join(projectFolder, "network.json") }

var errNoNetwork = hinted(errors.New("no network was started from this folder"), "kedge network start --background")

// loadNetworkState reads the state file; errNoNetwork says that there is none.
func loadNetworkState() (networkState, error) {
	data, err := os.ReadFile(networkStatePath())
	if errors.Is(err, fs.ErrNotExist) {
		return networkState{}, errNoNetwork
	}
	if err != nil {
		return networkState{}, fmt.Errorf("reading the state of the network: %w", err)
	}
	var state networkState
	if err := json.Unmarshal(data, &state); err != nil || state.Version != networkStateVersion || state.PID <= 1 {
		return networkState{}, hinted(fmt.Errorf("%s is damaged", networkStatePath()), "stop the network by its process id and remove the file")
	}
	return state, nil
}

func saveNetworkState(n networkStarted) error {
	state := networkState{Version: networkStateVersion, URL: n.URL, PID: n.PID, RootKey: n.RootKey}
	data, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the state of the network: %w", err)
	}
	if err := os.MkdirAll(projectFolder, 0o755); err != nil {
		return fmt.Errorf("making the project folder: %w", err)
	}
	if err := fileio.WriteFile(networkStatePath(), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the state of the network: %w", err)
	}
	return nil
}

// dropNetworkState removes the state file if it is still about the given process.
func dropNetworkState(pid int) error {
	state, err := loadNetworkState()
	if err != nil || state.PID != pid {
		return nil
	}
	return os.Remove(networkStatePath())
}
