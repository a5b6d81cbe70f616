package origin

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// entry is a row of the table that the web page is tested with, too.
type entry struct {
	Name     string `json:"name"`
	Input    string `json:"input"`
	Origin   string `json:"origin"`
	Frontend string `json:"frontend"`
	Refused  Rule   `json:"refused"`
}

func table(t testing.TB) []entry {
	data, err := os.ReadFile("testdata/cases.json")
	require.NoError(t, err)
	var file struct{ Cases []entry }
	require.NoError(t, json.Unmarshal(data, &file))
	require.NotEmpty(t, file.Cases)
	return file.Cases
}

func TestCases(t *testing.T) {
	names, rules := map[string]bool{}, map[Rule]bool{}
	for _, e := range table(t) {
		require.False(t, names[e.Name], "two cases are called %q", e.Name)
		names[e.Name] = true
		t.Run(e.Name, func(t *testing.T) {
			got, err := Canonical(e.Input)
			if e.Refused != "" {
				rules[e.Refused] = true
				var refused *Error
				require.True(t, errors.As(err, &refused), "%q: %v", got, err)
				require.Equal(t, e.Refused, refused.Rule)
				require.NotEmpty(t, texts[e.Refused])
				return
			}
			require.NoError(t, err)
			require.Equal(t, e.Origin, got)
			require.Equal(t, e.Frontend, Frontend(got))
			again, err := Canonical(got)
			require.NoError(t, err)
			require.Equal(t, got, again, "a canonical origin stays")
		})
	}
	require.Len(t, rules, len(texts), "every rule has a case")
}

func TestErrorsSayWhatToWrite(t *testing.T) {
	for input, want := range map[string]string{
		"app.example":               `an origin begins with https:// or http://; write "https://app.example" if that is the application`,
		"localhost:3000":            `write "https://localhost:3000"`,
		"https://app.example/login": `without a path; write "https://app.example"`,
		"https://app.example/?q=1":  `write "https://app.example"`,
		"https://App.example#/x":    `write "https://app.example"`,
		"file:///x":                 "an origin begins with https:// or http://",
		"https://" + strings.Repeat("a", 248) + ".example": "an origin has at most 255 bytes",
	} {
		_, err := Canonical(input)
		require.ErrorContains(t, err, want, "%q", input)
	}
}

// What stands before the host or behind it may be a password or a token.
func TestErrorsRepeatNoSecret(t *testing.T) {
	const secret = "hunter2"
	for _, input := range []string{
		"https://me:" + secret + "@app.example", "https://app.example/" + secret, "https://app.example?token=" + secret,
		"https://app.example#" + secret, "app.example/?token=" + secret, "app.example\\" + secret, secret + "://x", "https://a:" + secret,
	} {
		_, err := Canonical(input)
		require.Error(t, err, "%q", input)
		require.NotContains(t, err.Error(), secret, "%q", input)
	}
}

// Whatever is accepted has one form, in printable ASCII, of scheme, host and port alone.
func FuzzCanonical(f *testing.F) {
	for _, e := range table(f) {
		f.Add(e.Input)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Canonical(text)
		if err != nil {
			return
		}
		again, err := Canonical(got)
		require.NoError(t, err)
		require.Equal(t, got, again)
		require.LessOrEqual(t, len(got), MaxLen)
		require.Regexp(t, "^https?://[!-~]+$", got)
		_, host, _ := strings.Cut(got, "://")
		require.NotRegexp(t, `[A-Z/?#@\\]`, host)
		front, err := Canonical(Frontend(got))
		require.NoError(t, err)
		require.Equal(t, front, Frontend(front), "what is mapped is not mapped again")
	})
}

// Node's URL class is an independent reading of the standard.
func TestAgreesWithNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node here")
	}
	labels := rapid.StringOfN(rapid.RuneFrom([]rune("aZ09-_xn.äßΩ。ｆ\u200bé")), 1, 12, -1)
	part := rapid.OneOf(labels, rapid.SampledFrom([]string{"1", "0x1", "010", "255", "256", "65536", "[::1]", "[2001:DB8::]", "[1::2:0:0:3]", "[::1.2.3.4]", "xn--bcher-kva", "XN--", "0x", "08", "4294967295"}))
	var inputs []string
	draw := rapid.Custom(func(t *rapid.T) string {
		host := strings.Join(rapid.SliceOfN(part, 1, 4).Draw(t, "host"), ".")
		return rapid.SampledFrom([]string{"https://", "HTTP://"}).Draw(t, "scheme") + host + rapid.SampledFrom([]string{"", "/", ":443", ":80", ":0080", ":99999"}).Draw(t, "port")
	})
	for i := range 30_000 {
		inputs = append(inputs, draw.Example(i))
	}
	in, err := json.Marshal(inputs)
	require.NoError(t, err)
	cmd := exec.Command(node, "-e", `
		const inputs = JSON.parse(require("fs").readFileSync(0, "utf8"));
		console.log(JSON.stringify(inputs.map(x => { try { return new URL(x).origin } catch { return "" } })));`)
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	require.NoError(t, err)
	var want []string
	require.NoError(t, json.Unmarshal(out, &want))
	accepted := 0
	for i, input := range inputs {
		got, err := Canonical(input)
		if err != nil {
			got = ""
		}
		require.Equal(t, want[i], got, "%q", input)
		if got != "" {
			accepted++
		}
	}
	require.Greater(t, accepted, 500)
}
