package canister

import (
	"kedge/candid/kedge"
	"kedge/canister/identity"
)

//go:generate go run ./gennames names_gen.go

// The types of keys and purposes in Candid by the rules' values of the same name, and the other way round. They are
// made when the program starts, because what has its value from the beginning lies elsewhere in memory than the
// variables that every message touches.
var (
	keyTypeTo, keyTypeFrom = bothWays[identity.KeyType, kedge.KeyType](identity.KeyTypes)
	purposeTo, purposeFrom = bothWays[identity.Purpose, kedge.Purpose](identity.Purposes)
)

type named interface {
	~uint8
	String() string
}

// maxNames is more than there are key types, and purposes.
const maxNames = 8

// bothWays looks for the cases of n values.
func bothWays[R, C named](n R) (to [maxNames]C, from [maxNames]R) {
	for r := range n {
		for c := range C(n) {
			if r.String() == c.String() {
				to[r], from[c] = c, r
			}
		}
	}
	return to, from
}
