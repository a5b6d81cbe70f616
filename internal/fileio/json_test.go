package fileio_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/internal/fileio"
)

func TestJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.json")
	var value struct{ Name string }
	there, err := fileio.ReadVersioned(path, 1, &value)
	require.NoError(t, err)
	require.False(t, there)
	require.NoError(t, fileio.WriteJSON(path, map[string]any{"version": 1, "name": "a"}, 0o600))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "{\n  \"name\": \"a\",\n  \"version\": 1\n}\n", string(text))
	there, err = fileio.ReadVersioned(path, 1, &value)
	require.NoError(t, err)
	require.True(t, there)
	require.Equal(t, "a", value.Name)

	_, err = fileio.ReadVersioned(path, 2, &value)
	var version *fileio.VersionError
	require.ErrorAs(t, err, &version)
	require.EqualError(t, err, path+" has version 1, and this program reads version 2")
	for _, damaged := range []string{"", "{", "[]", `{"version":"1"}`, `{"version":1,"name":2}`, `"` + strings.Repeat("x", fileio.MaxJSON) + `"`} {
		require.NoError(t, os.WriteFile(path, []byte(damaged), 0o600))
		there, err := fileio.ReadVersioned(path, 1, &value)
		require.False(t, there)
		var e *fileio.DamagedError
		require.ErrorAs(t, err, &e, "%.20q", damaged)
		require.Equal(t, path, e.Path)
	}
	require.NoError(t, os.WriteFile(path, []byte(`"`+strings.Repeat("x", fileio.MaxJSON)+`"`), 0o600))
	_, err = fileio.ReadJSON(path, new(string))
	require.EqualError(t, err, path+" is damaged: it is longer than 1048576 bytes")
}
