// Package gateway serves the web pages of canisters: it turns HTTP requests into queries and calls, and
// checks that the answers are what the canister certified (HTTP Gateway Protocol Specification).
//
//	http://<canister>.localhost:<port>/…       checked
//	http://<canister>.raw.localhost:<port>/…   not checked
//	http://127.0.0.1:<port>/…?canisterId=<canister>
package gateway

//go:generate go run ../../cmd/candidgen -pkg gateway -functions EncodeArgs,DecodeResult -peer DecodeArgs,EncodeResult -o http_gen.go http.did
