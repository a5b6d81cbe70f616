package recovery

import (
	"bytes"
	"fmt"

	"kedge/candid/kedge"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
)

// maxDevices is how many devices an anchor may have.
const maxDevices = 10

// checkSlot says before any word is shown whether the signer can add a recovery phrase that ends up protected, or
// put one in the place of the present one. It returns the key of that one, nil if the phrase is added, and
// whether the signer is protected and so grants the protection: the phrase takes it itself only while no device
// has any.
func checkSlot(s *session.Session, info kedge.IdentityAnchorInfo, replace bool) (old []byte, grant bool, err error) {
	var present *kedge.DeviceWithUsage
	var signer kedge.DeviceWithUsage
	marked := false // beside the phrase that goes
	for i, d := range info.Devices {
		self := bytes.Equal(d.Pubkey, s.Signer.Key.PublicKey())
		if self {
			signer = d
		}
		if d.KeyType == kedge.KeyTypeSeedPhrase && (present == nil || self) {
			present = &info.Devices[i]
		}
	}
	for _, d := range info.Devices {
		goes := replace && present != nil && bytes.Equal(d.Pubkey, present.Pubkey)
		marked = marked || d.Protection == kedge.DeviceProtectionProtected && !goes
	}
	may := signer.Protection == kedge.DeviceProtectionProtected
	switch {
	case replace && present == nil:
		return nil, false, ui.Hinted(fmt.Errorf("anchor %d has no recovery phrase to replace", s.Anchor), "kedge recovery phrase add makes one")
	case !replace && present != nil:
		return nil, false, refused(kedge.ErrorCodeSecondPhrase, "anchor %d has a recovery phrase already, and only one is allowed", s.Anchor)
	case replace && present.Protection == kedge.DeviceProtectionProtected && present.Proven != nil && *present.Proven && !bytes.Equal(present.Pubkey, signer.Pubkey):
		return nil, false, refused(kedge.ErrorCodeSelfOnly, "the recovery phrase of anchor %d is protected, so it has to sign to be replaced", s.Anchor)
	case info.Guard != nil && *info.Guard && !may:
		return nil, false, refused(kedge.ErrorCodeGuarded, "anchor %d is guarded, and %s is not protected", s.Anchor, s.Signer)
	case !replace && len(info.Devices) >= maxDevices:
		return nil, false, refused(kedge.ErrorCodeTooManyDevices, "anchor %d has %d devices, and more are not allowed", s.Anchor, len(info.Devices))
	case marked && !may:
		return nil, false, refused(kedge.ErrorCodeNeedsProtected, "anchor %d has a protected device, and only such a one can protect the new phrase; %s is none", s.Anchor, s.Signer)
	}
	if replace {
		old = present.Pubkey
	}
	return old, may, nil
}

// refused is a refusal before the canister would refuse.
func refused(code kedge.ErrorCode, format string, args ...any) error {
	return provider.Refusal(kedge.Error{Code: &code, Message: fmt.Sprintf(format, args...)})
}
