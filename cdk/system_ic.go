//go:build wasip1

package cdk

import (
	"encoding/binary"
	"unsafe"

	"kedge/ic/principal"
)

// network is the System of a canister. Its methods are the only callers of the imports below.
type network struct{}

var _ System = network{}

// system is not an interface here, so that calls are direct and nothing escapes to the heap.
var system network

func checkInstalled() {}

// checkTrap has nothing to do: in a canister a trap is no panic.
func checkTrap(any) {}

// Memory is passed to the network as an address and a size.

func data(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }
func text(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }
func size(b []byte) uint32         { return uint32(len(b)) }
func bytesOf(n uint32) []byte      { return make([]byte, n) }
func stringOf(b []byte) string     { return unsafe.String(unsafe.SliceData(b), len(b)) }
func cyclesOf(b *[16]byte) Cycles {
	return Cycles{binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[:])}
}
func pointer(b *[16]byte) unsafe.Pointer { return unsafe.Pointer(b) }

// mustPrincipal turns the bytes of a principal that the network gave into one.
func mustPrincipal(raw []byte) principal.Principal {
	p, err := principal.FromBytes(raw)
	if err != nil {
		panic(err)
	}
	return p
}

func (network) Arg() []byte {
	b := bytesOf(msgArgDataSize())
	if len(b) > 0 {
		msgArgDataCopy(data(b), 0, size(b))
	}
	return b
}

func (network) ArgSize() int { return int(msgArgDataSize()) }

// argInto is not of the interface: it is Arg, allocating less.
func argInto(buf []byte) []byte {
	n := int(msgArgDataSize())
	room := buf[len(buf):]
	if n > cap(room) {
		return system.Arg()
	}
	if room = room[:n]; n > 0 {
		msgArgDataCopy(data(room), 0, size(room))
	}
	return room
}

func (network) Caller() principal.Principal {
	var buf [principal.MaxLen]byte
	b := buf[:msgCallerSize()]
	msgCallerCopy(data(b), 0, size(b))
	return mustPrincipal(b)
}

func (network) Self() principal.Principal {
	var buf [principal.MaxLen]byte
	b := buf[:canisterSelfSize()]
	canisterSelfCopy(data(b), 0, size(b))
	return mustPrincipal(b)
}

func (network) RootKey() []byte {
	b := bytesOf(rootKeySize())
	rootKeyCopy(data(b), 0, size(b))
	return b
}

func (network) MethodName() string {
	b := bytesOf(msgMethodNameSize())
	msgMethodNameCopy(data(b), 0, size(b))
	return stringOf(b)
}

func (network) RejectMessage() string {
	b := bytesOf(msgRejectMsgSize())
	msgRejectMsgCopy(data(b), 0, size(b))
	return stringOf(b)
}

func (network) AcceptMessage()         { acceptMessage() }
func (network) RejectCode() RejectCode { return RejectCode(msgRejectCode()) }

func (network) ReplyPart(s string) { msgReplyDataAppend(text(s), uint32(len(s))) }

func (network) Reply(b []byte) {
	msgReplyDataAppend(data(b), size(b))
	msgReply()
}

func (network) Reject(message string) { msgReject(text(message), uint32(len(message))) }

func (network) IsController(p principal.Principal) bool {
	var buf [principal.MaxLen]byte
	b := p.AppendTo(buf[:0])
	return isController(data(b), size(b)) != 0
}

func (network) Version() uint64                       { return canisterVersion() }
func (network) Replicated() bool                      { return inReplicatedExecution() != 0 }
func (network) Time() uint64                          { return time() }
func (network) PerformanceCounter(kind uint32) uint64 { return performanceCounter(kind) }
func (network) SetTimer(at uint64) uint64             { return globalTimerSet(at) }

func (network) CycleBalance() Cycles {
	var b [16]byte
	canisterCycleBalance128(pointer(&b))
	return cyclesOf(&b)
}

func (network) CyclesAvailable() Cycles {
	var b [16]byte
	msgCyclesAvailable128(pointer(&b))
	return cyclesOf(&b)
}

func (network) CyclesRefunded() Cycles {
	var b [16]byte
	msgCyclesRefunded128(pointer(&b))
	return cyclesOf(&b)
}

func (network) CyclesAccept(max Cycles) Cycles {
	var b [16]byte
	msgCyclesAccept128(max.High, max.Low, pointer(&b))
	return cyclesOf(&b)
}

func (network) SetCertifiedData(b []byte) { certifiedDataSet(data(b), size(b)) }

func (network) DataCertificate() ([]byte, bool) {
	if dataCertificatePresent() == 0 {
		return nil, false
	}
	b := bytesOf(dataCertificateSize())
	dataCertificateCopy(data(b), 0, size(b))
	return b, true
}

// dataCertificateInto is to DataCertificate what argInto is to Arg.
func dataCertificateInto(buf []byte) ([]byte, bool) {
	if dataCertificatePresent() == 0 {
		return nil, false
	}
	n := int(dataCertificateSize())
	room := buf[len(buf):]
	if n > cap(room) {
		return system.DataCertificate()
	}
	room = room[:n]
	dataCertificateCopy(data(room), 0, size(room))
	return room, true
}

func (network) StableSize() uint64                   { return stable64Size() }
func (network) StableGrow(pages uint64) bool         { return stable64Grow(pages) != ^uint64(0) }
func (network) StableRead(dst []byte, offset uint64) { stableRead(data(dst), offset, uint64(len(dst))) }
func (network) StableWrite(offset uint64, src []byte) {
	stableWrite(offset, data(src), uint64(len(src)))
}

func (network) Call(r *Request, env uint32) bool {
	var buf [principal.MaxLen]byte
	callee := r.Callee.AppendTo(buf[:0])
	callNew(data(callee), size(callee), text(r.Method), uint32(len(r.Method)), replyIndex(), env, rejectIndex(), env)
	callOnCleanup(cleanupIndex(), env)
	callDataAppend(data(r.Arg), size(r.Arg))
	if r.Cycles != (Cycles{}) {
		callCyclesAdd128(r.Cycles.High, r.Cycles.Low)
	}
	if r.TimeoutSeconds > 0 {
		callWithBestEffortResponse(r.TimeoutSeconds)
	}
	return callPerform() == 0
}

func (network) Print(s string) { debugPrint(text(s), uint32(len(s))) }

func (network) Trap(s string) {
	trap(text(s), uint32(len(s)))
	panic("unreachable")
}

// The network calls these through the table; the linker puts them there.

//go:wasmexport cdk_on_reply
func onReply(env uint32) { runReply(env) }

//go:wasmexport cdk_on_reject
func onReject(env uint32) { runReject(env) }

//go:wasmexport cdk_on_cleanup
func onCleanup(env uint32) { runCleanup(env) }
