package wasm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
	Err   error  // in the words of the production replica, if it has words for it
	// Stage is the step of an installation that production refuses the module in.
	Stage Stage
	// Advice is what production tells the author of the module, and Section the part of the documentation of
	// execution errors that it points to; both are empty where the compiler is to blame.
	Advice, Section string
}

// Stage is a step of an installation.
type Stage uint8

// The stages.
const (
	Validation Stage = iota
	Instrumentation
	Instantiation
)

// Error renders place and rule.
func (e *RuleError) Error() string { return "wasm: " + e.Where + ": " + e.Err.Error() }

// Unwrap returns the rule.
func (e *RuleError) Unwrap() error { return e.Err }

func rule(where, format string, args ...any) error {
	return &RuleError{Where: where, Err: fmt.Errorf(format, args...)}
}

// advised is a rule whose breach the author of the module can do something about.
func advised(where, advice, section, format string, args ...any) error {
	return &RuleError{Where: where, Err: fmt.Errorf(format, args...), Advice: advice, Section: section}
}

// atInstantiation is a rule that production finds broken when it makes an instance.
func atInstantiation(where, format string, args ...any) error {
	return &RuleError{Where: where, Err: fmt.Errorf(format, args...), Stage: Instantiation}
}

// Check holds a module that Decode returned against the rules that the Internet Computer has for canister modules
// beyond those of WebAssembly, which are for [Validate] (Interface Specification, "Canister module format";
// dfinity/ic, rs/embedders, validation.rs). It returns a *[RuleError] for the first that the module breaks, or a
// *[DecodeError] for a body that is malformed. Where clients of the Internet Computer know the text of an error,
// the error contains it.
func Check(m *Module, limits Limits) error {
	for _, check := range []func(*Module, Limits) error{
		CheckCodeSize, checkImports, checkExports, checkTables, checkOffsets, checkGlobals, checkCounts, checkMemory,
		checkFunctions, checkCustoms, checkData, checkInstantiation,
	} {
		if err := check(m, limits); err != nil {
			return err
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
				return rule(where, "Wasm module has an invalid import section. Module imports function '%s' from '%s' that is not exported by the runtime.", im.Name, im.Module)
			}
			if im.Module != SystemModule {
				return rule(where, "Wasm module has an invalid import section. Module imports function %q from %q, expected to be imported from one of [%q] instead.", im.Name, im.Module, SystemModule)
			}
			got := m.Types[im.Type]
			if !slices.Equal(got.Params, want.Params) {
				return rule(where, "Wasm module has an invalid function signature. Expected input params %s for '%s', got %s.", rustTypes(want.Params), im.Name, rustTypes(got.Params))
			}
			if !slices.Equal(got.Results, want.Results) {
				return rule(where, "Wasm module has an invalid function signature. Expected return type %s for '%s', got %s.", rustTypes(want.Results), im.Name, rustTypes(got.Results))
			}
		case KindTable:
			if im.Name == "table" && im.Module != "env" {
				return rule(where, "Wasm module has an invalid import section. Only tables imported from env.table are allowed.")
			}
		case KindMemory:
			if im.Name == "memory" && im.Module != "env" {
				return rule(where, "Wasm module has an invalid import section. Only memory imported from env.memory is allowed.")
			}
		default:
			return rule(where, "Wasm module has an invalid import section. Importing globals is not allowed.")
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
	methods, bytes := map[string]bool{}, 0
	types := m.functionTypes()
	for _, e := range m.Exports {
		where := fmt.Sprintf("export %.200q", e.Name)
		if slices.Contains(reservedExports, e.Name) {
			return rule(where, "Wasm module has an invalid export section. Exporting reserved symbol %s not allowed.", e.Name)
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
			if methods[method] {
				return advised(where, fmt.Sprintf("Try defining different versions of the function for each call type, e.g. `%[1]s_update`, `%[1]s_query`, etc.", method),
					"wasm-module-duplicate-exports",
					"Duplicate function '%s' exported multiple times with different call types: update, query, or composite_query.", method)
			}
			methods[method] = true
			bytes += len(method)
		} else if !slices.Contains(systemMethods, e.Name) {
			if strings.HasPrefix(e.Name, "canister_") {
				return rule(where, "Wasm module has an invalid export section. Exporting reserved function '%s' with \"canister_\" prefix", e.Name)
			}
			continue
		}
		if t := types[e.Index]; len(t.Params)+len(t.Results) > 0 {
			if len(t.Params) > 0 {
				return rule(where, "Wasm module has an invalid function signature. Expected input params [] for '%s', got %s.", e.Name, rustTypes(t.Params))
			}
			return rule(where, "Wasm module has an invalid function signature. Expected return type [] for '%s', got %s.", e.Name, rustTypes(t.Results))
		}
	}
	if len(methods) > limits.Methods {
		return advised("export section", "Try combining multiple endpoints into a single endpoint.", "wasm-module-exports-too-many-methods",
			"The number of exported functions called `canister_update <name>`, `canister_query <name>`, or `canister_composite_query <name>` is %d which exceeds %d.",
			len(methods), limits.Methods)
	}
	if bytes > limits.MethodNames {
		return advised("export section", "Try using shorter method names.", "wasm-module-sum-of-exported-name-lengths-too-large",
			"The sum of `<name>` lengths in exported functions called `canister_update <name>`, `canister_query <name>`, or "+
				"`canister_composite_query <name>` is %d which exceeds the allowed limit of %d.", bytes, limits.MethodNames)
	}
	return nil
}

func checkMemory(m *Module, limits Limits) error {
	if t, ok := m.Memory(); ok && t.Is64 && !limits.Wasm64 {
		return &RuleError{Where: "memory section", Err: ErrWasm64}
	}
	return nil
}

func checkTables(m *Module, _ Limits) error {
	for _, t := range m.allTables() {
		if t.Elem != FuncRef {
			return rule("table section", "Wasm module has an invalid table section. Table element type must be funcref, got %v", t.Elem)
		}
	}
	return nil
}

// allTables returns the types of all tables, imported ones first.
func (m *Module) allTables() []TableType {
	var tables []TableType
	for i := range m.Imports {
		if m.Imports[i].Kind == KindTable {
			tables = append(tables, m.Imports[i].Table)
		}
	}
	return append(tables, m.Tables...)
}

// checkOffsets makes sure that data segments lie at constants, so that they can be laid out once.
func checkOffsets(m *Module, _ Limits) error {
	for i := range m.Data {
		if d := &m.Data[i]; d.Mode == Active {
			if _, ok := ConstOffset(d.Offset); !ok {
				in := Walk(d.Offset)
				in.Next()
				return rule(fmt.Sprintf("data segment %d", i), "Wasm module has an invalid data section. Invalid offset expression in data segment for 32bit memory: %v", in.Op)
			}
		}
	}
	return nil
}

// checkData makes sure that data segments lie inside the initial memory.
func checkData(m *Module, _ Limits) error {
	memory, _ := m.Memory()
	size := memory.Min << 16
	for i := range m.Data {
		d := &m.Data[i]
		if d.Mode != Active {
			continue
		}
		offset, _ := ConstOffset(d.Offset)
		if end := offset + uint64(len(d.Bytes)); end > size || end < offset {
			return &RuleError{Where: fmt.Sprintf("data segment %d", i), Stage: Instrumentation,
				//lint:ignore ST1005 clients see production's wording
				Err: fmt.Errorf("Wasm module has invalid data segment of %d bytes at %d", len(d.Bytes), offset)}
		}
	}
	return nil
}

// checkInstantiation finds what keeps production from making an instance, in its order: segments that do not exist
// any more when its instrumentation has taken the active data segments out, imports that are no system calls, tables.
func checkInstantiation(m *Module, limits Limits) error {
	left := 0 // data segments up to the last passive one stay
	for i := range m.Data {
		if m.Data[i].Mode == Passive {
			left = i + 1
		}
	}
	for i := range m.Functions {
		for in := m.Functions[i].Walk(); in.Next(); {
			if (in.Op == OpDataDrop || in.Op == OpMemoryInit) && int64(in.Index) >= int64(left) {
				return atInstantiation(m.functionNamer()(uint32(m.Imported(KindFunction)+i)), "Error in Wasm compilation")
			}
		}
	}
	for i := range m.Imports {
		if im := &m.Imports[i]; im.Kind != KindFunction {
			return atInstantiation(fmt.Sprintf("import %q %q", im.Module, im.Name), "unknown import: `%s::%s` has not been defined", im.Module, im.Name)
		}
	}
	tables := m.allTables()
	if len(tables) > 1 {
		return atInstantiation("table section", "resource limit exceeded: table count too high at %d", len(tables))
	}
	for _, t := range tables {
		if t.Min > limits.TableElements {
			return atInstantiation("table section", "table minimum size of %d elements exceeds table limits", t.Min)
		}
	}
	for i := range m.Elements {
		e := &m.Elements[i]
		offset, known := ConstOffset(e.Offset)
		if e.Mode != Active || !known {
			continue
		}
		if n := uint64(max(len(e.Funcs), len(e.Exprs))); offset+n > uint64(tables[e.Table].Min) {
			return atInstantiation(fmt.Sprintf("element segment %d", i), "wasm trap: undefined element: out of bounds table access")
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

func checkGlobals(m *Module, limits Limits) error {
	if n := len(m.Globals); n > limits.Globals {
		return advised("global section", "Try collecting multiple globals into a single structured which can be stored on the heap.",
			"wasm-module-too-many-globals", "Wasm module defined %d globals which exceeds the maximum number allowed %d.", n, limits.Globals)
	}
	for i, g := range m.Globals {
		if g.Type.isRef() {
			return rule(fmt.Sprintf("global %d", i), "Wasm module has an invalid global section. Unsupported global type: Ref(%v)", g.Type)
		}
	}
	return nil
}

func checkCounts(m *Module, limits Limits) error {
	if n := len(m.Functions); n > limits.Functions {
		return advised("function section", "Try spliting this canister into multiple canisters.", "wasm-module-too-many-functions",
			"Wasm module defined %d functions which exceeds the maximum number allowed %d.", n, limits.Functions)
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
			complexity += int(weights[in.Op.Index()])
			switch in.Op {
			case OpTableGrow, OpTableSet, OpTableFill, OpTableCopy, OpTableInit:
				return rule(m.functionNamer()(uint32(index)), "Wasm module contains a function at index %d with unsupported instruction %v.", index, in.Op)
			}
		}
		where := m.functionNamer()
		const smaller = "Try breaking large functions up into multiple smaller functions."
		switch err := in.Err(); {
		case err != nil:
			return err
		case complexity > limits.FunctionComplexity:
			return advised(where(uint32(index)), smaller, "wasm-module-function-complexity-too-high",
				"Wasm module contains a function at index %d with complexity %d which exceeds the maximum complexity allowed %d.", index, complexity, limits.FunctionComplexity)
		case size > limits.FunctionSize:
			return advised(where(uint32(index)), smaller, "wasm-module-function-too-large",
				"Wasm module contains a function at index %d of size %d that exceeds the maximum allowed size of %d.", index, size, limits.FunctionSize)
		}
	}
	return nil
}

// CheckCodeSize is the rule of [Check] about the size of the code section. Production holds a module against it
// before it validates the module, and against the others afterwards.
func CheckCodeSize(m *Module, limits Limits) error {
	if size := m.codeSize(); size > limits.CodeSection {
		return advised("code section", "Try shrinking the module code section using tools like `ic-wasm` or splitting the logic across multiple canisters.",
			"wasm-module-code-section-too-large", "Wasm module code section size of %d exceeds the maximum allowed size of %d.", size, limits.CodeSection)
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
