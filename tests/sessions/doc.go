// Package sessions runs the sessions that the README and the pages of docs print, as they are printed: on a
// pseudo-terminal, typing what a person would type at each question, and twice in a row.
//
// A session is a fenced block whose first line begins with "$ ", or with "NAME$ " where several people have a machine
// each. Blocks in comments of HTML are run as well: they make what a page takes for granted, and take it away again. All
// sessions of a page run in order, in an empty home and a folder with a built module, and then once more in the same
// place: so a page ends by undoing what would be in the way. Where several people are, a network runs already, and
// "# 30 days later" lets its time pass. A page with "<!-- sessions: internet identity -->" has the canister of an old
// build there. "<!-- sessions: anew -->" is where other people begin.
//
// Numbers of five digits and more, ids, KEY and WORDS mean what the run showed where the page shows them.
//
// What needs more than that (a browser, mainnet) is printed without a prompt.
package sessions
