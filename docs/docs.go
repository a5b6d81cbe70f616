// Package docs holds the pages that the programs show, so that each text is written once.
package docs

import _ "embed"

// Glossary is glossary.md: the words of Kedge, each defined once.
//
//go:embed glossary.md
var Glossary string
