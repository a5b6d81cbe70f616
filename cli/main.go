// Package cli is the command line of Kedge. [Main] runs it in process, with the outside world in a
// [System], so that tests need no binary.
//
// There is one file a verb, named group_verb.go. To add one, write a function that returns its
// cobra command, with an example, and list it in its group.
package cli

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"time"
)

// System is the world outside: what the process was started with and what it may use.
type System struct {
	Args           []string // without the name of the program
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Now            func() time.Time
	Random         io.Reader // cryptographic
	OpenTerminal   func() (Terminal, error)
	WorkFactor     int // of a key store that is written, see device.Store.SetWorkFactor; 0 is the default
}

// RealSystem returns the world of this process.
func RealSystem() System {
	return System{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, Now: time.Now, Random: rand.Reader, OpenTerminal: openTerminal,
	}
}

// Main runs one command and returns the exit code of the process, see [ExitCodes].
func Main(ctx context.Context, system System) int {
	a := &app{System: system}
	root := a.rootCommand()
	root.SetArgs(asLauncher(system.Args))
	root.SetIn(system.Stdin)
	root.SetOut(system.Stdout)
	root.SetErr(system.Stderr)
	defer a.close()
	if err := root.ExecuteContext(ctx); err != nil {
		return a.fail(err)
	}
	return 0
}
