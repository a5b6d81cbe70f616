package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"golang.org/x/term"

	"kedge/cli/schemas"
)

// Every kedge that a test script runs is held to the schema of its command, its failure with --json to the schema
// of errors. What does not fit is written to the folder schemaFaults names, whatever the script expects.

const (
	schemaFaults = "KEDGE_TEST_SCHEMAS" // environment variable: a folder for what does not fit, and what was seen
	exitUnfit    = 99
)

func compiled(name string) (*jsonschema.Schema, error) {
	text, err := schemas.Of(name)
	if err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name+".json", document); err != nil {
		return nil, err
	}
	return c.Compile(name + ".json")
}

// fits checks each line of a text against a schema.
func fits(name, text string) error {
	schema, err := compiled(name)
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			return fmt.Errorf("%q is not one line of JSON: %w", line, err)
		}
		if err := schema.Validate(value); err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSpace(line), err)
		}
	}
	return nil
}

// held runs one command and holds what it prints to its schema.
func held(run func(System) int, system System) int {
	dir := os.Getenv(schemaFaults)
	if dir == "" {
		return run(system)
	}
	return heldIn(dir, run, system)
}

// MainHeld is Main for tests in this process, held to the schemas as scripts are. It may be called from any
// goroutine.
func MainHeld(t testing.TB, ctx context.Context, system System) int {
	t.Helper()
	dir := t.TempDir()
	code := heldIn(dir, func(s System) int { return Main(ctx, s) }, system)
	if files, _ := filepath.Glob(filepath.Join(dir, "seen-*")); len(files) > 0 {
		met(strings.TrimPrefix(filepath.Base(files[0]), "seen-"))
	}
	if code == exitUnfit {
		t.Errorf("kedge %q does not fit its schema", system.Args)
	}
	return code
}

// heldIn is held with the folder for what does not fit.
func heldIn(dir string, run func(System) int, system System) int {
	var stdout, stderr, shown bytes.Buffer // results as JSON; what was printed as text
	system.Stderr = tee(system.Stderr, &shown)
	if wantsJSON(system.Args) {
		system.Stdout, system.Stderr = io.MultiWriter(system.Stdout, &stdout), io.MultiWriter(system.Stderr, &stderr)
	} else {
		system.Stdout = tee(system.Stdout, &shown)
		system.Observe = func(result []byte) { stdout.Write(append(result, '\n')) }
	}
	code := run(system)
	name := "kedge"
	if cmd, _, err := newRoot().Find(system.Args); err == nil {
		name = schemas.Name(cmd.CommandPath())
		switch {
		case name == "config":
			name = "config-show" // which it does
		case cmd.HasSubCommands() && cmd.HasParent():
			name = "help" // which is what it shows
		}
	}
	if system.Observe != nil && (name == "setup" || strings.HasPrefix(name, "guide-")) {
		return code // what was observed are the results of the commands that it runs
	}
	if slices.Contains(system.Args, "--help") || slices.Contains(system.Args, "--version") {
		return code
	}
	err := errors.Join(fits(name, stdout.String()), utcInText(shown.String()), localInJSON(stdout.String()))
	if err == nil && stdout.Len() > 0 {
		_ = os.WriteFile(filepath.Join(dir, "seen-"+name), nil, 0o600)
	}
	if code != 0 && wantsJSON(system.Args) {
		err = errors.Join(err, failed(stderr.String(), code))
	}
	if err == nil {
		return code
	}
	text := fmt.Sprintf("kedge %s: %v\n", strings.Join(system.Args, " "), err)
	_, _ = fmt.Fprint(os.Stderr, text)
	_ = os.WriteFile(filepath.Join(dir, "fault-"+name), []byte(text), 0o600)
	return exitUnfit
}

// tee writes to both, unless the first is a terminal, which has to stay one.
func tee(first, second io.Writer) io.Writer {
	if f, ok := first.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return first
	}
	return io.MultiWriter(first, second)
}

// People read local times and how long ago that was, see [ui.When]; programs read times in UTC (RFC 3339).
var (
	instants = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d`)
	days     = regexp.MustCompile(`\b20\d\d-\d\d-\d\d[^\n]{0,35}`)
	whole    = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d \S+ \((now|in .*|.* ago)`)
	quoted   = regexp.MustCompile(`^\d{4}-\d\d-\d\d [0-9:]{8}\.\d+ UTC`) // what a node says, as it says it
	spoken   = regexp.MustCompile(`"\d{4}-\d\d-\d\d \d\d:\d\d \S+ \(`)
	offsets  = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[0-9:.]+[+-]\d\d:\d\d"`)
)

// utcInText finds times in text that are not as people read them.
func utcInText(text string) error {
	if found := instants.FindString(text); found != "" {
		return fmt.Errorf("the text has a time for programs, %s, where ui.When belongs: %s", found, text)
	}
	for _, found := range days.FindAllString(text, -1) {
		if !whole.MatchString(found) && !quoted.MatchString(found) && !strings.Contains(text, "As of") { // a sheet is printed, and read later
			return fmt.Errorf("the text has the date %q, where ui.When belongs: %s", found, text)
		}
	}
	return nil
}

// localInJSON finds times in JSON that are not in UTC.
func localInJSON(line string) error {
	for _, of := range []*regexp.Regexp{offsets, spoken} {
		if found := of.FindString(line); found != "" {
			return fmt.Errorf("the JSON has the local time %s", found)
		}
	}
	return nil
}

// failed checks the last line on standard error of a command that failed with an exit code.
func failed(stderr string, code int) error {
	lines := strings.Split(strings.TrimRight(stderr, "\n"), "\n")
	last := lines[len(lines)-1]
	if err := fits(schemas.Error, last); err != nil {
		return fmt.Errorf("the error: %w", err)
	}
	var said struct{ Error struct{ Exit int } }
	if err := json.Unmarshal([]byte(last), &said); err != nil || said.Error.Exit != code {
		return fmt.Errorf("the error says exit code %d, the process %d", said.Error.Exit, code)
	}
	return nil
}

// holdScripts has the scripts of a test held to the schemas, and fails the test for what did not fit. It
// returns what the environment of the scripts needs.
func holdScripts(t *testing.T) (variable, folder string) {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() {
		found, err := filepath.Glob(filepath.Join(dir, "fault-*"))
		require.NoError(t, err)
		for _, file := range found {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			t.Errorf("%s", text)
		}
		files, err := filepath.Glob(filepath.Join(dir, "seen-*"))
		require.NoError(t, err)
		for _, file := range files {
			met(strings.TrimPrefix(filepath.Base(file), "seen-"))
		}
	})
	return schemaFaults, dir
}

// shapes are the schemas that a real result was held to in this run.
var shapes struct {
	sync.Mutex
	met map[string]bool
}

func met(name string) {
	shapes.Lock()
	defer shapes.Unlock()
	if shapes.met == nil {
		shapes.met = map[string]bool{}
	}
	shapes.met[name] = true
}

// unmet are the schemas of commands that print no result, so that none can be held to them, with what they do.
var unmet = map[string]string{
	"key-agent-serve":  "says one word to the process that started it, kedge key unlock, whose tests are its own",
	"network-launcher": "speaks the protocol of icp, whose own client tests it",
}

// allMet fails if a schema was held to no result. It can tell only where every test ran: all of the package, on Linux, with
// the module.
func allMet() error {
	if runtime.GOOS != "linux" || os.Getenv("KEDGE_WASM") == "" || testing.Short() {
		return nil
	}
	for _, name := range []string{"run", "skip", "list"} {
		if flag.Lookup("test."+name).Value.String() != "" {
			return nil
		}
	}
	var missed []string
	for _, name := range schemas.Names() {
		if _, known := unmet[name]; !shapes.met[name] && !known && name != schemas.Error {
			missed = append(missed, name)
		}
		if _, known := unmet[name]; shapes.met[name] && known {
			return fmt.Errorf("the schema %s was held to a result: take it off the list unmet", name)
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("no result was held to these schemas: %s", strings.Join(missed, ", "))
	}
	return nil
}

// HoldScripts is for the tests of package cli_test.
var HoldScripts = holdScripts

func TestEveryCommandHasASchema(t *testing.T) {
	known := map[string]bool{schemas.Error: true}
	for _, cmd := range leaves(newRoot()) {
		name := schemas.Name(cmd.CommandPath())
		known[name] = true
		_, err := compiled(name)
		if errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s has no schema: write cli/schemas/%s.json, as cli/schemas/schemas.go says", cmd.CommandPath(), name)
			continue
		}
		require.NoError(t, err, name)
	}
	known["kedge"] = true // says where one is
	for _, name := range schemas.Names() {
		require.True(t, known[name], "the schema %q is about no command", name)
	}
}

// An object that takes anything is no schema: what it forgets, nobody notices.
func TestSchemasAreStrict(t *testing.T) {
	for _, name := range schemas.Names() {
		text, err := schemas.Of(name)
		require.NoError(t, err)
		var document map[string]any
		require.NoError(t, json.Unmarshal(text, &document))
		require.NotEmpty(t, document["title"], name)
		strict(t, name, document)
	}
}

func strict(t *testing.T, where string, part any) {
	switch part := part.(type) {
	case []any:
		for i, item := range part {
			strict(t, fmt.Sprintf("%s[%d]", where, i), item)
		}
	case map[string]any:
		if properties, ok := part["properties"].(map[string]any); ok {
			require.Equal(t, false, part["additionalProperties"], "%s: additionalProperties", where)
			required, _ := part["required"].([]any)
			for _, r := range required {
				require.Contains(t, properties, r, where)
			}
		}
		for key, item := range part {
			strict(t, where+"/"+key, item)
		}
	}
}
