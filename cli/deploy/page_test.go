package deploy

import (
	"bytes"
	"compress/gzip"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/cli/session"
	"kedge/cli/ui"
)

// withSection is a module with one custom section.
func withSection(name, content string) []byte {
	section := append([]byte{byte(len(name))}, name+content...)
	return append([]byte("\x00asm\x01\x00\x00\x00\x00"), append([]byte{byte(len(section))}, section...)...)
}

func TestAModuleWithoutPageIsSaid(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(withSection("icp:public kedge:page", "0123"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	for name, c := range map[string]struct {
		module []byte
		has    bool
	}{
		"with its hash":   {withSection("icp:public kedge:page", "0123"), true},
		"compressed":      {packed.Bytes(), true},
		"built without":   {withSection("icp:public kedge:page", "none"), false},
		"another section": {withSection("icp:public candid:args", "()"), false},
		"cut off":         {packed.Bytes()[:packed.Len()-9], false},
	} {
		var out bytes.Buffer
		a := verbs{&session.App{UI: &ui.UI{System: ui.System{Stderr: &out}}}}
		about, err := aboutModule(c.module)
		require.Equal(t, name == "cut off", err != nil, name)
		a.warnOfMissingPage(about)
		if c.has {
			require.Empty(t, out.String(), name)
		} else {
			require.Contains(t, out.String(), "this module has no web page", name)
			require.Contains(t, out.String(), "make build", name)
		}
	}
}
