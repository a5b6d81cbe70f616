package session

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/settings"
	"kedge/cli/ui"
)

// LoadSettings reads the files of settings, once a run. A file that is damaged fails every command that would use
// it: what it set would otherwise be something else without a word.
func (a *App) LoadSettings() error {
	if a.stored == nil {
		a.stored, a.storedErr = readSettings()
	}
	return a.storedErr
}

// readSettings returns the files, strongest first; never nil.
func readSettings() (files []*settings.File, err error) {
	files = []*settings.File{}
	theirs, err := settings.Project()
	if err != nil {
		return files, err
	}
	own, err := settings.User()
	if err != nil {
		return files, err
	}
	return append(files, theirs, own), nil
}

// Value is a setting, where it comes from, and in which file it is, if it is in one.
func (a *App) Value(flag, variable, otherwise string) (value, source, file string) {
	if flag != "" {
		return flag, settings.FromFlag, ""
	}
	if v := a.Getenv(variable); v != "" {
		return v, settings.FromEnvironment, ""
	}
	if s, ok := settings.Of(variable); ok {
		_ = a.LoadSettings() // the command has failed before, if it is one that needs them
		for _, f := range a.stored {
			if v := f.Values[s.Name]; v != "" {
				if f.OfProject() {
					return v, settings.FromProject, f.Path
				}
				return v, settings.FromUser, f.Path
			}
		}
	}
	return otherwise, settings.FromDefault, ""
}

// Setting returns a flag's value, or that of the environment variable, or what is stored, or the default.
func (a *App) Setting(flag, variable, otherwise string) string {
	value, _, _ := a.Value(flag, variable, otherwise)
	return value
}

// PassphraseFile is the file whose first line is the passphrase of the key store, empty if there is none.
func (a *App) PassphraseFile() string { return a.Setting("", "KEDGE_PASSPHRASE_FILE", "") }

// onThisMachine reports whether an address can only mean this machine.
func onThisMachine(address string) bool {
	u, err := url.Parse(address)
	return err == nil && client.Loopback(u.Hostname())
}

// acceptNetwork asks about a network that the project names for the first time.
func (a *App) acceptNetwork() error {
	name, source, file := a.Value(a.NetworkFlag, "KEDGE_NETWORK", Local)
	if at := LocalURL(); name == Local && !onThisMachine(at) { // somebody else may have written what runs here
		return a.accept("network "+at, project.NetworkPath(), "--network "+at)
	}
	// One on this machine is asked about, too: whatever listens there could pass calls on.
	if source != settings.FromProject || name == Local {
		return nil
	}
	return a.accept("network "+name, file, "--network "+name)
}

// AcceptCanister asks about a canister that a file of the project names for the first time, unless it is on a network
// of this machine.
func (a *App) AcceptCanister(known project.Known) error {
	if known.File == "" {
		return nil
	}
	if u := a.Target().URL; u != nil && client.Loopback(u.Hostname()) {
		return nil
	}
	return a.accept(CanisterAt(known.ID.Text(), a.NetworkName()), known.File, "--canister "+known.ID.Text())
}

// CanisterAt is what a person accepts of a project: a canister on a network.
func CanisterAt(id, network string) string {
	return fmt.Sprintf("canister %s on the network %s", id, network)
}

// accept asks whether to use what a project names, unless the person has said yes before.
func (a *App) accept(what, file, flag string) error {
	yes, err := settings.Accepted(what)
	if err != nil || yes {
		return err
	}
	root, err := filepath.Abs(project.Root())
	if err != nil {
		return fmt.Errorf("finding the project's folder: %w", err)
	}
	named := fmt.Sprintf("the project in %s names the %s (in %s), which you have not used from there before",
		ui.Printable(root), ui.Printable(what), filepath.Base(file))
	if a.NoQuestions {
		return errors.New(named)
	}
	if _, err := a.OpenTerminalOnce(); err != nil && !a.Yes {
		return &ui.Error{Err: errors.New(named), Code: ui.ExitNotAccepted,
			Hint: fmt.Sprintf("if that is right, %s says so for one command, and kedge config trust --yes for all of this project", flag)}
	}
	if err := a.Confirm(named); err != nil {
		return err
	}
	return settings.Accept(what)
}
