package cdk_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"

	"kedge/internal/wasmhost"
)

// These tests run the test canister as WebAssembly. Tests of the same code on the host are with
// package cdktest.

func newHost(t *testing.T) *wasmhost.Host { return wasmhost.New(t, wasmhost.Linked(t)) }

func update(t *testing.T, h *wasmhost.Host, method, arg string) string {
	t.Helper()
	r, err := h.Update(method, []byte(arg))
	require.NoError(t, err)
	require.True(t, r.Answered && !r.Rejected, "%+v", r)
	return string(r.Reply)
}

func query(t *testing.T, h *wasmhost.Host, method, arg string) string {
	t.Helper()
	r, err := h.Query(method, []byte(arg))
	require.NoError(t, err)
	require.True(t, r.Answered && !r.Rejected, "%+v", r)
	return string(r.Reply)
}

func counterOf(t *testing.T, h *wasmhost.Host) uint64 {
	return binary.LittleEndian.Uint64([]byte(update(t, h, "increment", "")))
}

func TestMessages(t *testing.T) {
	h := newHost(t)
	h.Cycles = 12
	h.Controllers = []string{string(h.Caller)}
	require.Equal(t, "hello world", update(t, h, "greet", "world"))
	require.Equal(t, "hello ", update(t, h, "greet", ""))
	long := strings.Repeat("x", 1<<20)
	require.Equal(t, "hello "+long, update(t, h, "greet", long))
	require.Equal(t, "caller 2vxsx-fae self rrkah-fqaaa-aaaaa-aaaaq-cai controller true version 10 replicated true time 0 counter 1000"+
		" cycles 12 accepted 5 balance 3000000000000", update(t, h, "context", ""))
	r, err := h.Update("reject", []byte("why"))
	require.NoError(t, err)
	require.Equal(t, "no: why", r.Reject)

	_, err = h.Init([]byte("arg"))
	require.NoError(t, err)
	require.Equal(t, "init arg", query(t, h, "lines", ""))
}

func TestStateStaysAfterUpdatesAndNotAfterQueries(t *testing.T) {
	h := newHost(t)
	require.EqualValues(t, 1, counterOf(t, h))
	require.EqualValues(t, 2, counterOf(t, h))
	require.Equal(t, "3", query(t, h, "increment_in_query", ""))
	require.Equal(t, "3", query(t, h, "increment_in_query", ""))
	require.EqualValues(t, 3, counterOf(t, h))
}

// The fake network traps when the start function makes a system call that it must not make.
func TestClockIsAConstantInTheStartFunction(t *testing.T) {
	require.Equal(t, "1", query(t, newHost(t), "started", ""))
}

func TestEnds(t *testing.T) {
	h := newHost(t)
	update(t, h, "stable", "x")
	before := counterOf(t, h)
	const goDeadlock = "fatal error: all goroutines are asleep - deadlock!"
	const wait = " (a message cannot wait for a later one: continue in the callbacks of cdk.Call, or in a timer)"
	for how, want := range map[string]string{
		"trap":      "on purpose",
		"string":    "a panic with a text",
		"error":     "a panic with an error",
		"value":     "{1 2}",
		"nil":       "runtime error: invalid memory address or nil pointer dereference",
		"divide":    "runtime error: integer divide by zero",
		"index":     fmt.Sprintf("runtime error: index out of range [%d] with length 0", (before+100)*1000),
		"goroutine": "panic: a panic elsewhere",
		"sleep":     "a canister cannot sleep: time stands still while a message runs (set a timer with cdk.SetTimer)",
		"deadlock":  goDeadlock + wait,
		"exit":      "giving up",
		"memory":    "fatal error: out of memory",
		"nonsense":  `unknown end "nonsense"`,
	} {
		t.Run(how, func(t *testing.T) {
			h.Log = nil
			_, err := h.Update("die", []byte(how))
			require.EqualError(t, err, want)
			for _, line := range h.Log {
				require.NotContains(t, line, "goroutine ", "a stack dump")
				require.NotContains(t, line, ".go:", "a stack dump")
			}
		})
	}
	require.EqualValues(t, before+1, counterOf(t, h), "all traps were undone")
	require.Equal(t, byte(0), h.Stable[0])

	_, err := h.Update("bare_panic", nil)
	require.EqualError(t, err, "panic: nobody recovers")
	require.EqualValues(t, before+2, counterOf(t, h))
}

func TestOutputGoesToTheLogByLine(t *testing.T) {
	h := newHost(t)
	update(t, h, "print", "")
	require.Equal(t, []string{"one", "two and a half", "three", "four"}, h.Log)
}

func TestStableMemory(t *testing.T) {
	h := newHost(t)
	require.Equal(t, "131072 across a page", update(t, h, "stable", "across a page"))
	require.Equal(t, "across a page", string(h.Stable[65533:65533+13]))
}

func TestGoroutinesWithinAMessage(t *testing.T) {
	require.Equal(t, "285", update(t, newHost(t), "concurrency", ""))
}

func TestCertifiedData(t *testing.T) {
	h := newHost(t)
	require.Equal(t, "false", update(t, h, "certify", "root"))
	require.Equal(t, "root", string(h.Certified))
	require.Equal(t, "false ", query(t, h, "certificate", ""))
	h.Certificate = []byte{1, 2}
	require.Equal(t, "true 0102", query(t, h, "certificate", ""))
	_, err := h.Update("certify", make([]byte, 33))
	require.Error(t, err)
}

func TestInspectMessage(t *testing.T) {
	h := newHost(t)
	for method, want := range map[string]bool{"greet": true, "other": false} {
		r, err := h.Inspect(method, nil)
		require.NoError(t, err)
		require.Equal(t, want, r.Accepted, method)
	}
}

func TestTimerAndHeartbeat(t *testing.T) {
	h := newHost(t)
	h.Timer = 3
	require.Equal(t, "3", update(t, h, "set_timer", ""))
	require.Equal(t, h.Now+5, h.Timer)
	for _, entry := range []string{"canister_global_timer", "canister_heartbeat"} {
		_, err := h.Entry(entry, nil)
		require.NoError(t, err)
	}
	require.Equal(t, fmt.Sprintf("timer %d\nheartbeat", h.Now), query(t, h, "lines", ""))
}

func TestCalls(t *testing.T) {
	h := newHost(t)
	start := func(how string) *wasmhost.Call {
		_, err := h.Update("call", []byte(how))
		require.NoError(t, err)
		c := h.Calls[len(h.Calls)-1]
		require.Equal(t, h.Self, c.Callee)
		require.Equal(t, "greet", string(c.Name))
		require.Equal(t, "self", string(c.Arg))
		require.EqualValues(t, 7, c.Cycles)
		require.EqualValues(t, 30, c.Timeout)
		return c
	}
	first, second := start(""), start("trap")

	_, err := h.Reply(second, []byte("hello 2"))
	require.EqualError(t, err, "in the callback")
	require.Equal(t, "cleanup", query(t, h, "lines", ""), "what the callback did was undone, and the cleanup ran")

	r, err := h.Reply(first, []byte("hello 1"))
	require.NoError(t, err)
	require.Equal(t, "hello 1", string(r.Reply))
	require.Equal(t, "cleanup\nreply hello 1", query(t, h, "lines", ""))

	r, err = h.Reject(start(""), 5, "it trapped")
	require.NoError(t, err)
	require.Equal(t, "it trapped", r.Reject)
	require.Contains(t, query(t, h, "lines", ""), "reject 5 it trapped")

	r, err = h.Reply(first, nil)
	require.NoError(t, err)
	require.False(t, r.Answered)
	require.Contains(t, h.Log[len(h.Log)-1], "dropped a reply to a call that this module did not make")

	h.FailCalls = true
	r, err = h.Update("call", nil)
	require.NoError(t, err)
	require.Equal(t, `the network did not take the call: "greet" of rrkah-fqaaa-aaaaa-aaaaq-cai`, r.Reject)
}

// An answer that comes after an upgrade, by whatever the old module said, is dropped: it neither runs what the
// new module waits for nor takes that away.
func TestAnswersOutliveAnUpgrade(t *testing.T) {
	before := newHost(t)
	call := func(h *wasmhost.Host) *wasmhost.Call {
		_, err := h.Update("call", nil)
		require.NoError(t, err)
		return h.Calls[len(h.Calls)-1]
	}
	late, lateRejection := call(before), call(before)

	after := newHost(t)
	after.Version = before.Version + 1
	own := call(after)
	require.NotEqual(t, late, own)

	r, err := after.Reply(late, []byte("for the old module"))
	require.NoError(t, err)
	require.False(t, r.Answered)
	r, err = after.Reject(lateRejection, 5, "for the old module")
	require.NoError(t, err)
	require.False(t, r.Answered)
	require.Len(t, after.Log, 2)
	require.Contains(t, after.Log[0], "dropped a reply")
	require.Contains(t, after.Log[1], "dropped a rejection")
	require.Empty(t, query(t, after, "lines", ""))

	r, err = after.Reply(own, []byte("for the new module"))
	require.NoError(t, err)
	require.Equal(t, "for the new module", string(r.Reply))
}

func TestRandomness(t *testing.T) {
	h := newHost(t)
	_, err := h.Update("random", nil)
	require.EqualError(t, err, "crypto/rand has no randomness yet: call cdk.SeedRandom and wait for it")

	seed := func(h *wasmhost.Host, entropy string) *wasmhost.Result {
		_, err := h.Update("seed", nil)
		require.NoError(t, err)
		c := h.Calls[len(h.Calls)-1]
		require.Empty(t, c.Callee)
		require.Equal(t, "raw_rand", string(c.Name))
		require.Equal(t, "DIDL\x00\x00", string(c.Arg))
		r, err := h.Reply(c, []byte("DIDL\x01\x6d\x7b\x01\x00\x20"+entropy))
		require.NoError(t, err)
		return r
	}
	require.Contains(t, seed(h, "short").Reject, "no randomness from the network: raw_rand replied 15 bytes")
	_, err = h.Update("random", nil)
	require.Error(t, err, "still not seeded")

	entropy := strings.Repeat("e", 32)
	require.True(t, seed(h, entropy).Answered)
	first := update(t, h, "random", "")
	require.Len(t, first, 80)
	_, err = h.Update("random_then_trap", nil)
	require.EqualError(t, err, "undone")
	_, err = h.Query("random_in_query", nil)
	require.ErrorContains(t, err, "crypto/rand in a query")
	second := update(t, h, "random", "")
	require.NotEqual(t, first, second)
	require.Equal(t, "true", update(t, h, "sign", "message"))

	// All replicas draw the same.
	other := newHost(t)
	seed(other, entropy)
	require.Equal(t, first, update(t, other, "random", ""))
	require.Equal(t, second, update(t, other, "random", ""), "what was undone was drawn again")

	third := newHost(t)
	seed(third, strings.Repeat("f", 32))
	require.NotEqual(t, first, update(t, third, "random", ""))
}

// Only the runtime's hash seed is a constant: whoever else asks WASI gets an error.
func TestNoRandomnessFromAConstant(t *testing.T) {
	require.Equal(t, "Not implemented on wasip1, Not implemented on wasip1", query(t, newHost(t), "random_of_wasi", ""))
}

func TestMapsAndFormatting(t *testing.T) {
	require.Equal(t, "4950 map[a:false b:true]", query(t, newHost(t), "maps", ""))
}

// Every length of up to five blocks, through the whole of crypto/sha256.
func TestSHA256InTheCanister(t *testing.T) {
	h := newHost(t)
	text := make([]byte, 300)
	for i := range text {
		text[i] = byte(i*i + i>>3)
	}
	cost := map[int]uint64{}
	for n := range len(text) + 1 {
		want := sha256.Sum256(text[:n])
		require.Equal(t, hex.EncodeToString(want[:]), hex.EncodeToString([]byte(query(t, h, "sha256", string(text[:n])))), "%d bytes", n)
		cost[n] = h.Instructions
	}
	// 119 bytes and the padding are two blocks, 120 are three; the allocator takes both for 128.
	// The compiled function takes 16,400.
	require.InDelta(t, 5_000, cost[120]-cost[119], 100, "instructions for a block")
}

// What the fake network does not count: about 500 instructions for each system call.
func TestSmallUpdatesAreCheap(t *testing.T) {
	h := newHost(t)
	for _, method := range []string{"increment", "greet"} {
		update(t, h, method, "you")
		update(t, h, method, "you")
		require.Less(t, h.Instructions, uint64(5_000), method)
		require.LessOrEqual(t, h.Reads, 8, method)
		require.LessOrEqual(t, h.Writes, 6, method)
	}
}

func TestCollectorRunsAfterUpdatesOnly(t *testing.T) {
	h := newHost(t)
	collections := func() string { return query(t, h, "collections", "") }
	require.Equal(t, "0", collections())
	for range 10 {
		query(t, h, "garbage_in_query", "")
	}
	require.Equal(t, "0", collections())
	update(t, h, "garbage", "")
	update(t, h, "garbage", "")
	require.Equal(t, "0", collections(), "12.8 MB are no reason")
	update(t, h, "garbage", "")
	require.Equal(t, "1", collections())

	for range 12 {
		update(t, h, "garbage", "")
	}
	before := h.Memory()
	for range 24 {
		update(t, h, "garbage", "")
	}
	require.Less(t, h.Memory(), before+16<<20, "the heap does not grow without end")
	require.EqualValues(t, 1, counterOf(t, h), "and everything still works")
}

func TestArgumentGoesIntoABuffer(t *testing.T) {
	h := newHost(t)
	for arg, want := range map[string]string{
		"":        "false  us......",
		"abc":     "true abc usabc...",
		"abcdef":  "true abcdef usabcdef",
		"abcdefg": "false abcdefg us......",
	} {
		require.Equal(t, want, query(t, h, "argument_into", arg))
	}
}

// What the linker replaces says in a canister what it says here.
func TestReplacedFunctionsInACanister(t *testing.T) {
	h := newHost(t)
	half := sha256.Sum256([]byte("half"))
	for _, text := range []string{"", "a", "aa", "ab", strings.Repeat("0123456789", 40), string(half[:]) + string(half[:]), string(half[:31]) + string(half[:])} {
		for n := range 16 {
			arg := text[:max(0, len(text)-n)]
			sum256, sum224 := sha256.Sum256([]byte(arg)), sha256.Sum224([]byte(arg))
			want := string(sum256[:]) + string(sum224[:])
			want += string(binary.LittleEndian.AppendUint64(nil, xxhash.Sum64String(arg)))
			if k := len(arg) / 2; arg[:k] == arg[len(arg)-k:] {
				want += "\x01"
			} else {
				want += "\x00"
			}
			if arg != "" {
				want += arg[:1] + arg[:len(arg)-1]
			}
			require.Equal(t, want, query(t, h, "replaced", arg), "%q", arg)
		}
	}
}
