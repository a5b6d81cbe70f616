package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/cdk/cdktest"
)

func TestGreet(t *testing.T) {
	network := cdktest.Install(t)
	reply, err := network.Update(greet, []byte("you"))
	require.NoError(t, err)
	require.Equal(t, "hello you", string(reply))
	reply, err = network.Query(count, nil)
	require.NoError(t, err)
	require.Equal(t, "1", string(reply))
}

// The documentation of package cdk shows this package, line by line.
func TestDocumentationShowsThis(t *testing.T) {
	source, err := os.ReadFile("main.go")
	require.NoError(t, err)
	doc, err := os.ReadFile("../../cdk/doc.go")
	require.NoError(t, err)
	_, program, _ := strings.Cut(string(source), "\npackage main")
	var shown strings.Builder
	for line := range strings.Lines("package main" + program) {
		shown.WriteString(strings.TrimSpace("//\t"+strings.TrimRight(line, "\n")) + "\n")
	}
	require.Contains(t, string(doc), shown.String())
}
