// Package gobuild runs the Go toolchain as a canister needs it.
package gobuild

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Reactor compiles a package main, as go build names it from the directory dir ("" is the current
// one), and returns the module: a reactor for wasip1, with the names of its functions.
func Reactor(dir, pkg string) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "icbuild-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, "reactor.wasm")
	if _, err := run(dir, pkg, "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-o", out); err != nil {
		return nil, err
	}
	reactor, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("go build %s: %w", pkg, err)
	}
	return reactor, nil
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
