package session

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"kedge/cli/ui"
	"kedge/device"
	"kedge/device/keyagent"
)

// agentWait is how long an agent may take to start; opening a store takes about half a second.
const agentWait = 2 * time.Minute

// What an agent says on its standard output when it answers, and if the passphrase is wrong; anything else is why
// it did not start.
const (
	AgentReady           = "ready"
	AgentWrongPassphrase = "wrong passphrase"
)

// StartAgent starts this program again in the background, to hold the key store for the span in the place of an agent
// that holds it now, and hands it the passphrase through a pipe, which is in no argument, environment or file. It
// returns what the agent says when it answers, or the reason why it does not.
func (a *App) StartAgent(store *device.Store, span time.Duration) (keyagent.Status, error) {
	client, _, err := a.Agent()
	if err != nil {
		return keyagent.Status{}, err
	}
	if err := client.Lock(); err != nil && !errors.Is(err, keyagent.ErrLocked) {
		return keyagent.Status{}, err
	}
	path, err := a.KeysPath()
	if err != nil {
		return keyagent.Status{}, err
	}
	program, err := os.Executable()
	if err != nil {
		return keyagent.Status{}, fmt.Errorf("finding the kedge program: %w", err)
	}
	child := exec.Command(program, "key", "agent", "serve", "--for", ui.SpanText(span), "--keys", path)
	child.Args[0] = "kedge"
	child.Env = []string{"XDG_RUNTIME_DIR=" + a.Getenv("XDG_RUNTIME_DIR"), "TMPDIR=" + os.Getenv("TMPDIR")}
	child.SysProcAttr = detached()
	child.Stdin = strings.NewReader(store.Passphrase())
	out, err := child.StdoutPipe()
	if err != nil {
		return keyagent.Status{}, fmt.Errorf("starting the agent: %w", err)
	}
	if err := child.Start(); err != nil {
		return keyagent.Status{}, fmt.Errorf("starting the agent: %w", err)
	}
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(io.LimitReader(out, 4096)).ReadString('\n')
		line <- strings.TrimSpace(text)
	}()
	late := time.NewTimer(agentWait)
	defer late.Stop()
	said := ""
	select {
	case said = <-line:
	case <-late.C:
		said = fmt.Sprintf("it has not answered for %s", agentWait)
	}
	switch said {
	case AgentReady:
		if err := child.Process.Release(); err != nil {
			return keyagent.Status{}, err
		}
		return client.Status()
	case AgentWrongPassphrase:
		err = fmt.Errorf("opening the key store %q: %w", path, device.ErrWrongPassphrase)
	case "":
		err = errors.New("the agent did not start: its process ended")
	default:
		err = fmt.Errorf("the agent did not start: %s", said)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	return keyagent.Status{}, err
}

// replaceAgent has an agent hold the changed store until the time that the user gave the one before, which the change
// has ended. The store has changed by now, so that a failure is no more than a warning.
func (a *App) replaceAgent(store *device.Store, before keyagent.Status) {
	span := before.Ends.Sub(a.Now()).Truncate(time.Second)
	if span < time.Second {
		return
	}
	if _, err := a.StartAgent(store, span); err != nil {
		a.Warn("the key store is locked, because it has changed: %v; kedge key unlock unlocks it again", err)
	}
}
