package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"kedge/device"
)

// app is one run of the command line: its flags and what the verbs share.
type app struct {
	System

	network, rootKey, canister string
	keys, as, phraseFile       string
	identity                   string
	anchor                     uint64
	anchorGiven                bool
	json                       bool

	terminal Terminal
	opened   *device.Store
}

const rootLong = `Kedge is an identity provider for the Internet Computer whose recovery methods
survive a stolen laptop, a lost phone, a leaked phrase and a bad upgrade.

Passkeys are kept in one file, encrypted with a passphrase (--keys). A recovery
phrase is never kept: it is on paper and asked for when it has to sign.

Exit codes:
` + ExitCodes + `

Environment:
  KEDGE_NETWORK          what --network is when it is not given
  KEDGE_CANISTER         what --canister is when it is not given
  KEDGE_KEYS             what --keys is when it is not given
  KEDGE_AS               what --as is when it is not given
  KEDGE_PASSPHRASE_FILE  a file whose first line is the passphrase of the key store`

const rootExample = `  kedge network start --background
  kedge deploy
  kedge anchor create --device laptop
  kedge device list`

func (a *app) rootCommand() *cobra.Command {
	root := a.group("kedge", "an identity provider for the Internet Computer",
		a.networkCommand(), a.deployCommand(),
		a.anchorCommand(), a.deviceCommand(), a.recoveryCommand(), a.releaseCommand(),
		a.guardCommand(), a.deviceBoundCommand(), a.sessionLimitCommand(),
		a.reportCommand(), a.historyCommand(), a.attestCommand(), a.lookupCommand(),
		a.loginCommand(), a.whoamiCommand(), a.principalCommand(), a.migrateCommand(), a.fsckCommand())
	root.Long, root.Example = rootLong, rootExample
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &cliError{err: err, code: exitUsage, hint: cmd.CommandPath() + " --help"}
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.network, "network", "", "local, ic, or a URL such as http://127.0.0.1:4943 (default local)")
	flags.StringVar(&a.rootKey, "root-key", "", "root key of the network, 266 hexadecimal digits; needed where --network is neither ic nor on this machine")
	flags.StringVar(&a.canister, "canister", "", "id of the identity provider (default: the one that kedge deploy made here)")
	flags.StringVar(&a.keys, "keys", "", "key store file (default kedge/keys.age in the user's configuration folder)")
	flags.BoolVar(&a.json, "json", false, "print the result as JSON")
	return root
}

// group returns a command that only has other commands below it.
func (a *app) group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &cliError{
					err:  fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath()),
					code: exitUsage, hint: cmd.CommandPath() + " --help",
				}
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// signerFlags adds the flags of a command that signs.
func (a *app) signerFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.as, "as", "", "device that signs: a name in the key store, or phrase for the recovery phrase")
	cmd.Flags().StringVar(&a.phraseFile, "phrase-file", "", "file with the recovery phrase, in place of asking for it")
	cmd.Flags().Uint64Var(&a.anchor, "anchor", 0, "number of the anchor (default: the one that the signer belongs to)")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		a.anchorGiven = cmd.Flags().Changed("anchor")
		return run(cmd, args)
	}
}

// setting returns a flag's value, or that of the environment variable, or the default.
func (a *app) setting(flag, variable, otherwise string) string {
	if flag != "" {
		return flag
	}
	if v := a.Getenv(variable); v != "" {
		return v
	}
	return otherwise
}

// keysPath returns where the key store is.
func (a *app) keysPath() (string, error) {
	if path := a.setting(a.keys, "KEDGE_KEYS", ""); path != "" {
		return path, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", hinted(fmt.Errorf("finding the configuration folder: %w", err), "--keys FILE names the key store")
	}
	return filepath.Join(dir, "kedge", "keys.age"), nil
}

// close gives back what the run has taken.
func (a *app) close() {
	if a.terminal != nil {
		_ = a.terminal.Close()
	}
}
