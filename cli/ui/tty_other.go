//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package ui

// OpenTerminal opens the terminal that controls the process. On this system secrets come from files.
func OpenTerminal() (Terminal, error) { return nil, ErrNoTerminal }
