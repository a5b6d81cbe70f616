// Package outcall is what HTTP outcalls are, apart from the network that makes them: their Candid
// (outcall.did) and which requests are allowed (check.go). Package fetch performs them.
//
// Limits are those of the Interface Specification, "IC method http_request"; the refusals have the words and
// reject codes of the production replica where they are known.
package outcall

//go:generate go run ../../cmd/candidgen -pkg outcall -functions EncodeArgs,DecodeArgs,EncodeResult,DecodeResult -o outcall_gen.go outcall.did
