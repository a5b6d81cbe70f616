// Package localsocket makes Unix sockets that no other user of the machine can reach, and that one process at a time
// listens at.
package localsocket
