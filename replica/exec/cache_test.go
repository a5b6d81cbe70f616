package exec

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/wasm"
)

// What a crash or a full disk leaves of the cache of compiled modules keeps no module from being compiled.
func TestDamagedCacheIsOverlooked(t *testing.T) {
	code := (&wasm.Module{
		Types:     []wasm.FuncType{{}},
		Functions: []wasm.Function{{Type: 0, Body: new(wasm.Body).End().Bytes()}},
		Exports:   []wasm.Export{{Name: "canister_update run", Kind: wasm.KindFunction, Index: 0}},
	}).Encode()
	for name, damage := range map[string]func([]byte) []byte{
		"whole":       func(b []byte) []byte { return b },
		"empty":       func([]byte) []byte { return nil },
		"a beginning": func(b []byte) []byte { return b[:len(b)/2] },
		"head alone":  func(b []byte) []byte { return b[:8] },
		"noise":       func(b []byte) []byte { return []byte("this is not what was written here") },
		"a flipped bit": func(b []byte) []byte {
			c := append([]byte(nil), b...)
			c[len(c)-1] ^= 1
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			compile := func() error {
				e, err := NewEngine(t.Context(), Options{CacheDir: dir})
				require.NoError(t, err)
				defer func() { require.NoError(t, e.Close(t.Context())) }()
				_, err = e.Compile(t.Context(), code)
				return err
			}
			require.NoError(t, compile())
			files := 0
			require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				files++
				b, err := os.ReadFile(path)
				require.NoError(t, err)
				return os.WriteFile(path, damage(b), 0o600)
			}))
			require.Positive(t, files)
			require.NoError(t, compile())
		})
	}
}
