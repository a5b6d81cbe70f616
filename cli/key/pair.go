package key

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/ui"
	"kedge/device"
)

// check is one line of the checklist of a pair.
type checkView struct {
	Text string `json:"text"`
	Done bool   `json:"done"`
	Next string `json:"next,omitempty"`
}

type pairView struct {
	Keys         []string    `json:"keys"`
	Fingerprints []string    `json:"fingerprints"`
	SameModel    bool        `json:"same_model"`
	Anchor       uint64      `json:"anchor,omitempty"`
	Checks       []checkView `json:"checks"`
}

func (a verbs) pair() *cobra.Command {
	var proofFile, nonceText string
	cmd := &cobra.Command{
		Use:   "pair NAME [OTHER]",
		Short: "prove that two security keys have different seeds, and check that each would do alone",
		Long: `Each key proves by a signature that it has its seed. Two keys with one seed are clones,
not a pair, and refused: whoever has one has both. Keys of the same model are a
warning, since one fault may break both. Then it checks against the anchor that both
are registered and have signed in, which is protected, and that the backup of both is
checked and finalized.

With --no-anchor only the proofs are checked. A key on another machine proves itself
with kedge key prove; give its answer with --proof and the nonce with --nonce.`,
		Example: `  kedge key pair laptop yubi-in-the-safe
  kedge key pair laptop yubi-in-the-safe --no-anchor
  kedge key pair laptop --proof other.json --nonce 91c4…   # OTHER is on another machine`,
		Args: ui.Args(cobra.RangeArgs(1, 2)),
	}
	var noAnchor bool
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if (len(args) == 2) == (proofFile != "") {
			return ui.Usagef("give either OTHER or --proof")
		}
		if (proofFile == "") != (nonceText == "") {
			return ui.Usagef("--proof and --nonce go together")
		}
		if len(args) == 2 && args[0] == args[1] {
			return ui.Usagef("a key is no pair with itself")
		}
		return a.pairKeys(cmd.Context(), args, proofFile, nonceText, noAnchor)
	}
	cmd.Flags().StringVar(&proofFile, "proof", "", "file with the proof of a key on another machine")
	cmd.Flags().StringVar(&nonceText, "nonce", "", "the nonce that the proof was asked for with, hexadecimal")
	cmd.Flags().BoolVar(&noAnchor, "no-anchor", false, "leave the anchor out")
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) prove() *cobra.Command {
	var nonceText string
	cmd := &cobra.Command{
		Use:   "prove NAME",
		Short: "prove to another machine that a security key has its seed, for kedge key pair",
		Long: `Signs a nonce of the other machine with a key of the seed, so that kedge key pair there
knows that the two keys have different seeds and that both are at hand. The proof has
nothing secret. Without --nonce it prints a new nonce to take to the other machine.`,
		Example: `  kedge key prove laptop                    # prints a new nonce; take it to the other machine
  kedge key prove other --nonce 91c4… > other.json   # there`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := a.open(args[0])
			if err != nil {
				return err
			}
			if nonceText == "" {
				nonce, err := device.NewNonce(a.Random)
				if err != nil {
					return err
				}
				return a.Result(map[string]string{"nonce": hex.EncodeToString(nonce)}, hex.EncodeToString(nonce))
			}
			nonce, err := hex.DecodeString(nonceText)
			if err != nil {
				return ui.Usagef("--nonce %q is not hexadecimal", nonceText)
			}
			proof, err := k.Prove(nonce)
			if err != nil {
				return err
			}
			text, err := json.Marshal(proof)
			if err != nil {
				return err
			}
			return a.Result(proof, string(text))
		},
	}
	cmd.Flags().StringVar(&nonceText, "nonce", "", "the nonce that the other machine gave, hexadecimal; without it, a new one is printed")
	return cmd
}

func (a verbs) pairKeys(ctx context.Context, names []string, proofFile, nonceText string, noAnchor bool) error {
	nonce, proofs, err := a.proofs(names, proofFile, nonceText)
	if err != nil {
		return err
	}
	sameModel, err := device.Pair(proofs[0], proofs[1], nonce)
	var clones *device.CloneError
	if errors.As(err, &clones) {
		return ui.Hinted(err, "make another key with a seed of its own: kedge key init NAME")
	}
	if err != nil {
		return err
	}
	view := pairView{SameModel: sameModel, Checks: []checkView{}}
	for _, p := range proofs {
		print, err := p.Verify(nonce)
		if err != nil {
			return err
		}
		view.Keys, view.Fingerprints = append(view.Keys, p.Name), append(view.Fingerprints, print.String())
	}
	if sameModel {
		a.Warn("both keys are software of the same make: one fault, or one machine that is stolen, may take both; a hardware key is another factor")
	}
	for _, p := range proofs {
		view.Checks = append(view.Checks,
			checkView{fmt.Sprintf("the backup of %s is checked", ui.Printable(p.Name)), p.Checked, "kedge key check " + ui.Quoted(p.Name)},
			checkView{fmt.Sprintf("%s is finalized", ui.Printable(p.Name)), p.Finalized, "kedge key finalize " + ui.Quoted(p.Name)})
	}
	if !noAnchor {
		if err := a.checkAnchor(ctx, names, &view); err != nil {
			return err
		}
	}
	rows := [][]string{}
	for i, c := range view.Checks {
		mark := "yes"
		if !c.Done {
			mark = "NO, next: " + c.Next
		} else {
			view.Checks[i].Next = ""
		}
		rows = append(rows, []string{c.Text, mark})
	}
	text := fmt.Sprintf("%s (%s) and %s (%s) have different seeds\n\n%s",
		ui.Printable(view.Keys[0]), view.Fingerprints[0], ui.Printable(view.Keys[1]), view.Fingerprints[1], ui.Table(rows))
	return a.Result(view, text)
}

// proofs has each key prove itself.
func (a verbs) proofs(names []string, proofFile, nonceText string) (nonce []byte, proofs []device.Proof, err error) {
	if nonceText != "" {
		if nonce, err = hex.DecodeString(nonceText); err != nil {
			return nil, nil, ui.Usagef("--nonce %q is not hexadecimal", nonceText)
		}
	} else if nonce, err = device.NewNonce(a.Random); err != nil {
		return nil, nil, err
	}
	keys, err := a.OpenKeys()
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		k, err := keys.Key(name)
		if err != nil {
			return nil, nil, err
		}
		p, err := k.Prove(nonce)
		if err != nil {
			return nil, nil, fmt.Errorf("security key %q: %w", name, err)
		}
		proofs = append(proofs, p)
	}
	if proofFile != "" {
		data, err := os.ReadFile(proofFile)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the proof: %w", err)
		}
		var p device.Proof
		if err := json.Unmarshal(data, &p); err != nil {
			return nil, nil, fmt.Errorf("the file %q is no proof of kedge key prove", proofFile)
		}
		proofs = append(proofs, p)
	}
	return nonce, proofs, nil
}

// checkAnchor checks what the anchor knows of the keys of this store.
func (a verbs) checkAnchor(ctx context.Context, names []string, view *pairView) error {
	s, err := a.OpenSession(ctx)
	if err != nil {
		return err
	}
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	keys, err := a.OpenKeys()
	if err != nil {
		return err
	}
	view.Anchor = s.Anchor
	var protected []string
	for _, name := range names {
		k, err := keys.Key(name)
		if err != nil {
			return err
		}
		d := deviceOf(info.Devices, k)
		add := func(done bool, next, format string, args ...any) {
			view.Checks = append(view.Checks, checkView{fmt.Sprintf(format, args...), done, next})
		}
		shown := ui.Printable(name)
		add(d != nil, fmt.Sprintf("kedge device add %s --anchor %d", ui.Quoted(name), s.Anchor), "%s is a device of anchor %d", shown, s.Anchor)
		signed := d != nil && (d.Proven != nil && *d.Proven || d.LastUsage != nil)
		add(signed, fmt.Sprintf("kedge anchor show --as %s --anchor %d", ui.Quoted(name), s.Anchor), "%s has signed in there", shown)
		if d != nil && d.Protection == kedge.DeviceProtectionProtected {
			protected = append(protected, shown)
		}
	}
	text := "one of them is protected"
	if len(protected) > 0 {
		text += ": " + strings.Join(protected, ", ")
	}
	view.Checks = append(view.Checks, checkView{
		Text: text, Done: len(protected) > 0, Next: fmt.Sprintf("kedge device protect %s --as %s --anchor %d", ui.Quoted(names[0]), grantor(info.Devices, names[0]), s.Anchor),
	})
	return nil
}

// grantor is who can protect a key: while nothing is protected the key itself, from then on a protected device alone. The
// recovery phrase is one that its owner can name without a look.
func grantor(devices []kedge.DeviceWithUsage, name string) string {
	for _, d := range devices {
		if d.Protection == kedge.DeviceProtectionProtected && d.KeyType == kedge.KeyTypeSeedPhrase {
			return device.ReservedName
		}
	}
	return ui.Quoted(name)
}

// deviceOf returns the device of an anchor that is a credential of the key.
func deviceOf(devices []kedge.DeviceWithUsage, k *device.SecurityKey) *kedge.DeviceWithUsage {
	for i, d := range devices {
		for _, c := range k.Credentials() {
			if bytes.Equal(c.PublicKey(), d.Pubkey) {
				return &devices[i]
			}
		}
	}
	return nil
}
