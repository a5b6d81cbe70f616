// Package permissions walks every cell of the table of permissions (design rule 10) on the real module:
// every method, called by everyone who can be anything to an anchor.
package permissions
