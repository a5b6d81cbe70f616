// Package fileio replaces files in one step and locks them between processes. A file replaced through it
// is, after a crash, the old one or the new one, never half of either.
package fileio
