// Package pty opens pseudo-terminals for tests of programs that ask and draw on a terminal. Linux only.
package pty
