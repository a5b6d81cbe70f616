package settings

import (
	"fmt"
	"path/filepath"
	"slices"

	"kedge/cli/project"
	"kedge/internal/fileio"
)

// What a project names, a network or a canister on a network of others, is shown and asked about the first time:
// a folder that was cloned or unpacked could otherwise send a sign-in anywhere. What a person accepted is in a file
// of his own, by the folder of the project:
//
//	projects.json   { "version": 1, "projects": { "/home/anna/app": ["network https://…"] } }

type accepted struct {
	Version  int                 `json:"version"`
	Projects map[string][]string `json:"projects"`
}

func acceptedPath() (string, error) {
	dir, err := folder()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "projects.json"), nil
}

func readAccepted() (path string, a accepted, err error) {
	if path, err = acceptedPath(); err != nil {
		return "", a, err
	}
	if _, err := fileio.ReadVersioned(path, version, &a); err != nil {
		return "", a, fmt.Errorf("reading what was accepted of projects: %w: remove it, and projects are asked about again", err)
	}
	a.Version = version
	if a.Projects == nil {
		a.Projects = map[string][]string{}
	}
	return path, a, nil
}

// Accepted reports whether the person has accepted something that the project names.
func Accepted(what string) (bool, error) {
	_, a, err := readAccepted()
	if err != nil {
		return false, err
	}
	root, err := filepath.Abs(project.Root())
	if err != nil {
		return false, fmt.Errorf("finding the project's folder: %w", err)
	}
	return slices.Contains(a.Projects[root], what), nil
}

// Accept remembers that the person has accepted something that the project names.
func Accept(what string) error {
	path, a, err := readAccepted()
	if err != nil {
		return err
	}
	root, err := filepath.Abs(project.Root())
	if err != nil {
		return fmt.Errorf("finding the project's folder: %w", err)
	}
	if slices.Contains(a.Projects[root], what) {
		return nil
	}
	a.Projects[root] = append(a.Projects[root], what)
	return write(path, a)
}
