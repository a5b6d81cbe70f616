// Package settings keeps what a person has set for all commands, in one file of his own and one of each project:
//
//	config.json, in the user's configuration folder       every setting
//	.kedge/config.json, in a project                       network, canister and anchor
//
//	{ "version": 1, "settings": { "anchor": "10000" } }
//
// A flag comes before the environment, that before the project, and that before the user's own file. A project is
// what somebody else may have written: it never names the key store, the signer, the root key or the file with the
// passphrase. See trust.go for what it does name.
package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kedge/cli/project"
	"kedge/internal/fileio"
)

// Setting is one that can be stored.
type Setting struct {
	Name     string // as commands name it
	Variable string // of the environment
	Flag     string // empty if there is none
	Project  bool   // whether a project may have it
	About    string
}

// All are the settings, in the order in which they are shown.
var All = []Setting{
	{"network", "KEDGE_NETWORK", "--network", true, "local, ic, or a URL"},
	{"canister", "KEDGE_CANISTER", "--canister", true, "id of the identity provider"},
	{"anchor", "KEDGE_ANCHOR", "--anchor", true, "number of the anchor"},
	{"as", "KEDGE_AS", "--as", false, "device that signs"},
	{"keys", "KEDGE_KEYS", "--keys", false, "key store file"},
	{"root-key", "KEDGE_ROOT_KEY", "--root-key", false, "root key of the network"},
	{"plain", "KEDGE_PLAIN", "", false, "yes asks in lines in place of forms"},
	{"passphrase-file", "KEDGE_PASSPHRASE_FILE", "", false, "file whose first line is the passphrase of the key store"},
}

// Named returns the setting of a name.
func Named(name string) (Setting, bool) {
	i := slices.IndexFunc(All, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return Setting{}, false
	}
	return All[i], true
}

// Of returns the setting of a variable of the environment.
func Of(variable string) (Setting, bool) {
	i := slices.IndexFunc(All, func(s Setting) bool { return s.Variable == variable })
	if i < 0 {
		return Setting{}, false
	}
	return All[i], true
}

// Names are the names of all settings.
func Names() (names []string) {
	for _, s := range All {
		names = append(names, s.Name)
	}
	return names
}

// Sources, strongest first.
const (
	FromFlag        = "flag"
	FromEnvironment = "environment"
	FromProject     = "project"
	FromUser        = "user"
	FromDefault     = "default"
)

const version = 1

// File is a file of settings.
type File struct {
	Path   string
	Values map[string]string

	project bool
}

// User reads the user's own file; one that is not there is empty, and so is that of a process without a home.
func User() (*File, error) {
	dir, err := folder()
	if err != nil {
		return &File{Values: map[string]string{}}, nil
	}
	return read(filepath.Join(dir, "config.json"), false)
}

// Project reads the file of the project that the working folder is in, after [project.Check].
func Project() (*File, error) {
	if err := project.Check(); err != nil {
		return nil, err
	}
	return read(filepath.Join(project.Folder(), "config.json"), true)
}

// folder is where the user's own files are.
func folder() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding the configuration folder: %w", err)
	}
	return filepath.Join(dir, "kedge"), nil
}

// OfProject reports whether it is the file of a project.
func (f *File) OfProject() bool { return f.project }

type content struct {
	Version  int               `json:"version"`
	Settings map[string]string `json:"settings"`
}

func read(path string, ofProject bool) (*File, error) {
	f := &File{Path: path, Values: map[string]string{}, project: ofProject}
	var c content
	if _, err := fileio.ReadVersioned(path, version, &c); err != nil {
		return nil, fmt.Errorf("reading the settings: %w; mend the file or remove it", err)
	}
	for name, value := range c.Settings {
		s, known := Named(name)
		switch {
		case !known:
			return nil, fmt.Errorf("settings %q have %q, which is no setting; there are %s", path, name, strings.Join(Names(), ", "))
		case ofProject && !s.Project:
			return nil, fmt.Errorf("settings %q of the project have %q, which a project may not set: take it out, and set it for yourself", path, name)
		}
		f.Values[name] = value
	}
	return f, nil
}

// Set changes a setting, and with an empty value takes it out. The caller has checked the value.
func (f *File) Set(name, value string) error {
	s, known := Named(name)
	if !known {
		return fmt.Errorf("%q is no setting; there are %s", name, strings.Join(Names(), ", "))
	}
	if f.project && !s.Project {
		return fmt.Errorf("a project may not set %q, which decides about your keys", name)
	}
	if f.Path == "" {
		_, err := folder()
		return err
	}
	if value == "" {
		delete(f.Values, name)
	} else {
		f.Values[name] = value
	}
	if f.project {
		if err := project.Make(); err != nil {
			return err
		}
	}
	return write(f.Path, content{version, f.Values})
}

func write(path string, value any) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the folder of the settings: %w", err)
	}
	if err := fileio.WriteJSON(path, value, 0o600); err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	return nil
}
