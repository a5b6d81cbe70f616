package key

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/device/slip39"
)

func unhex(text string) ([]byte, error) { return hex.DecodeString(text) }

type exportFlags struct {
	shares          string
	groups          []string
	groupsNeeded    int
	sharePassphrase bool
	cxf             string
	credentials     []string
	confirm         string
}

func (a verbs) export() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export NAME",
		Short: "show the words of a security key, or shares of them, to be written on paper",
		Long: `Shows the 24 words of the seed on the terminal, and asks for some of them from the
paper. With --shares it makes SLIP-0039 shares in their place and shows one after
the other: any T of N, 3 of 5 unless it is said, give the seed back. --group, once
for each, makes groups of shares, all of which are needed unless --groups-needed
says how many. Nothing is ever written to a file or to standard output.

With --cxf FILE it writes the passkeys themselves, not the seed, as an exchange file
(CXF) that password managers read, encrypted with age and a passphrase of its own.
What was exported is marked as copied. A credential that was registered as
device-bound, or has a signature counter, is left out and named.

After kedge key finalize nothing of this is possible any more.`,
		Example: `  kedge key export laptop
  kedge key export laptop --shares
  kedge key export laptop --shares=2of3 --share-passphrase
  kedge key export laptop --group 1of1 --group 3of5 --groups-needed 1
  kedge key export laptop --cxf passkeys.age --credential work`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if f.cxf != "" {
				return a.exportCXF(args[0], f)
			}
			if f.credentials != nil || f.confirm != "" {
				return ui.Usagef("--credential and --confirm go with --cxf")
			}
			options, err := f.options()
			if err != nil {
				return err
			}
			if options == nil {
				return a.exportWords(args[0])
			}
			return a.exportShares(args[0], *options, f.sharePassphrase)
		},
	}
	cmd.Flags().StringVar(&f.shares, "shares", "", "make shares, TofN of which T are needed")
	cmd.Flags().Lookup("shares").NoOptDefVal = "3of5"
	cmd.Flags().StringArrayVar(&f.groups, "group", nil, "make a group of shares, TofN; once for each group")
	cmd.Flags().IntVar(&f.groupsNeeded, "groups-needed", 0, "how many of the groups are needed (default all)")
	cmd.Flags().BoolVar(&f.sharePassphrase, "share-passphrase", false, "ask for a passphrase without which the shares give another seed")
	cmd.Flags().StringVar(&f.cxf, "cxf", "", "write the passkeys to this new exchange file, encrypted")
	cmd.Flags().StringArrayVar(&f.credentials, "credential", nil, "label of a credential to write; once for each (default all)")
	cmd.Flags().StringVar(&f.confirm, "confirm", "", "fingerprint of the seed, or name of a key without one, in place of typing it")
	return cmd
}

// options returns how shares are made, or nil for words.
func (f exportFlags) options() (*slip39.Options, error) {
	texts := f.groups
	switch {
	case f.shares != "" && len(f.groups) > 0:
		return nil, ui.Usagef("--shares and --group exclude each other")
	case f.shares != "":
		texts = []string{f.shares}
	case len(f.groups) == 0 && (f.sharePassphrase || f.groupsNeeded != 0):
		return nil, ui.Usagef("--share-passphrase goes with --shares or --group, --groups-needed with --group")
	case len(f.groups) == 0:
		return nil, nil
	}
	o := &slip39.Options{GroupThreshold: f.groupsNeeded, Exponent: slip39.DefaultExponent}
	for _, text := range texts {
		need, count, found := strings.Cut(text, "of")
		t, err1 := strconv.Atoi(need)
		n, err2 := strconv.Atoi(count)
		if !found || err1 != nil || err2 != nil {
			return nil, ui.Usagef("%q is not of the form 3of5", text)
		}
		o.Groups = append(o.Groups, slip39.Group{Threshold: t, Count: n})
	}
	return o, nil
}

func (a verbs) exportWords(name string) error {
	var p device.Phrase
	var print device.Fingerprint
	// The store notes the export before the words are shown: whoever sees them and breaks off has them.
	err := a.change(name, func(k *device.SecurityKey) (err error) {
		print = k.Fingerprint()
		p, err = k.ExportPhrase(a.Now())
		return err
	})
	if err != nil {
		return exportHint(name, err)
	}
	title := fmt.Sprintf("the words of security key %s, fingerprint %s; write both on paper", ui.Printable(name), print)
	if err := a.teach(title, p.Words()); err != nil {
		return err
	}
	return a.Result(map[string]any{"name": name, "fingerprint": print.String(), "words": len(p.Words())},
		fmt.Sprintf("the words are on paper; next, with the paper: kedge key check %s", ui.Quoted(name)))
}

func exportHint(name string, err error) error {
	if errors.Is(err, device.ErrFinalized) {
		return ui.Hinted(err, "the paper has the seed; kedge key check %s says whether it does", ui.Quoted(name))
	}
	return err
}

func (a verbs) exportShares(name string, o slip39.Options, withPassphrase bool) error {
	if _, err := a.Ask(); err != nil {
		return ui.Hinted(err, "shares are shown on a terminal and nowhere else")
	}
	if withPassphrase {
		var err error
		if o.Passphrase, err = a.NewPassphrase("passphrase of the shares"); err != nil {
			return err
		}
	}
	// Made once on paper before the store notes anything: a number that makes no sense exports nothing.
	if _, err := slip39.Split(make([]byte, 32), o, a.Random); err != nil {
		return ui.Usagef("%w", err)
	}
	var secret []byte
	var print device.Fingerprint
	err := a.change(name, func(k *device.SecurityKey) (err error) {
		if kind := k.RootKind(); kind == device.RootPrime {
			return errors.New("the seed of a Passport Prime is backed up by the device itself")
		}
		print = k.Fingerprint()
		secret, err = k.ExportSecret(a.Now())
		return err
	})
	if err != nil {
		return exportHint(name, err)
	}
	groups, err := slip39.Split(secret, o, a.Random)
	if err != nil {
		return err
	}
	total := 0
	for _, g := range groups {
		total += len(g)
	}
	shown := 0
	for i, g := range groups {
		for _, s := range g {
			shown++
			title := fmt.Sprintf("share %d of %d of security key %s, fingerprint %s; any %d of the %d of this group are needed",
				shown, total, ui.Printable(name), print, o.Groups[i].Threshold, o.Groups[i].Count)
			if len(groups) > 1 {
				title += fmt.Sprintf("; group %d", i+1)
			}
			if err := a.teach(title, s.Words()); err != nil {
				return err
			}
		}
	}
	return a.Result(map[string]any{"name": name, "fingerprint": print.String(), "set": groups[0][0].Set(), "shares": total},
		fmt.Sprintf("%d shares of the set %s are on paper; next, with the paper: kedge key check %s --shares", total, groups[0][0].Set(), ui.Quoted(name)))
}

func (a verbs) exportCXF(name string, f exportFlags) error {
	if f.shares != "" || f.groups != nil || f.sharePassphrase || f.groupsNeeded != 0 {
		return ui.Usagef("--cxf exports passkeys and goes with neither shares nor groups")
	}
	k, err := a.load(name)
	if err != nil {
		return err
	}
	if k.Status().Sealed() {
		return exportHint(name, device.ErrFinalized)
	}
	var ids [][]byte
	for _, label := range f.credentials {
		c, err := selectRecord(k, label)
		if err != nil {
			return err
		}
		ids = append(ids, c.CredentialID())
	}
	if _, err := os.Lstat(f.cxf); err == nil {
		return fmt.Errorf("the file %q exists, and is not overwritten", f.cxf)
	}
	token := name
	if k.HasSeed() {
		token = k.Fingerprint().String()
	}
	question := "Whoever has the file and its passphrase has these passkeys for ever, and no words change that."
	if err := a.typed(f.confirm, token, question); err != nil {
		return err
	}
	passphrase, err := a.exchangePassphrase(true)
	if err != nil {
		return err
	}
	// The store notes the copies before there is a file: a copy that is not known of would be worse than
	// the other way round.
	var plain []byte
	var leftOut []device.LeftOut
	err = a.change(name, func(k *device.SecurityKey) (err error) {
		plain, leftOut, err = k.ExportCXF(ids, a.Now(), a.Random)
		return err
	})
	for _, l := range leftOut {
		a.Warn("credential %q is not in the file: %s", l.Label, l.Why)
	}
	if err != nil {
		return exportHint(name, err)
	}
	sealed, err := device.SealExchange(plain, passphrase, a.WorkFactor)
	if err != nil {
		return err
	}
	if err := writeNew(f.cxf, sealed); err != nil {
		return err
	}
	return a.Result(map[string]any{"name": name, "file": f.cxf, "left_out": len(leftOut)}, fmt.Sprintf("the passkeys are in %s, encrypted with its passphrase", f.cxf))
}

// exchangePassphrase is asked for on the terminal, or is in a file for scripts.
func (a verbs) exchangePassphrase(fresh bool) (string, error) {
	if file := a.Getenv("KEDGE_EXCHANGE_PASSPHRASE_FILE"); file != "" {
		return session.FirstLine("KEDGE_EXCHANGE_PASSPHRASE_FILE", file)
	}
	if fresh {
		return a.NewPassphrase("passphrase of the exchange file")
	}
	t, err := a.Ask()
	if err != nil {
		return "", ui.Hinted(err, "KEDGE_EXCHANGE_PASSPHRASE_FILE gives the passphrase of the exchange file to scripts")
	}
	return t.Secret("passphrase of the exchange file: ")
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("the file %q exists, and is not overwritten", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
