// Package slip39 holds the shares of the security key against the reference implementation of SLIP-0039,
// which shares no code with it.
package slip39

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/device/slip39"
)

type request struct {
	Secret         string   `json:"secret,omitempty"`
	Shares         []string `json:"shares,omitempty"`
	GroupThreshold int      `json:"group_threshold,omitempty"`
	Groups         [][2]int `json:"groups,omitempty"`
	Passphrase     string   `json:"passphrase"`
	Extendable     bool     `json:"extendable"`
	Exponent       uint8    `json:"exponent"`
}

type answer struct {
	Groups [][]string
	Secret string
	Error  string
}

// reference is the other implementation, at work.
type reference struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

func openReference(t *testing.T) *reference {
	t.Helper()
	python, err := filepath.Abs("../ctap/.venv/bin/python")
	require.NoError(t, err)
	if exec.Command(python, "-c", "import shamir_mnemonic").Run() != nil {
		t.Skip("python's shamir-mnemonic is not here; scripts/tools.sh installs it into tests/ctap/.venv (tests/ctap/requirements.txt)")
	}
	program := exec.Command(python, "reference.py")
	in, err := program.StdinPipe()
	require.NoError(t, err)
	out, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	t.Cleanup(func() { require.NoError(t, in.Close()); require.NoError(t, program.Wait()) })
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	return &reference{t, in, lines}
}

func (r *reference) ask(q request) (a answer) {
	r.t.Helper()
	line, err := json.Marshal(q)
	require.NoError(r.t, err)
	_, err = fmt.Fprintf(r.in, "%s\n", line)
	require.NoError(r.t, err)
	require.True(r.t, r.out.Scan(), "%v", r.out.Err())
	require.NoError(r.t, json.Unmarshal(r.out.Bytes(), &a))
	return a
}

// cases are the ways to split that people use, and the edges of what the standard allows.
var cases = []request{
	{GroupThreshold: 1, Groups: [][2]int{{1, 1}}},
	{GroupThreshold: 1, Groups: [][2]int{{2, 3}}, Passphrase: "TREZOR"},
	{GroupThreshold: 1, Groups: [][2]int{{3, 5}}, Exponent: 1},
	{GroupThreshold: 1, Groups: [][2]int{{16, 16}}},
	{GroupThreshold: 2, Groups: [][2]int{{1, 1}, {2, 3}}, Passphrase: "a passphrase ~!\""},
	{GroupThreshold: 2, Groups: [][2]int{{2, 3}, {3, 5}, {1, 1}, {2, 2}}, Exponent: 2},
	{GroupThreshold: 1, Groups: [][2]int{{2, 2}, {1, 1}}},
}

// enough picks so many shares of so many groups as are needed, in any order.
func enough(q request, groups [][]string) []string {
	var shares []string
	for _, g := range mathrand.Perm(len(groups))[:q.GroupThreshold] {
		for _, i := range mathrand.Perm(len(groups[g]))[:q.Groups[g][0]] {
			shares = append(shares, groups[g][i])
		}
	}
	return shares
}

func join(t *testing.T, texts []string, passphrase string) string {
	t.Helper()
	var shares []slip39.Share
	for _, text := range texts {
		s, err := slip39.ParseShare(text)
		require.NoError(t, err)
		require.Equal(t, text, strings.Join(s.Words(), " "))
		shares = append(shares, s)
	}
	secret, err := slip39.Combine(shares, passphrase)
	require.NoError(t, err)
	return hex.EncodeToString(secret)
}

// What either splits the other joins, with a right passphrase and with a wrong one, which gives the same other
// secret on both sides.
func TestReference(t *testing.T) {
	r := openReference(t)
	for _, size := range []int{16, 18, 32, 64} {
		for _, q := range cases {
			t.Run(fmt.Sprint(size, q), func(t *testing.T) {
				secret := make([]byte, size)
				_, err := rand.Read(secret)
				require.NoError(t, err)

				o := slip39.Options{GroupThreshold: q.GroupThreshold, Passphrase: q.Passphrase, Exponent: q.Exponent}
				for _, g := range q.Groups {
					o.Groups = append(o.Groups, slip39.Group{Threshold: g[0], Count: g[1]})
				}
				split, err := slip39.Split(secret, o, rand.Reader)
				require.NoError(t, err)
				ours := make([][]string, len(split))
				for g, shares := range split {
					for _, s := range shares {
						ours[g] = append(ours[g], strings.Join(s.Words(), " "))
					}
				}
				some := enough(q, ours)
				a := r.ask(request{Shares: some, Passphrase: q.Passphrase})
				require.Empty(t, a.Error)
				require.Equal(t, hex.EncodeToString(secret), a.Secret)
				wrong := r.ask(request{Shares: some, Passphrase: "wrong"})
				require.NotEqual(t, a.Secret, wrong.Secret)
				require.Equal(t, wrong.Secret, join(t, some, "wrong"))

				for _, q.Extendable = range []bool{false, true} {
					q.Secret = hex.EncodeToString(secret)
					theirs := r.ask(q)
					require.Empty(t, theirs.Error)
					require.Equal(t, q.Secret, join(t, enough(q, theirs.Groups), q.Passphrase))
				}
			})
		}
	}
}

// A share with two words swapped, or of another set, is refused by both.
func TestReferenceRefuses(t *testing.T) {
	r := openReference(t)
	q := request{GroupThreshold: 1, Groups: [][2]int{{2, 3}}, Secret: strings.Repeat("5a", 32)}
	first, second := r.ask(q).Groups[0], r.ask(q).Groups[0]
	words := strings.Fields(first[0])
	words[10], words[11] = words[11], words[10]
	for name, shares := range map[string][]string{
		"another set": {first[0], second[1]}, "too few": {first[0]}, "swapped": {strings.Join(words, " "), first[1]},
	} {
		if name == "swapped" && words[10] == words[11] {
			continue
		}
		t.Run(name, func(t *testing.T) {
			require.NotEmpty(t, r.ask(request{Shares: shares}).Error)
			var parsed []slip39.Share
			var failed error
			for _, text := range shares {
				s, err := slip39.ParseShare(text)
				if err != nil {
					failed = err
				}
				parsed = append(parsed, s)
			}
			if failed == nil {
				_, failed = slip39.Combine(parsed, "")
			}
			require.Error(t, failed)
		})
	}
}
