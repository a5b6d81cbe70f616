package signin

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFileName(t *testing.T) {
	for origin, want := range map[string]string{
		"https://app.example": "app.example", "https://app.example:8443": "app.example_p8443", "http://app.example": "http_sapp.example",
		"http://localhost:3000": "http_slocalhost_p3000", "https://[2001:db8::1]:1": "_5b2001_3adb8_3a_3a1_5d_p1", "https://a_p1.example": "a_5fp1.example",
		"https://xn--bcher-kva.example": "xn--bcher-kva.example", "https://..": "_2e.",
	} {
		require.Equal(t, want, fileName(origin))
	}
}

// Sessions of different origins never overwrite each other.
func TestFileNamesAreOneToOne(t *testing.T) {
	scheme := rapid.SampledFrom([]string{"https", "http"})
	rest := rapid.StringMatching(`[a-z0-9_.~!$-]{1,6}(:[1-9][0-9]{0,3})?`)
	rapid.Check(t, func(t *rapid.T) {
		a := scheme.Draw(t, "scheme") + "://" + rest.Draw(t, "host")
		b := scheme.Draw(t, "scheme") + "://" + rest.Draw(t, "host")
		require.Equal(t, a == b, fileName(a) == fileName(b))
	})
}
