package recovery

import (
	"context"
	"slices"

	"kedge/candid/kedge"
	"kedge/cli/session"
)

// HasPhrase reports whether an anchor has a recovery phrase.
func HasPhrase(info kedge.IdentityAnchorInfo) bool {
	return slices.ContainsFunc(info.Devices, func(d kedge.DeviceWithUsage) bool { return d.KeyType == kedge.KeyTypeSeedPhrase })
}

// Renew makes a recovery phrase as the session's signer, in the place of the present one if there is one. info is
// what was read of the anchor. The words go to the terminal, or to a file if one is named.
func Renew(ctx context.Context, a *session.App, s *session.Session, info kedge.IdentityAnchorInfo, file string) (*Phrase, error) {
	old, grant, err := checkSlot(s, info, HasPhrase(info))
	if err != nil {
		return nil, err
	}
	return addPhrase(ctx, a, s, old, grant, file)
}
