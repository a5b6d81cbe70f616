package provider

import (
	"kedge/candid/kedge"
	"kedge/candid/traps"
)

// CodeOfTrap returns the reason of a classic method's refusal from the text that it trapped with: the code that
// Kedge's own methods give for the same reason.
func CodeOfTrap(text string) (code kedge.ErrorCode, known bool) {
	name, known := traps.NameOf(text)
	for c := kedge.ErrorCode(0); known; c++ {
		switch c.String() {
		case name:
			return c, true
		case "unknown":
			return 0, false // none of Kedge's own methods refuses for this reason
		}
	}
	return 0, false
}
