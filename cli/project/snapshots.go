package project

import (
	"encoding/hex"
	"fmt"
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
	var file snapshots
	there, err := fileio.ReadVersioned(snapshotsPath(), snapshotsVersion, &file)
	for where, text := range file.ByCanister {
		if _, wrong := hex.DecodeString(text); err == nil && (wrong != nil || text == "") {
			err = &fileio.DamagedError{Path: snapshotsPath(), Err: fmt.Errorf("the snapshot %q of %s is no id", text, where)}
		}
	}
	if err != nil {
		return empty, ui.Hinted(fmt.Errorf("reading the record of snapshots: %w", err), "remove it; kedge canister snapshot list shows the snapshots")
	}
	if !there || file.ByCanister == nil {
		return empty, nil
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
	text, there := file.ByCanister[where]
	if !there {
		return nil, nil
	}
	return hex.DecodeString(text)
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
	if err := Make(); err != nil {
		return err
	}
	if err := fileio.WriteJSON(snapshotsPath(), file, 0o644); err != nil {
		return fmt.Errorf("writing the record of snapshots: %w", err)
	}
	return nil
}
