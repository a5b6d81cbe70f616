package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"kedge/cli"
)

// story is a demo under way: it runs commands in a folder of its own and shows them.
type story struct {
	out io.Writer
	env map[string]string
	err error
}

// runSession tells the story with the module at a path, ends with the address of the page, and calls stay while
// the page is still there. The folder in which it runs is removed at the end.
func runSession(out io.Writer, module string, stay func()) error {
	dir, err := os.MkdirTemp("", "kedge-demo-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	home, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := os.Chdir(dir); err != nil { // the commands keep their files in the current folder
		return err
	}
	defer os.Chdir(home)
	passphrase := filepath.Join(dir, "passphrase")
	if err := os.WriteFile(passphrase, []byte("demo\n"), 0o600); err != nil {
		return err
	}
	s := &story{out: out, env: map[string]string{
		"KEDGE_PASSPHRASE_FILE": passphrase,
		"KEDGE_KEYS":            filepath.Join(dir, "keys.age"),
	}}

	s.say("A local Internet Computer, with Kedge on it.")
	stop, err := s.network()
	if err != nil {
		return err
	}
	defer stop()
	s.run("deploy", module)

	s.say("An anchor with a passkey, then a recovery phrase. The phrase protects itself as it is added.")
	s.run("anchor", "create", "--device", "laptop", "--no-phrase")
	s.run("recovery", "phrase", "add", "--new-phrase-file", "words.txt")
	s.run("device", "list")

	s.say("Somebody takes the unlocked laptop. The phrase is out of reach: it cannot be removed, changed or replaced.")
	s.refused("device", "remove", "phrase", "--as", "laptop")
	s.refused("device", "update", "phrase", "--alias", "mine now", "--as", "laptop")
	s.refused("device", "replace", "phrase", "thiefs-key", "--as", "laptop")
	s.refused("device", "unprotect", "phrase", "--as", "laptop")

	s.say("The canister is upgraded. The protection is in stable memory, so it is still there.")
	s.run("deploy", module)
	s.run("device", "list")
	s.refused("device", "remove", "phrase", "--as", "laptop")

	s.say("What would this anchor survive?")
	s.run("report")

	s.say("Only the phrase removes the phrase.")
	s.run("device", "remove", "phrase", "--as", "phrase", "--phrase-file", "words.txt", "--yes")
	s.run("device", "list")
	if s.err != nil {
		return s.err
	}
	s.say("That was Kedge. Try next, in this folder:")
	fmt.Fprint(out, next)
	address, err := s.page()
	if err != nil {
		return err
	}
	s.say("And the page of this demo's Kedge:")
	fmt.Fprintln(out, address)
	stay()
	return nil
}

// page returns the address of the page.
func (s *story) page() (string, error) {
	var out bytes.Buffer
	if code := cli.Main(context.Background(), s.system([]string{"open", "--json"}, &out)); code != 0 {
		return "", fmt.Errorf("kedge open ended with exit code %d: %s", code, &out)
	}
	var result struct{ URL string }
	err := json.Unmarshal(out.Bytes(), &result)
	return result.URL, err
}

const next = `  export PATH=$PWD/build:$PATH
  kedge network start --background   a network that stays
  kedge deploy                       your own Kedge on it
  kedge open                         its page: register there with a passkey of your own
  kedge anchor create                your anchor; it goes on to a recovery phrase
  kedge guard on --as phrase         let only protected devices change the set of devices
  kedge login https://app.example    sign in to an application
  kedge --help                       all the rest
`

func (s *story) say(text string) { fmt.Fprintf(s.out, "\n# %s\n", text) }

// run runs a command that must succeed.
func (s *story) run(args ...string) {
	if code := s.command(args); code != 0 && s.err == nil {
		s.err = fmt.Errorf("kedge %s ended with exit code %d", strings.Join(args, " "), code)
	}
}

// refused runs a command that the canister must refuse.
func (s *story) refused(args ...string) {
	const refusedByCanister = 4
	if code := s.command(args); code != refusedByCanister && s.err == nil {
		s.err = fmt.Errorf("kedge %s ended with exit code %d: it should have been refused", strings.Join(args, " "), code)
	}
}

func (s *story) command(args []string) int {
	if s.err != nil {
		return 0
	}
	shown := make([]string, len(args))
	for i, arg := range args {
		shown[i] = arg
		if strings.Contains(arg, " ") {
			shown[i] = fmt.Sprintf("%q", arg)
		}
		if filepath.IsAbs(arg) {
			shown[i] = filepath.Join("build", filepath.Base(arg))
		}
	}
	fmt.Fprintf(s.out, "\n$ kedge %s\n", strings.Join(shown, " "))
	return cli.Main(context.Background(), s.system(args, s.out))
}

func (s *story) system(args []string, out io.Writer) cli.System {
	system := cli.RealSystem()
	system.Args, system.Stdin, system.Stdout, system.Stderr = args, strings.NewReader(""), out, out
	system.Getenv = func(name string) string { return s.env[name] }
	system.OpenTerminal = func() (cli.Terminal, error) { return nil, errors.New("the demo has no terminal") }
	system.WorkFactor = 10 // the demo's passphrase is no secret
	return system
}

// network starts the local network on a free port and returns how to stop it.
func (s *story) network() (stop func(), err error) {
	fmt.Fprintf(s.out, "\n$ kedge network start &\n")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	ready := &firstLine{line: make(chan string, 1)}
	go func() {
		ended <- cli.Main(ctx, s.system([]string{"network", "start", "--port", "0"}, ready))
	}()
	select {
	case line := <-ready.line:
		fmt.Fprintln(s.out, line)
	case code := <-ended:
		cancel()
		return nil, fmt.Errorf("the network ended with exit code %d: %s", code, ready.text.String())
	}
	return func() {
		cancel()
		<-ended
	}, nil
}

// firstLine hands over the first line written to it and drops the rest.
type firstLine struct {
	text bytes.Buffer
	line chan string
	done bool
}

func (f *firstLine) Write(p []byte) (int, error) {
	if !f.done {
		f.text.Write(p)
		if line, _, ok := strings.Cut(f.text.String(), "\n"); ok {
			f.done = true
			f.line <- line
		}
	}
	return len(p), nil
}
