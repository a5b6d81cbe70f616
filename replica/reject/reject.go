// Package reject holds the ways in which the Internet Computer refuses a message: reject codes
// (Interface Specification, "Reject codes"), the finer error codes IC0xxx, and the wording that the
// production replica uses for them.
package reject

import "fmt"

// Code is a reject code, the coarse class that canisters see.
type Code uint8

// The reject codes.
const (
	SysFatal           Code = 1
	SysTransient       Code = 2
	DestinationInvalid Code = 3
	CanisterReject     Code = 4
	CanisterError      Code = 5
	SysUnknown         Code = 6
)

// ErrorCode is a production error code; its hundreds are the reject code.
type ErrorCode uint16

// The error codes, as the production replica numbers them.
const (
	SubnetOversubscribed                  ErrorCode = 101
	CanisterQueueFull                     ErrorCode = 201
	IngressMessageTimeout                 ErrorCode = 202
	IngressHistoryFull                    ErrorCode = 204
	CanisterIDAlreadyExists               ErrorCode = 205
	StopRequestTimeout                    ErrorCode = 206
	OutOfCycles                           ErrorCode = 207
	CertifiedStateUnavailable             ErrorCode = 208
	InstallCodeRateLimited                ErrorCode = 209
	CanisterNotFound                      ErrorCode = 301
	SnapshotNotFound                      ErrorCode = 305
	InsufficientMemoryAllocation          ErrorCode = 402
	InsufficientCyclesForCreate           ErrorCode = 403
	SubnetNotFound                        ErrorCode = 404
	CanisterNotHostedBySubnet             ErrorCode = 405
	CanisterRejectedMessage               ErrorCode = 406
	UnknownManagementMessage              ErrorCode = 407
	InvalidManagementPayload              ErrorCode = 408
	SnapshotImmutable                     ErrorCode = 409
	Trapped                               ErrorCode = 502
	CalledTrap                            ErrorCode = 503
	ContractViolation                     ErrorCode = 504
	InvalidWasm                           ErrorCode = 505
	DidNotReply                           ErrorCode = 506
	OutOfMemory                           ErrorCode = 507
	Stopped                               ErrorCode = 508
	Stopping                              ErrorCode = 509
	NotStopped                            ErrorCode = 510
	StoppingCancelled                     ErrorCode = 511
	InvalidController                     ErrorCode = 512
	FunctionNotFound                      ErrorCode = 513
	NonEmpty                              ErrorCode = 514
	QueryCallGraphLoop                    ErrorCode = 517
	InsufficientCyclesInCall              ErrorCode = 520
	WasmEngineError                       ErrorCode = 521
	InstructionLimitExceeded              ErrorCode = 522
	MemoryAccessLimitExceeded             ErrorCode = 524
	QueryCallGraphTooDeep                 ErrorCode = 525
	QueryCallGraphInstructionLimit        ErrorCode = 526
	CompositeQueryInReplicatedMode        ErrorCode = 527
	QueryTimeLimitExceeded                ErrorCode = 528
	QueryCallGraphInternal                ErrorCode = 529
	InsufficientCyclesInComputeAllocation ErrorCode = 530
	InsufficientCyclesInMemoryAllocation  ErrorCode = 531
	InsufficientCyclesInMemoryGrow        ErrorCode = 532
	MethodNotFound                        ErrorCode = 536
	WasmModuleNotFound                    ErrorCode = 537
	AlreadyInstalled                      ErrorCode = 538
	WasmMemoryLimitExceeded               ErrorCode = 539
	InvalidControllerOrSubnetAdmin        ErrorCode = 541
	CanisterStatusAccessDenied            ErrorCode = 542
	DeadlineExpired                       ErrorCode = 601
)

// Code returns the reject code that the error code belongs to.
func (c ErrorCode) Code() Code { return Code(c / 100) }

// String returns the code as clients see it, "IC0503".
func (c ErrorCode) String() string { return fmt.Sprintf("IC%04d", uint16(c)) }

// MaxDescription is the greatest length of a description in bytes; longer ones are cut in the middle.
const MaxDescription = 8 << 10

// Error is a refusal: of a message, a query, or a request before it became either.
type Error struct {
	Code    ErrorCode
	Message string
}

// New returns a refusal with a formatted message.
func New(code ErrorCode, format string, args ...any) *Error {
	return &Error{Code: code, Message: Shorten(fmt.Sprintf(format, args...))}
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code.String() + ": " + e.Message }

// RejectCode returns the coarse class of the refusal.
func (e *Error) RejectCode() Code { return e.Code.Code() }

// Shorten cuts a text of more than MaxDescription bytes in the middle, as the production replica does.
func Shorten(text string) string {
	if len(text) <= MaxDescription {
		return text
	}
	half := (MaxDescription - len("...")) / 2
	return text[:half] + "..." + text[len(text)-half:]
}
