// Package wasmhost runs one canister module for tests: wazero below, a small fake of the system API
// beside. It keeps what the cdk and the linker must be tested for: which system calls the start
// function makes, what is printed, traps that roll memory and globals back, calls that wait for
// their callbacks. It is no replica: package replica is.
package wasmhost

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const (
	pageSize    = 65536
	memoryLimit = 4096 // pages: a canister that wants more than 256 MiB is out of memory

	instructionLimit = 40_000_000_000
)

// Host is one canister with its surroundings. The fields up to Log may be set between messages.
type Host struct {
	Now         uint64
	Caller      []byte
	Self        []byte
	RootKey     []byte
	Controllers []string // principals' bytes
	Cycles      uint64   // attached to the next message
	Certificate []byte   // what data_certificate returns in queries
	Version     uint64   // canister_version; a message that is kept adds one
	FailCalls   bool     // makes call_perform fail

	Stable    []byte
	Certified []byte
	Timer     uint64
	Log       []string // of debug_print; survives traps, as on the network
	Calls     []*Call  // outgoing calls of all messages that did not trap

	// Of the last message, at production prices but without those of system calls.
	Instructions  uint64
	Reads, Writes int // pages of 64 KiB of the heap

	ctx     context.Context
	module  api.Module
	globals []api.MutableGlobal
	counter api.MutableGlobal
	reset   api.Function
	entry   string // name of the running entry point; "start" for the start function
	msg     *message
}

// Call is an outgoing call.
type Call struct {
	Callee, Name, Arg []byte
	Cycles            uint64
	Timeout           uint32 // of a best-effort call, in seconds

	reply, replyEnv, reject, rejectEnv, cleanup, cleanupEnv uint32
}

// message is the state of one entry point.
type message struct {
	arg, method   []byte
	rejectCode    uint32
	rejectMessage []byte
	reply         []byte
	result        *Result
	accepted      bool
	building      *Call
	calls         []*Call
	timer         *uint64
	certified     []byte
	trapped       string
}

// Result is how a message ended: a reply, a reject, or (neither) no answer.
type Result struct {
	Reply    []byte
	Reject   string
	Rejected bool
	Answered bool
	Accepted bool // by inspect_message
}

// Trap is the error of a message that trapped. Message is the text that the canister gave, or what
// the engine said.
type Trap struct{ Message string }

// Error returns the message.
func (t *Trap) Error() string { return t.Message }

// New instantiates a linked module and runs its start function, which must not trap.
func New(t testing.TB, module []byte) *Host {
	t.Helper()
	h, err := Instantiate(t, module)
	require.NoError(t, err)
	return h
}

// Instantiate is New with the error of the start function.
func Instantiate(t testing.TB, module []byte) (*Host, error) {
	t.Helper()
	p, err := prepare(module)
	require.NoError(t, err)
	h := &Host{Version: 7, Now: 1_700_000_000_000_000_000, Caller: []byte{4}, Self: []byte{0, 0, 0, 0, 0, 0, 0, 1, 1, 1}}
	h.ctx = context.WithValue(context.Background(), hostKey{}, h)
	h.module, err = engine().InstantiateModule(h.ctx, p.code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.module.Close(context.Background()) })
	for _, g := range p.layout.Globals {
		h.globals = append(h.globals, h.module.ExportedGlobal(g.Export).(api.MutableGlobal))
	}
	h.counter = h.module.ExportedGlobal(p.layout.Counter).(api.MutableGlobal)
	h.reset = h.module.ExportedFunction(p.layout.Reset)
	if p.layout.Start != "" {
		_, err = h.run("start", p.layout.Start, &message{})
	}
	return h, err
}

// Memory returns the size of the heap in bytes.
func (h *Host) Memory() int { return int(h.module.Memory().Size()) }

// Init calls canister_init.
func (h *Host) Init(arg []byte) (*Result, error) { return h.Entry("canister_init", arg) }

// Update calls an update method.
func (h *Host) Update(method string, arg []byte) (*Result, error) {
	return h.Entry("canister_update "+method, arg)
}

// Query calls a query method and drops what it changed.
func (h *Host) Query(method string, arg []byte) (*Result, error) {
	return h.Entry("canister_query "+method, arg)
}

// Entry calls any entry point.
func (h *Host) Entry(export string, arg []byte) (*Result, error) {
	return h.run(export, export, &message{arg: arg})
}

// Inspect calls canister_inspect_message.
func (h *Host) Inspect(method string, arg []byte) (*Result, error) {
	return h.run("canister_inspect_message", "canister_inspect_message", &message{arg: arg, method: []byte(method)})
}

// Reply answers an outgoing call.
func (h *Host) Reply(c *Call, data []byte) (*Result, error) {
	return h.callback(c, "reply", c.reply, c.replyEnv, &message{arg: data})
}

// Reject refuses an outgoing call.
func (h *Host) Reject(c *Call, code uint32, text string) (*Result, error) {
	return h.callback(c, "reject", c.reject, c.rejectEnv, &message{rejectCode: code, rejectMessage: []byte(text)})
}

func (h *Host) callback(c *Call, entry string, function, env uint32, msg *message) (*Result, error) {
	result, err := h.run(entry, "callback", msg, uint64(function), uint64(env))
	if err != nil && c.cleanup != 0 {
		if _, cleanupErr := h.run("cleanup", "callback", &message{}, uint64(c.cleanup), uint64(c.cleanupEnv)); cleanupErr != nil {
			return nil, errors.Join(err, fmt.Errorf("cleanup: %w", cleanupErr))
		}
	}
	return result, err
}

// run executes one message, whole or not at all.
func (h *Host) run(entry, export string, msg *message, args ...uint64) (*Result, error) {
	f := h.module.ExportedFunction(export)
	if f == nil {
		return nil, fmt.Errorf("the module does not export %q", export)
	}
	memory := h.module.Memory()
	view, _ := memory.Read(0, memory.Size())
	heap := append([]byte(nil), view...)
	stable := append([]byte(nil), h.Stable...)
	globals := make([]uint64, len(h.globals))
	for i, g := range h.globals {
		globals[i] = g.Get()
	}
	h.entry, h.msg = entry, msg
	msg.result = &Result{}
	h.Reads, h.Writes = 0, 0
	if _, err := h.reset.Call(h.ctx); err != nil {
		return nil, err
	}
	h.counter.Set(instructionLimit)
	_, err := f.Call(h.ctx, args...)
	h.Instructions = instructionLimit - h.counter.Get()
	query := strings.HasPrefix(entry, "canister_query")
	if err != nil || query || entry == "canister_inspect_message" {
		// Memory cannot shrink in wazero; what has grown is zeroed, as if it were new.
		memory.Write(0, heap)
		if rest, ok := memory.Read(uint32(len(heap)), memory.Size()-uint32(len(heap))); ok {
			clear(rest)
		}
		for i, g := range h.globals {
			g.Set(globals[i])
		}
		h.Stable = stable
	}
	if err != nil {
		if msg.trapped == "" {
			msg.trapped, _, _ = strings.Cut(err.Error(), "\n")
		}
		return nil, &Trap{msg.trapped}
	}
	if !query && entry != "canister_inspect_message" && entry != "start" {
		h.Version++
	}
	if !query {
		h.Calls = append(h.Calls, msg.calls...)
		if msg.timer != nil {
			h.Timer = *msg.timer
		}
		if msg.certified != nil {
			h.Certified = msg.certified
		}
	}
	msg.result.Accepted = msg.accepted
	return msg.result, nil
}
