package link

import (
	"context"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"kedge/wasm"
)

func TestSumsAreTheLibrarys(t *testing.T) {
	for name, c := range map[string]struct {
		initial [8]uint32
		words   int
		library func([]byte) []byte
	}{
		"Sum256": {sha256Initial(), 8, func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }},
		"Sum224": {sha224Initial(), 7, func(b []byte) []byte { s := sha256.Sum224(b); return s[:] }},
	} {
		t.Run(name, func(t *testing.T) {
			goType := wasm.FuncType{Params: []wasm.ValType{wasm.I32}, Results: []wasm.ValType{wasm.I32}}
			m := &wasm.Module{Memories: []wasm.MemoryType{{Min: 1}}}
			stackPointer := m.AddGlobal(wasm.GlobalType{Type: wasm.I32, Mutable: true}, wasm.ConstI32(0))
			blockLocals, blockBody := sha256Block()
			block := m.AddFunction(goType, blockLocals, blockBody)
			locals, body := sumBody(c.initial, c.words, block)
			m.Exports = []wasm.Export{
				{Name: "sum", Index: m.AddFunction(goType, locals, body)},
				{Name: "sp", Kind: wasm.KindGlobal, Index: stackPointer},
				{Name: "memory", Kind: wasm.KindMemory},
			}
			ctx := context.Background()
			r := wazero.NewRuntime(ctx)
			defer r.Close(ctx)
			module, err := r.Instantiate(ctx, m.Encode())
			require.NoError(t, err)
			memory, sp, sum := module.Memory(), module.ExportedGlobal("sp").(api.MutableGlobal), module.ExportedFunction("sum")

			const stack = 1024
			text := noise(300 + 8)
			memory.Write(4096, text)
			for n := range 301 {
				for align := range 8 {
					memory.Write(0, noise(stack)) // nothing that was below the stack matters
					around := noise(32 + 64)
					memory.Write(stack, around)
					for i, v := range []uint64{uint64(4096 + align), uint64(n), uint64(n)} {
						memory.WriteUint64Le(stack+8+8*uint32(i), v)
					}
					before, _ := memory.Read(stack, 32)
					before = append([]byte{}, before...)
					sp.Set(stack)
					result, err := sum.Call(ctx, 0)
					require.NoError(t, err)
					require.EqualValues(t, 0, result[0], "it does not unwind")
					require.EqualValues(t, stack+8, sp.Get(), "it pops the return address")
					got, _ := memory.Read(stack+32, uint32(4*c.words))
					require.Equal(t, c.library(text[align:align+n]), got, "%d bytes at %d", n, align)
					after, _ := memory.Read(stack, 32)
					require.Equal(t, before, after, "the arguments are as they were")
					behind, _ := memory.Read(uint32(stack+32+4*c.words), 8)
					require.Equal(t, around[32+4*c.words:][:8], behind, "and so is what is behind the result")
				}
			}
		})
	}
}
