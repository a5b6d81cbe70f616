package exec

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tetratelabs/wazero"

	"kedge/ic/principal"
	"kedge/replica/reject"
	"kedge/wasm"
	"kedge/wasm/meter"
)

// MaxModule is the greatest size of a module in bytes, after decompression.
const MaxModule = 100 << 20

// Module is a checked, instrumented and compiled module.
type Module struct {
	compiled wazero.CompiledModule
	layout   meter.Layout
	symbols  symbols
	entries  map[string]bool

	hasTable, hasMemory bool
	pages               uint64 // of 64 KiB, of the initial heap
	tableSize           uint32 // of table 0, which cannot grow

	// Sections is the metadata: custom sections icp:public and icp:private.
	Sections []Section
	// Size is the size of the decompressed module in bytes, SectionsSize that of the metadata in it.
	Size, SectionsSize uint64
	// Instructions is the number of Wasm instructions as production instruments the module, which the price
	// of compiling depends on.
	Instructions uint64
}

// Section is a piece of a module's metadata.
type Section struct {
	Name   string // without its prefix, for instance "candid:service"
	Public bool
	Data   []byte
}

// Has reports whether the module exports the entry point, for instance "canister_init".
func (m *Module) Has(entry string) bool { return m.entries[entry] }

// GlobalsSize is the size of the mutable globals in bytes.
func (m *Module) GlobalsSize() uint64 { return 8 * uint64(m.globalWords()) }

// Section returns the metadata with the name.
func (m *Module) Section(name string) (Section, bool) {
	for _, s := range m.Sections {
		if s.Name == name {
			return s, true
		}
	}
	return Section{}, false
}

// CheckInitialHeap refuses an initial heap beyond what this network can hold, a page less than 4 GiB, unless the
// canister's wasm_memory_limit in bytes refuses it, too; that is zero if it has none.
func (m *Module) CheckInitialHeap(self principal.Principal, limit uint64) *reject.Error {
	if m.pages <= maxHeapPages {
		return nil
	}
	if err := CheckHeap(self, m.pages, limit); err != nil {
		return err
	}
	return (&trap{code: reject.WasmEngineError, text: fmt.Sprintf("%sthe heap of %d pages is larger than this network can hold: at most %d pages",
		notInstantiate, m.pages, maxHeapPages)}).describe(self)
}

// CheckHeap refuses a heap, in pages of 64 KiB, beyond a canister's wasm_memory_limit in bytes, zero if it has none.
func CheckHeap(self principal.Principal, pages, limit uint64) *reject.Error {
	if size := pages * WasmPage; limit != 0 && size > limit {
		return tooMuchMemory(size, limit).describe(self)
	}
	return nil
}

// Close frees the compiled code. No instance of the module may be in use.
func (m *Module) Close(ctx context.Context) error { return m.compiled.Close(ctx) }

// Decompress returns a module as uploaded, which may be compressed with gzip, in plain form.
func Decompress(code []byte) ([]byte, error) {
	if !bytes.HasPrefix(code, []byte{0x1f, 0x8b, 0x08}) {
		if len(code) > MaxModule {
			return nil, fmt.Errorf("the module has %d bytes, at most %d are allowed", len(code), MaxModule)
		}
		return code, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(code))
	if err != nil {
		return nil, fmt.Errorf("the module starts like gzip but is not: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(reader, MaxModule+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("decompress the module: %w", err)
	case len(plain) > MaxModule:
		return nil, fmt.Errorf("the module decompresses to more than %d bytes", MaxModule)
	}
	return plain, nil
}

// Compile checks, instruments and compiles a module as uploaded: plain or compressed with gzip. InvalidWasm
// makes a refusal of its errors.
func (e *Engine) Compile(ctx context.Context, code []byte) (*Module, error) {
	plain, err := Decompress(code)
	if err != nil {
		return nil, err
	}
	decoded, err := wasm.Decode(plain)
	if err != nil {
		return nil, err
	}
	if memory, ok := decoded.Memory(); ok && memory.Is64 {
		return nil, errors.New("the module has a 64-bit memory (wasm64), which this network does not run; build it for wasm32")
	}
	for _, check := range []func() error{ // in production's order
		func() error { return wasm.CheckCodeSize(decoded, wasm.Production()) },
		func() error { return wasm.Validate(decoded) },
		func() error { return wasm.Check(decoded, wasm.Production()) },
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	m := &Module{Instructions: meter.InstrumentedSize(decoded), Size: uint64(len(plain)), entries: entriesOf(decoded)}
	m.tableSize, m.hasTable = tableOf(decoded)
	var memory wasm.MemoryType
	memory, m.hasMemory = decoded.Memory()
	m.pages = memory.Min
	m.readSections(decoded)
	instrumented, err := e.instrument(decoded, m)
	if err != nil {
		return nil, fmt.Errorf("%s%w", notValidated, err)
	}
	if m.compiled, err = e.compile(ctx, instrumented); err != nil {
		return nil, fmt.Errorf("%s%w", notValidated, err)
	}
	return m, nil
}

// entriesOf collects the exported functions that the network may call.
func entriesOf(m *wasm.Module) map[string]bool {
	entries := make(map[string]bool)
	for _, export := range m.Exports {
		if export.Kind == wasm.KindFunction && strings.HasPrefix(export.Name, "canister_") {
			entries[export.Name] = true
		}
	}
	if m.Start != nil {
		entries[EntryStart] = true
	}
	return entries
}

func tableOf(m *wasm.Module) (size uint32, ok bool) {
	for i := range m.Imports {
		if m.Imports[i].Kind == wasm.KindTable {
			return m.Imports[i].Table.Min, true
		}
	}
	if len(m.Tables) == 0 {
		return 0, false
	}
	return m.Tables[0].Min, true
}

// readSections keeps the metadata.
func (m *Module) readSections(decoded *wasm.Module) {
	for _, custom := range decoded.Customs {
		m.SectionsSize += uint64(len(custom.Name) + len(custom.Bytes))
		for prefix, public := range map[string]bool{"icp:public ": true, "icp:private ": false} {
			if name, ok := strings.CutPrefix(custom.Name, prefix); ok {
				m.Sections = append(m.Sections, Section{name, public, custom.Bytes})
			}
		}
	}
}

// The names of the entry points that are not methods.
const (
	EntryStart       = "canister_start" // where the instrumentation moves the start function
	EntryInit        = "canister_init"
	EntryPreUpgrade  = "canister_pre_upgrade"
	EntryPostUpgrade = "canister_post_upgrade"
	EntryInspect     = "canister_inspect_message"
	EntryHeartbeat   = "canister_heartbeat"
	EntryTimer       = "canister_global_timer"
	EntryLowMemory   = "canister_on_low_wasm_memory"

	// Prefixes of methods; the method's name follows.
	UpdatePrefix    = "canister_update "
	QueryPrefix     = "canister_query "
	CompositePrefix = "canister_composite_query "
)
