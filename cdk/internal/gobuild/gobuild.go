// Package gobuild runs the Go toolchain as a canister needs it.
package gobuild

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-o", out, pkg)
	cmd.Dir = dir
	// What would make the output depend on the machine is set here, not inherited.
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0",
		"GOFLAGS=", "GOWASM=", "GOEXPERIMENT=", "GODEBUG=", "GOFIPS140=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			return nil, fmt.Errorf("go build %s failed:\n%s", pkg, bytes.TrimSpace(stderr.Bytes()))
		}
		return nil, fmt.Errorf("go build: %w", err)
	}
	reactor, err := os.ReadFile(out)
	if err != nil {
		return nil, fmt.Errorf("go build %s: %w", pkg, err)
	}
	return reactor, nil
}
