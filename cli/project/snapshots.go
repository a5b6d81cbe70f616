package project

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kedge/cli/ui"
	"kedge/internal/fileio"
)

const snapshotsVersion = 1

// snapshots is the file of the snapshots that kedge deploy took: the next deployment replaces its own, and no
// other.
type snapshots struct {
	Version    int               `json:"version"`
	ByCanister map[string]string `json:"snapshots"` // by canister and network, the id in hexadecimal
}

func snapshotsPath() string { return filepath.Join(Folder(), "snapshots.json") }

func loadSnapshots() (snapshots, error) {
	empty := snapshots{Version: snapshotsVersion, ByCanister: map[string]string{}}
	data, err := os.ReadFile(snapshotsPath())
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return empty, fmt.Errorf("reading the record of snapshots: %w", err)
	}
	var file snapshots
	if err := json.Unmarshal(data, &file); err != nil || file.Version != snapshotsVersion || file.ByCanister == nil {
		return empty, ui.Hinted(fmt.Errorf("%s is damaged, or of a newer kedge", snapshotsPath()),
			"remove it; kedge canister snapshot list shows the snapshots")
	}
	return file, nil
}

// DeploySnapshot returns the snapshot that the last deployment took of a canister, nil if none is recorded.
// where names the canister and its network.
func DeploySnapshot(where string) ([]byte, error) {
	file, err := loadSnapshots()
	if err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(file.ByCanister[where])
	if err != nil || len(id) == 0 {
		return nil, nil
	}
	return id, nil
}

// KeepDeploySnapshot lets the snapshot that the last deployment took of a canister stay: the next one takes
// another in a place of its own.
func KeepDeploySnapshot(where string) error {
	file, err := loadSnapshots()
	if err != nil {
		return err
	}
	delete(file.ByCanister, where)
	return saveSnapshots(file)
}

// RecordDeploySnapshot remembers the snapshot that a deployment took of a canister.
func RecordDeploySnapshot(where string, id []byte) error {
	file, err := loadSnapshots()
	if err != nil {
		return err
	}
	file.ByCanister[where] = hex.EncodeToString(id)
	return saveSnapshots(file)
}

func saveSnapshots(file snapshots) error {
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the record of snapshots: %w", err)
	}
	if err := Make(); err != nil {
		return err
	}
	if err := fileio.WriteFile(snapshotsPath(), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the record of snapshots: %w", err)
	}
	return nil
}
