package cli

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
)

type matchView struct {
	Anchor    uint64 `json:"anchor"`
	PublicKey string `json:"public_key,omitempty"`
	Proven    *bool  `json:"proven,omitempty"` // by credential id only
}

func (a *app) lookupCommand() *cobra.Command {
	var credentialID string
	cmd := &cobra.Command{
		Use:   "lookup",
		Short: "find the anchors of the signer, or those that list a credential id",
		Long: `Anybody can list anybody's public key or credential id on an anchor of their own,
so every match is shown and none is chosen. Proven means that the device has
itself signed a call on that anchor.`,
		Example: `  kedge lookup --as phrase
  kedge lookup --credential-id 7f3a…`,
		Args: argsError(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if credentialID != "" {
				return a.lookupCredential(cmd, credentialID)
			}
			return a.lookupSigner(cmd)
		},
	}
	cmd.Flags().StringVar(&credentialID, "credential-id", "", "WebAuthn credential id in hexadecimal; needs no signer")
	cmd.Flags().StringVar(&a.as, "as", "", "device that signs: a name in the key store, or phrase")
	cmd.Flags().StringVar(&a.phraseFile, "phrase-file", "", "file with the recovery phrase, in place of asking for it")
	return cmd
}

func (a *app) lookupCredential(cmd *cobra.Command, text string) error {
	id, err := hex.DecodeString(text)
	if err != nil || len(id) == 0 {
		return usagef("--credential-id %q is not hexadecimal", text)
	}
	if a.as != "" || a.phraseFile != "" {
		return usagef("--credential-id needs no signer; leave --as and --phrase-file out")
	}
	p, err := a.openProvider(cmd.Context())
	if err != nil {
		return err
	}
	matches, err := p.lookupByCredential(cmd.Context(), id)
	if err != nil {
		return err
	}
	views := []matchView{}
	rows := [][]string{{"ANCHOR", "PROVEN"}}
	for _, m := range matches {
		views = append(views, matchView{Anchor: m.Anchor, PublicKey: hex.EncodeToString(m.Pubkey), Proven: &m.Proven})
		rows = append(rows, []string{fmt.Sprint(m.Anchor), yesNo(m.Proven)})
	}
	if len(matches) > 1 {
		a.warn("%d anchors list this credential id; only its owner knows which is the right one", len(matches))
	}
	if len(matches) == 0 {
		return a.result(views, "no anchor lists this credential id")
	}
	return a.result(views, table(rows))
}

func (a *app) lookupSigner(cmd *cobra.Command) error {
	nobody, err := a.openProvider(cmd.Context())
	if err != nil {
		return err
	}
	who, err := a.chooseSigner(nobody.where())
	if err != nil {
		return err
	}
	p, err := a.delegated(nobody, who.key)
	if err != nil {
		return err
	}
	anchors, err := p.lookupCaller(cmd.Context())
	if err != nil {
		return err
	}
	slices.Sort(anchors)
	views := []matchView{}
	for _, n := range anchors {
		views = append(views, matchView{Anchor: n})
	}
	switch len(anchors) {
	case 0:
		return a.result(views, fmt.Sprintf("%s is not a device of any anchor here", who))
	case 1:
		return a.result(views, fmt.Sprintf("%s is a device of anchor %d", who, anchors[0]))
	}
	return a.result(views, fmt.Sprintf("%s is a device of anchors %s", who, numbers(anchors)))
}
