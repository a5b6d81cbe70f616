package exec

import (
	"fmt"

	"kedge/wasm"
)

// GlobalTypes are the types of the mutable globals, in the order of an image, where a v128 takes two words
// and every other type one.
func (m *Module) GlobalTypes() []wasm.ValType {
	types := make([]wasm.ValType, 0, len(m.layout.Globals))
	for _, g := range m.layout.Globals {
		types = append(types, g.Type)
	}
	return types
}

// CheckGlobals refuses globals of other types than the module's.
func (m *Module) CheckGlobals(types []wasm.ValType) error {
	own := m.GlobalTypes()
	if len(own) != len(types) {
		return fmt.Errorf("the module has %d mutable globals, not %d", len(own), len(types))
	}
	for i, t := range types {
		if own[i] != t {
			return fmt.Errorf("mutable global %d has the type %s, not %s", i, own[i], t)
		}
	}
	return nil
}
