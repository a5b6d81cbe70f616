package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kedge/ic/principal"
	"kedge/internal/fileio"
)

// The project folder .kedge holds what commands in the same working folder share. None of it is
// secret, and all of it can be made again:
//
//	.kedge/canisters.json   canister ids by network, for the default of --canister:
//	                        { "version": 1, "canisters": { "local": "bkyz2-…", "http://…": "…" } }
//	.kedge/network.json     the network that kedge network start --background left running
const projectFolder = ".kedge"

const canistersVersion = 1

type canistersFile struct {
	Version   int                            `json:"version"`
	Canisters map[string]principal.Principal `json:"canisters"`
}

func canistersPath() string { return filepath.Join(projectFolder, "canisters.json") }

// loadCanisters reads the record of canister ids; none is an empty one.
func loadCanisters() (canistersFile, error) {
	empty := canistersFile{Version: canistersVersion, Canisters: map[string]principal.Principal{}}
	data, err := os.ReadFile(canistersPath())
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return empty, fmt.Errorf("reading the canister ids: %w", err)
	}
	var file canistersFile
	if err := json.Unmarshal(data, &file); err != nil {
		return empty, hinted(fmt.Errorf("%s is damaged: %w", canistersPath(), err),
			"remove it and give the canister's id once: kedge deploy --canister ID")
	}
	if file.Version != canistersVersion {
		return empty, fmt.Errorf("%s has version %d, which a newer kedge wrote", canistersPath(), file.Version)
	}
	if file.Canisters == nil {
		file.Canisters = empty.Canisters
	}
	return file, nil
}

// recordCanister remembers the canister of a network.
func recordCanister(network string, id principal.Principal) error {
	file, err := loadCanisters()
	if err != nil {
		return err
	}
	file.Canisters[network] = id
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the canister ids: %w", err)
	}
	if err := os.MkdirAll(projectFolder, 0o755); err != nil {
		return fmt.Errorf("making the project folder: %w", err)
	}
	if err := fileio.WriteFile(canistersPath(), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the canister ids: %w", err)
	}
	return nil
}
