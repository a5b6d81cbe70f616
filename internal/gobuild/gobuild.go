// Package gobuild runs the Go toolchain as a canister needs it.
package gobuild

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Reactor compiles a package main, as go build names it from the directory dir ("" is the current
// one), and returns the module: a reactor for wasip1, with the names of its functions. The build reads
// some files elsewhere: replace maps the path of a file, from the current directory, to that of what stands
// in for it.
func Reactor(dir, pkg string, replace map[string]string) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "icbuild-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, "reactor.wasm")
	args := []string{"-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-o", out}
	if len(replace) > 0 {
		overlay := filepath.Join(tmp, "overlay.json")
		if err := writeOverlay(overlay, replace); err != nil {
			return nil, err
		}
		args = append(args, "-overlay", overlay)
	}
	if _, err := run(dir, pkg, "build", args...); err != nil {
		return nil, err
	}
	reactor, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("go build %s: %w", pkg, err)
	}
	return reactor, nil
}

// writeOverlay writes what go build -overlay reads. A file that does not exist would be ignored silently.
func writeOverlay(path string, replace map[string]string) error {
	absolute := map[string]string{}
	for file, by := range replace {
		for _, p := range []string{file, by} {
			if info, err := os.Stat(p); err != nil {
				return err
			} else if !info.Mode().IsRegular() {
				return fmt.Errorf("%q is no file", p)
			}
		}
		file, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		if absolute[file], err = filepath.Abs(by); err != nil {
			return err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": absolute})
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// Sources returns the files that a package is made of, those of the standard library excepted. A
// test that runs [Reactor] opens them, so that its cached result is not used when one has changed.
func Sources(dir, pkg string) ([]string, error) {
	const format = "{{if not .Standard}}{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}\n{{end}}{{end}}"
	out, err := run(dir, pkg, "list", "-deps", "-f", format)
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(out)), nil
}

// run runs a subcommand of go on a package, for wasip1.
func run(dir, pkg, subcommand string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", append(append([]string{subcommand}, args...), pkg)...)
	cmd.Dir = dir
	// What would make the output depend on the machine is set here, not inherited.
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0",
		"GOFLAGS=", "GOWASM=", "GOEXPERIMENT=", "GODEBUG=", "GOFIPS140=off")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return nil, fmt.Errorf("go %s %s failed:\n%s", subcommand, pkg, bytes.TrimSpace(stderr.Bytes()))
	}
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", subcommand, err)
	}
	return stdout.Bytes(), nil
}
