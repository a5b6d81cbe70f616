package project

import (
	"errors"
	"fmt"
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
	var file Canisters
	there, err := fileio.ReadVersioned(CanistersPath(), canistersVersion, &file)
	var damaged *fileio.DamagedError
	if errors.As(err, &damaged) {
		err = ui.Hinted(err, "remove it and give the canister's id once: kedge deploy --canister ID")
	}
	if err != nil {
		return empty, fmt.Errorf("reading the canister ids: %w", err)
	}
	if !there {
		return empty, nil
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
	if err := Make(); err != nil {
		return err
	}
	if err := fileio.WriteJSON(CanistersPath(), file, 0o644); err != nil {
		return fmt.Errorf("writing the canister ids: %w", err)
	}
	return nil
}
