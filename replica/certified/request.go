package certified

import (
	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/replica/reject"
)

// Status is where a request stands.
type Status string

// A request is received, then processing, then replied or rejected. Later its answer is dropped, done,
// and at last it is forgotten.
const (
	Received   Status = "received"
	Processing Status = "processing"
	Replied    Status = "replied"
	Rejected   Status = "rejected"
	Done       Status = "done"
)

// Settled tells whether the request has its answer.
func (s Status) Settled() bool { return s == Replied || s == Rejected || s == Done }

// Request is what the state tree tells about a request, and who may read it. The reply is kept and must
// not be changed.
type Request struct {
	Sender    principal.Principal // who may read it
	Receiver  principal.Principal // the canister called; a delegation with targets must name it
	Effective principal.Principal // the canister id in the URL that it came by
	Status    Status
	Reply     []byte        // if replied
	Reject    *reject.Error // if rejected
}

func (r *Request) tree() *hashtree.Node {
	m := set(hashtree.Map{}, "status", []byte(r.Status))
	switch r.Status {
	case Replied:
		m = set(m, "reply", r.Reply)
	case Rejected:
		m = set(m, "reject_code", hashtree.EncodeNat(uint64(r.Reject.RejectCode())))
		m = set(m, "reject_message", []byte(r.Reject.Message))
		m = set(m, "error_code", []byte(r.Reject.Code.String()))
	}
	return m.Tree()
}
