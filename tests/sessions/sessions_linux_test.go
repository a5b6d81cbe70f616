package sessions

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/internal/clients"
	"kedge/tests/harness"
)

func TestParse(t *testing.T) {
	page := "text\n\n```\nnot a session\n```\n\n```\n$ one --flag     # why\nanswers 12 of abcde-fgh…\n\n$ two 'a # b'\n```\nmore\n"
	require.Equal(t, [][]Step{{
		{Command: "one --flag", Output: []string{"answers 12 of abcde-fgh…"}},
		{Command: "two 'a"},
	}}, Parse(page))
	pattern := Pattern("answers  12 of abcde-fgh at…  it.")
	require.True(t, pattern.MatchString("x\nanswers 7 of zzzzz-yyy-xx at noon. it."))
	require.False(t, pattern.MatchString("answers 7 of zzzzz-yyy-xx at noon. it!"))
}

// place is a home and a project as a newcomer has them after make build cli.
func place(t *testing.T) (project string, env []string) {
	t.Helper()
	root := t.TempDir()
	project, home := filepath.Join(root, "kedge"), filepath.Join(root, "home")
	require.NoError(t, os.MkdirAll(filepath.Join(project, "build"), 0o755))
	require.NoError(t, os.Mkdir(home, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(project, "build", "kedge.wasm.gz"), harness.Module(t), 0o644))
	program := filepath.Join(project, "build", "kedge")
	out, err := exec.Command("go", "build", "-o", program, "kedge/cmd/kedge").CombinedOutput()
	require.NoError(t, err, string(out))
	env = []string{
		"HOME=" + home, "PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH"),
		"TERM=xterm", "LANG=C.UTF-8",
	}
	if cache, err := os.UserCacheDir(); err == nil {
		env = append(env, "XDG_CACHE_HOME="+cache) // where the network keeps what it has compiled
	}
	t.Cleanup(func() {
		stop := exec.Command(program, "network", "stop")
		stop.Dir, stop.Env = project, env
		_ = stop.Run() // it has ended already if all went well
	})
	return project, env
}

// prepared are the commands of the pages that place has done already.
func prepared(command string) bool { return strings.HasPrefix(command, "make ") }

// free lets the network take a free port, since others may run on this machine.
func free(command string) string {
	return strings.Replace(command, "kedge network start", "kedge network start --port 0", 1)
}

func TestSessionsOfThePages(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(clients.Root(), "docs", "*.md"))
	require.NoError(t, err)
	readme := filepath.Join(clients.Root(), "README.md")
	for _, path := range append(pages, readme) {
		page := filepath.Base(path)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		sessions := Parse(string(text))
		require.True(t, len(sessions) > 0 || path != readme, "the README has no session")
		if len(sessions) == 0 {
			continue
		}
		t.Run(page, func(t *testing.T) {
			project, env := place(t)
			person := &Person{Passphrase: "a passphrase that nobody else has"}
			for range 2 {
				for _, steps := range sessions {
					for _, step := range steps {
						if prepared(step.Command) {
							continue
						}
						output, code, err := person.Run(project, env, free(step.Command))
						require.NoError(t, err)
						refused := false
						for _, line := range step.Output {
							require.Regexp(t, Pattern(line), output, step.Command)
							refused = refused || strings.HasPrefix(line, "kedge: error: ")
						}
						require.Equal(t, refused, code != 0, "%s: exit code %d: %s", step.Command, code, output)
					}
				}
			}
		})
	}
}
