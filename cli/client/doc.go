// Package client calls a canister and believes nothing that is not certified.
//
// It is agent-go with what agent-go leaves to its user: agent-go verifies the signatures of queries
// and the certificates of read_state, but takes the certificate in the reply of a call as it comes,
// knows mainnet's root key only or whichever one the network claims, and has no delegations. All
// three are put right underneath it, in the transport (transport.go).
package client
