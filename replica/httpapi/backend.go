package httpapi

import (
	"context"

	"kedge/ic/principal"
	"kedge/ic/request"
	"kedge/replica/certified"
	"kedge/replica/reject"
)

// Backend is what stands behind the HTTP interface: it executes calls and queries and certifies the results.
// All methods may be called at the same time.
type Backend interface {
	// Now returns the time that requests are compared with, in nanoseconds since 1970.
	Now() uint64

	// State returns the certified state, always the same. The server reads from it who may see
	// what, and waits on it for answers.
	State() *certified.State

	// Fresh returns the latest snapshot, and certifies one first if there is none or if its time is more
	// than a second behind Now, so that clients accept its time. It fails only when ctx ends before.
	Fresh(ctx context.Context) (*certified.Snapshot, error)

	// Submit takes in an update call whose sender has been authenticated and whose expiry is in the
	// window. It refuses what the production replica refuses before induction (that the canister is
	// there, has a module, runs and can pay; canister_inspect_message; who may call the management canister) and
	// returns the refusal, or nil once the call is queued. A call with an id that is known already,
	// queued, executing or answered, is not executed again: Submit returns nil. The answer goes into
	// State with SetRequest.
	Submit(ctx context.Context, call *Call) *reject.Error

	// Query executes a query, of the management canister too, and returns the reply or the refusal.
	Query(ctx context.Context, query *Call) ([]byte, *reject.Error)
}

// Call is an authenticated call or query.
type Call struct {
	ID         request.ID
	Sender     principal.Principal
	Canister   principal.Principal // the receiver; principal.Management for the management canister
	Effective  principal.Principal // the canister id in the URL; equals Canister unless that is Management
	Method     string
	Arg        []byte
	Expiry     uint64              // ingress_expiry: the id must be remembered until then
	SenderInfo *request.SenderInfo // verified; nil if absent
	Size       int                 // of the signed envelope in bytes, for calls
}
