// Package contacts is about recovery contacts, other people's anchors that bring an anchor back: kedge contacts
// for the owner, kedge contact for a friend who is one, and kedge recover for the owner who has nothing left.
//
// Contacts are named by the numbers of their anchors and new keys by their principals, never by what somebody
// may have called them.
package contacts

import (
	"strconv"

	"github.com/spf13/cobra"

	"kedge/cli/session"
	"kedge/cli/ui"
)

type verbs struct{ *session.App }

const contactsLong = `The way back when everything is lost at once: other people's anchors. A protected
device names up to seven of them, how many must approve (the threshold), and a
delay. Each other protected device agrees for itself. The contacts accept.

When all is lost, kedge recover makes a new key. The contacts hear its six words
from your own voice and approve it. When enough have, the delay begins; any call
of any protected device within the delay is a veto. When it has passed, the new
key becomes a protected device, and those that agreed are released.`

const contactLong = `For somebody who is a recovery contact of another person. OWNER is the number of
that person's anchor. --as and --anchor say who you are.`

// Commands returns kedge contacts, contact and recover.
func Commands(app *session.App) []*cobra.Command {
	a := verbs{app}
	own := ui.Group("contacts", "recovery contacts of your anchor", a.setCommand(), a.agreeCommand(), a.showCommand(), a.endCommand())
	own.Long = contactsLong
	friend := ui.Group("contact", "be a recovery contact of somebody else", a.acceptCommand(), a.approveCommand(), a.withdrawCommand(), a.statusCommand())
	friend.Long = contactLong
	return []*cobra.Command{own, friend, a.recoverCommand()}
}

// number reads the number of an anchor.
func number(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, ui.Usagef("%q is not the number of an anchor; contacts go by numbers alone", text)
	}
	return n, nil
}
