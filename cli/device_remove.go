package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/device"
)

func (a *app) deviceRemove() *cobra.Command {
	var forgetKey bool
	cmd := &cobra.Command{
		Use:   "remove DEVICE",
		Short: "remove a device from the anchor",
		Long: `Removes a device from the anchor. A protected device is removed by itself alone;
the last device of an anchor cannot be removed.

Sessions that the device opened at applications go on until they expire, by the
network's design; the command says until when.

The passkey stays in the key store unless --forget-key is given.`,
		Example: `  kedge device remove "lost phone"
  kedge device remove phrase --as phrase
  kedge device remove phone --forget-key`,
		Args: argsError(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.openSession(cmd.Context())
			if err != nil {
				return err
			}
			found, err := a.findDevice(cmd.Context(), s, args[0])
			if err != nil {
				return err
			}
			if err := s.remove(cmd.Context(), s.anchor, found.Pubkey); err != nil {
				return err
			}
			a.warnSessions(found)
			if err := a.forget(s, found.Pubkey); err != nil {
				return err
			}
			if forgetKey {
				if err := a.forgetKey(s, found.Pubkey); err != nil {
					return err
				}
			}
			return a.result(deviceChanged{s.anchor, found.Alias}, fmt.Sprintf("removed %s from anchor %d", printable(found.Alias), s.anchor))
		},
	}
	cmd.Flags().BoolVar(&forgetKey, "forget-key", false, "delete the passkey from the key store too, for ever")
	a.signerFlags(cmd)
	return cmd
}

// warnSessions says how long what a removed device opened goes on.
func (a *app) warnSessions(d kedge.DeviceWithUsage) {
	if d.SessionsUntil == nil {
		return
	}
	if until := time.Unix(0, int64(*d.SessionsUntil)); until.After(a.Now()) {
		a.warn("sessions that %s opened go on until %s", printable(d.Alias), until.UTC().Format(time.RFC3339))
	}
}

// forget takes the note out of the key store that a device belongs to the anchor.
func (a *app) forget(s *session, publicKey []byte) error {
	own, err := a.ownKeys(s)
	if err != nil {
		return err
	}
	name := own.name(publicKey)
	if name == "" {
		return nil
	}
	return a.changeKeys(func(k *device.Keys) error {
		return k.Forget(name, device.Use{Where: s.where(), Anchor: s.anchor})
	})
}

// forgetKey deletes a passkey that no anchor is known to have any more.
func (a *app) forgetKey(s *session, publicKey []byte) error {
	own, err := a.ownKeys(s)
	if err != nil {
		return err
	}
	name := own.name(publicKey)
	if name == "" {
		a.warn("the key store does not have this key, so there is nothing to forget")
		return nil
	}
	return a.changeKeys(func(k *device.Keys) error {
		stored, err := k.Get(name)
		if err != nil {
			return err
		}
		if len(stored.Uses) > 0 {
			return fmt.Errorf("device %q was removed from anchor %d, but its key stays: it belongs to %d other anchors", name, s.anchor, len(stored.Uses))
		}
		return k.Remove(name)
	})
}
