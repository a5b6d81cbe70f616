// Package httpapi is the HTTP interface of a local network, that of the Interface Specification.
// It reads requests, authenticates who sent them, decides what may be read, hands calls and queries to a
// [Backend], and signs or certifies what comes back. It executes nothing itself.
//
// Whatever it gets, it answers with the status and the words of the production replica, and stays up.
package httpapi
