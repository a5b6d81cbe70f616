package key

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/device/keyagent"
)

// How long a key store stays unlocked.
const (
	usualUnlock   = "15m"
	longestUnlock = 24 * time.Hour
)

type agentView struct {
	Unlocked     bool       `json:"unlocked"`
	Store        string     `json:"store"`
	Ends         *time.Time `json:"ends,omitempty"`
	MemoryLocked *bool      `json:"memory_locked,omitempty"` // kept out of swap space
	PID          int        `json:"pid,omitempty"`
}

func viewAgent(s keyagent.Status) agentView {
	return agentView{Unlocked: true, Store: s.Store, Ends: &s.Ends, MemoryLocked: &s.Locked, PID: s.PID}
}

func (v agentView) text(now time.Time) string {
	if !v.Unlocked {
		return fmt.Sprintf("the key store %s is locked", v.Store)
	}
	return fmt.Sprintf("the key store %s is unlocked until %s", v.Store, ui.When(*v.Ends, now))
}

func (a verbs) unlock() *cobra.Command {
	var lasts string
	cmd := &cobra.Command{
		Use:   "unlock",
		Short: "unlock the key store for a while: a background process signs, and nobody types the passphrase again",
		Long: `Asks for the passphrase and starts an agent: a process in the background that holds the
opened key store and signs for the commands of the same user, until the time is over,
kedge key lock ends it, or the key store's file changes. It lists what the store holds
and has passkeys sign; it never gives a seed, a private key, words or a passphrase away.
Whatever changes the store, and export, finalize, delete and passphrase above all, still
asks for the passphrase; a command that was given it then hands the changed store to an
agent in the place of the old one, until the same time.

As long as it is unlocked, every program that you run can sign in as you. Nothing starts
an agent but this command. On Linux only.`,
		Example: `  kedge key unlock
  kedge key unlock --for 2h`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			span, err := unlockTime(lasts)
			if err != nil {
				return err
			}
			return a.startAgent(span)
		},
	}
	cmd.Flags().StringVar(&lasts, "for", usualUnlock, "how long, at most 24h")
	return cmd
}

func unlockTime(text string) (time.Duration, error) {
	span, err := ui.ParseSpan(text)
	if err != nil {
		return 0, err
	}
	if span < time.Second || span > longestUnlock {
		return 0, ui.Usagef("--for %s: a key store is unlocked for at least a second and at most %s", text, ui.SpanText(longestUnlock))
	}
	return span, nil
}

func (a verbs) startAgent(span time.Duration) error {
	if err := keyagent.Supported(); err != nil {
		return err
	}
	path, err := a.KeysPath()
	if err != nil {
		return err
	}
	exists, err := a.KeysExist()
	if err != nil {
		return err
	}
	if !exists {
		return ui.Hinted(fmt.Errorf("there is no key store %s to unlock", path), "kedge key init NAME makes a key; --keys names another store")
	}
	store, err := a.Store()
	if err != nil {
		return err
	}
	if _, running := a.AgentStatus(); running {
		// A wrong passphrase ends no agent.
		if _, err := store.Load(); err != nil {
			return err
		}
	}
	var status keyagent.Status
	if err := store.Alone(func() (err error) {
		status, err = a.StartAgent(store, span)
		return err
	}); err != nil {
		return err
	}
	v := viewAgent(status)
	return a.Result(v, v.text(a.Now())+"; kedge key lock ends that")
}

func (a verbs) lock() *cobra.Command {
	return &cobra.Command{
		Use:   "lock",
		Short: "end what kedge key unlock began",
		Long: `Ends the agent that holds the key store; its memory goes with it. From then on the
passphrase is asked for again. Where no agent runs, it says that the store is locked.`,
		Example: `  kedge key lock
  kedge key lock --keys work.age`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			client, _, err := a.Agent()
			if err != nil {
				return err
			}
			path, err := a.KeysPath()
			if err != nil {
				return err
			}
			v := agentView{Store: path}
			err = client.Lock()
			if err != nil && !errors.Is(err, keyagent.ErrLocked) {
				return err
			}
			was := err == nil
			// A change that has begun hands the store to another agent, unless it sees that this one is gone.
			err = device.BetweenChanges(path, client.Lock)
			if err != nil && !errors.Is(err, keyagent.ErrLocked) {
				return err
			}
			if !was && err != nil {
				return a.Result(v, fmt.Sprintf("the key store %s was locked already", path))
			}
			return a.Result(v, v.text(a.Now()))
		},
	}
}

func (a verbs) agent() *cobra.Command {
	return ui.Group("agent", "the background process that signs while the key store is unlocked", a.agentStatus(), a.agentServe())
}

func (a verbs) agentStatus() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "say whether the key store is unlocked, and for how long",
		Long:  "Asks the agent, if there is one. It asks nobody for a passphrase.",
		Example: `  kedge key agent status
  kedge key agent status --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			client, _, err := a.Agent()
			if err != nil {
				return err
			}
			status, err := client.Status()
			if errors.Is(err, keyagent.ErrEnded) { // it was ending as it was asked
				status, err = client.Status()
			}
			if errors.Is(err, keyagent.ErrLocked) {
				path, err := a.KeysPath()
				if err != nil {
					return err
				}
				v := agentView{Store: path}
				return a.Result(v, v.text(a.Now()))
			}
			if err != nil {
				return err
			}
			v := viewAgent(status)
			text := v.text(a.Now())
			if !status.Locked {
				text += "; its memory may be swapped out to disk: RLIMIT_MEMLOCK is too low for this user"
			}
			return a.Result(v, text)
		},
	}
}

func (a verbs) agentServe() *cobra.Command {
	var lasts string
	cmd := &cobra.Command{
		Use:    "serve",
		Short:  "be the agent: what kedge key unlock starts in the background",
		Hidden: true,
		Long: `Reads the passphrase from standard input, answers at the socket in the user's runtime
folder, and says so with a line "ready". kedge key unlock starts it; it need not be
typed.`,
		Example: `  kedge key agent serve --for 15m --keys work.age
  kedge key agent serve --for 1h                 # kedge key unlock --for 1h does this in the background`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			span, err := unlockTime(lasts)
			if err != nil {
				return err
			}
			locked, err := keyagent.Harden()
			if err == nil {
				err = a.serveAgent(cmd, span, locked)
			}
			switch {
			case errors.Is(err, device.ErrWrongPassphrase):
				_, _ = fmt.Fprintln(a.Stdout, session.AgentWrongPassphrase)
			case err != nil:
				_, _ = fmt.Fprintln(a.Stdout, strings.ReplaceAll(err.Error(), "\n", "; "))
			}
			return err
		},
	}
	cmd.Flags().StringVar(&lasts, "for", usualUnlock, "how long, at most 24h")
	return cmd
}

// longestPassphrase bounds what is read as one, in bytes.
const longestPassphrase = 4096

func (a verbs) serveAgent(cmd *cobra.Command, span time.Duration, locked bool) error {
	path, err := a.KeysPath()
	if err != nil {
		return err
	}
	_, socket, err := a.Agent()
	if err != nil {
		return err
	}
	if f, ok := a.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return ui.Usagef("the agent reads the passphrase from standard input, where it would be shown; kedge key unlock asks for it")
	}
	open := func() (*device.Keys, error) {
		text, err := io.ReadAll(io.LimitReader(a.Stdin, longestPassphrase+1))
		if err != nil {
			return nil, fmt.Errorf("reading the passphrase: %w", err)
		}
		if len(text) > longestPassphrase {
			return nil, fmt.Errorf("a passphrase has at most %d bytes", longestPassphrase)
		}
		line, _, _ := strings.Cut(string(text), "\n")
		store, err := device.OpenStore(path, strings.TrimSuffix(line, "\r"))
		clear(text)
		if err != nil {
			return nil, err
		}
		return store.Load()
	}
	return keyagent.Serve(cmd.Context(), keyagent.Options{
		Store: path, Socket: socket, For: span, Locked: locked,
		Ready: func() { _, _ = fmt.Fprintln(a.Stdout, session.AgentReady); letGo() },
	}, open)
}
