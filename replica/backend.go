package replica

import (
	"context"

	"kedge/ic/request"
	"kedge/replica/certified"
	"kedge/replica/exec"
	"kedge/replica/httpapi"
	"kedge/replica/reject"
	"kedge/replica/subnet"
)

// backend is the network as its HTTP interface sees it.
type backend struct{ *Network }

var _ httpapi.Backend = backend{}

// certificateAge is the greatest age of a data certificate in nanoseconds.
const certificateAge = 60_000_000_000

// freshAge is the greatest age of a snapshot that clients get, in nanoseconds.
const freshAge = 1_000_000_000

func (b backend) Now() uint64             { return b.now() }
func (b backend) State() *certified.State { return b.certified }

func (b backend) Fresh(context.Context) (*certified.Snapshot, error) {
	b.lock.RLock()
	defer b.lock.RUnlock()
	return b.snapshot(freshAge), nil
}

func (b backend) Submit(ctx context.Context, c *httpapi.Call) *reject.Error {
	size := c.Size
	if size == 0 { // the gateway signs nothing
		size = envelopeSize(c.Sender, c.Canister, c.Method, c.Arg)
	}
	_, err := b.submit(ctx, &subnet.Ingress{ID: request.ID(c.ID), Sender: c.Sender, Canister: c.Canister, Effective: c.Effective,
		Method: c.Method, Arg: c.Arg, Info: callerInfo(c), Expiry: c.Expiry, Size: size})
	return err
}

func (b backend) Query(ctx context.Context, c *httpapi.Call) ([]byte, *reject.Error) {
	return b.query(ctx, subnet.Query{Caller: c.Sender, Canister: c.Canister, Method: c.Method, Arg: c.Arg, Info: callerInfo(c)})
}

// callerInfo is what a canister can read of the information about the sender.
func callerInfo(c *httpapi.Call) exec.CallerInfo {
	if c.SenderInfo == nil {
		return exec.CallerInfo{}
	}
	return exec.CallerInfo{Data: c.SenderInfo.Info, Signer: c.SenderInfo.Signer}
}
