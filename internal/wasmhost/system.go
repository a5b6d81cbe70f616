package wasmhost

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"kedge/wasm"
)

// inStart are the system calls that the start function may make (Interface Specification, "Overview of imports", context s).
var inStart = []string{
	"stable64_size", "stable64_grow", "stable64_read", "stable64_write", "performance_counter",
	"is_controller", "in_replicated_execution", "debug_print", "trap",
}

// system defines ic0.
func system(b wazero.HostModuleBuilder) wazero.HostModuleBuilder {
	for name, call := range functions {
		typ := wasm.SystemAPI()[name]
		b = b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, _ api.Module, stack []uint64) {
			h := hostOf(ctx)
			if h.entry == "start" && !slices.Contains(inStart, name) {
				h.trap("ic0.%s in the start function", name)
			}
			for i, p := range typ.Params {
				if p == wasm.I32 {
					stack[i] &= 0xffffffff // wazero leaves the upper half undefined
				}
			}
			result := call(h, stack)
			if len(typ.Results) > 0 {
				stack[0] = result
			}
		}), valTypes(typ.Params), valTypes(typ.Results)).Export(name)
	}
	return b
}

// trap ends the message. It does not return.
func (h *Host) trap(format string, args ...any) {
	h.msg.trapped = fmt.Sprintf(format, args...)
	panic(h.msg.trapped)
}

// heap returns part of the canister's memory.
func (h *Host) heap(at, size uint64) []byte {
	b, ok := h.module.Memory().Read(uint32(at), uint32(size))
	if !ok {
		h.trap("heap access out of bounds at %d of %d bytes", at, size)
	}
	return b
}

// copyOut implements the *_copy functions: (dst, offset, size).
func (h *Host) copyOut(from []byte, a []uint64) uint64 {
	if a[1]+a[2] > uint64(len(from)) {
		h.trap("copy of %d bytes at %d of %d", a[2], a[1], len(from))
	}
	copy(h.heap(a[0], a[2]), from[a[1]:])
	return 0
}

func (h *Host) stableRange(at, size uint64) []byte {
	if at+size < at || at+size > uint64(len(h.Stable)) {
		h.trap("stable memory out of bounds")
	}
	return h.Stable[at : at+size]
}

func (h *Host) answer(r Result) uint64 {
	if h.msg.result.Answered {
		h.trap("the message has been answered already")
	}
	r.Answered = true
	*h.msg.result = r
	return 0
}

func (h *Host) put128(at, low uint64) uint64 {
	b := h.heap(at, 16)
	binary.LittleEndian.PutUint64(b, low)
	binary.LittleEndian.PutUint64(b[8:], 0)
	return 0
}

// functions are the system calls that package cdk makes.
var functions = map[string]func(h *Host, a []uint64) uint64{
	"msg_arg_data_size":    func(h *Host, _ []uint64) uint64 { return uint64(len(h.msg.arg)) },
	"msg_arg_data_copy":    func(h *Host, a []uint64) uint64 { return h.copyOut(h.msg.arg, a) },
	"msg_caller_size":      func(h *Host, _ []uint64) uint64 { return uint64(len(h.Caller)) },
	"msg_caller_copy":      func(h *Host, a []uint64) uint64 { return h.copyOut(h.Caller, a) },
	"canister_self_size":   func(h *Host, _ []uint64) uint64 { return uint64(len(h.Self)) },
	"canister_self_copy":   func(h *Host, a []uint64) uint64 { return h.copyOut(h.Self, a) },
	"root_key_size":        func(h *Host, _ []uint64) uint64 { return uint64(len(h.RootKey)) },
	"root_key_copy":        func(h *Host, a []uint64) uint64 { return h.copyOut(h.RootKey, a) },
	"msg_method_name_size": func(h *Host, _ []uint64) uint64 { return uint64(len(h.msg.method)) },
	"msg_method_name_copy": func(h *Host, a []uint64) uint64 { return h.copyOut(h.msg.method, a) },
	"accept_message":       func(h *Host, _ []uint64) uint64 { h.msg.accepted = true; return 0 },
	"msg_reject_code":      func(h *Host, _ []uint64) uint64 { return uint64(h.msg.rejectCode) },
	"msg_reject_msg_size":  func(h *Host, _ []uint64) uint64 { return uint64(len(h.msg.rejectMessage)) },
	"msg_reject_msg_copy":  func(h *Host, a []uint64) uint64 { return h.copyOut(h.msg.rejectMessage, a) },
	"msg_reply_data_append": func(h *Host, a []uint64) uint64 {
		h.msg.reply = append(h.msg.reply, h.heap(a[0], a[1])...)
		return 0
	},
	"msg_reply": func(h *Host, _ []uint64) uint64 { return h.answer(Result{Reply: h.msg.reply}) },
	"msg_reject": func(h *Host, a []uint64) uint64 {
		return h.answer(Result{Reject: string(h.heap(a[0], a[1])), Rejected: true})
	},

	"time":             func(h *Host, _ []uint64) uint64 { return h.Now },
	"canister_version": func(h *Host, _ []uint64) uint64 { return h.Version },
	"is_controller": func(h *Host, a []uint64) uint64 {
		return flag(slices.Contains(h.Controllers, string(h.heap(a[0], a[1]))))
	},
	"in_replicated_execution": func(h *Host, _ []uint64) uint64 { return flag(!h.query()) },
	"performance_counter":     func(h *Host, a []uint64) uint64 { return 1000 + a[0] },
	"global_timer_set": func(h *Host, a []uint64) uint64 {
		old := h.Timer
		if h.msg.timer != nil {
			old = *h.msg.timer
		}
		h.msg.timer = &[]uint64{a[0]}[0]
		return old
	},
	"certified_data_set": func(h *Host, a []uint64) uint64 {
		if h.query() || a[1] > 32 {
			h.trap("certified_data_set of %d bytes in %s", a[1], h.entry)
		}
		h.msg.certified = append([]byte{}, h.heap(a[0], a[1])...)
		return 0
	},
	"data_certificate_present": func(h *Host, _ []uint64) uint64 { return flag(h.query() && h.Certificate != nil) },
	"data_certificate_size":    func(h *Host, _ []uint64) uint64 { return uint64(len(h.Certificate)) },
	"data_certificate_copy":    func(h *Host, a []uint64) uint64 { return h.copyOut(h.Certificate, a) },

	"canister_cycle_balance128": func(h *Host, a []uint64) uint64 { return h.put128(a[0], 3_000_000_000_000) },
	"msg_cycles_available128":   func(h *Host, a []uint64) uint64 { return h.put128(a[0], h.Cycles) },
	"msg_cycles_refunded128":    func(h *Host, a []uint64) uint64 { return h.put128(a[0], h.Cycles) },
	"msg_cycles_accept128": func(h *Host, a []uint64) uint64 {
		n := min(a[1], h.Cycles)
		h.Cycles -= n
		return h.put128(a[2], n)
	},

	"stable64_size": func(h *Host, _ []uint64) uint64 { return uint64(len(h.Stable) / pageSize) },
	"stable64_grow": func(h *Host, a []uint64) uint64 {
		old := uint64(len(h.Stable) / pageSize)
		if old+a[0] > 1000 {
			return ^uint64(0)
		}
		h.Stable = append(h.Stable, make([]byte, a[0]*pageSize)...)
		return old
	},
	"stable64_read":  func(h *Host, a []uint64) uint64 { copy(h.heap(a[0], a[2]), h.stableRange(a[1], a[2])); return 0 },
	"stable64_write": func(h *Host, a []uint64) uint64 { copy(h.stableRange(a[0], a[2]), h.heap(a[1], a[2])); return 0 },

	"call_new": func(h *Host, a []uint64) uint64 {
		h.msg.building = &Call{
			Callee: slices.Clone(h.heap(a[0], a[1])), Name: slices.Clone(h.heap(a[2], a[3])),
			reply: uint32(a[4]), replyEnv: uint32(a[5]), reject: uint32(a[6]), rejectEnv: uint32(a[7]),
		}
		return 0
	},
	"call_data_append": func(h *Host, a []uint64) uint64 {
		h.msg.building.Arg = append(h.msg.building.Arg, h.heap(a[0], a[1])...)
		return 0
	},
	"call_on_cleanup": func(h *Host, a []uint64) uint64 {
		h.msg.building.cleanup, h.msg.building.cleanupEnv = uint32(a[0]), uint32(a[1])
		return 0
	},
	"call_with_best_effort_response": func(h *Host, a []uint64) uint64 { h.msg.building.Timeout = uint32(a[0]); return 0 },
	"call_cycles_add128":             func(h *Host, a []uint64) uint64 { h.msg.building.Cycles = a[1]; return 0 },
	"call_perform": func(h *Host, _ []uint64) uint64 {
		if h.FailCalls {
			return 2
		}
		h.msg.calls = append(h.msg.calls, h.msg.building)
		return 0
	},

	"debug_print": func(h *Host, a []uint64) uint64 { h.Log = append(h.Log, string(h.heap(a[0], a[1]))); return 0 },
	"trap":        func(h *Host, a []uint64) uint64 { h.trap("%s", h.heap(a[0], a[1])); return 0 },
}

func (h *Host) query() bool { return strings.HasPrefix(h.entry, "canister_query") }

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
