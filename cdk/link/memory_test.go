package link

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"kedge/wasm"
)

// alone is a module with one function, a memory of one page and the stack pointer.
func alone(t testing.TB, typ wasm.FuncType, locals []wasm.Locals, body []byte) api.Module {
	m := &wasm.Module{Memories: []wasm.MemoryType{{Min: 1}}}
	sp := m.AddGlobal(wasm.GlobalType{Type: wasm.I32, Mutable: true}, wasm.ConstI32(0))
	f := m.AddFunction(typ, locals, body)
	m.Exports = []wasm.Export{
		{Name: "f", Index: f},
		{Name: "sp", Kind: wasm.KindGlobal, Index: sp},
		{Name: "memory", Kind: wasm.KindMemory},
	}
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { _ = r.Close(ctx) })
	module, err := r.Instantiate(ctx, m.Encode())
	require.NoError(t, err)
	return module
}

// goFunction is a function of Go's type; it returns a call of it that puts arguments on Go's stack, holds
// the function to Go's calling convention, and returns the address of the arguments.
func goFunction(t testing.TB, locals []wasm.Locals, body []byte) (memory api.Memory, call func(args ...uint64) uint32) {
	i32 := []wasm.ValType{wasm.I32}
	module := alone(t, wasm.FuncType{Params: i32, Results: i32}, locals, body)
	memory = module.Memory()
	sp, f := module.ExportedGlobal("sp").(api.MutableGlobal), module.ExportedFunction("f")
	const stack = 1024
	return memory, func(args ...uint64) uint32 {
		memory.WriteUint64Le(stack, 0xbad) // the return address
		for i, v := range args {
			memory.WriteUint64Le(stack+8+8*uint32(i), v)
		}
		sp.Set(stack)
		result, err := f.Call(context.Background(), 0)
		require.NoError(t, err)
		require.EqualValues(t, 0, result[0], "it does not unwind")
		require.EqualValues(t, stack+8, sp.Get(), "it pops the return address")
		return stack + 8
	}
}

// noise returns bytes that differ from run to run.
func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

func TestSum64IsTheLibrarys(t *testing.T) {
	locals, body := sum64Body()
	memory, call := goFunction(t, locals, body)
	text := noise(300 + 8)
	memory.Write(4096, text)
	for n := range 301 {
		for align := range 8 {
			args := call(uint64(4096+align), uint64(n), uint64(n), 0)
			got, _ := memory.ReadUint64Le(args + 24)
			require.Equal(t, xxhash.Sum64(text[align:align+n]), got, "%d bytes at %d", n, align)
		}
	}
}

func TestMemmoveIsCopy(t *testing.T) {
	locals, body := memmoveBody()
	memory, call := goFunction(t, locals, body)
	for n := range 301 {
		for align := range 8 {
			// Apart, and overlapping in both directions by little and by much.
			for _, distance := range []int{2000, 1, -1, 7, -8, 16, -31, 100, -100, 0} {
				want := noise(8192)
				memory.Write(8192, want)
				from := 4096 + align
				to := from + distance
				copy(want[to:to+n], want[from:from+n])
				call(uint64(8192+to), uint64(8192+from), uint64(n))
				got, _ := memory.Read(8192, uint32(len(want)))
				if !bytes.Equal(want, got) { // as a condition, because formatting what differs takes longer than the test
					require.Equal(t, want, got, "%d bytes from %d by %d", n, from, distance)
				}
			}
		}
	}
}

func TestMemequalIsEqual(t *testing.T) {
	i64 := wasm.I64
	locals, body := memequalBody()
	module := alone(t, wasm.FuncType{Params: []wasm.ValType{i64, i64, i64}, Results: []wasm.ValType{i64}}, locals, body)
	memory, f := module.Memory(), module.ExportedFunction("f")
	equal := func(a, b, n int) bool {
		result, err := f.Call(context.Background(), uint64(a), uint64(b), uint64(n))
		require.NoError(t, err)
		return result[0] == 1
	}
	for n := range 301 {
		for align := range 8 {
			a, b := 4096+align, 8192+(5*align+n)%8
			text := noise(n)
			// What is around the texts differs.
			memory.Write(4096-8, noise(400))
			memory.Write(8192-8, noise(400))
			memory.Write(uint32(a), text)
			memory.Write(uint32(b), text)
			require.True(t, equal(a, b, n), "%d bytes at %d and %d", n, a, b)
			require.True(t, equal(a, a, n), "%d bytes at %d", n, a)
			for i := range n {
				if n > 40 && i%7 != align%7 && i != n-1 { // each place for some alignment
					continue
				}
				memory.WriteByte(uint32(b+i), text[i]^(1<<(i%8)))
				require.False(t, equal(a, b, n), "%d bytes at %d and %d, of which byte %d differs", n, a, b, i)
				memory.WriteByte(uint32(b+i), text[i])
			}
		}
	}
}
