package exec

import "kedge/replica/cycles"

// Overheads of system calls in instructions, beside one for each byte they copy. As the production execution
// code of 2026-05 charges them; tests/production compares.
const (
	costSentByte           = 50 // a byte of a reply, a reject or an argument
	costDefault            = 500
	costCallNew            = 1_500
	costCallPerform        = 5_000
	costIsController       = 1_000
	costPerformanceCounter = 200
	costDebugPrint         = 100
	costLogCopyByte        = 2  // a byte of an entry of the log
	costLogStoreByte       = 50 // a byte of it that fits
	costStableAccess       = 20
	costStableGrow         = 100
	costOutcallV2          = 10_000
)

// PageModel says what touching a page costs.
type PageModel uint8

const (
	// Pages2026 charges for each page of 64 KiB, of heap and stable memory, 80,000 instructions when it is
	// first accessed and 80,000 more when it is first written. It is the production model since 2026-07.
	Pages2026 PageModel = iota
	// Pages2025 charges 1,000 instructions for each page of 4 KiB that is written: of stable memory when it
	// happens, of the heap at the end of the message.
	Pages2025
)

const (
	pageAccess2026 = 80_000
	pageWrite2026  = 80_000
	pageWrite2025  = 1_000
)

// Most pages of 64 KiB of stable memory that one message may access, or write.
const (
	maxStablePages        = 2 << 30 / WasmPage
	maxStablePagesUpgrade = 8 << 30 / WasmPage
	maxStablePagesQuery   = 1 << 30 / WasmPage
)

// Limits of instructions.
const (
	LimitUpdate  = 40_000_000_000
	LimitQuery   = 5_000_000_000
	LimitInstall = 300_000_000_000
	LimitInspect = 200_000_000
)

// Instructions that installing a module costs, beside what runs.
const (
	installCost     = 20_000_000
	compileCost     = 6_000 // for each instruction of the module as production instruments it
	compiledDivisor = 100   // of the price of a module that was compiled before
)

// CompileCost is what compiling the module costs in instructions.
func (m *Module) CompileCost(again bool) uint64 {
	cost := m.Instructions * compileCost
	if again {
		cost /= compiledDivisor
	}
	return installCost + cost
}

// InvalidCost is what refusing a module costs in instructions: it is paid for by the byte.
func InvalidCost(code []byte) uint64 {
	if plain, err := Decompress(code); err == nil {
		code = plain
	}
	return installCost + compileCost*uint64(len(code))
}

// Limits of messages in bytes.
const (
	MaxIngress         = 2 << 20
	MaxReplicatedReply = 2 << 20
	MaxQueryReply      = 3 << 20
)

// Prices in cycles on an application subnet of 13 nodes (dfinity/ic, subnet configuration of 2026).
const (
	feeExecution   = 5_000_000
	feeIngress     = 1_200_000
	feeIngressByte = 2_000
	feeCall        = 260_000
	feeCallByte    = 1_000
)

// CreationFee is the price of a canister.
var CreationFee = cycles.New(500_000_000_000)

// IngressCost is the price of an ingress message, given the size of its signed envelope in bytes.
func IngressCost(size int) cycles.Amount {
	return cycles.New(feeIngressByte).Times(uint64(size)).Plus(cycles.New(feeIngress))
}

// ExecutionCost is the price of a message that uses so many instructions.
func ExecutionCost(instructions uint64) cycles.Amount {
	return cycles.New(instructions).Plus(cycles.New(feeExecution))
}

// CallCost is what a call takes from the balance when it is made; prepaid is the part that is kept for
// the response, its transmission and its execution, and settled when it arrives.
func CallCost(name, payload int) (cost, prepaid cycles.Amount) {
	prepaid = cycles.New(feeCallByte * MaxReplicatedReply).Plus(ExecutionCost(LimitUpdate))
	cost = cycles.New(feeCallByte).Times(uint64(name + payload)).Plus(cycles.New(feeCall)).Plus(prepaid)
	return cost, prepaid
}

// ResponseCost is what a response costs of the prepaid amount: its bytes and its execution.
func ResponseCost(size int, instructions uint64) cycles.Amount {
	return cycles.New(feeCallByte).Times(uint64(size)).Plus(ExecutionCost(instructions))
}

// OutcallCost is the price of an HTTP outcall by 13 nodes, given the greatest sizes of request and
// response in bytes.
func OutcallCost(request, response uint64) cycles.Amount {
	const nodes = 13
	fixed := cycles.New((3_000_000 + 60_000*nodes) * nodes)
	return fixed.Plus(cycles.New(400 * nodes).Times(request)).Plus(cycles.New(800 * nodes).Times(response))
}
