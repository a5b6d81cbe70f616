package devices

import (
	"bytes"
	"fmt"
	"strings"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
)

// lossOf says what the person loses, beside the device, if a device of the anchor is removed: nothing, or parts of
// a sentence. Of what the canister will refuse it says nothing.
func lossOf(s *session.Session, devices []kedge.DeviceWithUsage, gone kedge.DeviceWithUsage) []string {
	self := bytes.Equal(gone.Pubkey, s.Signer.Key.PublicKey())
	if len(devices) < 2 || locked(gone) && !self {
		return nil
	}
	var loss []string
	if self {
		loss = append(loss, "it is the device that signs this, and can sign nothing for the anchor afterwards")
	}
	protected, others := 0, 0
	for _, d := range devices {
		if bytes.Equal(d.Pubkey, gone.Pubkey) {
			continue
		}
		if d.Protection == kedge.DeviceProtectionProtected {
			protected++
		}
		if d.KeyType != kedge.KeyTypeSeedPhrase {
			others++
		}
	}
	if gone.Protection == kedge.DeviceProtectionProtected && protected == 0 {
		loss = append(loss, lastProtection)
	}
	if others == 0 && gone.KeyType != kedge.KeyTypeSeedPhrase {
		loss = append(loss, "only the recovery phrase is left afterwards, and its words have to be typed for every sign-in")
	}
	return loss
}

const lastProtection = "no device is protected afterwards, so whoever holds one of them can remove the others"

// locked reports whether only the device itself may change or remove it.
func locked(d kedge.DeviceWithUsage) bool {
	return d.Protection == kedge.DeviceProtectionProtected && d.Proven != nil && *d.Proven
}

// confirmLoss asks before a device is taken from the anchor in a way that is hard to mend.
func (a verbs) confirmLoss(s *session.Session, devices []kedge.DeviceWithUsage, gone session.Found, forgetKey bool) error {
	loss := lossOf(s, devices, gone.Device)
	if forgetKey && gone.Name != "" {
		loss = append(loss, fmt.Sprintf("its key %s is deleted from the key store for ever", ui.Printable(gone.Name)))
	}
	if len(loss) == 0 {
		return nil
	}
	return a.Confirm(fmt.Sprintf("this removes %s from anchor %d: %s", gone.Label(), s.Anchor, strings.Join(loss, "; ")))
}
