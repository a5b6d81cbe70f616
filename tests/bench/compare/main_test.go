package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCompare(t *testing.T) {
	write := func(name, content string) string {
		file := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		return file
	}
	before := write("before", "Written by make bench.\n\nfigure  measured  goal\n\nin memory\n  calls a second  100  ≥ 50\n  median   2.5ms\n  median and 99th  1ms, 2ms\n  only before  7\n\nstart\n  compiled   1.5s   ≤ 2 s\n  heap   64 KiB\n")
	after := write("after", "figure  measured  goal\n\nin memory\n  calls a second     150   ≥ 50\n  median   5ms\n  median and 99th  1ms, 2ms\n\nstart\n  compiled  750ms\n  heap  128 KiB\n\nother\n  calls a second  1\n")
	var out bytes.Buffer
	require.NoError(t, run(&out, before, after))
	require.Equal(t, `figure  before  after  after / before

in memory
  calls a second  100    150  1.50
  median          2.5ms  5ms  2.00

start
  compiled  1.5s    750ms    0.50
  heap      64 KiB  128 KiB  2.00
`, out.String())
	require.ErrorContains(t, run(&out, before, filepath.Join(t.TempDir(), "absent")), "absent")
}
