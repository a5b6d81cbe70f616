package canister

import (
	"kedge/canister/identity"
	"kedge/cdk"
)

// argumentSlack is by how many bytes an argument may be longer than twice the longest legal one: Candid lets a
// client describe types that nobody asked for.
const argumentSlack = 4 << 10

// inspect is canister_inspect_message: it decides whether an update call of a user is worth its cycles, before
// the canister pays for it. It refuses methods that are not there, arguments that are too long for what they
// could say, and the anonymous caller where nobody but devices or controllers may call. One replica alone runs it,
// and calls of other canisters pass it by, so it is no boundary of security: every rule is in the methods.
// Where it is in doubt it accepts: queries sent as updates, keys that may be on an anchor, controllers.
func inspect() {
	row, known := identity.PermissionOf(cdk.MethodName())
	switch caller := cdk.Caller(); {
	case !known:
		return
	case cdk.IsController(caller):
	case cdk.ArgSize() > longestArgument(row):
		return
	case caller.IsAnonymous() && row.Cells[identity.RoleAnyone] == identity.Refused:
		return
	}
	cdk.AcceptMessage()
}

func longestArgument(row identity.Permission) int { return 2*row.Argument + argumentSlack }
