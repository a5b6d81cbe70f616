package kedge

import _ "embed"

// Interface is the text of kedge.did. A program that does not use it, as the
// canister, does not carry it: the linker leaves it out.
//
//go:embed kedge.did
var Interface string
