package exec

import (
	"errors"

	"kedge/ic/principal"
	"kedge/replica/reject"
	"kedge/wasm"
)

// Refusals of modules, in the words of the production replica.

const (
	notValid       = "Canister's Wasm module is not valid: "
	notInstrument  = "Could not instrument wasm module of canister: "
	notInstantiate = "Canister encountered a Wasm engine error: Failed to instantiate module: "
	// notValidated begins what production's engine, wasmtime, says of a module.
	notValidated = "Wasmtime failed to validate wasm module wasmtime::Module::validate() failed with "
)

// InvalidWasm is the refusal of a module for an error of Compile.
func InvalidWasm(self principal.Principal, err error) *reject.Error {
	return refusal(err).describe(self)
}

func refusal(err error) *trap {
	var own *trap
	if errors.As(err, &own) {
		return own
	}
	var broken *wasm.RuleError
	if errors.As(err, &broken) {
		return ruleRefusal(broken)
	}
	var malformed *wasm.DecodeError
	if errors.As(err, &malformed) {
		if malformed.Section == "" && malformed.Offset < len("\x00asm\x01\x00\x00\x00") {
			return &trap{code: reject.InvalidWasm, text: notValid + "Failed to decode wasm module: Error finding code section: " + malformed.InProduction(), help: toolchainHelp}
		}
		return &trap{code: reject.InvalidWasm, text: notValid + notValidated + malformed.InProduction(), help: toolchainHelp}
	}
	return &trap{code: reject.InvalidWasm, text: notValid + err.Error(), help: toolchainHelp}
}

func ruleRefusal(broken *wasm.RuleError) *trap {
	help := toolchainHelp
	if broken.Section != "" {
		help = documented(broken.Advice, broken.Section)
	}
	switch broken.Stage {
	case wasm.Instantiation:
		return &trap{code: reject.WasmEngineError, text: notInstantiate + broken.Err.Error()}
	case wasm.Instrumentation:
		return &trap{code: reject.InvalidWasm, text: notInstrument + broken.Err.Error(), help: help}
	}
	return &trap{code: reject.InvalidWasm, text: notValid + broken.Err.Error(), help: help}
}
