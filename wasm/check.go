package wasm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Limits bounds a canister module. [Production] has the values of the Internet Computer.
type Limits struct {
	CodeSection        int    // bytes of the code section
	Functions          int    // functions defined in the module
	FunctionSize       int    // instructions of one function
	FunctionComplexity int    // complexity of one function, see complexity.go
	Globals            int    // globals defined in the module
	TableElements      uint32 // initial size of the table
	Methods            int    // exported update, query and composite query methods
	MethodNames        int    // bytes of all their names together
	CustomSections     int    // sections whose names begin with "icp:"
	CustomSize         int    // bytes of the names and contents of these
	Wasm64             bool   // whether modules with a 64-bit memory are accepted
}

// Production returns the limits of the Internet Computer in 2026. Wasm64 is off: the tables of
// this package are those of 32-bit canisters.
func Production() Limits {
	return Limits{
		CodeSection:        12 << 20,
		Functions:          50_000,
		FunctionSize:       1_000_000,
		FunctionComplexity: 1_000_000,
		Globals:            1_000,
		TableElements:      1_000_000,
		Methods:            1_000,
		MethodNames:        20_000,
		CustomSections:     16,
		CustomSize:         1 << 20,
	}
}

// ErrWasm64 is wrapped by the error for a module with a 64-bit memory.
var ErrWasm64 = errors.New("wasm64 (a 64-bit memory) is not supported; build the canister for wasm32")

// RuleError says which rule of the Internet Computer a module breaks, and where.
type RuleError struct {
	Where string // `function 12 ("main.run")`, `export "memory"`, `custom section "icp:public x"`, …
	Err   error
}

// Error renders place and rule.
func (e *RuleError) Error() string { return "wasm: " + e.Where + ": " + e.Err.Error() }

// Unwrap returns the rule.
func (e *RuleError) Unwrap() error { return e.Err }

func rule(where, format string, args ...any) error {
	return &RuleError{Where: where, Err: fmt.Errorf(format, args...)}
}

// Check holds the module against the rules for canister modules (ic.md 5.1 and 5.2 of the
// reference; the replica's validation.rs) and returns a *[RuleError] for the first that it breaks.
// Where clients of the Internet Computer know the text of an error, the error contains it. Check
// also makes sure that every index outside of function bodies exists; that bodies are well typed
// is left to the engine that compiles them.
func Check(m *Module, limits Limits) error {
	for _, check := range []func(*Module, Limits) error{
		checkIndices, checkImports, checkExports, checkStart, checkMemory, checkTables, checkData, checkCounts,
		checkFunctions, checkCustoms,
	} {
		if err := check(m, limits); err != nil {
			return err
		}
	}
	return nil
}

func checkIndices(m *Module, _ Limits) error {
	for i := range m.Imports {
		if im := &m.Imports[i]; im.Kind == KindFunction && int64(im.Type) >= int64(len(m.Types)) {
			return rule(fmt.Sprintf("import %q %q", im.Module, im.Name), "type %d does not exist, there are %d", im.Type, len(m.Types))
		}
	}
	imported := m.Imported(KindFunction)
	for i := range m.Functions {
		if t := m.Functions[i].Type; int64(t) >= int64(len(m.Types)) {
			return rule(m.functionNamer()(uint32(imported+i)), "type %d does not exist, there are %d", t, len(m.Types))
		}
	}
	count := [...]int{
		KindFunction: imported + len(m.Functions),
		KindTable:    m.Imported(KindTable) + len(m.Tables),
		KindMemory:   m.Imported(KindMemory) + len(m.Memories),
		KindGlobal:   m.Imported(KindGlobal) + len(m.Globals),
	}
	seen := make(map[string]bool, len(m.Exports))
	for _, e := range m.Exports {
		where := fmt.Sprintf("export %.200q", e.Name)
		if int(e.Kind) >= len(count) || int64(e.Index) >= int64(count[e.Kind]) {
			return rule(where, "%v %d does not exist", e.Kind, e.Index)
		}
		if seen[e.Name] {
			return rule(where, "exported twice")
		}
		seen[e.Name] = true
	}
	for i := range m.Elements {
		e := &m.Elements[i]
		where := fmt.Sprintf("element segment %d", i)
		if e.Mode == Active && int64(e.Table) >= int64(count[KindTable]) {
			return rule(where, "table %d does not exist", e.Table)
		}
		for _, f := range e.Funcs {
			if int64(f) >= int64(count[KindFunction]) {
				return rule(where, "function %d does not exist, there are %d", f, count[KindFunction])
			}
		}
	}
	for i := range m.Data {
		if d := &m.Data[i]; d.Mode == Active && int64(d.Memory) >= int64(count[KindMemory]) {
			return rule(fmt.Sprintf("data segment %d", i), "memory %d does not exist", d.Memory)
		}
	}
	return nil
}

func checkImports(m *Module, _ Limits) error {
	for i := range m.Imports {
		im := &m.Imports[i]
		where := fmt.Sprintf("import %q %q", im.Module, im.Name)
		switch im.Kind {
		case KindFunction:
			want, known := SystemAPI()[im.Name]
			if !known {
				return rule(where, "Module imports function '%s' from '%s' that is not exported by the runtime.", im.Name, im.Module)
			}
			if im.Module != SystemModule {
				return rule(where, "Module imports function %q from %q, expected to be imported from one of [%q] instead.", im.Name, im.Module, SystemModule)
			}
			got := m.Types[im.Type]
			if !slices.Equal(got.Params, want.Params) {
				return rule(where, "Expected input params %s for '%s', got %s.", rustTypes(want.Params), im.Name, rustTypes(got.Params))
			}
			if !slices.Equal(got.Results, want.Results) {
				return rule(where, "Expected return type %s for '%s', got %s.", rustTypes(want.Results), im.Name, rustTypes(got.Results))
			}
		case KindTable:
			if im.Module != "env" {
				return rule(where, "Only tables imported from env.table are allowed.")
			}
		case KindMemory:
			if im.Module != "env" {
				return rule(where, "Only memory imported from env.memory is allowed.")
			}
		default:
			return rule(where, "Importing globals is not allowed.")
		}
	}
	return nil
}

// rustTypes renders types as the production replica's errors do: [I32, I64].
func rustTypes(types []ValType) string {
	s := strings.ToUpper(typeList(types))
	return "[" + s[1:len(s)-1] + "]"
}

// Names that the instrumentation of the Internet Computer takes for itself.
var reservedExports = []string{"canister counter_instructions", "canister_start", "canister counter_dirty_pages",
	"canister counter_accessed_pages", "stable_memory", "stable_bytemap_memory"}

var systemMethods = []string{"canister_init", "canister_inspect_message", "canister_pre_upgrade", "canister_post_upgrade",
	"canister_heartbeat", "canister_global_timer", "canister_on_low_wasm_memory"}

var methodPrefixes = []string{"canister_update ", "canister_query ", "canister_composite_query "}

func checkExports(m *Module, limits Limits) error {
	methods, bytes := map[string]string{}, 0
	for _, e := range m.Exports {
		where := fmt.Sprintf("export %.200q", e.Name)
		if slices.Contains(reservedExports, e.Name) {
			return rule(where, "Exporting reserved symbol %s not allowed.", e.Name)
		}
		if e.Kind != KindFunction {
			continue
		}
		method, isMethod := "", false
		for _, p := range methodPrefixes {
			if method, isMethod = strings.CutPrefix(e.Name, p); isMethod {
				break
			}
		}
		if isMethod {
			if method == "" || strings.ContainsFunc(method, unicode.IsSpace) {
				return rule(where, "%q is not a method name: it must not be empty or contain spaces", method)
			}
			if other, twice := methods[method]; twice {
				return rule(where, "Duplicate function '%s' exported: there is %q as well", method, other)
			}
			methods[method] = e.Name
			bytes += len(method)
		} else if !slices.Contains(systemMethods, e.Name) {
			if strings.HasPrefix(e.Name, "canister_") {
				return rule(where, "names that begin with canister_ are reserved; want one of %s, or %q, %q, %q and a method name",
					strings.Join(systemMethods, ", "), methodPrefixes[0], methodPrefixes[1], methodPrefixes[2])
			}
			continue
		}
		if t, _ := m.TypeOf(e.Index); len(t.Params)+len(t.Results) > 0 {
			if len(t.Params) > 0 {
				return rule(where, "Expected input params [] for '%s', got %s.", e.Name, rustTypes(t.Params))
			}
			return rule(where, "Expected return type [] for '%s', got %s.", e.Name, rustTypes(t.Results))
		}
		if int(e.Index) < m.Imported(KindFunction) {
			return rule(where, "function %d is an import; a method must be defined in the module", e.Index)
		}
	}
	if len(methods) > limits.Methods {
		return rule("export section", "%d exported methods, at most %d are allowed", len(methods), limits.Methods)
	}
	if bytes > limits.MethodNames {
		return rule("export section", "the names of the exported methods have %d bytes, at most %d are allowed", bytes, limits.MethodNames)
	}
	return nil
}

func checkStart(m *Module, _ Limits) error {
	if m.Start == nil {
		return nil
	}
	t, ok := m.TypeOf(*m.Start)
	if !ok {
		return rule("start section", "function %d does not exist", *m.Start)
	}
	if len(t.Params)+len(t.Results) > 0 {
		return rule("start section", "%s has type %v, want () -> ()", m.functionNamer()(*m.Start), t)
	}
	return nil
}

func checkMemory(m *Module, limits Limits) error {
	if t, ok := m.Memory(); ok && t.Is64 && !limits.Wasm64 {
		return &RuleError{Where: "memory section", Err: ErrWasm64}
	}
	return nil
}

func checkTables(m *Module, limits Limits) error {
	tables := slices.Clone(m.Tables)
	for i := range m.Imports {
		if m.Imports[i].Kind == KindTable {
			tables = append(tables, m.Imports[i].Table)
		}
	}
	if len(tables) > 1 {
		return rule("table section", "%d tables, at most 1 is allowed", len(tables))
	}
	for _, t := range tables {
		if t.Elem != FuncRef {
			return rule("table section", "table of %v, only funcref is allowed", t.Elem)
		}
		if t.Min > limits.TableElements {
			return rule("table section", "table of %d elements, at most %d are allowed", t.Min, limits.TableElements)
		}
	}
	return nil
}

func checkData(m *Module, _ Limits) error {
	memory, _ := m.Memory()
	size := memory.Min << 16
	for i := range m.Data {
		d := &m.Data[i]
		if d.Mode != Active {
			continue
		}
		where := fmt.Sprintf("data segment %d", i)
		offset, ok := ConstOffset(d.Offset)
		if !ok {
			return rule(where, "Invalid offset expression in data segment: it must be a single constant")
		}
		if end := offset + uint64(len(d.Bytes)); end > size || end < offset {
			return rule(where, "Wasm module has invalid data segment of %d bytes at %d: the initial memory has %d bytes", len(d.Bytes), offset, size)
		}
	}
	return nil
}

// ConstOffset returns the value of an offset expression that is a single i32.const or i64.const.
func ConstOffset(expr []byte) (offset uint64, ok bool) {
	in := Walk(expr)
	if !in.Next() {
		return 0, false
	}
	switch in.Op {
	case OpI32Const:
		offset = uint64(uint32(in.Const))
	case OpI64Const:
		offset = uint64(in.Const)
	default:
		return 0, false
	}
	return offset, in.Next() && in.Op == OpEnd && in.End == len(expr)
}

func checkCounts(m *Module, limits Limits) error {
	if n := len(m.Functions); n > limits.Functions {
		return rule("function section", "Wasm module defined %d functions which exceeds the maximum number allowed %d.", n, limits.Functions)
	}
	if n := len(m.Globals); n > limits.Globals {
		return rule("global section", "Wasm module defined %d globals which exceeds the maximum number allowed %d.", n, limits.Globals)
	}
	for i, g := range m.Globals {
		if g.Mutable && g.Type.isRef() {
			return rule("global section", "global %d is a mutable %v, which cannot be kept between messages", i, g.Type)
		}
	}
	return nil
}

func checkFunctions(m *Module, limits Limits) error {
	imported := m.Imported(KindFunction)
	weights := complexityOf()
	for i := range m.Functions {
		index := imported + i
		f := &m.Functions[i]
		size, complexity := 0, 0
		in := f.Walk()
		for in.Next() {
			size++
			complexity += int(weights[pageIndex(in.Op)])
			switch in.Op {
			case OpTableGrow, OpTableSet, OpTableFill, OpTableCopy, OpTableInit:
				return rule(m.functionNamer()(uint32(index)), "Wasm module contains a function at index %d with unsupported instruction %v", index, in.Op)
			}
		}
		switch err := in.Err(); {
		case err != nil:
			return rule(m.functionNamer()(uint32(index)), "%w", err)
		case size > limits.FunctionSize:
			return rule(m.functionNamer()(uint32(index)), "Wasm module contains a function at index %d of size %d that exceeds the maximum allowed size of %d", index, size, limits.FunctionSize)
		case complexity > limits.FunctionComplexity:
			return rule(m.functionNamer()(uint32(index)), "Wasm module contains a function at index %d with complexity %d which exceeds the maximum complexity allowed %d", index, complexity, limits.FunctionComplexity)
		}
	}
	if size := m.codeSize(); size > limits.CodeSection {
		return rule("code section", "Wasm module code section size of %d exceeds the maximum allowed size of %d", size, limits.CodeSection)
	}
	return nil
}

// codeSize returns the size in bytes of the content of the code section.
func (m *Module) codeSize() int {
	if len(m.Functions) == 0 {
		return 0
	}
	uleb := func(n int) int { return len(AppendULEB(make([]byte, 0, 10), uint64(n))) }
	total := uleb(len(m.Functions))
	for i := range m.Functions {
		f := &m.Functions[i]
		n := uleb(len(f.Locals)) + len(f.Body)
		for _, l := range f.Locals {
			n += uleb(int(l.Count)) + 1
		}
		total += uleb(n) + n
	}
	return total
}
