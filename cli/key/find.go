package key

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

type findFlags struct {
	backupFlags
	typed        bool
	keys         []string
	sites, users []string
	gap, limit   int
	save         string
	anchor       uint64
}

func (a verbs) find() *cobra.Command {
	var f findFlags
	cmd := &cobra.Command{
		Use:   "find [NAME…]",
		Short: "find out which devices of an anchor a seed gives, without any other backup",
		Long: `Reads the devices of an anchor, which are public, and derives keys from the seeds of
the key store (of NAME alone, if given), or from words or shares that are typed, until
it knows which devices they give. It tries

  - the credential ids that the anchor lists: those of kedge and of a Trezor (SLIP-0022),
    U2F handles of a Trezor, handles of a Ledger;
  - names of SLIP-0013: each --site with each --user, index 0 and on;
  - the two small numbers of a Passport Prime (--passport-prime);
  - the key that Internet Identity derives from the words of a recovery phrase.

So whoever has the words of a broken Trezor or Ledger signs in with them: --save NAME
keeps the seed and what was found as a security key. No real Ledger and no real
Passport Prime were at hand to compare with; their schemes are read from their sources.`,
		Example: `  kedge key find --anchor 10000
  kedge key find laptop --anchor 10000
  kedge key find --words --anchor 10000 --save trezor
  kedge key find --trezor-shares --anchor 10000 --site https://identity.ic0.app
  kedge key find laptop --anchor 10000 --site https://id.example --user anna`,
		Args: ui.Args(cobra.ArbitraryArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.keys = args
			return a.findKeys(cmd.Context(), f)
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.typed, "words", false, "type the words of a seed that is not in the key store")
	cmd.Flags().StringArrayVar(&f.sites, "site", nil, "web origin to try names and handles with (default: the canister's own page and Internet Identity's)")
	cmd.Flags().StringArrayVar(&f.users, "user", nil, "user name to try; once for each")
	cmd.Flags().IntVar(&f.gap, "gap", 20, "how many numbers in a row without a match end a search")
	cmd.Flags().IntVar(&f.limit, "limit", 10_000, "how many keys are derived at most")
	cmd.Flags().StringVar(&f.save, "save", "", "keep what was typed and found as this new security key")
	cmd.Flags().Uint64Var(&f.anchor, "anchor", 0, "number of the anchor")
	_ = cmd.MarkFlagRequired("anchor")
	return cmd
}

// sites are tried unless --site names others: where passkeys of an anchor are made.
func (f findFlags) sitesOr(p *provider.Provider) []string {
	if len(f.sites) > 0 {
		return f.sites
	}
	return []string{session.DefaultOrigin(p.Client.Network(), p.Canister), "https://identity.ic0.app", "https://identity.internetcomputer.org", "https://id.ai"}
}

func (f findFlags) fromPaper() bool { return f.typed || f.isShares() || f.prime || len(f.files) > 0 }

// foundView is a device of the anchor and what gives it.
type foundView struct {
	PublicKey    string `json:"public_key"`
	CredentialID string `json:"credential_id,omitempty"`
	Key          string `json:"key,omitempty"` // of the key store
	Fingerprint  string `json:"fingerprint,omitempty"`
	Kind         string `json:"kind,omitempty"`
	Path         string `json:"path,omitempty"`
}

type findView struct {
	Anchor    uint64      `json:"anchor"`
	Matched   []foundView `json:"matched"`
	Unmatched []foundView `json:"unmatched"`
	Twice     [][]string  `json:"same_key_twice"`
	Derived   int         `json:"keys_derived"`
	Cut       bool        `json:"limit_reached"`
	Saved     string      `json:"saved,omitempty"`
}

func (a verbs) findKeys(ctx context.Context, f findFlags) error {
	switch {
	case f.fromPaper() && len(f.keys) > 0:
		return ui.Usagef("NAME and a seed that is typed exclude each other")
	case f.save != "" && !f.fromPaper():
		return ui.Usagef("--save goes with a seed that is typed; what a key of the store gives is saved with it")
	}
	p, err := a.OpenProvider(ctx)
	if err != nil {
		return err
	}
	list, proven, err := listed(ctx, p, f.anchor)
	if err != nil {
		return err
	}
	roots, names, err := a.findRoots(f)
	if err != nil {
		return err
	}
	report, err := a.scan(ctx, roots, list, f, p)
	if err != nil {
		return err
	}
	view := findView{Anchor: f.anchor, Matched: []foundView{}, Unmatched: []foundView{}, Twice: [][]string{}, Derived: report.Derived, Cut: report.Cut}
	if view.Saved, err = a.keepFound(p, f, roots, names, list, proven, report); err != nil {
		return err
	}
	return a.Result(view.fill(list, roots, names, report), view.text(list, roots, names, report))
}

// listed reads the devices of an anchor, as anybody may, and which of them have signed there themselves.
func listed(ctx context.Context, p *provider.Provider, anchor uint64) (list []device.Listed, proven []bool, err error) {
	devices, err := p.Lookup(ctx, anchor)
	if err != nil {
		return nil, nil, err
	}
	if len(devices) == 0 {
		return nil, nil, ui.Hinted(fmt.Errorf("anchor %d has no devices here", anchor), "--anchor has a number that was never registered, or --network and --canister name another place")
	}
	for _, d := range devices {
		l := device.Listed{PublicKey: d.Pubkey, CredentialID: d.CredentialID, Name: d.KeyType.String()}
		if d.Origin != nil {
			l.Origin = *d.Origin
		}
		list, proven = append(list, l), append(proven, d.Proven != nil && *d.Proven)
	}
	return list, proven, nil
}

// findRoots returns the seeds and the names of their keys in the store, empty for what was typed.
func (a verbs) findRoots(f findFlags) ([]device.Root, []string, error) {
	if f.fromPaper() {
		roots, err := a.readRoots(f.backupFlags, true)
		return roots, make([]string, len(roots)), err
	}
	keys, err := a.OpenKeys()
	if err != nil {
		return nil, nil, err
	}
	var roots []device.Root
	var names []string
	for _, name := range f.keys {
		k, err := keys.Key(name)
		if err != nil {
			return nil, nil, err
		}
		if !k.HasSeed() {
			return nil, nil, fmt.Errorf("security key %q has no seed to derive from", name)
		}
	}
	for _, k := range keys.SecurityKeys() {
		if k.HasSeed() && (len(f.keys) == 0 || slices.Contains(f.keys, k.Name())) {
			roots, names = append(roots, k.Root()), append(names, k.Name())
		}
	}
	if len(roots) == 0 {
		return nil, nil, ui.Hinted(fmt.Errorf("no security key of the key store has a seed"), "--words asks for the words of one")
	}
	return roots, names, nil
}

func (a verbs) scan(ctx context.Context, roots []device.Root, list []device.Listed, f findFlags, p *provider.Provider) (device.FindReport, error) {
	if f.gap < 1 || f.limit < 1 {
		return device.FindReport{}, ui.Usagef("--gap and --limit are above zero")
	}
	bar := a.NewBar()
	start, last := a.Now(), time.Time{}
	report, err := device.Find(ctx, roots, list, device.FindOptions{
		Sites: f.sitesOr(p), Users: f.users, Gap: f.gap, Limit: f.limit,
		Progress: func(done, atMost int) {
			if now := a.Now(); now.Sub(last) > 100*time.Millisecond {
				last = now
				bar.ShowText(uint64(done), uint64(atMost), fmt.Sprintf("%d of at most %d keys, %.0f a second", done, atMost, float64(done)/max(now.Sub(start).Seconds(), 0.001)))
			}
		},
	})
	bar.Clear()
	return report, err
}

// keepFound records matches with the keys of the store, or as a new key. That they belong to the anchor is noted
// only of those that have signed there: anybody can list anybody's key.
func (a verbs) keepFound(p *provider.Provider, f findFlags, roots []device.Root, names []string, list []device.Listed, proven []bool, report device.FindReport) (saved string, err error) {
	if len(report.Matches) == 0 || f.fromPaper() && f.save == "" {
		return "", nil
	}
	use := device.Use{Where: p.Where(), Anchor: f.anchor}
	return f.save, a.ChangeKeys(func(keys *device.Keys) error {
		for i, root := range roots {
			matches := slices.DeleteFunc(slices.Clone(report.Matches), func(m device.Match) bool {
				return m.Root != i || m.Kind == device.RecoveryPhraseKey || m.Kind == device.Named
			})
			if len(matches) == 0 {
				continue
			}
			var k *device.SecurityKey
			var err error
			if names[i] != "" {
				k, err = keys.Key(names[i])
			} else {
				k, err = keys.Restore(f.save, root, "", a.Now())
			}
			if err != nil {
				return err
			}
			for _, m := range matches {
				c, err := k.AddMatch(m, list[m.Listed], "")
				if err != nil {
					return err
				}
				if !proven[m.Listed] {
					continue
				}
				if err := keys.Note(k.Name()+"/"+c.Label, use); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
