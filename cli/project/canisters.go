package project

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kedge/cli/ui"
	"kedge/ic/principal"
	"kedge/internal/fileio"
)

const canistersVersion = 1

// Canisters is the file of canister ids.
type Canisters struct {
	Version   int                            `json:"version"`
	ByNetwork map[string]principal.Principal `json:"canisters"`
}

func CanistersPath() string { return filepath.Join(Folder(), "canisters.json") }

// LoadCanisters reads the record of canister ids; none is an empty one.
func LoadCanisters() (Canisters, error) {
	empty := Canisters{Version: canistersVersion, ByNetwork: map[string]principal.Principal{}}
	data, err := os.ReadFile(CanistersPath())
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return empty, fmt.Errorf("reading the canister ids: %w", err)
	}
	var file Canisters
	if err := json.Unmarshal(data, &file); err != nil {
		return empty, ui.Hinted(fmt.Errorf("%s is damaged: %w", CanistersPath(), err),
			"remove it and give the canister's id once: kedge deploy --canister ID")
	}
	if file.Version != canistersVersion {
		return empty, fmt.Errorf("%s has version %d, which a newer kedge wrote", CanistersPath(), file.Version)
	}
	if file.ByNetwork == nil {
		file.ByNetwork = empty.ByNetwork
	}
	return file, nil
}

// RecordCanister remembers the canister of a network.
func RecordCanister(network string, id principal.Principal) error {
	file, err := LoadCanisters()
	if err != nil {
		return err
	}
	file.ByNetwork[network] = id
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the canister ids: %w", err)
	}
	if err := Make(); err != nil {
		return err
	}
	if err := fileio.WriteFile(CanistersPath(), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the canister ids: %w", err)
	}
	return nil
}
