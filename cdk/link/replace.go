package link

import (
	"fmt"
	"strings"

	"kedge/wasm"
)

// replacement gives a function that Go compiled another body. Go's functions on wasm have the type
// (i32) -> (i32): the parameter is where to resume (0 is the beginning), the result says whether
// the WebAssembly stack unwinds (1) or the function returned (0). Their arguments are on the Go
// stack, at global 0 (SP): 0(SP) is the return address, the arguments follow from 8(SP) on, each
// in 8 bytes here. A function that returns adds 8 to SP and yields 0. Few helpers of the runtime have
// a type of their own.
type replacement struct {
	function string         // as Go names it
	typ      *wasm.FuncType // nil for that of Go's functions
	// witness is a function that is only in programs which need the function, as Go names it. Where it is and
	// the function is not, the library has changed, and the build fails. Exported functions of packages that
	// promise compatibility need none.
	witness string
	body    func(*linker) (locals []wasm.Locals, body []byte, err error)
}

// replacements is what Link replaces, wherever it finds it.
var replacements = []replacement{
	{
		// 16,400 instructions a block become 5,000.
		function: sha256BlockName,
		witness:  "crypto/internal/fips140/sha256.(*Digest).Write",
		body:     fixed(sha256Block),
	},
	{
		// What is around the blocks: 3,200 instructions become 320.
		function: "crypto/sha256.Sum256",
		body:     sumOf(sha256Initial(), 8),
	},
	{
		function: "crypto/sha256.Sum224",
		body:     sumOf(sha224Initial(), 7),
	},
	{
		// Records have checksums, keys are hashed: 4.3 instructions a byte become 1.9.
		function: "github.com/cespare/xxhash/v2.Sum64",
		body:     fixed(sum64Body),
	},
	{
		// Comparing costs 28 instructions a byte, and then 3.
		function: "memeqbody",
		witness:  "runtime.memequal",
		typ:      &wasm.FuncType{Params: []wasm.ValType{wasm.I64, wasm.I64, wasm.I64}, Results: []wasm.ValType{wasm.I64}},
		body:     fixed(memequalBody),
	},
	{
		// Copying a few bytes costs 150 instructions, and then 60.
		function: "runtime.memmove",
		witness:  "runtime.typedmemmove",
		body:     fixed(memmoveBody),
	},
	{
		// A fatal error or a panic traps with its message, without the stacks of all goroutines.
		function: "runtime.dopanic_m",
		witness:  "runtime.fatalpanic",
		body:     jumpToWasi("$die"),
	},
	{
		// The runtime waits a moment for other threads before it reports a fatal error. There are
		// none, and waiting is what poll_oneoff does not allow.
		function: "runtime.usleep",
		witness:  "runtime.freezetheworld",
		body: func(*linker) ([]wasm.Locals, []byte, error) {
			return nil, goReturn(new(wasm.Body)).Bytes(), nil
		},
	},
	{
		// Secrets come from the generator that package cdk has seeded.
		function: "crypto/internal/sysrand.Read",
		witness:  "crypto/internal/fips140/drbg.Read",
		body:     jumpToGo("kedge/cdk.readRandom"),
	},
}

// goName returns the form of a symbol in the names that Go's linker writes: everything but
// letters, digits, dots and underscores becomes an underscore.
func goName(symbol string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r == '.', r == '_':
			return r
		}
		return '_'
	}, symbol)
}

// replaceFunctions gives the bodies of [replacements] to the functions that they name. A function
// may be absent because nothing uses it. If its witness is there, though, the library has changed.
func (l *linker) replaceFunctions() error {
	if len(l.names) == 0 {
		return fmt.Errorf("the module has no function names: build it without -ldflags=-s")
	}
	imported := l.m.Imported(wasm.KindFunction)
	goType := wasm.FuncType{Params: []wasm.ValType{wasm.I32}, Results: []wasm.ValType{wasm.I32}}
	for _, r := range replacements {
		index, ok := l.names[goName(r.function)]
		if !ok {
			if _, needed := l.names[goName(r.witness)]; needed {
				return fmt.Errorf("cannot replace %s: it is not in the module although %s is; the Go library has changed (it was known up to Go 1.26)", r.function, r.witness)
			}
			continue
		}
		want := goType
		if r.typ != nil {
			want = *r.typ
		}
		if typ, _ := l.m.TypeOf(index); !typ.Equal(want) {
			return fmt.Errorf("cannot replace %s: it has type %v, not %v", r.function, typ, want)
		}
		locals, body, err := r.body(l)
		if err != nil {
			return fmt.Errorf("cannot replace %s: %w", r.function, err)
		}
		if body != nil {
			f := &l.m.Functions[int(index)-imported]
			f.Locals, f.Body = locals, body
		}
	}
	return nil
}

// fixed is a body that is the same in every module.
func fixed(assemble func() ([]wasm.Locals, []byte)) func(*linker) ([]wasm.Locals, []byte, error) {
	return func(*linker) ([]wasm.Locals, []byte, error) {
		locals, body := assemble()
		return locals, body, nil
	}
}

// goReturn ends a Go function: it pops the return address and says that nothing unwinds.
func goReturn(b *wasm.Body) *wasm.Body {
	const sp = 0
	return b.GlobalGet(sp).I32Const(8).Op(wasm.OpI32Add).GlobalSet(sp).I32Const(0).End()
}

// jumpTo continues in another function with the same arguments, as the JMP of Go's assembler: the
// callee finds the frame of the replaced function and returns to its caller.
func jumpTo(index uint32) []byte {
	return new(wasm.Body).I32Const(0).Call(index).End().Bytes()
}

// jumpToWasi jumps to a function of wasi.wat.
func jumpToWasi(name string) func(*linker) ([]wasm.Locals, []byte, error) {
	return func(l *linker) ([]wasm.Locals, []byte, error) {
		index, err := l.wasi.function(name)
		return nil, jumpTo(index), err
	}
}

// jumpToGo jumps to a Go function of the same signature. If the module does not have that, the
// body stays as it is.
func jumpToGo(symbol string) func(*linker) ([]wasm.Locals, []byte, error) {
	return func(l *linker) ([]wasm.Locals, []byte, error) {
		index, ok := l.names[goName(symbol)]
		if !ok {
			return nil, nil, nil
		}
		return nil, jumpTo(index), nil
	}
}
