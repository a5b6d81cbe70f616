package meter

import "kedge/wasm"

// PageSize is the granularity at which memory accesses are tracked.
type PageSize uint8

// The page sizes.
const (
	Wasm64KiB PageSize = iota // pages of WebAssembly, the charge model of 2026-07
	OS4KiB                    // pages of the operating system, the charge model before
)

func (p PageSize) bits() int32 {
	if p == OS4KiB {
		return 12
	}
	return 16
}

// Bytes returns the size of a page in bytes.
func (p PageSize) Bytes() int { return 1 << p.bits() }

// Options say what to count besides instructions. The zero value tracks reads and writes in pages
// of 64 KiB.
type Options struct {
	Page       PageSize
	IgnoreRead bool // track writes only
	Untracked  bool // track neither
}

// ImportModule is the module name of the functions that the host provides.
const ImportModule = "meter"

// The functions that the host provides under [ImportModule].
const (
	// OutOfInstructions, () -> (), is called when the counter is below zero. If it
	// returns, it has raised the counter, and the module goes on.
	OutOfInstructions = "out_of_instructions"
	// StackOverflow, () -> (), is called when the frames of the active functions have no room. It must not
	// return.
	StackOverflow = "stack_overflow"
	// MarkRead, (page: i32) -> (), is called before a page is first read in a message. Not imported
	// if reads are not tracked.
	MarkRead = "mark_read"
	// MarkWrite, (page: i32) -> (), is called before a page is first written in a message, whether
	// or not it has been read: the host can still see its old content. Not imported if nothing is tracked.
	MarkWrite = "mark_write"
	// Grow, (pages: i32, delta: i32) -> (i32), is called before memory.grow with the current size
	// and the growth in pages of 64 KiB. It returns 0 to refuse: memory.grow then returns -1.
	Grow = "grow"
)

// CounterExport is the name of the counter. Canisters cannot export it: it is reserved.
const CounterExport = "canister counter_instructions"

// StartExport is the name of what was the start function. It is reserved, too.
const StartExport = "canister_start"

// Layout names what [Instrument] put into a module. The host
//
//   - provides the imports,
//   - sets the global Counter to the limit before each message and reads it afterwards; it may
//     also lower it inside of any call that it receives (page and system call charges): after
//     mark_read and mark_write the module looks at the counter itself,
//   - calls Reset before each message,
//   - may read and write the memory itself. It then counts the page as touched in its own record;
//     the module may still mark the same page later, so marks must be idempotent,
//   - saves and restores Globals around a message that may be rolled back.
type Layout struct {
	Counter string // exported global, mut i64
	Memory  string // exported memory; empty if the module has none
	Start   string // exported function () -> (), run once after instantiation; empty if there is none
	Reset   string // exported function () -> (), starts a message
	Globals []Global
	Page    PageSize
	Reads   bool // whether mark_read is imported
	Writes  bool // whether mark_write is imported
}

// Global is a mutable global of the canister and how the host reaches it.
type Global struct {
	Index uint32
	Type  wasm.ValType
	// Export is the exported global; for a v128, whose value does not fit the API of engines, Get
	// and Set are exported functions () -> (i64, i64) and (i64, i64) -> () with the low half first.
	Export   string
	Get, Set string
}
