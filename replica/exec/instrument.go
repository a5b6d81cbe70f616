package exec

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"

	"kedge/wasm"
)

// counterExport is the name of the global that counts the instructions left.
const counterExport = "canister counter_instructions"

type meterState struct{}

func exportMeter(context.Context, wazero.Runtime) error { return nil }

func check(m *wasm.Module) error { return nil }

func (e *Engine) instrument(m *wasm.Module, module *Module) ([]byte, error) {
	n := uint32(m.Imported(wasm.KindGlobal))
	for i, g := range m.Globals {
		if g.Mutable {
			name := fmt.Sprintf("global %d", i)
			m.Exports = append(m.Exports, wasm.Export{Name: name, Kind: wasm.KindGlobal, Index: n + uint32(i)})
			module.globals = append(module.globals, name)
		}
	}
	m.Exports = append(m.Exports, wasm.Export{Name: counterExport, Kind: wasm.KindGlobal, Index: n + uint32(len(m.Globals))})
	m.Globals = append(m.Globals, wasm.Global{GlobalType: wasm.GlobalType{Type: wasm.I64, Mutable: true}, Init: []byte{0x42, 0, 0x0b}})
	if m.Start != nil {
		m.Exports = append(m.Exports, wasm.Export{Name: EntryStart, Kind: wasm.KindFunction, Index: *m.Start})
		m.Start = nil
	}
	return m.Encode(), nil
}

func (i *Instance) loadMeter() error { return nil }

func (i *Instance) beginStep(s *Step) {
	s.setLeft(int64(s.in.Limit))
	for p := uint64(0); p < s.heapBefore; p++ {
		s.pages.saved = append(s.pages.saved, savedPage{p, append([]byte(nil), s.view(uint32(p*WasmPage), WasmPage)...)})
	}
}

func (i *Instance) endStep(s *Step) {}

func (i *Instance) touchFromHost(s *Step, page uint64, write bool) { s.pages.touchHeap(s, page, write) }
