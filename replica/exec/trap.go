package exec

import (
	"errors"
	"fmt"
	"strings"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// trap ends a step. It is the value that system calls panic with, which the Wasm engine turns into the
// error of the call.
type trap struct {
	code reject.ErrorCode
	text string // what happened
	help string // what to do, with a link, as the production replica adds it
	log  string // what the canister's log keeps; empty if nothing
}

func (t *trap) Error() string { return t.text }

// describe gives the refusal that callers see.
func (t *trap) describe(self principal.Principal) *reject.Error {
	if t.help == "" {
		return reject.New(t.code, "Error from Canister %s: %s", self, t.text)
	}
	return reject.New(t.code, "Error from Canister %s: %s.\n%s", self, t.text, t.help)
}

// Help texts of the production replica.
const (
	toolchainHelp = "If you are running this canister in a test environment (e.g., dfx), make sure the test environment is up to date. " +
		"Otherwise, this is likely an error with the compiler/CDK toolchain being used to build the canister. " +
		"Please report the error to IC devs on the forum: https://forum.dfinity.org and include which language/CDK was used to create the canister."
	failureHelp = "Consider gracefully handling failures from this canister or altering the canister to handle exceptions."
)

// documented joins advice and the link to a section of the execution errors page.
func documented(advice, section string) string {
	return advice + " See documentation: https://internetcomputer.org/docs/current/references/execution-errors#" + section
}

// trapped is a trap of the Wasm machine.
func trapped(what string) *trap {
	return &trap{reject.Trapped, "Canister trapped: " + what, documented(failureHelp, "trapped"), "[TRAP]: " + what}
}

// calledTrap is a call of ic0.trap.
func calledTrap(message string) *trap {
	logged := message
	if logged == "" {
		logged = "(no message)"
	}
	return &trap{reject.CalledTrap, fmt.Sprintf("Canister called `ic0.trap` with message: '%s'", message),
		documented(failureHelp, "trapped-explicitly"), "[TRAP]: " + logged}
}

// violation is a breach of the contract that a compiler or CDK is answerable for.
func violation(format string, args ...any) *trap {
	return &trap{code: reject.ContractViolation, text: "Canister violated contract: " + fmt.Sprintf(format, args...), help: toolchainHelp}
}

// userViolation is a breach of the contract that the author of the canister is answerable for.
func userViolation(help, format string, args ...any) *trap {
	return &trap{code: reject.ContractViolation, text: "Canister violated contract: " + fmt.Sprintf(format, args...), help: help}
}

// tooLongCall is a call of another canister that is longer than one may be.
func tooLongCall(callee fmt.Stringer, method string, size int) *trap {
	return userViolation(documented("Check the canister for errors or redesign the target API to allow shorter messages",
		"canister-made-a-call-with-too-large-payload"),
		"Request to %s:%s has a payload size of %d, which exceeds the allowed limit of %d.", callee, method, size, MaxPayload)
}

// tooLongName is a method name that no canister can have. The braces are production's.
func tooLongName(size uint32) *trap {
	return userViolation(documented("Size of method_name {} exceeds the allowed limit of {}.", "canister-made-a-call-with-too-large-method-name"),
		"Size of method_name %d exceeds the allowed limit of %d.", size, MaxMethodName)
}

// wrongContext is a system call in a role that may not make it.
func wrongContext(name string, kind Kind) *trap {
	return userViolation(documented("Check the ICP documentation to make sure APIs are being called in the correct message types.",
		"calling-a-system-api-from-the-wrong-mode"), `"ic0_%s" cannot be executed in %s mode`, name, kind)
}

// outOfInstructions is the end of a step that used up its limit.
func outOfInstructions(limit uint64) *trap {
	return &trap{code: reject.InstructionLimitExceeded,
		text: fmt.Sprintf("Canister exceeded the limit of %d instructions for single message execution.", limit),
		help: documented("Try optimizing this method to consume fewer instructions or split the work across multiple messages.",
			"instruction-limit-exceeded")}
}

// noSuchFunction is a callback that names nothing callable.
func noSuchFunction(index uint32) *trap {
	return &trap{code: reject.FunctionNotFound, help: toolchainHelp,
		text: fmt.Sprintf("Canister requested to invoke a non-existent Wasm function %d from table 0", index)}
}

// tooMuchMemory is a heap that grew beyond the canister's wasm_memory_limit.
func tooMuchMemory(size, limit uint64) *trap {
	return &trap{code: reject.WasmMemoryLimitExceeded,
		text: fmt.Sprintf("Canister exceeded its current Wasm memory limit of %d bytes. The peak Wasm memory usage was %d bytes. "+
			"If the canister reaches 4GiB, then it may stop functioning and may become unrecoverable. "+
			"Please reach out to the canister owner to investigate the reason for the increased memory usage. "+
			"It might be necessary to move data from the Wasm memory to the stable memory. "+
			"If such high Wasm memory usage is expected and safe, then the developer can increase "+
			"the Wasm memory limit in the canister settings.", limit, size),
		help: documented("Try checking the canister for a possible memory leak or modifying it to use more stable memory instead of Wasm memory.",
			"wasm-memory-limit-exceeded")}
}

// tooPoorToGrow is memory that the canister's balance could not carry. Its controllers learn how much is missing.
func tooPoorToGrow(bytes uint64, missing cycles.Amount, tellMissing bool) *trap {
	text := fmt.Sprintf("Canister cannot grow memory by %d bytes due to insufficient cycles.", bytes)
	if tellMissing {
		text += fmt.Sprintf(" At least %s additional cycles are required.", cycles.Grouped(missing))
	}
	return &trap{code: reject.InsufficientCyclesInMemoryGrow, text: text,
		help: documented("Try topping up the canister.", "insufficient-cycles-in-memory-grow")}
}

// tooManyPages is a step that touched more stable memory than a message may.
func tooManyPages(what string, limit uint64) *trap {
	return &trap{code: reject.MemoryAccessLimitExceeded,
		text: fmt.Sprintf("Canister exceeded memory access limits: Exceeded the limit for the number of %s pages in the stable memory in a single message execution: limit %d KB",
			what, limit*WasmPage>>10),
		help: documented("Try optimizing the use of stable memory so that individual messages don't need to access as much stable memory.",
			"memory-access-limit-exceeded")}
}

// MethodNotFound is the refusal of a call to a method that the canister does not have; kind is "update",
// "query" or "composite_query".
func MethodNotFound(self principal.Principal, kind, method string) *reject.Error {
	t := &trap{code: reject.MethodNotFound, text: fmt.Sprintf("Canister has no %s method '%s'.", kind, method),
		help: documented("Check that the method being called is exported by the target canister.", "method-not-found")}
	return t.describe(self)
}

// WasmModuleNotFound is the refusal of a call to a canister without code.
func WasmModuleNotFound(self principal.Principal) *reject.Error {
	t := &trap{code: reject.WasmModuleNotFound, text: "Attempted to execute a message, but the canister contains no Wasm module.",
		help: documented("Please install code to this canister before calling it.", "wasm-module-not-found")}
	return t.describe(self)
}

// MessageRejected is the refusal by canister_inspect_message.
func MessageRejected(self principal.Principal) *reject.Error {
	return (&trap{code: reject.CanisterRejectedMessage, text: "Canister rejected the message"}).describe(self)
}

// engineTraps maps what the Wasm engine says to what the production replica says. The engine's errors
// are not exported, so their texts are all there is to go by; a test makes each of them happen.
var engineTraps = []struct{ engine, production string }{
	{"stack overflow", "stack overflow"},
	{"wasm error: out of bounds memory access", "heap out of bounds"},
	{"wasm error: integer divide by zero", "integer division by 0"},
	{"wasm error: unreachable", "unreachable"},
	{"wasm error: invalid table access", "table out of bounds"},
	{"wasm error: indirect call type mismatch", "unknown"},
	{"wasm error: integer overflow", "unknown"},
	{"wasm error: invalid conversion to integer", "unknown"},
}

// asTrap finds out why the engine ended a call.
func asTrap(err error) *trap {
	var own *trap
	if errors.As(err, &own) {
		return own
	}
	for _, t := range engineTraps {
		if strings.HasPrefix(err.Error(), t.engine) {
			return trapped(t.production)
		}
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return &trap{code: reject.WasmEngineError, text: "Canister encountered a Wasm engine error: " + first}
}
