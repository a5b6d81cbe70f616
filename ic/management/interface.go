package management

import _ "embed"

// Interface is the text of management.did.
//
//go:embed management.did
var Interface string
