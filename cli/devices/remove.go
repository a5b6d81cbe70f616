package devices

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

func (a verbs) deviceRemove() *cobra.Command {
	var forgetKey bool
	cmd := &cobra.Command{
		Use:   "remove DEVICE",
		Short: "remove a device from the anchor",
		Long: `Removes a device from the anchor. A protected device is removed by itself alone;
the last device of an anchor cannot be removed.

Sessions that the device opened at applications go on until they expire, by the
network's design; the command says until when.

The passkey stays in the key store unless --forget-key is given.

It asks first if the device is the one that signs, the last protected one, or the
last one beside the recovery phrase, and before a key is deleted.`,
		Example: `  kedge device remove "lost phone"
  kedge device remove phrase --as phrase
  kedge device remove phone --forget-key --yes`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			info, err := s.AnchorInfo(cmd.Context(), s.Anchor)
			if err != nil {
				return err
			}
			found, err := a.MatchDevice(s, info.Devices, args[0])
			if err != nil {
				return err
			}
			if err := a.confirmLoss(s, info.Devices, found, forgetKey); err != nil {
				return err
			}
			if found.Name != "" { // the store forgets the device, so its passphrase comes first
				if _, err := a.OpenKeys(); err != nil {
					return err
				}
			}
			if err := s.Remove(cmd.Context(), s.Anchor, found.Device.Pubkey); err != nil {
				return err
			}
			a.warnSessions(found.Device)
			if err := a.forget(s, found.Device.Pubkey); err != nil {
				return err
			}
			if forgetKey {
				if err := a.forgetKey(s, found.Device.Pubkey); err != nil {
					return err
				}
			}
			return a.Result(deviceChanged{s.Anchor, found.Device.Alias, found.Principal().Text()}, fmt.Sprintf("removed %s from anchor %d", found, s.Anchor))
		},
	}
	cmd.Flags().BoolVar(&forgetKey, "forget-key", false, "delete the passkey from the key store too, for ever")
	a.YesFlag(cmd)
	a.SignerFlags(cmd)
	return cmd
}

// warnSessions says how long what a removed device opened goes on.
func (a verbs) warnSessions(d kedge.DeviceWithUsage) {
	if d.SessionsUntil == nil {
		return
	}
	if until := time.Unix(0, int64(*d.SessionsUntil)); until.After(a.Now()) {
		a.Warn("sessions that %s opened go on until %s", ui.Printable(d.Alias), ui.When(until, a.Now()))
	}
}

// forget takes the note out of the key store that a device belongs to the anchor.
func (a verbs) forget(s *session.Session, publicKey []byte) error {
	own, err := a.OwnKeys(s)
	if err != nil {
		return err
	}
	name := own.Name(publicKey)
	if name == "" {
		return nil
	}
	return a.ChangeKeys(func(k *device.Keys) error {
		return k.Forget(name, device.Use{Where: s.Where(), Anchor: s.Anchor})
	})
}

// forgetKey deletes a passkey that no anchor is known to have any more.
func (a verbs) forgetKey(s *session.Session, publicKey []byte) error {
	own, err := a.OwnKeys(s)
	if err != nil {
		return err
	}
	name := own.Name(publicKey)
	if name == "" {
		a.Warn("the key store does not have this key, so there is nothing to forget")
		return nil
	}
	return a.ChangeKeys(func(k *device.Keys) error {
		stored, err := k.Get(name)
		if err != nil {
			return err
		}
		if len(stored.Uses) > 0 {
			return fmt.Errorf("device %q was removed from anchor %d, but its key stays: it belongs to %d other anchors", name, s.Anchor, len(stored.Uses))
		}
		return k.Remove(name)
	})
}
