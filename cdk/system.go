package cdk

import "kedge/ic/principal"

// System is what the network offers to a canister: the system API of the interface specification
// (ic0), one method for what belongs together. In a canister it is the network itself; on the host
// it is what [Install] was given, usually a fake from package cdktest. Slices that a method is
// given are not kept.
type System interface {
	// The message.
	Arg() []byte
	ArgSize() int
	Caller() principal.Principal
	MethodName() string // in inspect_message
	AcceptMessage()
	RejectCode() RejectCode // in a reject callback
	RejectMessage() string

	// The answer.
	ReplyPart(data string) // goes before the data of Reply
	Reply(data []byte)
	Reject(message string)

	// The canister and its surroundings.
	Self() principal.Principal
	RootKey() []byte
	Version() uint64
	IsController(p principal.Principal) bool
	Replicated() bool
	Time() uint64
	PerformanceCounter(kind uint32) uint64
	CycleBalance() Cycles
	CyclesAvailable() Cycles
	CyclesRefunded() Cycles
	CyclesAccept(max Cycles) Cycles
	SetTimer(at uint64) (previous uint64)
	SetCertifiedData(data []byte)
	DataCertificate() ([]byte, bool)

	// Stable memory. Read and Write beyond the size trap.
	StableSize() (pages uint64)
	StableGrow(pages uint64) bool
	StableRead(dst []byte, offset uint64)
	StableWrite(offset uint64, src []byte)

	// Call sends a request; its answer comes with the number to the callbacks. It reports whether the
	// request was taken.
	Call(r *Request, number uint32) bool

	Print(text string)
	Trap(text string) // does not return
}
