package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	_ "time/tzdata" // for Zone

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// Zone is the time zone of every script, so that a time in UTC is seen for what it is.
const Zone = "Asia/Kathmandu"

// commands are the programs that the tests run, each this one under another name.
var commands = map[string]func(){
	"kedge": func() {
		system := RealSystem()
		system.WorkFactor = 4                      // scrypt would be most of the time of these tests
		if os.Getenv("KEDGE_TEST_ANYBODY") != "" { // in containers tests run as root
			system.UserID = func() int { return 1000 }
		}
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(held(func(s System) int { return Main(ctx, s) }, system))
	},
}

func TestMain(m *testing.M) { testscript.Main(closing{m}, commands) }

// closing runs the tests, and then what they left to be done at the end.
type closing struct{ m *testing.M }

var atEnd = []func() error{allMet}

// AtEnd has something done after all tests.
func AtEnd(do func() error) { atEnd = append(atEnd, do) }

// Run runs the tests.
func (c closing) Run() int {
	code := c.m.Run()
	for _, do := range atEnd {
		if err := do(); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	return code
}

// Scripts that need no network: parsing, bad input, the key store, help.
func TestScripts(t *testing.T) {
	store, err := filepath.Abs("../device/testdata/keys-v1.age")
	require.NoError(t, err)
	variable, folder := holdScripts(t)
	// The scripts run in parallel after this function is through, unless they are in a group.
	t.Run("scripts", func(t *testing.T) { runScripts(t, store, variable, folder) })
}

func runScripts(t *testing.T, store, variable, folder string) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv(variable, folder)
			env.Setenv("TZ", Zone)
			env.Setenv("KEDGE_KEYS", env.WorkDir+"/keys.age")
			env.Setenv("KEDGE_PASSPHRASE_FILE", env.WorkDir+"/passphrase")
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("V1STORE", store)
			return nil
		},
	})
}
