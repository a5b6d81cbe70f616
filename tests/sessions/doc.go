// Package sessions runs the sessions that the README and the pages of docs print, as they are printed: on a
// pseudo-terminal, typing what a person would type at each question, and twice in a row.
//
// A session is a fenced block whose first line begins with "$ ". All sessions of a page run in order, in an empty
// home and a folder with a built module, and then once more in the same place: so a page ends by undoing what
// would be in the way. What needs more than that (a browser, mainnet, another machine) is printed without "$ ".
package sessions
