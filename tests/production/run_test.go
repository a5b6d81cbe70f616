package production_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica"
	"kedge/replica/exec"
	"kedge/replica/reject"
	"kedge/wasm"
)

// started is when the scenarios begin, as production had it.
var started = time.Unix(0, 1_780_000_000_000_000_000)

// callers are the names that the scenarios call people by.
var callers = map[string][]byte{
	"alice": append(bytes.Repeat([]byte("a"), 28), 2), "bob": append(bytes.Repeat([]byte("b"), 28), 2), "anonymous": {4},
}

// player plays steps on a network of its own.
type player struct {
	*replica.Network
	ctx       context.Context
	canisters map[string]principal.Principal
	modules   map[string][]byte
	saved     map[string][]byte
	unknown   bool // a module could not be made
}

func newPlayer(t *testing.T, cache string) *player {
	n, err := replica.Start(replica.WithTime(started), replica.WithPageModel(exec.Pages2025), replica.WithCache(cache),
		replica.WithRandom(rand.NewChaCha8([32]byte{1})), replica.WithRateLimit())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Close()) })
	return &player{Network: n, ctx: t.Context(), canisters: map[string]principal.Principal{},
		modules: map[string][]byte{}, saved: map[string][]byte{}}
}

// outcome is what came of an update or a query.
type outcome struct {
	phase   string
	reply   []byte
	refusal *reject.Error
	report  exec.Report      // of all executions
	heap    uint64           // pages of 64 KiB of heap written, as production counts them
	spent   map[string]int64 // cycles beside the fee for the ingress message
}

var placeholder = regexp.MustCompile(`\{(code:)?([a-z0-9_]+)\}`)

// bytes returns the bytes of a hexadecimal text with placeholders.
func (p *player) bytes(text string) ([]byte, error) {
	var missing error
	filled := placeholder.ReplaceAllStringFunc(text, func(match string) string {
		parts := placeholder.FindStringSubmatch(match)
		name := parts[2]
		if id, ok := p.canisters[name]; ok && parts[1] == "" {
			return hex.EncodeToString(id.Bytes())
		}
		if value, ok := p.saved[name]; ok && parts[1] == "" {
			return hex.EncodeToString(value)
		}
		if code, ok := p.modules[name]; ok && parts[1] != "" {
			return hex.EncodeToString(append(wasm.AppendULEB(nil, uint64(len(code))), code...))
		}
		missing = fmt.Errorf("nothing has the name %q", match)
		return ""
	})
	if missing != nil {
		return nil, missing
	}
	return hex.DecodeString(filled)
}

// keep gives bytes a name; ten of them are the id of a canister.
func (p *player) keep(name string, value []byte) error {
	p.saved[name] = bytes.Clone(value)
	if len(value) != 10 {
		return nil
	}
	id, err := principal.FromBytes(value)
	p.canisters[name] = id
	return err
}

// text replaces the placeholders of a text by the ids of canisters.
func (p *player) text(text string) string {
	for name, id := range p.canisters {
		text = strings.ReplaceAll(text, "{"+name+"}", id.String())
	}
	return text
}

// call is a step with its placeholders filled in.
type call struct {
	sender, canister principal.Principal
	method           string
	arg              []byte
}

func (p *player) fill(s *step) (call, error) {
	as := callers[s.As]
	if as == nil {
		var err error
		if as, err = hex.DecodeString(s.As); err != nil {
			return call{}, err
		}
	}
	to, err := p.bytes(s.To)
	if err != nil {
		return call{}, err
	}
	arg, err := p.bytes(s.Arg)
	if err != nil {
		return call{}, err
	}
	if s.ArgSize > 0 {
		arg = make([]byte, s.ArgSize)
	}
	sender, err := principal.FromBytes(as)
	if err != nil {
		return call{}, err
	}
	canister, err := principal.FromBytes(to)
	return call{sender, canister, s.Method, arg}, err
}

// update makes a call and waits for its answer.
func (p *player) update(s *step, pending bool) (*outcome, error) {
	c, err := p.fill(s)
	if err != nil {
		return nil, err
	}
	before, executed := p.ledger(), p.Executed()
	o := &outcome{}
	submission, err := p.Submit(p.ctx, c.sender, c.canister, c.method, c.arg)
	switch {
	case err != nil:
		o.phase = "submit"
	case pending:
		p.Tick(p.ctx)
		select {
		case <-submission.Done():
			o.reply, err = submission.Wait(p.ctx)
		default:
			o.phase = "pending"
		}
	default:
		o.reply, err = submission.Wait(p.ctx)
	}
	if o.conclude(err) != nil {
		return nil, err
	}
	o.count(executed, p.Executed(), replicated)
	o.spent = map[string]int64{}
	for name, after := range p.ledger() {
		if was, ok := before[name]; ok {
			spent := new(big.Int).Sub(was.balance, after.balance)
			o.spent[name] = spent.Sub(spent, new(big.Int).Sub(after.ingress, was.ingress)).Int64()
		}
	}
	return o, nil
}

// query makes a query.
func (p *player) query(s *step) (*outcome, error) {
	c, err := p.fill(s)
	if err != nil {
		return nil, err
	}
	executed := p.Executed()
	o := &outcome{}
	o.reply, err = p.Query(p.ctx, c.sender, c.canister, c.method, c.arg)
	if o.conclude(err) != nil {
		return nil, err
	}
	o.count(executed, p.Executed(), ^replicated)
	return o, nil
}

// conclude notes how a call ended; only refusals are ends.
func (o *outcome) conclude(err error) error {
	if errors.As(err, &o.refusal) {
		err = nil
	}
	switch {
	case o.phase != "":
	case o.refusal != nil:
		o.phase = "execute"
	default:
		o.phase = "reply"
	}
	return err
}

const (
	replicated = exec.Update | exec.ReplicatedQuery | exec.ReplyCallback | exec.RejectCallback | exec.Cleanup |
		exec.Heartbeat | exec.Timer | exec.LowMemory
	// counted is the roles whose pages of heap production's metric counts: neither callbacks nor plain queries, nor
	// queries that another query began.
	counted = exec.Update | exec.CompositeQuery | exec.Heartbeat | exec.Timer | exec.LowMemory
)

// count adds up what was executed in some roles.
func (o *outcome) count(before, after map[exec.Kind]exec.Report, kinds exec.Kind) {
	for kind, r := range after {
		if was := before[kind]; kind&kinds != 0 {
			o.report.Instructions += r.Instructions - was.Instructions
			o.report.StableRead4K += r.StableRead4K - was.StableRead4K
			o.report.StableWritten4K += r.StableWritten4K - was.StableWritten4K
			if kind&counted == kind {
				o.heap += r.HeapWritten - was.HeapWritten
			}
		}
	}
}

// account is what a canister has and has paid for ingress messages.
type account struct{ balance, ingress *big.Int }

func (p *player) ledger() map[string]account {
	accounts := map[string]account{}
	for name, id := range p.canisters {
		status, err := p.Status(p.ctx, id)
		if err != nil {
			continue // it was deleted
		}
		raw, err := p.ask(id, status, "canister_metrics", management.EncodeCanisterMetricsArgs(management.CanisterArg{CanisterID: id}))
		if err != nil {
			continue
		}
		metrics, err := management.DecodeCanisterMetricsResult(raw)
		if err == nil {
			accounts[name] = account{status.Cycles, metrics.CyclesConsumed.IngressInduction}
		}
	}
	return accounts
}

// ask queries the management canister as a controller of a canister.
func (p *player) ask(id principal.Principal, status management.Status, method string, arg []byte) ([]byte, error) {
	asker := id
	if controllers := status.Settings.Controllers; len(controllers) > 0 {
		asker = controllers[0]
	}
	return p.Query(p.ctx, asker, principal.Management, method, arg)
}
