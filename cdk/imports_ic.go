//go:build wasip1

package cdk

import "unsafe"

// The system calls, and what the linker answers. Signatures are those of the interface
// specification for 32-bit canisters.

//go:wasmimport link index_of.cdk_on_reply
func replyIndex() uint32

//go:wasmimport link index_of.cdk_on_reject
func rejectIndex() uint32

//go:wasmimport link index_of.cdk_on_cleanup
func cleanupIndex() uint32

//go:wasmimport link memory_pages
func memoryPages() uint32

//go:wasmimport ic0 msg_arg_data_size
func msgArgDataSize() uint32

//go:wasmimport ic0 msg_arg_data_copy
//go:noescape
func msgArgDataCopy(dst unsafe.Pointer, offset, size uint32)

//go:wasmimport ic0 msg_caller_size
func msgCallerSize() uint32

//go:wasmimport ic0 msg_caller_copy
//go:noescape
func msgCallerCopy(dst unsafe.Pointer, offset, size uint32)

//go:wasmimport ic0 msg_method_name_size
func msgMethodNameSize() uint32

//go:wasmimport ic0 msg_method_name_copy
//go:noescape
func msgMethodNameCopy(dst unsafe.Pointer, offset, size uint32)

//go:wasmimport ic0 accept_message
func acceptMessage()

//go:wasmimport ic0 msg_reject_code
func msgRejectCode() uint32

//go:wasmimport ic0 msg_reject_msg_size
func msgRejectMsgSize() uint32

//go:wasmimport ic0 msg_reject_msg_copy
//go:noescape
func msgRejectMsgCopy(dst unsafe.Pointer, offset, size uint32)

//go:wasmimport ic0 msg_reply_data_append
//go:noescape
func msgReplyDataAppend(src unsafe.Pointer, size uint32)

//go:wasmimport ic0 msg_reply
func msgReply()

//go:wasmimport ic0 msg_reject
//go:noescape
func msgReject(src unsafe.Pointer, size uint32)

//go:wasmimport ic0 canister_self_size
func canisterSelfSize() uint32

//go:wasmimport ic0 canister_self_copy
//go:noescape
func canisterSelfCopy(dst unsafe.Pointer, offset, size uint32)

//go:wasmimport ic0 root_key_size
func rootKeySize() uint32

//go:wasmimport ic0 root_key_copy
//go:noescape
func rootKeyCopy(dst unsafe.Pointer, offset, size uint32)

//go:wasmimport ic0 canister_version
func canisterVersion() uint64

//go:wasmimport ic0 is_controller
//go:noescape
func isController(src unsafe.Pointer, size uint32) uint32

//go:wasmimport ic0 in_replicated_execution
func inReplicatedExecution() uint32

//go:wasmimport ic0 time
func time() uint64

//go:wasmimport ic0 performance_counter
func performanceCounter(kind uint32) uint64

//go:wasmimport ic0 canister_cycle_balance128
//go:noescape
func canisterCycleBalance128(dst unsafe.Pointer)

//go:wasmimport ic0 msg_cycles_available128
//go:noescape
func msgCyclesAvailable128(dst unsafe.Pointer)

//go:wasmimport ic0 msg_cycles_refunded128
//go:noescape
func msgCyclesRefunded128(dst unsafe.Pointer)

//go:wasmimport ic0 msg_cycles_accept128
//go:noescape
func msgCyclesAccept128(high, low uint64, dst unsafe.Pointer)

//go:wasmimport ic0 global_timer_set
func globalTimerSet(at uint64) uint64

//go:wasmimport ic0 certified_data_set
//go:noescape
func certifiedDataSet(src unsafe.Pointer, size uint32)

//go:wasmimport ic0 data_certificate_present
func dataCertificatePresent() uint32

//go:wasmimport ic0 data_certificate_size
func dataCertificateSize() uint32

//go:wasmimport ic0 data_certificate_copy
//go:noescape
func dataCertificateCopy(dst unsafe.Pointer, offset, size uint32)

//go:wasmimport ic0 stable64_size
func stable64Size() uint64

//go:wasmimport ic0 stable64_grow
func stable64Grow(pages uint64) uint64

//go:wasmimport link stable_read
//go:noescape
func stableRead(dst unsafe.Pointer, offset, size uint64)

//go:wasmimport link stable_write
//go:noescape
func stableWrite(offset uint64, src unsafe.Pointer, size uint64)

//go:wasmimport ic0 call_new
//go:noescape
func callNew(callee unsafe.Pointer, calleeSize uint32, name unsafe.Pointer, nameSize, reply, replyEnv, reject, rejectEnv uint32)

//go:wasmimport ic0 call_on_cleanup
func callOnCleanup(function, env uint32)

//go:wasmimport ic0 call_data_append
//go:noescape
func callDataAppend(src unsafe.Pointer, size uint32)

//go:wasmimport ic0 call_cycles_add128
func callCyclesAdd128(high, low uint64)

//go:wasmimport ic0 call_with_best_effort_response
func callWithBestEffortResponse(seconds uint32)

//go:wasmimport ic0 call_perform
func callPerform() uint32

//go:wasmimport ic0 debug_print
//go:noescape
func debugPrint(src unsafe.Pointer, size uint32)

//go:wasmimport ic0 trap
//go:noescape
func trap(src unsafe.Pointer, size uint32)
