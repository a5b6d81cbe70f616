package session

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"kedge/cli/project"
	"kedge/cli/settings"
	"kedge/cli/ui"
	"kedge/device"
)

// App is one run of the command line: its flags, and what the verbs share.
type App struct {
	*ui.UI

	NetworkFlag, RootKeyFlag, CanisterFlag, KeysFlag string

	As, PhraseFile string // who signs
	AnchorNumber   uint64
	AnchorGiven    bool   // by the flag or the environment
	AnchorFlag     bool   // by the flag
	IdentityFile   string // of a controller

	// HelpError says that help was asked for something that is not there.
	HelpError error

	// NoQuestions is for commands that only look: what would have to be asked about is an error.
	NoQuestions bool

	opened      *device.Store
	away        *device.Keys     // that an agent holds
	agentFailed bool             // an agent is there and does not answer as it should
	canister    project.Known    // that a file named
	stored      []*settings.File // of settings, strongest first; nil before they are read
	storedErr   error
	keep        bool // what was typed serves for the rest of the run
	typed       *device.Phrase
}

// GlobalFlags adds the flags of all commands.
func (a *App) GlobalFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.StringVar(&a.NetworkFlag, "network", "", "local, ic, or a URL such as http://127.0.0.1:4943 (default local)")
	flags.StringVar(&a.RootKeyFlag, "root-key", "", "root key of the network, 266 hexadecimal digits; needed where --network is neither ic nor on this machine")
	flags.StringVar(&a.CanisterFlag, "canister", "", "id of the identity provider (default: the one that kedge deploy made here)")
	flags.StringVar(&a.KeysFlag, "keys", "", "key store file (default kedge/keys.age in the user's configuration folder)")
	flags.BoolVar(&a.JSON, "json", false, "print the result as JSON")
}

// SignerFlags adds the flags of a command that signs.
func (a *App) SignerFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.As, "as", "", "device that signs: a name in the key store, or phrase for the recovery phrase")
	cmd.Flags().StringVar(&a.PhraseFile, "phrase-file", "", "file with the recovery phrase, in place of asking for it")
	a.AnchorOption(cmd, "number of the anchor (default: the one that the signer belongs to)")
}

// AnchorOption adds --anchor, alone, to a command.
func (a *App) AnchorOption(cmd *cobra.Command, usage string) {
	cmd.Flags().Uint64Var(&a.AnchorNumber, "anchor", 0, usage)
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a.AnchorFlag = cmd.Flags().Changed("anchor")
		if err := a.readAnchor(); err != nil {
			return err
		}
		return run(cmd, args)
	}
}

// readAnchor takes the anchor from the environment where there is no flag.
func (a *App) readAnchor() error {
	a.AnchorGiven = a.AnchorFlag
	if a.AnchorFlag {
		return nil
	}
	text, source, _ := a.Value("", "KEDGE_ANCHOR", "")
	if text == "" {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil && source == settings.FromEnvironment {
		return ui.Usagef("KEDGE_ANCHOR %q is not the number of an anchor", text)
	}
	if err != nil {
		return ui.Usagef("the setting anchor, %q, is not the number of an anchor; kedge config shows where it is set", text)
	}
	a.AnchorNumber, a.AnchorGiven = n, true
	return nil
}

// KeysPath returns where the key store is.
func (a *App) KeysPath() (string, error) {
	if path := a.Setting(a.KeysFlag, "KEDGE_KEYS", ""); path != "" {
		return path, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", ui.Hinted(fmt.Errorf("finding the configuration folder: %w", err), "--keys FILE names the key store")
	}
	return filepath.Join(dir, "kedge", "keys.age"), nil
}

// Again runs another command of the same run, with flags of its own and its results to out: the key store stays
// open and is not asked for again.
func (a *App) Again(out io.Writer, run func(*App) error) error {
	again := &App{UI: a.UI.Again(out), opened: a.opened, away: a.away, agentFailed: a.agentFailed, keep: a.keep, typed: a.typed}
	err := run(again)
	a.opened, a.away, a.agentFailed, a.typed = again.opened, again.away, again.agentFailed, again.typed
	return err
}
