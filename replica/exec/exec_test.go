package exec_test

import (
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	engine "kedge/replica/exec"
	"kedge/replica/reject"
)

// TestModulesAreAssembled keeps the .wasm files of testdata equal to their .wat files. The tests read the
// .wasm files, so that they need no assembler.
func TestModulesAreAssembled(t *testing.T) {
	tool, err := exec.LookPath("wat2wasm")
	if err != nil {
		t.Skip("wat2wasm is not installed (Debian package wabt)")
	}
	sources, err := filepath.Glob("testdata/*.wat")
	require.NoError(t, err)
	for _, source := range sources {
		out := filepath.Join(t.TempDir(), "out.wasm")
		text, err := exec.Command(tool, source, "-o", out).CombinedOutput()
		require.NoError(t, err, string(text))
		want, err := os.ReadFile(out)
		require.NoError(t, err)
		got, err := os.ReadFile(strings.TrimSuffix(source, ".wat") + ".wasm")
		require.NoError(t, err)
		require.Equal(t, want, got, "%s changed: assemble it again with wat2wasm", source)
	}
}

// bench is an instance of testdata/exec.wat with what tests ask about it.
type bench struct {
	*testing.T
	instance *engine.Instance
}

func newBench(t *testing.T, options engine.Options) *bench {
	b := &bench{t, newInstance(t, options)}
	b.commit(engine.Input{Kind: engine.Start, Entry: engine.EntryStart})
	return b
}

// input completes an input with what every step needs.
func input(in engine.Input) engine.Input {
	in.Env.Self = principal.Canister(1)
	in.Env.Balance = cycles.Trillion(1)
	in.MaxReply = engine.MaxReplicatedReply
	if in.Limit == 0 {
		in.Limit = engine.LimitQuery
	}
	return in
}

func (b *bench) run(in engine.Input) *engine.Step {
	return b.instance.Run(context.Background(), input(in))
}

func (b *bench) commit(in engine.Input) engine.Output {
	b.Helper()
	s := b.run(in)
	require.Nil(b, s.Out.Err)
	s.Commit()
	return s.Out
}

func (b *bench) rollback(s *engine.Step) engine.Output {
	b.Helper()
	require.NoError(b, s.Rollback(context.Background()))
	return s.Out
}

// state is the global, five bytes of the heap, one byte of its second page.
func (b *bench) state() string {
	b.Helper()
	out := b.rollback(b.run(engine.Input{Kind: engine.Query, Entry: "canister_query state"}))
	require.Nil(b, out.Err)
	return string(out.Response.Reply)
}

const (
	before = "\x07\x00\x00\x00\x00\x00\x00\x00Hello\x00"
	after  = "\x63\x00\x00\x00\x00\x00\x00\x00!!!!o\x05"
)

func update(method string) engine.Input {
	return engine.Input{Kind: engine.Update, Entry: engine.UpdatePrefix + method}
}

func TestCommitKeepsEverything(t *testing.T) {
	b := newBench(t, engine.Options{})
	require.Equal(t, before, b.state())
	out := b.commit(update("change"))
	require.Equal(t, after, b.state())

	require.Equal(t, &engine.Response{Reply: []byte("!!!!")}, out.Response)
	require.Equal(t, []byte("!!!!"), out.CertifiedData)
	require.EqualValues(t, 12345, *out.GlobalTimer)
	require.Equal(t, "!!!!", string(out.Logs[0].Content))
	require.Len(t, out.Calls, 1)
	require.Equal(t, engine.Callback{Func: 0, Env: 1}, out.Calls[0].Reply)
	require.Equal(t, principal.Management, out.Calls[0].Callee)
	cost, prepaid := engine.CallCost(4, 0)
	require.Equal(t, cycles.Trillion(1).Minus(cost), out.Balance)
	require.Equal(t, prepaid, out.Calls[0].Prepaid)

	stable := b.instance.Stable()
	require.EqualValues(t, 1, stable.Pages())
	require.Equal(t, "!!!!", string(stable.Bytes()[10:14]))
	require.EqualValues(t, 1, out.Report.StableWritten)
	require.EqualValues(t, 1, out.Report.StableWritten4K)
	require.EqualValues(t, 2, out.Report.HeapWritten)
}

func TestTrapUndoesEverythingButLogs(t *testing.T) {
	for _, method := range []string{"change_then_trap", "grow_then_trap"} {
		t.Run(method, func(t *testing.T) {
			b := newBench(t, engine.Options{})
			out := b.rollback(b.run(update(method)))
			require.NotNil(t, out.Err)
			require.Equal(t, before, b.state())
			require.EqualValues(t, 2, b.instance.HeapPages())
			require.Zero(t, b.instance.StablePages())
			require.Nil(t, out.Response)
			require.Nil(t, out.CertifiedData)
			require.Nil(t, out.GlobalTimer)
			require.Empty(t, out.Calls)
			require.Equal(t, cycles.Trillion(1), out.Balance, "attached and prepaid cycles are back")
			require.Equal(t, "!!!!", string(out.Logs[0].Content), "logs survive")
			require.Len(t, out.Logs, 2, "and the trap is logged")

			b.commit(update("change"))
			require.Equal(t, after, b.state(), "the instance works on after a rollback")
		})
	}
}

func TestTrapsSpeakLikeProduction(t *testing.T) {
	b := newBench(t, engine.Options{})
	self := principal.Canister(1).String()
	for method, want := range map[string]struct {
		code reject.ErrorCode
		text string
	}{
		"change_then_trap": {reject.CalledTrap, "Canister called `ic0.trap` with message: '!!!!'"},
		"divide":           {reject.Trapped, "Canister trapped: integer division by 0"},
		"overflow_stack":   {reject.Trapped, "Canister trapped: stack overflow"},
		"heap_bounds":      {reject.Trapped, "Canister trapped: heap out of bounds"},
		"stable_bounds":    {reject.Trapped, "Canister trapped: stable memory out of bounds"},
		"table_bounds":     {reject.Trapped, "Canister trapped: table out of bounds"},
		"table_type":       {reject.Trapped, "Canister trapped: unknown"},
		"bad_conversion":   {reject.Trapped, "Canister trapped: unknown"},
		"grow_then_trap":   {reject.Trapped, "Canister trapped: unreachable"},
		"wrong_context":    {reject.ContractViolation, `Canister violated contract: "ic0_msg_reject_msg_size" cannot be executed in update mode`},
		"copy_bounds":      {reject.ContractViolation, "Canister violated contract: ic0.msg_arg_data_copy heap: src=131072 + length=1 exceeds the slice size=131072"},
		"arg_bounds":       {reject.ContractViolation, "Canister violated contract: ic0.msg_arg_data_copy payload: src=0 + length=1000 exceeds the slice size=0"},
		"reply_twice":      {reject.ContractViolation, "Canister violated contract: ic0.msg_reply: the call is already replied"},
	} {
		t.Run(method, func(t *testing.T) {
			out := b.rollback(b.run(update(method)))
			require.NotNil(t, out.Err)
			require.Equal(t, want.code, out.Err.Code)
			ending := ".\n"
			if strings.Contains(want.text, "stable memory out") { // production names the system call
				ending = "\nCanister Backtrace:\nstable64_read\nunknown function at index "
			}
			require.Contains(t, out.Err.Message, "Error from Canister "+self+": "+want.text+ending)
			require.Equal(t, before, b.state())
		})
	}
}

func TestCallbacks(t *testing.T) {
	b := newBench(t, engine.Options{})
	b.commit(engine.Input{Kind: engine.ReplyCallback, Callback: engine.Callback{Func: 0, Env: 5}})
	require.Equal(t, byte(5), b.state()[0])
	for index, want := range map[uint32]reject.ErrorCode{1: reject.ContractViolation, 2: reject.FunctionNotFound, 1 << 31: reject.FunctionNotFound} {
		out := b.rollback(b.run(engine.Input{Kind: engine.ReplyCallback, Callback: engine.Callback{Func: index}}))
		require.NotNil(t, out.Err)
		require.Equal(t, want, out.Err.Code, "function %d: %s", index, out.Err.Message)
	}
}

func TestEndlessLoop(t *testing.T) {
	b := newBench(t, engine.Options{})
	out := b.rollback(b.run(engine.Input{Kind: engine.Update, Entry: "canister_update hang", Limit: 1_000_000}))
	require.NotNil(t, out.Err)
	require.Equal(t, reject.InstructionLimitExceeded, out.Err.Code)
	require.Contains(t, out.Err.Message, "Canister exceeded the limit of 1000000 instructions for single message execution.")
	require.EqualValues(t, 1_000_000, out.Report.Instructions)
	require.Equal(t, before, b.state())
}

func TestPerformanceCounter(t *testing.T) {
	b := newBench(t, engine.Options{})
	out := b.rollback(b.run(engine.Input{Kind: engine.Query, Entry: "canister_query count", ContextInstructions: 1_000_000}))
	require.Nil(t, out.Err)
	message := binary.LittleEndian.Uint64(out.Response.Reply)
	context := binary.LittleEndian.Uint64(out.Response.Reply[8:])
	require.Greater(t, message, uint64(200))
	require.Greater(t, context, 1_000_000+message)
	require.Greater(t, out.Report.Instructions, context-1_000_000)
}

func TestWrongModules(t *testing.T) {
	e, err := engine.NewEngine(context.Background(), engine.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close(context.Background())) })
	for name, test := range map[string]struct{ code, want string }{
		"empty":    {"", ""},
		"not wasm": {"hello", ""},
		"not gzip": {"\x1f\x8b\x08 nothing", "decompress the module"},
		"wasm64":   {"\x00asm\x01\x00\x00\x00\x05\x03\x01\x04\x01", "wasm64"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.Compile(context.Background(), []byte(test.code))
			require.ErrorContains(t, err, test.want)
		})
	}
}

// TestPageCharges runs one method under both models: without the page charges it costs the same.
func TestPageCharges(t *testing.T) {
	report := func(model engine.PageModel) engine.Report {
		b := newBench(t, engine.Options{Pages: model})
		return b.commit(update("change")).Report
	}
	now, old := report(engine.Pages2026), report(engine.Pages2025)
	require.EqualValues(t, 2, now.HeapRead)
	require.EqualValues(t, 2, now.HeapWritten)
	require.EqualValues(t, 1, now.StableRead)
	require.EqualValues(t, 1, now.StableWritten)
	require.EqualValues(t, 2, old.HeapWritten)
	charges2026 := 80_000 * (now.HeapRead + now.HeapWritten + now.StableRead + now.StableWritten)
	charges2025 := 1_000 * (2 + old.StableWritten4K) // two pages of 4 KiB of the heap
	require.Equal(t, now.Instructions-charges2026, old.Instructions-charges2025)
}

// TestRollbackUnderBothModels: the unit of tracking is another, the result the same.
func TestRollbackUnderBothModels(t *testing.T) {
	for _, model := range []engine.PageModel{engine.Pages2026, engine.Pages2025} {
		b := newBench(t, engine.Options{Pages: model})
		for _, method := range []string{"change_then_trap", "grow_then_trap"} {
			out := b.rollback(b.run(update(method)))
			require.NotNil(t, out.Err)
			require.Equal(t, before, b.state())
		}
	}
}

// TestHeldStepsAreUndoneInOrder is what composite queries rest on: steps that see each other's effects and
// are undone newest first.
func TestHeldStepsAreUndoneInOrder(t *testing.T) {
	b := newBench(t, engine.Options{})
	first := b.run(update("change"))
	require.Nil(t, first.Out.Err)
	first.Hold()
	require.Equal(t, after, b.state())
	second := b.run(engine.Input{Kind: engine.ReplyCallback, Callback: engine.Callback{Env: 3}})
	require.Nil(t, second.Out.Err)
	second.Hold()
	require.Equal(t, byte(3), b.state()[0])
	b.rollback(second)
	require.Equal(t, after, b.state())
	b.rollback(first)
	require.Equal(t, before, b.state())
	require.Zero(t, b.instance.StablePages())
}
