package key

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

func (a verbs) lost() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "lost NAME",
		Short: "say what to remove when a security key is lost, and remove it with the one that survives",
		Long: `Lists where the credentials of NAME are devices, as far as the key store knows, and
removes those of the anchor at hand with another device (--as). A protected device
is removed by itself alone: its words still are that device, so restore the key from
them and let it remove itself; or ask for its release, if it has consented to one.

NAME has to be known to this key store: a key that was only on the lost machine is
removed with kedge device remove. Afterwards make and pair another key.`,
		Example: `  kedge key lost old-laptop --as phone
  kedge key lost old-laptop --as phrase --anchor 10000 --yes`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return a.removeLost(cmd.Context(), args[0], yes) },
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	a.SignerFlags(cmd)
	return cmd
}

type lostView struct {
	Name      string     `json:"name"`
	Anchor    uint64     `json:"anchor"`
	Removed   []lostItem `json:"removed"`
	Protected []lostItem `json:"protected"` // only they remove themselves
	Elsewhere []keyUse   `json:"elsewhere"`
}

type lostItem struct {
	Alias     string `json:"alias"`
	PublicKey string `json:"public_key"`
	label     string
	key       []byte
}

func (a verbs) removeLost(ctx context.Context, name string, yes bool) error {
	k, err := a.open(name) // it is changed at the end, so the passphrase comes first
	if err != nil {
		return err
	}
	s, err := a.OpenSession(ctx)
	if err != nil {
		return err
	}
	if s.Signer.Stored.Key == name {
		return ui.Hinted(fmt.Errorf("%s is the lost key itself", s.Signer), "--as names a device that survives, or phrase")
	}
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	view := planLost(k, s, info.Devices)
	if len(view.Removed) == 0 && len(view.Protected) == 0 {
		return a.Result(view, strings.TrimSpace(fmt.Sprintf("no device of anchor %d is a credential of %s\n%s", s.Anchor, ui.Printable(name), elsewhereText(view))))
	}
	if len(view.Removed) > 0 {
		var names []string
		for _, i := range view.Removed {
			names = append(names, i.label)
		}
		if err := a.sure(yes, fmt.Sprintf("%s will remove from anchor %d: %s. Go on?", s.Signer, s.Anchor, strings.Join(names, ", "))); err != nil {
			return err
		}
	}
	var failed []error
	done := view.Removed[:0:0]
	for _, i := range view.Removed {
		if err := s.Remove(ctx, s.Anchor, i.key); err != nil {
			failed = append(failed, fmt.Errorf("removing %s: %w", i.label, err))
			continue
		}
		done = append(done, i)
	}
	view.Removed = append([]lostItem{}, done...)
	if err := a.forget(k, s); err != nil {
		failed = append(failed, err)
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	return a.Result(view, lostText(view))
}

// planLost says what of a lost key can be removed, and what else there is.
func planLost(k *device.SecurityKey, s *session.Session, devices []kedge.DeviceWithUsage) lostView {
	view := lostView{Name: k.Name(), Anchor: s.Anchor, Removed: []lostItem{}, Protected: []lostItem{}, Elsewhere: []keyUse{}}
	here := device.Use{Where: s.Where(), Anchor: s.Anchor}
	for _, c := range k.Credentials() {
		for _, use := range c.Uses {
			if use != here {
				view.Elsewhere = append(view.Elsewhere, keyUse(use))
			}
		}
		for _, d := range devices {
			if !bytes.Equal(d.Pubkey, c.PublicKey()) {
				continue
			}
			item := lostItem{Alias: d.Alias, PublicKey: fmt.Sprintf("%x", d.Pubkey), label: session.Label(d.Alias, d.Pubkey), key: d.Pubkey}
			if d.Protection == kedge.DeviceProtectionProtected {
				view.Protected = append(view.Protected, item)
			} else {
				view.Removed = append(view.Removed, item)
			}
		}
	}
	return view
}

// forget notes that the credentials of a key are devices of the anchor no more.
func (a verbs) forget(k *device.SecurityKey, s *session.Session) error {
	info, err := s.AnchorInfo(context.WithoutCancel(context.Background()), s.Anchor)
	if err != nil {
		return err
	}
	here := device.Use{Where: s.Where(), Anchor: s.Anchor}
	return a.ChangeKeys(func(keys *device.Keys) error {
		for _, c := range k.Credentials() {
			if deviceOf(info.Devices, k) == nil {
				if err := keys.Forget(k.Name()+"/"+c.Label, here); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func lostText(v lostView) string {
	var lines []string
	for _, i := range v.Removed {
		lines = append(lines, fmt.Sprintf("removed %s from anchor %d", i.label, v.Anchor))
	}
	for _, i := range v.Protected {
		lines = append(lines, fmt.Sprintf("%s is protected, so only it removes itself: restore it from its words elsewhere, then kedge device remove there; or kedge release request, if it has consented", i.label))
	}
	if t := elsewhereText(v); t != "" {
		lines = append(lines, t)
	}
	return strings.Join(append(lines, "next: kedge key init NAME; kedge device add NAME; kedge key pair"), "\n")
}

func elsewhereText(v lostView) string {
	var lines []string
	for _, use := range v.Elsewhere {
		lines = append(lines, fmt.Sprintf("it is also a device of anchor %d at %s; run this there, too", use.Anchor, use.Where))
	}
	return strings.Join(lines, "\n")
}
