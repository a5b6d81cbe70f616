package cli

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"kedge/cli/session"
	"kedge/cli/ui"
)

// text is a string of the program that people may read.
type text struct {
	where string
	value string
	hint  bool // it says what to do next, so a command in it has to exist
}

// textsOf reads every string literal of the programs below a folder. What stands in the place of a hint is marked.
func textsOf(t *testing.T, folder string) []text {
	var texts []text
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata" || entry.Name() == "build") {
			return fs.SkipDir
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_gen.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		hints := map[ast.Node]bool{}
		mark := func(n ast.Node) {
			ast.Inspect(n, func(n ast.Node) bool {
				if l, ok := n.(*ast.BasicLit); ok {
					hints[l] = true
				}
				return true
			})
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				switch name := called(n); {
				case name == "Hinted" && len(n.Args) > 1:
					mark(n.Args[1])
				case name == "Secretf" && len(n.Args) > 0:
					mark(n.Args[0])
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Hint" {
					mark(n.Value)
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if name, ok := left.(*ast.Ident); ok && name.Name == "hint" && i < len(n.Rhs) {
						mark(n.Rhs[i])
					}
				}
			case *ast.FuncDecl:
				if filepath.Dir(path) == "hints" && n.Name.Name == "Of" {
					mark(n)
				}
			case *ast.GenDecl:
				if filepath.Dir(path) == "hints" && n.Tok == token.VAR {
					mark(n)
				}
			case *ast.BasicLit:
				if n.Kind != token.STRING {
					return true
				}
				value, err := strconv.Unquote(n.Value)
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, text{where: files.Position(n.Pos()).String(), value: value, hint: hints[n] || strings.HasPrefix(value, "hint: ")})
			}
			return true
		})
		return nil
	}))
	require.NotEmpty(t, texts)
	return texts
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

var (
	mention = regexp.MustCompile("(?m)(^|[ (;:,])kedge ([^;\n]*)")
	anyFlag = regexp.MustCompile(`(?:^|[\s("])--([a-z][a-z0-9-]*)`)
	word    = regexp.MustCompile(`^[a-z][a-z-]*[.,:)]?$`)
)

// checkMention says what is wrong with a command that a text names: "kedge" was before rest.
func checkMention(root *cobra.Command, rest string, strict bool) error {
	cmd := root
	rest, _, _ = strings.Cut(rest, ". ")
	tokens := strings.Fields(rest)
	for len(tokens) > 0 && cmd.HasSubCommands() {
		name := strings.TrimRight(tokens[0], ".,:)")
		next := subcommand(cmd, name)
		if next == nil {
			break
		}
		ends := name != tokens[0] // with punctuation behind it
		if cmd, tokens = next, tokens[1:]; ends {
			break
		}
	}
	if cmd == root {
		if !strict || len(tokens) == 0 || tokens[0] == "that" || tokens[0] == strings.ToUpper(tokens[0]) || strings.HasPrefix(tokens[0], "--") || strings.HasPrefix(tokens[0], "%") {
			return nil
		}
		return fmt.Errorf("kedge has no command %q", tokens[0])
	}
	if strict && cmd.HasSubCommands() && len(tokens) > 0 && word.MatchString(tokens[0]) {
		return fmt.Errorf("%s has no command %q", cmd.CommandPath(), tokens[0])
	}
	cmd.InitDefaultHelpFlag()
	for _, m := range anyFlag.FindAllStringSubmatch(strings.Join(tokens, " "), -1) {
		if cmd.Flags().Lookup(m[1]) == nil && cmd.InheritedFlags().Lookup(m[1]) == nil {
			return fmt.Errorf("%s has no flag --%s", cmd.CommandPath(), m[1])
		}
	}
	return nil
}

func subcommand(cmd *cobra.Command, name string) *cobra.Command {
	for _, sub := range cmd.Commands() {
		if sub.Name() == name || sub.HasAlias(name) {
			return sub
		}
	}
	return nil
}

// A command that a text of the program names exists, with the flags that it is given there, and so does a flag
// that stands alone.
func TestHintsNameWhatExists(t *testing.T) {
	root := rootCommand(&session.App{UI: &ui.UI{System: RealSystem()}})
	root.InitDefaultHelpCmd()
	var known func(cmd *cobra.Command, flag string) bool
	known = func(cmd *cobra.Command, flag string) bool {
		return cmd.Flags().Lookup(flag) != nil || cmd.PersistentFlags().Lookup(flag) != nil ||
			slices.ContainsFunc(cmd.Commands(), func(sub *cobra.Command) bool { return known(sub, flag) })
	}
	hints := 0
	for _, text := range textsOf(t, ".") {
		if text.hint {
			hints++
		}
		for _, m := range mention.FindAllStringSubmatch(text.value, -1) {
			if err := checkMention(root, m[2], text.hint); err != nil {
				t.Errorf("%s: %q: %v", text.where, text.value, err)
			}
		}
		for _, clause := range strings.FieldsFunc(text.value, func(r rune) bool { return r == ';' || r == '\n' }) {
			if strings.Contains(clause, "kedge ") {
				continue // judged above
			}
			for _, m := range anyFlag.FindAllStringSubmatch(clause, -1) {
				if m[1] != "help" && !known(root, m[1]) && !foreign[m[1]] {
					t.Errorf("%s: %q: no command has the flag --%s", text.where, text.value, m[1])
				}
			}
		}
	}
	require.Greater(t, hints, 80)
}

// foreign are flags of other programs that texts name, and of the launcher that icp starts.
var foreign = map[string]bool{"nns": true}

// So it is with what the other packages say, and what the pages print as code.
func TestTextsNameWhatExists(t *testing.T) {
	root := rootCommand(&session.App{UI: &ui.UI{System: RealSystem()}})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, folder := range []string{"canister", "cdk", "cmd", "device", "ic", "migrations", "replica", "wasm"} {
		for _, text := range textsOf(t, filepath.Join("..", folder)) {
			for _, m := range mention.FindAllStringSubmatch(text.value, -1) {
				if err := checkMention(root, m[2], false); err != nil {
					t.Errorf("%s: %q: %v", text.where, text.value, err)
				}
			}
		}
	}
	pages, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	checked := 0
	for _, page := range append(pages, "../README.md", "../CONTRIBUTING.md", "../SECURITY.md", "../RATIONALE.md") {
		data, err := os.ReadFile(page)
		require.NoError(t, err)
		for i, part := range strings.Split(string(data), "`") {
			if i%2 == 0 {
				continue // no code
			}
			for line := range strings.SplitSeq(part, "\n") {
				line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
				line, _, _ = strings.Cut(line, " #")
				rest, found := strings.CutPrefix(line, "kedge ")
				if !found {
					continue
				}
				checked++
				if err := checkMention(root, rest, true); err != nil {
					t.Errorf("%s: %q: %v", page, line, err)
				}
			}
		}
	}
	require.Greater(t, checked, 100)
}

// The check itself notices what it is for.
func TestCheckMention(t *testing.T) {
	root := rootCommand(&session.App{UI: &ui.UI{System: RealSystem()}})
	for rest, want := range map[string]string{
		"device list --json shows their principals": "",
		"recovery phrase add --anchor %d --as %q":   "",
		"device list --bogus":                       "kedge device list has no flag --bogus",
		"deploy --as laptop":                        "kedge deploy has no flag --as",
		"bogus":                                     `kedge has no command "bogus"`,
		"device bogus NAME":                         `kedge device has no command "bogus"`,
	} {
		err := checkMention(root, rest, true)
		if want == "" {
			require.NoError(t, err, rest)
		} else {
			require.EqualError(t, err, want)
		}
	}
}

// A person's software key is not called what it is not.
func TestSoftwareKeysAreNotCalledHardware(t *testing.T) {
	for _, text := range textsOf(t, ".") {
		if strings.Contains(strings.ToLower(text.value), "hardware") {
			require.Contains(t, text.value, "a hardware key is another factor", text.where)
		}
	}
}
