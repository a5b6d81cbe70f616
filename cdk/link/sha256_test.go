package link

import (
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"pgregory.net/rapid"

	"kedge/wasm"
	"kedge/wasm/meter"
)

// blockModule is a module with nothing but the block function, a memory and the stack pointer.
func blockModule(t testing.TB) api.Module {
	locals, body := sha256Block()
	m := &wasm.Module{Memories: []wasm.MemoryType{{Min: 1}}}
	sp := m.AddGlobal(wasm.GlobalType{Type: wasm.I32, Mutable: true}, wasm.ConstI32(0))
	f := m.AddFunction(wasm.FuncType{Params: []wasm.ValType{wasm.I32}, Results: []wasm.ValType{wasm.I32}}, locals, body)
	m.Exports = []wasm.Export{
		{Name: "block", Index: f},
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

// stateOf returns the eight words of a digest of the library.
func stateOf(t require.TestingT, digest any) []byte {
	raw, err := digest.(encoding.BinaryMarshaler).MarshalBinary()
	require.NoError(t, err)
	return raw[4:36] // behind the magic number
}

func TestSHA256BlockIsTheLibrarys(t *testing.T) {
	module := blockModule(t)
	memory, sp := module.Memory(), module.ExportedGlobal("sp").(api.MutableGlobal)
	rapid.Check(t, func(t *rapid.T) {
		// A digest that has seen some blocks already, so that the state is random.
		digest := sha256.New()
		digest.Write(make([]byte, 64*rapid.IntRange(0, 2).Draw(t, "blocks before")))
		text := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "text")
		stack := rapid.Uint32Range(16, 128).Draw(t, "stack") * 8
		dig := 2048 + 4*rapid.Uint32Range(0, 16).Draw(t, "state")
		p := rapid.Uint32Range(4096, 4200).Draw(t, "unaligned address")

		state := stateOf(t, digest)
		for i := range uint32(8) {
			memory.WriteUint32Le(dig+4*i, binary.BigEndian.Uint32(state[4*i:]))
		}
		memory.Write(p, text)
		for i, v := range []uint64{0xbad, uint64(dig), uint64(p), uint64(len(text)), uint64(cap(text))} {
			memory.WriteUint64Le(stack+uint32(8*i), v)
		}
		sp.Set(uint64(stack))
		result, err := module.ExportedFunction("block").Call(context.Background(), 0)
		require.NoError(t, err)
		require.EqualValues(t, 0, result[0], "it does not unwind")
		require.EqualValues(t, stack+8, sp.Get(), "it pops the return address")

		digest.Write(text[:len(text)/64*64]) // a rest is not the block function's
		want := stateOf(t, digest)
		for i := range uint32(8) {
			got, _ := memory.ReadUint32Le(dig + 4*i)
			require.Equal(t, binary.BigEndian.Uint32(want[4*i:]), got, "word %d", i)
		}
	})
}

// The body of the loop is straight-line code: its price is the sum of its instructions'.
func TestSHA256BlockIsCheap(t *testing.T) {
	_, body := sha256Block()
	in := wasm.Walk(body)
	for in.Next() && in.Op != wasm.OpLoop {
	}
	cost := uint64(0)
	for in.Next() && in.Op != wasm.OpEnd {
		cost += meter.Weight(in.Op)
	}
	require.NoError(t, in.Err())
	require.EqualValues(t, 4_900, cost, "instructions for 64 bytes, where the compiled function takes 16,400")
}

func TestSHA256Constants(t *testing.T) {
	k := sha256Constants()
	for i, want := range map[int]uint32{0: 0x428a2f98, 1: 0x71374491, 31: 0x14292967, 62: 0xbef9a3f7, 63: 0xc67178f2} { // FIPS 180-4, 4.2.2
		require.Equal(t, want, k[i], i)
	}
}
