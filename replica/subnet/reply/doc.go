// Package reply is replies of the management canister as production gives them: with the fields of older interfaces
// (reply.did).
package reply

//go:generate go run ../../../cmd/candidgen -pkg reply -functions EncodeResult -o reply_gen.go reply.did
