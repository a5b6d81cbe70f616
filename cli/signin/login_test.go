package signin

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFileName(t *testing.T) {
	require.Equal(t, "app.example_8443", fileName("https://app.example:8443"))
	require.Equal(t, ".._.._etc_passwd", fileName("https://../../etc/passwd"))
	require.Equal(t, "app.example", fileName("app.example"))
}
