package assets

import _ "embed"

//go:generate go run kedge/cmd/assetpack -missing -o page.pack

// Page is the pack of the web page. The one in the sources says that there is no page: cmd/icbuild builds
// the module with that of the built page in its place, so that the Go packages build without Node.
//
//go:embed page.pack
var Page string
