package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// build compiles the tests of the package, and of its witnesses, with every mutant in them.
func build(m *mutator, dir, scratch string) ([]suite, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no Go files in %q; run this at the root of the repository", dir)
	}
	overlay := map[string]string{}
	put := func(path, text string) error {
		there := filepath.Join(scratch, filepath.Base(path))
		abs, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		overlay[abs] = there
		return os.WriteFile(there, []byte(text), 0o600)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		text, err := m.rewrite(path, string(source))
		if err != nil {
			return nil, err
		}
		if err := put(path, text); err != nil {
			return nil, err
		}
	}
	m.dir = dir
	m.count()
	name := filepath.Base(dir)
	if err := put(filepath.Join(dir, "zz_mutants.go"), fmt.Sprintf(runtime, name, m.next+1)); err != nil {
		return nil, err
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return nil, err
	}
	overlayFile := filepath.Join(scratch, "overlay.json")
	if err := os.WriteFile(overlayFile, list, 0o600); err != nil {
		return nil, err
	}
	var suites []suite
	for i, of := range append([]string{dir}, witnesses[dir]...) {
		binary := filepath.Join(scratch, fmt.Sprint("tests", i))
		out, err := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlayFile, "-o", binary, "./"+of).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("compile %s with its mutants: %w\n%s", dir, err, out)
		}
		suites = append(suites, suite{dir: of, binary: binary})
	}
	return suites, nil
}
