package hints

import "kedge/candid/kedge"

// refusalHint says what to do about a refusal of the canister.
func refusalHint(code kedge.ErrorCode) string {
	if hint, known := contactHints[code]; known {
		return hint
	}
	return refusalHints[code]
}

// contactHints are about recovery contacts.
var contactHints = map[kedge.ErrorCode]string{
	kedge.ErrorCodeBadDelay:         "kedge contacts set --delay and kedge release consent --delay take a length such as 30d; kedge session-limit shortens the longest session, which contacts wait out",
	kedge.ErrorCodeBadContacts:      "kedge contacts set ANCHOR... takes one to seven numbers of other anchors, and --threshold at most their number",
	kedge.ErrorCodeNoContacts:       "kedge contacts set names recovery contacts",
	kedge.ErrorCodeNotAContact:      "the owner names contacts with kedge contacts set, again after a veto; --anchor says which anchor of yours acts",
	kedge.ErrorCodeNotAccepted:      "kedge contact accept does that, then approve again",
	kedge.ErrorCodeNotApproved:      "the contacts approve it with kedge contact approve; kedge recover shows the key, its six words and how far it is",
	kedge.ErrorCodeAlreadyProtected: "kedge device list shows it; nothing is left to recover with this key",
	kedge.ErrorCodePhraseNewcomer:   "kedge recover makes a key for that; afterwards kedge recovery phrase add",
}
