package link

import (
	"fmt"
	"strings"

	"kedge/wasm"
)

const (
	wasiModule = "wasi_snapshot_preview1"
	linkModule = "link" // what package cdk asks of the linker
	indexOf    = "index_of."
)

// replaceImports gives every import that the network does not have a function inside the module.
func (l *linker) replaceImports() error {
	replace := map[uint32]uint32{}
	index := uint32(0)
	for _, im := range l.m.Imports {
		if im.Kind != wasm.KindFunction {
			continue
		}
		var local uint32
		var err error
		switch im.Module {
		case wasiModule:
			local, err = l.wasiFunction(im)
		case linkModule:
			local, err = l.linkFunction(im)
		default:
			index++
			continue // wasm.Check names what the network does not know
		}
		if err != nil {
			return fmt.Errorf("import %q from %q: %w", im.Name, im.Module, err)
		}
		replace[index] = local
		index++
	}
	if err := l.nameFunctions(); err != nil {
		return err
	}
	if err := l.m.ReplaceImports(replace); err != nil {
		return err
	}
	l.names = nil // of old indices
	return nil
}

// nameFunctions gives the functions of wasi.wat their debug names, "link.fd_write".
func (l *linker) nameFunctions() error {
	names, err := l.m.Names()
	if err != nil {
		return err
	}
	for name := range l.wasi.functions {
		if index, ok := l.wasi.added[name]; ok {
			names.Functions[index] = "link." + strings.TrimPrefix(strings.TrimPrefix(name, "$"), "link.")
		}
	}
	l.m.SetNames(names)
	return nil
}

// wasiFunction returns what stands in for a WASI function. Files, sockets and all else that a
// canister cannot have fail with nosys.
func (l *linker) wasiFunction(im wasm.Import) (uint32, error) {
	if _, ok := l.wasi.functions["$"+im.Name]; ok {
		return l.wasi.function("$" + im.Name)
	}
	typ := l.m.Types[im.Type]
	if !typ.Equal(wasm.FuncType{Params: typ.Params, Results: []wasm.ValType{wasm.I32}}) {
		return 0, fmt.Errorf("no errno can be returned by a function of type %v", typ)
	}
	const nosys = 52
	return l.m.AddFunction(typ, nil, wasm.ConstI32(nosys)), nil
}

// goTableBegin is where Go's linker begins the table: it leaves the places below free, so that a nil function
// value with an offset is none (funcValueOffset of cmd/link/internal/wasm).
const goTableBegin = 0x1000

// callbackPlaces are the places in the table of the callbacks of package cdk. They are the same in every
// module: an answer that comes after an upgrade is delivered by the place that the old module gave, and must
// find the same callback there, which drops it.
var callbackPlaces = map[string]uint32{"cdk_on_reply": 1, "cdk_on_reject": 2, "cdk_on_cleanup": 3}

// firstOtherPlace is where callbacks begin that have no place of their own.
const firstOtherPlace = 16

// linkFunction answers what package cdk asks of the linker: "memory_pages", and "index_of.<name>",
// the place in table 0 of an exported function, which the linker puts there and exports no more.
func (l *linker) linkFunction(im wasm.Import) (uint32, error) {
	name, isIndex := strings.CutPrefix(im.Name, indexOf)
	if !isIndex {
		return l.wasi.function("$link." + im.Name)
	}
	function, ok := l.m.ExportedFunction(name)
	if !ok {
		return 0, fmt.Errorf("no function is exported as %q", name)
	}
	want := wasm.FuncType{Params: []wasm.ValType{wasm.I32}}
	if typ, _ := l.m.TypeOf(function); !typ.Equal(want) {
		return 0, fmt.Errorf("a callback has type %v, %q has %v", want, name, typ)
	}
	place, ok := callbackPlaces[name]
	if !ok {
		place = firstOtherPlace + uint32(len(l.callbacks))
	}
	if place >= goTableBegin || l.goTable < goTableBegin {
		return 0, fmt.Errorf("no place for %q in the table: Go's part begins at %d; the Go library has changed (it was known up to Go 1.26)", name, l.goTable)
	}
	l.m.Elements = append(l.m.Elements, wasm.Element{
		Offset: wasm.ConstI32(int32(place)), Type: wasm.FuncRef, Funcs: []uint32{function},
	})
	l.callbacks = append(l.callbacks, name)
	return l.m.AddFunction(wasm.FuncType{Results: []wasm.ValType{wasm.I32}}, nil, wasm.ConstI32(int32(place))), nil
}
