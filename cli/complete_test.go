package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/cli/complete"
)

// completed returns what completes the last of the arguments, without descriptions.
func completed(t *testing.T, env map[string]string, args ...string) []string {
	t.Helper()
	code, out, _ := runAs(t, nil, env, append([]string{"__complete"}, args...)...)
	require.Zero(t, code)
	var found []string
	for line := range strings.Lines(out) {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), "\t"); !strings.HasPrefix(word, ":") {
			found = append(found, word)
		}
	}
	return found
}

// completesFiles reports whether cobra says that the shell is to complete files.
func completesFiles(t *testing.T, args ...string) bool {
	code, out, _ := runAs(t, nil, nil, append([]string{"__complete"}, args...)...)
	require.Zero(t, code)
	return strings.HasSuffix(strings.TrimSpace(out), ":0")
}

const canisterID = "rdmx6-jaaaa-aaaaa-aaadq-cai"

// projectFolder makes a folder in which a canister was deployed and a session stored, and goes there.
func projectFolder(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll(".kedge/sessions", 0o755))
	require.NoError(t, os.WriteFile(".kedge/canisters.json", []byte(`{"version":1,"canisters":{"local":"`+canisterID+`","http://127.0.0.1:8000":"`+canisterID+`"}}`), 0o644))
	require.NoError(t, os.WriteFile(".kedge/sessions/app.example.json", nil, 0o600))
}

func TestCompletion(t *testing.T) {
	projectFolder(t)
	env := map[string]string{"KEDGE_ANCHOR": "10007", "KEDGE_AS": "laptop", "KEDGE_NETWORK": "https://other.example"}
	for line, want := range map[string][]string{
		"device re":                 {"register-mode", "remove", "replace"},
		"--network ":                {"local", "ic", "http://127.0.0.1:8000", "https://other.example"},
		"report --anchor ":          {"10007"},
		"anchor show ":              {"10007"},
		"report --as ":              {"phrase", "laptop"},
		"device remove ":            {"phrase", "laptop"},
		"release consent --asker ":  {"phrase", "laptop"},
		"--canister ":               {canisterID},
		"login ":                    {"http://" + canisterID + ".localhost:4943", "http://" + canisterID + ".localhost:8000", "https://app.example"},
		"principal --origin https:": {"https://app.example"},
		"guard ":                    {"on", "off"},
		"session-limit ":            {"none"},
		"completion ":               complete.Shells,
		"help exit":                 {"exit-codes"},
		"help device re":            {"register-mode", "remove", "replace"},
		"device list ":              nil,
		"device update x --alias ":  nil,
		"device list --keys-o":      {"--keys-only"},
	} {
		got := completed(t, env, strings.Split(line, " ")...)
		// A shell leaves out what does not begin with the word.
		word := line[strings.LastIndex(line, " ")+1:]
		got = slices.DeleteFunc(got, func(w string) bool { return !strings.HasPrefix(w, word) })
		require.ElementsMatch(t, want, got, "%q", line)
	}
}

func TestCompletionOfFiles(t *testing.T) {
	for _, line := range []string{"device list --phrase-file ", "--keys ", "deploy ", "migrate plan ", "migrate rollback ", "key import laptop ", "deploy --identity "} {
		require.True(t, completesFiles(t, strings.Split(line, " ")...), "%q", line)
	}
	for _, line := range []string{"device remove ", "report --anchor ", "device list ", "device update x --alias ", "key import "} {
		require.False(t, completesFiles(t, strings.Split(line, " ")...), "%q", line)
	}
}

// A damaged record of canisters, and a missing folder, complete nothing and say nothing.
func TestCompletionWithoutAnything(t *testing.T) {
	t.Chdir(t.TempDir())
	require.Empty(t, completed(t, nil, "--canister", ""))
	require.NoError(t, os.MkdirAll(".kedge", 0o755))
	require.NoError(t, os.WriteFile(".kedge/canisters.json", []byte("{"), 0o644))
	require.Empty(t, completed(t, nil, "--canister", ""))
	require.Equal(t, []string{"local", "ic"}, completed(t, nil, "--network", ""))
}

// The canisters that dfx and icp recorded are known, too.
func TestCompletionOfOtherTools(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("dfx.json", []byte(`{"canisters":{"kedge":{}}}`), 0o644))
	require.NoError(t, os.WriteFile("canister_ids.json", []byte(`{"kedge":{"ic":"`+canisterID+`"}}`), 0o644))
	require.Equal(t, []string{canisterID}, completed(t, nil, "--canister", ""))
	require.Equal(t, []string{"https://" + canisterID + ".icp0.io"}, completed(t, nil, "login", ""))
}

// Completing opens neither the terminal nor the key store, whatever is completed.
func TestCompletionNeverAsks(t *testing.T) {
	projectFolder(t)
	p := &person{}
	for _, line := range []string{"device remove ", "report --as ", "report --anchor ", "login ", "key show ", "release consent --asker "} {
		code, _, _ := run(t, p, map[string]string{"KEDGE_KEYS": "keys.age", "KEDGE_PASSPHRASE_FILE": "missing"}, append([]string{"__complete"}, strings.Split(line, " ")...)...)
		require.Zero(t, code, line)
	}
	// A project that names a canister on another network for the first time is asked about by other commands.
	require.NoError(t, os.WriteFile(".kedge/canisters.json", []byte(`{"version":1,"canisters":{"ic":"`+canisterID+`"}}`), 0o644))
	for _, args := range [][]string{{"__complete", "--network", "ic", "login", ""}, {"__complete", "--network", "ic", "--canister", ""}, {"version", "--network", "ic", "--json"}} {
		code, out, stderr := run(t, p, map[string]string{"KEDGE_KEYS": "keys.age"}, args...)
		require.Zero(t, code, stderr)
		require.Contains(t, out, canisterID)
	}
	require.Empty(t, p.prompts)
	require.Empty(t, p.shown)
	require.NoFileExists(t, "keys.age")
}

// program puts a program called kedge, this test, on the path and returns the environment.
func program(t *testing.T) []string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "kedge")))
	return append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "KEDGE_KEYS=keys.age", "HOME="+dir, "LC_ALL=C.UTF-8")
}

// inShell runs a script in a shell, with the shell's completion of kedge loaded by setup.
func inShell(t *testing.T, script string, shell ...string) string {
	t.Helper()
	if _, err := exec.LookPath(shell[0]); err != nil {
		t.Skipf("%s is not installed (sh scripts/tools.sh), so its completion was not tried", shell[0])
	}
	cmd := exec.Command(shell[0], append(shell[1:], script)...)
	cmd.Env = program(t)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), "%s%s", &out, &errs)
	require.Empty(t, errs.String())
	return out.String()
}

// The script that bash sources completes for real, with the package bash-completion and without it.
func TestCompletionInBash(t *testing.T) {
	const library = "/usr/share/bash-completion/bash_completion"
	for name, load := range map[string]string{"alone": "", "with bash-completion": "set +e; . " + library + "; set -e"} {
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat(library); load != "" && err != nil {
				t.Skip("bash-completion is not installed")
			}
			completeInBash(t, load)
		})
	}
}

func completeInBash(t *testing.T, load string) {
	projectFolder(t)
	out := inShell(t, `
compopt() { :; } # outside of the line editor, bash refuses its own
set -e
`+load+`
source <(kedge completion bash)
try() {
	COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=37; COMPREPLY=()
	"$(complete -p kedge | sed 's/.*-F \([^ ]*\).*/\1/')" kedge "${!#}" "${@: -2:1}" || true
	echo "$*:" "${COMPREPLY[@]%% *}"
}
try kedge dev
try kedge device pro
try kedge report --as ph
try kedge report --network i
try kedge completion z
# As bash breaks it: kedge report --network=i, and a blank behind an origin
COMP_WORDS=(kedge report --network = i); COMP_CWORD=4; COMP_LINE="kedge report --network=i"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
__start_kedge kedge i = || true
echo "equals:" "${COMPREPLY[@]%% *}"
COMP_WORDS=(kedge login https : //a.example --as ph); COMP_CWORD=6; COMP_LINE="kedge login https://a.example --as ph"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
__start_kedge kedge ph --as || true
echo "colon:" "${COMPREPLY[@]%% *}"
`, "bash", "--norc", "-c")
	for _, want := range []string{"kedge dev: device device-bound\n", "kedge device pro: protect\n", "kedge report --as ph: phrase\n", "kedge report --network i: ic\n", "kedge completion z: zsh\n", "equals: ic\n", "colon: phrase\n"} {
		require.Contains(t, out, want)
	}
}

func TestCompletionInFish(t *testing.T) {
	projectFolder(t)
	out := inShell(t, `kedge completion fish | source; complete -C "kedge device pro"; complete -C "kedge report --as ph"; complete -C "kedge login https"`, "fish", "--no-config", "-c")
	require.Contains(t, out, "protect\tprotect a device")
	require.Contains(t, out, "phrase\tthe recovery phrase")
	require.Contains(t, out, "https://app.example\ta session is stored")
}

// zsh completes in its editor alone, so it types and presses the tab key on a terminal of its own.
func TestCompletionInZsh(t *testing.T) {
	projectFolder(t)
	out := inShell(t, `
zmodload zsh/zpty
zpty z zsh -f -i
line() { zpty -w z "$1"; }
line "PS1='> '; stty -echo; autoload -Uz compinit; compinit -u -D; source <(kedge completion zsh); compdef _kedge kedge; echo ready-$((1+1))"
zpty -r z reply '*ready-2*'
zpty -n -w z $'kedge device prot\t; echo end-$((2+2))\n'
zpty -r z reply '*end-4*'
print -r -- "$reply"
zpty -d z
`, "zsh", "-f", "-c")
	require.Contains(t, out, "kedge device protect")
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range complete.Shells {
		code, out, stderr := run(t, nil, nil, "completion", shell)
		require.Zero(t, code, stderr)
		require.True(t, strings.Contains(out, "__complete"), shell)
		code, out, _ = run(t, nil, nil, "completion", shell, "--json")
		require.Zero(t, code)
		require.True(t, strings.HasPrefix(out, `{"script":"`) || strings.HasPrefix(out, `{"shell":"`), shell)
	}
	code, _, stderr := run(t, nil, nil, "completion", "bahs")
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "did you mean kedge completion bash?")
}
