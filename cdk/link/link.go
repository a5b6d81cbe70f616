package link

import (
	_ "embed"
	"fmt"
	"strings"

	"kedge/wasm"
)

const (
	scratchBegin = 4096  // where the areas of wasi.wat begin
	scratchEnd   = 12288 // where Go's data may begin (wasmMinDataAddr of cmd/link)
)

// Options say what Link adds to a module.
type Options struct {
	Sections  []Section // metadata
	KeepNames bool      // keep the section "name", which tools and stack traces read (about 100 KB)
}

//go:embed wasi.wat
var wasiText string

// Link turns a reactor into a module for the Internet Computer. The same input gives the same
// output, byte for byte.
func Link(reactor []byte, o Options) ([]byte, error) {
	m, err := wasm.Decode(reactor)
	if err != nil {
		return nil, fmt.Errorf("the output of go build: %w", err)
	}
	l := &linker{m: m}
	for _, step := range []func() error{
		l.open,
		l.replaceFunctions,
		l.replaceImports,
		l.nameExports,
		l.mergeData,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := l.sections(o); err != nil {
		return nil, err
	}
	if err := check(m.Encode()); err != nil {
		return nil, err
	}
	if !o.KeepNames {
		m.SetNames(wasm.Names{})
	}
	return m.Encode(), nil
}

// check makes sure that the network will take a module; names help its errors.
func check(module []byte) error {
	m, err := wasm.Decode(module)
	if err == nil {
		err = wasm.Validate(m)
	}
	if err != nil {
		return fmt.Errorf("the linked module is not valid: %w", err)
	}
	if err := wasm.Check(m, wasm.Production()); err != nil {
		return fmt.Errorf("the linked module breaks a rule of the network: %w", err)
	}
	return nil
}

// linker carries one module through the steps.
type linker struct {
	m     *wasm.Module
	wasi  *assembler
	names map[string]uint32 // Go's functions by the name that Go's linker gives them, see goName

	callbacks []string // exports that went into the table
	goData    int      // data segments that are Go's; the linker's own follow
	goTable   uint64   // where Go's part of table 0 begins
}

// open checks that the module is what Go builds, and makes the functions of wasi.wat available.
func (l *linker) open() error {
	if _, ok := l.m.ExportedFunction("_initialize"); !ok {
		return fmt.Errorf("the module does not export _initialize: build it with GOOS=wasip1 GOARCH=wasm -buildmode=c-shared")
	}
	if l.m.Start != nil {
		return fmt.Errorf("the module has a start function already")
	}
	l.goData = len(l.m.Data)
	l.goTable = goTableBegin
	for _, e := range l.m.Elements {
		offset, _ := wasm.ConstOffset(e.Offset) // 0 if it is not a constant
		l.goTable = min(l.goTable, offset)
	}
	if len(l.m.Tables) != 1 || len(l.m.Memories) != 1 {
		return fmt.Errorf("the module has %d tables and %d memories, Go makes one each", len(l.m.Tables), len(l.m.Memories))
	}
	text, err := parseProgram("wasi.wat", wasiText)
	if err != nil {
		return err
	}
	if scratchBegin+text.size > scratchEnd {
		return fmt.Errorf("wasi.wat: its areas need %d bytes, there are %d", text.size, scratchEnd-scratchBegin)
	}
	if err := l.addSystemCalls(text); err != nil {
		return err
	}
	names, err := l.m.Names()
	if err != nil {
		return fmt.Errorf("the output of go build: %w", err)
	}
	l.names = make(map[string]uint32, len(names.Functions))
	for index, name := range names.Functions {
		l.names[name] = index
	}
	l.wasi = newAssembler("wasi.wat", text, l.m, scratchBegin, l.resolve)
	start, err := l.wasi.function("$start")
	if err != nil {
		return err
	}
	l.m.Start = &start
	return nil
}

// addSystemCalls imports the system calls that the functions of wasi.wat make which the module
// will get: the start function, the replaced runtime function, and what stands in for imports.
func (l *linker) addSystemCalls(text *program) error {
	roots := []string{"$start", "$die"}
	for _, im := range l.m.Imports {
		switch im.Module {
		case wasiModule:
			roots = append(roots, "$"+im.Name)
		case linkModule:
			roots = append(roots, "$link."+im.Name)
		}
	}
	var missing []wasm.Import
	for _, call := range text.externals(roots) {
		name, ok := strings.CutPrefix(call, "$"+wasm.SystemModule+".")
		if !ok {
			continue
		}
		typ, ok := wasm.SystemAPI()[name]
		if !ok {
			return fmt.Errorf("wasi.wat: unknown system call %q", name)
		}
		if _, ok := l.m.ImportedFunction(wasm.SystemModule, name); !ok {
			missing = append(missing, l.m.FunctionImport(wasm.SystemModule, name, typ))
		}
	}
	_, err := l.m.AddImports(missing...)
	return err
}

// resolve finds the functions that wasi.wat calls and does not define.
func (l *linker) resolve(name string) (uint32, bool) {
	if call, ok := strings.CutPrefix(name, wasm.SystemModule+"."); ok {
		return l.m.ImportedFunction(wasm.SystemModule, call)
	}
	return l.m.ExportedFunction(name)
}
