package exec

import (
	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// Input is everything that the execution of one entry point depends on, beside the canister's memories:
// the same Input on the same state gives the same Output.
type Input struct {
	Kind Kind
	// Entry is the name of the exported function, for instance "canister_update greet". Callbacks leave
	// it empty and set Callback.
	Entry    string
	Callback Callback

	Caller principal.Principal
	Info   CallerInfo
	Arg    []byte
	Method string // the method that canister_inspect_message decides on

	RejectCode    reject.Code // reject callbacks; zero in reply callbacks
	RejectMessage string
	Deadline      uint64 // of a best-effort call, in nanoseconds; zero if none

	Available cycles.Amount // cycles of the call that are still there to accept
	Refunded  cycles.Amount // cycles that came back with a response
	Answered  bool          // the call context has its answer already
	MaxReply  int           // greatest reply in bytes

	Limit               uint64        // instructions
	ContextInstructions uint64        // instructions that the call context used before, for performance_counter(1)
	Certificate         func() []byte // makes what data_certificate returns; nil if there is none

	// Pause is called between slices of the step, on the goroutine that runs it; it may be nil. The step goes on if
	// it returns true. What it does has no influence on the Output.
	Pause func(s *Step) (goOn bool)

	Env Env
}

// CallerInfo is what a canister has signed about the caller, as the message brought it along; the zero value
// if it brought nothing.
type CallerInfo struct {
	Data   []byte
	Signer principal.Principal
}

// Env is what a canister can ask about itself and its network.
type Env struct {
	Self, Subnet  principal.Principal
	RootKey       []byte // DER
	Time          uint64 // nanoseconds since 1970
	Version       uint64
	Status        int32 // 1 running, 2 stopping, 3 stopped
	Controllers   []principal.Principal
	Variables     []Variable // environment variables, ordered by name
	GlobalTimer   uint64     // nanoseconds; zero if not set
	Balance       cycles.Amount
	Reserve       cycles.Amount // the part of Balance that the freezing threshold holds back
	WasmLimit     uint64        // greatest heap in bytes; zero if unlimited
	LogCapacity   uint64        // bytes of the canister's log
	MayMintCycles bool          // the canister is the cycles minting canister

	// ReserveWith is what Reserve would be with so many bytes of memory more than when the step began; nil if growth
	// is free.
	ReserveWith func(bytes uint64) cycles.Amount

	// QueueSpace says how many more calls to the callee the output queue takes.
	QueueSpace func(callee principal.Principal) int
}

// Variable is an environment variable of a canister.
type Variable struct{ Name, Value string }

// Callback is a function of table 0 with the argument that it is called with.
type Callback struct{ Func, Env uint32 }

// Call is a call that a canister made.
type Call struct {
	Callee         principal.Principal
	Method         string
	Arg            []byte
	Cycles         cycles.Amount
	Reply, Reject  Callback
	Cleanup        *Callback
	TimeoutSeconds uint32        // best-effort if not zero
	Prepaid        cycles.Amount // for the response: its transmission and its execution
}

// Response is what a canister answered: a reply, or its own reject.
type Response struct {
	Reply    []byte
	Rejected bool
	Message  string // of a reject
}

// Log is an entry of a canister's log.
type Log struct {
	Time    uint64 // nanoseconds since 1970
	Content []byte
}

// Report is what a step consumed.
type Report struct {
	Instructions uint64 // with system calls and page charges
	PageCharges  uint64 // the part of Instructions that pages cost

	HeapRead, HeapWritten     uint64 // pages of 64 KiB that the step read or wrote, and that it wrote
	StableRead, StableWritten uint64 // the same for stable memory
	StableRead4K              uint64 // pages of 4 KiB of stable memory that it read or wrote
	StableWritten4K           uint64 // pages of 4 KiB of stable memory that it wrote
	HeapPages, StablePages    uint64 // sizes after the step, in pages of 64 KiB
}

// Plus adds up two steps of one canister, r before next. Pages that both touched count twice, as they are
// charged.
func (r Report) Plus(next Report) Report {
	next.Instructions += r.Instructions
	next.PageCharges += r.PageCharges
	next.HeapRead += r.HeapRead
	next.HeapWritten += r.HeapWritten
	next.StableRead += r.StableRead
	next.StableWritten += r.StableWritten
	next.StableRead4K += r.StableRead4K
	next.StableWritten4K += r.StableWritten4K
	return next
}

// Output is the result of a step.
type Output struct {
	Err      *reject.Error // why the entry point did not return; nil if it did
	Cause    string        // the same without the canister and without advice
	Response *Response     // nil if it did not answer
	Calls    []Call
	Logs     []Log // kept even if Err is set

	Balance       cycles.Amount // after accepting, attaching and burning; as before if Err is set
	Accepted      cycles.Amount
	Burned        cycles.Amount
	Minted        cycles.Amount
	CertifiedData []byte  // new certified data; nil if unchanged
	GlobalTimer   *uint64 // new timer; nil if unchanged
	MessageOK     bool    // canister_inspect_message accepted

	Report Report
}
