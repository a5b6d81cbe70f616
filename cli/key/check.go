package key

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/cli/ui"
	"kedge/device"
)

func (a verbs) check() *cobra.Command {
	var b backupFlags
	cmd := &cobra.Command{
		Use:   "check NAME",
		Short: "type the backup of a security key back, every word or share, and note that it is right",
		Long: `Reads the words from the paper, or as many shares as are needed, and compares what
they give with the seed. A word that is not in the list is named by its number, a
share by its set. Only a backup that was checked counts: kedge key finalize asks
for it, and credentials report that they are backed up from then on.

Shares are asked for until an empty line, so that every one of them can be checked: of
more than are needed, each has to fit the others, and one that does not is named.`,
		Example: `  kedge key check laptop
  kedge key check laptop --shares --share-passphrase
  kedge key check laptop --words-file words.txt   # for scripts`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := a.load(args[0])
			if err != nil {
				return err
			}
			if !k.HasSeed() {
				return fmt.Errorf("security key %q has no seed, so there is no backup to check", args[0])
			}
			b.every = true
			if b.shares && k.RootKind() == device.RootSecret {
				b.shares, b.trezor = false, true // shares of a key without words give its secret
			}
			root, err := a.readRoot(b)
			if err != nil {
				return err
			}
			err = a.change(args[0], func(k *device.SecurityKey) error { return k.Check(root, a.Now()) })
			var another *device.AnotherSeedError
			if errors.As(err, &another) {
				hint := "this is another paper, or another key's"
				if b.isShares() {
					hint = "these are shares of another seed, or need another passphrase (--share-passphrase)"
				}
				return &ui.Error{Err: err, Hint: hint, Code: ui.ExitSecret}
			}
			if err != nil {
				return err
			}
			return a.Result(map[string]any{"name": args[0], "fingerprint": root.Fingerprint().String(), "checked": true},
				fmt.Sprintf("the backup gives the seed %s; next: kedge key finalize %s", root.Fingerprint(), ui.Quoted(args[0])))
		},
	}
	b.add(cmd)
	return cmd
}

func (a verbs) finalize() *cobra.Command {
	var confirm string
	cmd := &cobra.Command{
		Use:   "finalize NAME",
		Short: "end the time in which the seed and private keys of a security key are exported",
		Long: `After this, kedge exports neither the words nor the shares nor the passkeys of the key,
for ever. The backup has to have been checked. This stops mistakes, and whoever
comes to an open session later; it does not stop somebody who has the key store and
its passphrase, since both give the seed away to other programs.`,
		Example: `  kedge key finalize laptop
  kedge key finalize laptop --confirm 3f2a-91c4-0b7e-55d1   # for scripts`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := a.load(args[0])
			if err != nil {
				return err
			}
			s := k.Status()
			switch {
			case s.HasSeed && s.Sealed():
				return device.ErrFinalized
			case s.HasSeed && s.Checked.IsZero():
				return ui.Hinted(device.ErrNotChecked, "kedge key export %s, then kedge key check %s", ui.Quoted(args[0]), ui.Quoted(args[0]))
			case s.HasSeed:
				if err := a.typed(confirm, s.Fingerprint.String(), "The words can never be shown again."); err != nil {
					return err
				}
			}
			if err := a.change(args[0], func(k *device.SecurityKey) error { return k.Finalize(a.Now()) }); err != nil {
				return err
			}
			return a.Result(map[string]any{"name": args[0], "finalized": true}, fmt.Sprintf("security key %s is finalized", ui.Printable(args[0])))
		},
	}
	cmd.Flags().StringVar(&confirm, "confirm", "", "fingerprint of the seed, in place of typing it")
	return cmd
}

func (a verbs) restore() *cobra.Command {
	var b backupFlags
	var replace, backupFile string
	var withDeleted bool
	cmd := &cobra.Command{
		Use:   "restore NAME",
		Short: "make a security key again from its words or shares, and its records from a metadata backup",
		Long: `Reads the words or shares and keeps their seed under NAME. It refuses where NAME has
another seed, unless --replace names that seed's fingerprint: the old seed is then
gone. The words of a Trezor or a Ledger work as well: kedge key find then finds what
they made.

--backup FILE brings the records of credentials back from a metadata backup. Where
NAME has the seed already, that is all it does, and no words are asked for. Records
that are here are never lost by it, and what was deleted here stays deleted unless
--with-deleted is given.`,
		Example: `  kedge key restore laptop
  kedge key restore laptop --shares --backup laptop.kedge
  kedge key restore laptop --backup laptop.kedge      # the key is here already
  kedge key restore laptop --replace 3f2a-91c4-0b7e-55d1`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.restoreKey(args[0], b, replace, backupFile, withDeleted)
		},
	}
	b.add(cmd)
	cmd.Flags().StringVar(&replace, "replace", "", "fingerprint of the seed that NAME has now, and that is given up")
	cmd.Flags().StringVar(&backupFile, "backup", "", "metadata backup to take in")
	cmd.Flags().BoolVar(&withDeleted, "with-deleted", false, "bring back from the metadata backup what was deleted here")
	return cmd
}

func (a verbs) restoreKey(name string, b backupFlags, replace, backupFile string, withDeleted bool) error {
	if withDeleted && backupFile == "" {
		return ui.Usagef("--with-deleted goes with --backup")
	}
	var file []byte
	if backupFile != "" {
		var err error
		if file, err = readBackup(backupFile); err != nil {
			return err
		}
	}
	keys, err := a.OpenKeys()
	if err != nil {
		return err
	}
	here, err := keys.Key(name)
	if err == nil && file != nil && replace == "" && here.HasSeed() {
		return a.mergeBackup(name, file, withDeleted)
	}
	if err == nil && replace == "" {
		// Before anybody types 24 words for nothing.
		_, err := keys.Restore(name, device.Root{}, "", a.Now())
		return replaceHint(name, err)
	}
	root, err := a.readRoot(b)
	if err != nil {
		return err
	}
	var report device.MetadataReport
	var made *device.SecurityKey
	err = a.ChangeKeys(func(keys *device.Keys) (err error) {
		if made, err = keys.Restore(name, root, replace, a.Now()); err != nil {
			return err
		}
		if file != nil {
			report, err = made.RestoreMetadata(file, withDeleted)
		}
		return err
	})
	if err != nil {
		return replaceHint(name, err)
	}
	text := fmt.Sprintf("security key %s has the seed %s", ui.Printable(name), root.Fingerprint())
	if file != nil {
		text += "\n" + metadataText(report, a.Now())
	} else {
		text += "; kedge key find says which credentials of an anchor are its own"
	}
	return a.Result(struct {
		keyView
		Metadata *metadataView `json:"metadata,omitempty"`
	}{viewKey(made), viewMetadata(file, report)}, text)
}

func replaceHint(name string, err error) error {
	var other *device.ReplaceError
	if !errors.As(err, &other) {
		return err
	}
	if !other.HasSeed {
		return ui.Hinted(err, "give another NAME")
	}
	return ui.Hinted(err, "give another NAME, or --replace %s if that seed is to be given up", other.Fingerprint)
}
