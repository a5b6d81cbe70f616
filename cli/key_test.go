package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/device/slip39"
)

// paper is a person who writes down every sheet that is shown, and answers questions for a word from the
// last one.
type paper struct {
	person
	slip bool // answer the next question for a word wrongly
}

func (p *paper) Secret(prompt string) (string, error) {
	var at int
	if _, err := fmt.Sscanf(prompt, "word %d, from the paper:", &at); err != nil {
		return p.person.Secret(prompt)
	}
	p.prompts = append(p.prompts, prompt)
	words := strings.Fields(sheetWords(p.shown[len(p.shown)-1]))
	if p.slip {
		p.slip = false
		return "zzzz", nil
	}
	if at > len(words) {
		return "", errors.New("no such word on the sheet")
	}
	return words[at-1], nil
}

// sheets returns the words of every sheet that was shown.
func (p *paper) sheets() []string {
	var all []string
	for _, shown := range p.shown {
		all = append(all, sheetWords(shown))
	}
	return all
}

// sheetWords returns the words below a sheet's title, each behind its number.
func sheetWords(sheet string) string {
	_, rows, _ := strings.Cut(sheet, "\n\n")
	var words []string
	for i, field := range strings.Fields(rows) {
		if i%2 == 1 {
			words = append(words, field)
		}
	}
	return strings.Join(words, " ")
}

type fingerprint struct {
	Fingerprint string `json:"fingerprint"`
}

func fingerprintIn(t *testing.T, stdout string) string {
	t.Helper()
	var f fingerprint
	require.NoError(t, json.Unmarshal([]byte(stdout), &f))
	return f.Fingerprint
}

// From a new key to a finalized one and back from the paper alone, all on a terminal.
func TestWordsOfAKey(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"KEDGE_KEYS": filepath.Join(dir, "keys.age")}
	code, stdout, stderr := run(t, &person{answers: []func(*person) string{say("pass"), say("pass")}}, env, "key", "init", "laptop", "--json")
	require.Zero(t, code, stderr)
	print := fingerprintIn(t, stdout)

	p := &paper{person: person{answers: []func(*person) string{say("pass")}}, slip: true}
	code, stdout, stderr = runAs(t, p, env, "key", "export", "laptop")
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, "that is not the word on the sheet; here it is again")
	require.Len(t, p.shown, 2, "shown again after the slip")
	words := p.sheets()[1]
	require.Len(t, strings.Fields(words), 24)
	require.Contains(t, p.shown[1], print)
	for _, out := range []string{stdout, stderr, strings.Join(p.prompts, " ")} {
		for i, w := range strings.Fields(words)[1:] {
			require.NotContains(t, out, strings.Fields(words)[i]+" "+w)
		}
	}

	t.Run("nobody reads it back", func(t *testing.T) {
		p := &person{answers: []func(*person) string{say("pass"), say("x"), say("x"), say("x")}}
		code, _, stderr := run(t, p, env, "key", "export", "laptop")
		require.Equal(t, 5, code)
		require.Contains(t, stderr, "the words were not read back correctly")
	})
	t.Run("finalize before check", func(t *testing.T) {
		code, _, stderr := run(t, &person{answers: []func(*person) string{say("pass")}}, env, "key", "finalize", "laptop")
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "has not been checked")
	})
	t.Run("a typo", func(t *testing.T) {
		list := strings.Fields(words)
		list[6] += "q"
		p := &person{answers: []func(*person) string{say("pass"), say(strings.Join(list, " "))}}
		code, _, stderr := run(t, p, env, "key", "check", "laptop")
		require.Equal(t, 5, code)
		require.Contains(t, stderr, "kedge: error: the words: word 7 is not in the BIP-39 list\n")
		require.NotContains(t, stderr, list[6])
		require.Len(t, p.shown, 1, "what was typed and what is meant is shown on the terminal alone")
		require.Contains(t, p.shown[0], fmt.Sprintf("word 7 %q is not in the list, did you mean", list[6]))
	})
	code, stdout, stderr = run(t, &person{answers: []func(*person) string{say("pass"), say(strings.ToUpper(words))}}, env, "key", "check", "laptop")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "the backup gives the seed "+print)
	t.Run("a slip in the fingerprint", func(t *testing.T) {
		code, _, stderr := run(t, &person{answers: []func(*person) string{say("pass"), say("yes")}}, env, "key", "finalize", "laptop")
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "so nothing was done")
	})
	code, _, stderr = run(t, &person{answers: []func(*person) string{say("pass"), say(print)}}, env, "key", "finalize", "laptop")
	require.Zero(t, code, stderr)
	code, _, stderr = run(t, &person{answers: []func(*person) string{say("pass")}}, env, "key", "export", "laptop")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "is finalized")

	other := map[string]string{"KEDGE_KEYS": filepath.Join(dir, "other.age")}
	code, stdout, stderr = run(t, &person{answers: []func(*person) string{say("new"), say("new"), say(words)}}, other, "key", "restore", "laptop", "--json")
	require.Zero(t, code, stderr)
	require.Equal(t, print, fingerprintIn(t, stdout))
}

// Five shares with a passphrase, shown one by one; any three give the key back, and two do not.
func TestSharesOfAKey(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"KEDGE_KEYS": filepath.Join(dir, "keys.age")}
	code, stdout, stderr := run(t, &person{answers: []func(*person) string{say("pass"), say("pass")}}, env, "key", "init", "laptop", "--json")
	require.Zero(t, code, stderr)
	print := fingerprintIn(t, stdout)

	p := &paper{person: person{answers: []func(*person) string{say("TREZOR"), say("TREZOR"), say("pass")}}}
	code, stdout, stderr = runAs(t, p, env, "key", "export", "laptop", "--shares", "--share-passphrase")
	require.Zero(t, code, stderr)
	shares := p.sheets()
	require.Len(t, shares, 5)
	require.Contains(t, stdout, "5 shares of the set "+strings.Join(strings.Fields(shares[0])[:2], " "))
	for i, s := range shares {
		require.Len(t, strings.Fields(s), 33)
		require.Contains(t, p.shown[i], fmt.Sprintf("share %d of 5 of security key laptop, fingerprint %s; any 3 of the 5", i+1, print))
	}
	for _, prompt := range p.prompts {
		var at int
		if n, _ := fmt.Sscanf(prompt, "word %d,", &at); n == 1 {
			require.Greater(t, at, 4, "the first four words are nearly the same in all shares")
		}
	}
	secret, err := joinText(shares[:3], "TREZOR")
	require.NoError(t, err)
	require.Len(t, secret, 32)

	check := func(passphrase string, typed ...string) (int, string, string) {
		answers := []func(*person) string{say("pass")}
		for _, s := range typed {
			answers = append(answers, say(s))
		}
		return run(t, &person{answers: append(answers, say(""), say(passphrase))}, env, "key", "check", "laptop", "--shares", "--share-passphrase")
	}
	code, stdout, stderr = check("TREZOR", shares[4], shares[0], shares[2])
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, print)
	t.Run("a share twice, then another", func(t *testing.T) {
		code, _, stderr := check("TREZOR", shares[4], shares[4], shares[1], shares[2])
		require.Zero(t, code, stderr)
		require.Contains(t, stderr, "kedge: warning: the share: share 5 of set ")
		require.Contains(t, stderr, "was given already")
	})
	t.Run("wrong passphrase", func(t *testing.T) {
		code, _, stderr := check("trezor", shares[4], shares[0], shares[2])
		require.Equal(t, 5, code)
		require.Contains(t, stderr, "this is the backup of another seed")
		require.Contains(t, stderr, "hint: these are shares of another seed, or need another passphrase")
	})
	t.Run("too few", func(t *testing.T) {
		code, _, stderr := check("TREZOR", shares[4], shares[0])
		require.Equal(t, 5, code)
		require.NotContains(t, stderr, strings.Fields(shares[4])[10]+" "+strings.Fields(shares[4])[11])
	})
	t.Run("prompts say what is missing", func(t *testing.T) {
		p := &person{answers: []func(*person) string{say("pass"), say(shares[0]), say(shares[1]), say(shares[2]), say(""), say("TREZOR")}}
		code, _, stderr := run(t, p, env, "key", "check", "laptop", "--shares", "--share-passphrase")
		require.Zero(t, code, stderr)
		require.Equal(t, []string{
			"first share: ", "next share, there is 1 of the 3: ", "next share, there is 2 of the 3: ",
			"there are enough with 3; the next share to check, or an empty line: ",
		}, p.prompts[1:5])
	})
	t.Run("all five", func(t *testing.T) {
		code, stdout, stderr := check("TREZOR", shares...)
		require.Zero(t, code, stderr)
		require.Contains(t, stdout, print)
	})
}

// Groups: the owner alone, or two of three friends.
func TestGroupsOfShares(t *testing.T) {
	env := map[string]string{"KEDGE_KEYS": filepath.Join(t.TempDir(), "keys.age")}
	code, _, stderr := run(t, &person{answers: []func(*person) string{say("pass"), say("pass")}}, env, "key", "init", "laptop")
	require.Zero(t, code, stderr)
	p := &paper{person: person{answers: []func(*person) string{say("pass")}}}
	code, stdout, stderr := runAs(t, p, env, "key", "export", "laptop", "--group", "1of1", "--group", "2of3", "--groups-needed", "1", "--json")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, `"shares":4`)
	shares := p.sheets()
	alone, err := joinText(shares[:1], "")
	require.NoError(t, err)
	friends, err := joinText(shares[2:4], "")
	require.NoError(t, err)
	require.Equal(t, alone, friends)
	_, err = joinText(shares[1:2], "")
	require.EqualError(t, err, "there are too few shares: 0 of the 1 groups are complete, there are 1 of the 2 of group 2")

	for _, group := range []string{"1of3", "4of3", "0of0", "3of17"} {
		code, _, stderr = runAs(t, &paper{person: person{answers: []func(*person) string{say("pass")}}}, env, "key", "export", "laptop", "--group", group)
		require.Equal(t, 2, code, stderr)
	}
	code, stdout, _ = run(t, &person{answers: []func(*person) string{say("pass")}}, env, "key", "status", "laptop", "--json")
	require.Zero(t, code)
	require.Equal(t, 1, strings.Count(stdout, `"as":"shares"`), "what made no sense exported nothing")
}

func joinText(texts []string, passphrase string) ([]byte, error) {
	var set slip39.Set
	for _, text := range texts {
		s, err := slip39.ParseShare(text)
		if err == nil {
			err = set.Add(s)
		}
		if err != nil {
			return nil, err
		}
	}
	return set.Secret(passphrase)
}

// A key whose seed is the secret of a Trezor's shares has no words; its own shares are checked as what they are.
func TestSharesOfAKeyWithoutWords(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"KEDGE_KEYS": filepath.Join(dir, "keys.age")}
	ask := func(list ...string) *person {
		p := &person{}
		for _, text := range list {
			p.answers = append(p.answers, say(text))
		}
		return p
	}
	// Published test vectors of SLIP-0039.
	const one, two = "shadow pistol academic always adequate wildlife fancy gross oasis cylinder mustang wrist rescue view short owner flip making coding armed",
		"shadow pistol academic acid actress prayer class unknown daughter sweater depict flip twice unkind craft early superior advocate guest smoking"
	code, stdout, stderr := run(t, ask("pass", "pass", one, two), env, "key", "restore", "trezor", "--trezor-shares", "--json")
	require.Zero(t, code, stderr)
	print := fingerprintIn(t, stdout)
	p := &paper{person: person{answers: []func(*person) string{say("pass")}}}
	code, _, stderr = runAs(t, p, env, "key", "export", "trezor", "--shares=2of2")
	require.Zero(t, code, stderr)
	shares := p.sheets()
	code, stdout, stderr = run(t, ask("pass", shares[0], shares[1], ""), env, "key", "check", "trezor", "--shares")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, print)
}

// Nobody is asked for a passphrase of a store that is not there.
func TestListWithoutAStore(t *testing.T) {
	env := map[string]string{"KEDGE_KEYS": filepath.Join(t.TempDir(), "keys.age")}
	code, stdout, stderr := run(t, nil, env, "key", "list")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "no security keys; kedge key init NAME makes one")
	require.NoFileExists(t, env["KEDGE_KEYS"])
}

// Deleting asks, and says what is lost.
func TestDeletingAKeyAsks(t *testing.T) {
	env := map[string]string{"KEDGE_KEYS": filepath.Join(t.TempDir(), "keys.age")}
	code, _, stderr := run(t, &person{answers: []func(*person) string{say("pass"), say("pass")}}, env, "key", "init", "laptop")
	require.Zero(t, code, stderr)
	for answer, want := range map[string]int{"": 1, "no": 1, "laptop": 1, "y": 1} {
		p := &person{answers: []func(*person) string{say("pass"), say(answer)}}
		code, _, stderr := run(t, p, env, "key", "delete", "laptop")
		require.Equal(t, want, code, answer)
		require.Contains(t, stderr, "nothing was done")
		require.Contains(t, p.prompts[1], "Nobody has checked that its words are on paper; without them it is lost for ever. Delete it? Type yes: ")
	}
	code, _, stderr = run(t, &person{answers: []func(*person) string{say("pass"), say("Yes")}}, env, "key", "delete", "laptop")
	require.Zero(t, code, stderr)
}

// The passphrase of the store is changed on the terminal.
func TestPassphraseIsChanged(t *testing.T) {
	env := map[string]string{"KEDGE_KEYS": filepath.Join(t.TempDir(), "keys.age")}
	answers := func(list ...string) *person {
		p := &person{}
		for _, a := range list {
			p.answers = append(p.answers, say(a))
		}
		return p
	}
	code, _, stderr := run(t, answers("old", "old"), env, "key", "init", "laptop")
	require.Zero(t, code, stderr)
	code, _, stderr = run(t, answers("wrong"), env, "key", "passphrase")
	require.Equal(t, 5, code, stderr)
	code, _, stderr = run(t, answers("old", "new", "newer"), env, "key", "passphrase")
	require.Equal(t, 5, code)
	require.Contains(t, stderr, "the two passphrases are not the same")
	code, _, stderr = run(t, answers("old", "new", "new"), env, "key", "passphrase")
	require.Zero(t, code, stderr)
	code, _, _ = run(t, answers("old"), env, "key", "list")
	require.Equal(t, 5, code)
	code, _, stderr = run(t, answers("new"), env, "key", "list")
	require.Zero(t, code, stderr)
}

// Every verb that the group has says what it does and how, with two examples or one that is all there is.
func TestKeyVerbsHaveExamples(t *testing.T) {
	code, stdout, _ := run(t, nil, nil, "key", "--help")
	require.Zero(t, code)
	verbs := []string{
		"init", "list", "show", "rename", "delete", "export", "check", "finalize", "restore", "status", "backup", "pair", "drill", "lost", "find", "credentials", "import", "passphrase",
	}
	for _, verb := range verbs {
		require.Contains(t, stdout, "\n  "+verb+" ")
		_, help, _ := run(t, nil, nil, "key", verb, "--help")
		require.True(t, verb == "credentials" || strings.Contains(help, "kedge key "+verb), verb)
	}
}
