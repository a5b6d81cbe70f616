package meter_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental/table"

	"kedge/wasm"
	"kedge/wasm/meter"
)

func TestWeights(t *testing.T) {
	// One instruction of each price, and those that stand next to another row.
	want := map[string]uint64{
		"block": 0, "loop": 0, "else": 0, "end": 0,
		"i32.const": 1, "local.get": 1, "i64.mul": 1, "i32.eqz": 1, "i64.popcnt": 1, "f32.demote_f64": 1, "f64.neg": 1, "i64.load": 1,
		"i32.store8": 1, "select": 1, "drop": 1, "return": 1, "nop": 1, "unreachable": 1, "ref.null": 1, "i64.extend32_s": 1,
		"f64.add": 2, "f32.nearest": 2, "f32.copysign": 2, "global.get": 2, "global.set": 2, "if": 2, "br": 2, "br_if": 2, "br_table": 2,
		"f32.div": 3, "f64.copysign": 3, "f64.eq": 3, "f32.convert_i64_s": 3, "return_call": 3,
		"f64.div": 5, "f32.sqrt": 5, "call": 5, "table.get": 5, "table.set": 5, "ref.is_null": 5,
		"f64.sqrt": 8, "i32.rem_u": 10, "i64.div_s": 10, "call_indirect": 10, "f64.convert_i32_u": 16, "f32.min": 18,
		"i64.trunc_f64_u": 20, "i32.trunc_sat_f32_s": 20, "memory.size": 20, "return_call_indirect": 60,
		"memory.copy": 100, "memory.fill": 100, "memory.init": 100, "table.copy": 100, "table.fill": 100, "table.init": 100, "table.size": 100,
		"ref.func": 130, "memory.grow": 300, "table.grow": 300, "data.drop": 300, "elem.drop": 300,
		"i8x16.shuffle": 3, "i8x16.shl": 3, "i8x16.shr_u": 2, "i8x16.popcnt": 3, "i16x8.lt_u": 2, "i16x8.le_u": 1, "i64x2.mul": 4, "f32x4.mul": 2,
		"f32x4.div": 10, "f32x4.sqrt": 5, "f32x4.max": 4, "f64x2.div": 12, "f64x2.sqrt": 14, "f64x2.min": 4, "f64x2.max": 5,
		"i32x4.trunc_sat_f32x4_u": 4, "v128.load": 1, "v128.store": 1, "v128.const": 1,
	}
	total := uint64(0)
	for _, op := range wasm.Opcodes() {
		if w, ok := want[op.String()]; ok {
			require.Equal(t, w, meter.Weight(op), op.String())
			delete(want, op.String())
			if op == wasm.OpSelect {
				want["select"] = 1 // there are two
			}
		}
		total += meter.Weight(op)
	}
	delete(want, "select")
	require.Empty(t, want)
	require.Equal(t, uint64(3250), total, "sum of all prices: a changed one shows")
}

func TestOutOfInstructions(t *testing.T) {
	h := start(t, decode(t, `(module (func (export "run") (loop $l (br $l))) (func (export "deep") (call 1)))`), meter.Options{})
	for _, name := range []string{"run", "deep"} {
		h.setCounter(1000)
		_, _, err := h.run(name)
		require.ErrorContains(t, err, out)
		require.Negative(t, h.counter())
		require.GreaterOrEqual(t, h.counter(), int64(-10), "the loop was left at once")
	}
}

func TestBulkInstructionsCostTheirLength(t *testing.T) {
	h := start(t, decode(t, `(module (memory 2) (data $d "0123456789")
		(func (export "fill") (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)))
		(func (export "copy") (param i32) (memory.copy (i32.const 0) (i32.const 65536) (local.get 0)))
		(func (export "init") (param i32) (memory.init $d (i32.const 0) (i32.const 0) (local.get 0))))`), meter.Options{})
	for name, extra := range map[string]int64{"fill": 30_000, "copy": 65_536, "init": 10} {
		var read []uint32
		if name == "copy" {
			read = []uint32{1} // where it copies from
		}
		_, none, err := h.run(name, 0)
		require.NoError(t, err)
		require.Equal(t, int64(1+3+100), none, name)
		require.Empty(t, h.writes, name)
		_, cost, err := h.run(name, uint64(extra))
		require.NoError(t, err)
		require.Equal(t, none+extra, cost, name)
		require.Equal(t, []uint32{0}, h.writes, name)
		require.Equal(t, read, h.reads, name)
	}
	h.setCounter(1000)
	_, _, err := h.run("fill", 65_536)
	require.ErrorContains(t, err, out)
	require.Empty(t, h.writes, "the charge comes first")
	h.setCounter(1 << 40)
	_, _, err = h.run("copy", 65_537)
	require.ErrorContains(t, err, "out of bounds memory access")
	require.Empty(t, append(h.reads, h.writes...), "nothing is touched by a copy that traps")
}

func TestPageChargesEndTheMessage(t *testing.T) {
	h := start(t, decode(t, `(module (memory 4) (func (export "run") (param i32) (i32.store (local.get 0) (i32.const 1)) (i32.store (i32.const 131072) (i32.const 1))))`), meter.Options{})
	h.pageCost = 80_000
	h.setCounter(100_000)
	_, _, err := h.run("run", 5)
	require.ErrorContains(t, err, out)
	require.Equal(t, []uint32{0, 2}, h.writes)
	require.Equal(t, uint64(1), peek(t, h, 5))
	require.Equal(t, uint64(0), peek(t, h, 131072), "the store did not happen")
}

// TestHostLowersTheCounter: what the host takes in mark_read and mark_write is not lost to code that
// has the counter in a register.
func TestHostLowersTheCounter(t *testing.T) {
	h := start(t, decode(t, loop), meter.Options{})
	const n = 100_000 // 800,000 bytes from 0 read: pages 0 to 12; from 70,000 written: pages 1 to 13
	first, plain, err := h.run("run", n)
	require.NoError(t, err)
	require.Equal(t, []uint32{0}, h.reads, "all others are written before they are read")
	require.Len(t, h.writes, 13)
	h.pageCost = 80_000
	clear(memory(t, h))
	again, cost, err := h.run("run", n)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, plain+80_000*(1+13), cost)
}

func memory(t *testing.T, h *machine) []byte {
	data, ok := h.mod.Memory().Read(0, h.mod.Memory().Size())
	require.True(t, ok)
	return data
}

// TestCallbacks: functions in the canister's table stay where hosts look for them, table 0.
func TestCallbacks(t *testing.T) {
	h := start(t, decode(t, `(module (import "ic0" "msg_reply" (func $reply)) (table 4 funcref) (memory 1)
		(func $callback (param i32) (i32.store (i32.const 4) (local.get 0)) (call $reply))
		(elem (i32.const 3) $callback))`), meter.Options{})
	h.message()
	f := table.LookupFunction(h.mod, 0, 3, []api.ValueType{api.ValueTypeI32}, nil)
	_, err := f.Call(h.ctx, 99)
	require.NoError(t, err)
	require.Equal(t, uint64(99), peek(t, h, 4))
	require.Equal(t, 1, h.calls)
	require.Equal(t, []uint32{0}, h.writes)
}

func peek(t *testing.T, h *machine, at uint32) uint64 {
	v, ok := h.mod.Memory().ReadUint32Le(at)
	require.True(t, ok)
	return uint64(v)
}

func TestMarksBeforeTheAccess(t *testing.T) {
	m := decode(t, `(module (memory 1) (func (export "run") (param i32) (i32.store (local.get 0) (i32.const 7))))`)
	h := start(t, m, meter.Options{})
	_, _, err := h.run("run", 8)
	require.NoError(t, err)
	require.Equal(t, []uint32{0}, h.writes)
	_, _, err = h.run("run", 12)
	require.NoError(t, err)
	require.Equal(t, []uint32{0}, h.writes, "marked again in the next message")
}

func TestAccessesAcrossPages(t *testing.T) {
	h := start(t, decode(t, `(module (memory 3)
		(func (export "load") (param i32) (drop (i64.load (local.get 0))))
		(func (export "far") (param i32) (drop (i64.load offset=65536 (local.get 0))))
		(func (export "huge") (param i32) (drop (i32.load8_u offset=4294967295 (local.get 0))))
		(func (export "store") (param i32) (v128.store offset=8 (local.get 0) (v128.const i64x2 1 2)))
		(func (export "lane") (param i32) (v128.store16_lane 3 (local.get 0) (v128.const i64x2 1 2)))
		(func (export "twice") (param i32) (i32.store (local.get 0) (i32.const 1)) (i32.store offset=4 (local.get 0) (i32.const 1)))
		(func $step (global.set 0 (i32.const 131072)))
		(global (mut i32) (i32.const 0))
		(func (export "global") (drop (i32.load (global.get 0))) (call $step) (drop (i32.load (global.get 0)))))`), meter.Options{})
	for _, c := range []struct {
		name   string
		at     uint64
		reads  []uint32
		writes []uint32
		trap   bool
	}{
		{"load", 65528, []uint32{0}, nil, false},
		{"load", 65529, []uint32{0, 1}, nil, false},
		{"load", 65535, []uint32{0, 1}, nil, false},
		{"load", 65536, []uint32{1}, nil, false},
		{"load", 3<<16 - 8, []uint32{2}, nil, false},
		{"far", 65530, []uint32{1, 2}, nil, false},
		{"load", 3 << 16, nil, nil, true},
		{"load", 1<<32 - 8, nil, nil, true},
		{"huge", 1, nil, nil, true},
		{"store", 65520, nil, []uint32{0, 1}, false},
		{"store", 65528, nil, []uint32{1}, false},
		{"lane", 65535, nil, []uint32{0, 1}, false},
		{"lane", 65534, nil, []uint32{0}, false},
		{"twice", 65532, nil, []uint32{0, 1}, false},
		{"twice", 65528, nil, []uint32{0}, false},
		{"global", 0, []uint32{0, 2}, nil, false},
	} {
		var args []uint64
		if c.name != "global" {
			args = []uint64{c.at}
		}
		_, _, err := h.run(c.name, args...)
		if c.trap {
			require.ErrorContains(t, err, "out of bounds memory access", "%v", c)
			continue
		}
		require.NoError(t, err, "%v", c)
		require.Equal(t, c.reads, h.reads, "%v", c)
		require.Equal(t, c.writes, h.writes, "%v", c)
	}
}

func TestAWriteImpliesARead(t *testing.T) {
	h := start(t, decode(t, `(module (memory 1)
		(func (export "wr") (i32.store (i32.const 0) (i32.const 1)) (drop (i32.load (i32.const 100))))
		(func (export "rw") (drop (i32.load (i32.const 100))) (i32.store (i32.const 0) (i32.const 1))))`), meter.Options{})
	_, _, err := h.run("wr")
	require.NoError(t, err)
	require.Equal(t, []uint32{0}, h.writes)
	require.Empty(t, h.reads)
	_, _, err = h.run("rw")
	require.NoError(t, err)
	require.Equal(t, []uint32{0}, h.reads)
	require.Equal(t, []uint32{0}, h.writes)
}

func TestGrow(t *testing.T) {
	h := start(t, decode(t, `(module (memory 1 5) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
		(func (export "touch") (param i32) (i32.store (local.get 0) (i32.const 1))))`), meter.Options{})
	grow := func(n, want uint64) {
		t.Helper()
		res, _, err := h.run("grow", n)
		require.NoError(t, err)
		require.Equal(t, want, res[0])
	}
	grow(2, 1)
	grow(3, 1<<32-1)
	h.refuseGrow = true
	grow(1, 1<<32-1)
	require.Equal(t, [][2]uint32{{1, 2}, {3, 3}, {3, 1}}, h.grown)
	_, _, err := h.run("touch", 2<<16)
	require.NoError(t, err)
	require.Equal(t, []uint32{2}, h.writes)
}

// The index of the memory may be written in more bytes than it needs.
func TestGrowOfAMemoryWithALongIndex(t *testing.T) {
	m := decode(t, `(module (memory 1 5) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`)
	m.Functions[0].Body = bytes.Replace(m.Functions[0].Body, []byte{0x40, 0x00}, []byte{0x40, 0x80, 0x00}, 1)
	h := start(t, m, meter.Options{})
	result, _, err := h.run("grow", 2)
	require.NoError(t, err)
	require.Equal(t, []uint64{1}, result)
}

func TestLayout(t *testing.T) {
	m := decode(t, `(module
		(import "ic0" "msg_reply" (func $reply))
		(import "env" "memory" (memory 1 2))
		(import "env" "table" (table 3 funcref))
		(global $a (mut i64) (i64.const 5)) (global $b i32 (i32.const 6)) (global $c (export "c") (mut f64) (f64.const 7))
		(global $v (mut v128) (v128.const i64x2 8 9))
		(func $start (call $reply) (global.set $a (i64.const 11)))
		(start $start)
		(func (export "memory")) (func (export "meter_reset") (call_indirect (i32.const 1)))
		(elem (i32.const 1) $reply))`)
	before := m.Encode()
	h := start(t, m, meter.Options{})
	require.Equal(t, before, m.Encode(), "the module given is not changed")
	require.Equal(t, meter.Layout{
		Counter: "canister counter_instructions", Memory: "memory_", Start: "canister_start", Reset: "meter_reset_",
		Globals: []meter.Global{
			{Index: 0, Type: wasm.I64, Export: "__persistent_mutable_global_0"},
			{Index: 2, Type: wasm.F64, Export: "c"},
			{Index: 3, Type: wasm.V128, Get: "__persistent_mutable_global_3_get", Set: "__persistent_mutable_global_3_set"},
		},
		Reads: true, Writes: true,
	}, h.layout)
	require.Zero(t, h.calls, "the start function waits for the host")
	_, cost, err := h.run(h.layout.Start)
	require.NoError(t, err)
	require.Equal(t, 1, h.calls)
	require.Equal(t, int64(1+5+1+2), cost)
	require.Equal(t, uint64(11), h.mod.ExportedGlobal("__persistent_mutable_global_0").Get())
	_, _, err = h.run("meter_reset") // the canister's own function of that name, through table 0
	require.NoError(t, err)
	require.Equal(t, 2, h.calls)

	v := h.layout.Globals[2]
	res, err := h.mod.ExportedFunction(v.Get).Call(h.ctx)
	require.NoError(t, err)
	require.Equal(t, []uint64{8, 9}, res)
	_, err = h.mod.ExportedFunction(v.Set).Call(h.ctx, 1, 2)
	require.NoError(t, err)
	res, err = h.mod.ExportedFunction(v.Get).Call(h.ctx)
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 2}, res)
	_, settable := h.mod.ExportedGlobal("c").(api.MutableGlobal)
	require.True(t, settable)
}

func TestInstrumentRefuses(t *testing.T) {
	body := func(b *wasm.Body) *wasm.Module {
		m := &wasm.Module{}
		m.AddFunction(wasm.FuncType{}, nil, b.End().Bytes())
		return m
	}
	for want, m := range map[string]*wasm.Module{
		"wasm64":                {Memories: []wasm.MemoryType{{Min: 1, Is64: true}}},
		"mutable funcref":       {Globals: []wasm.Global{{GlobalType: wasm.GlobalType{Type: wasm.FuncRef, Mutable: true}}}},
		"Importing globals":     {Imports: []wasm.Import{{Kind: wasm.KindGlobal}}},
		"threads":               body(new(wasm.Body).Raw([]byte{0xfe, 0})),
		"call of type 7":        body(new(wasm.Body).CallIndirect(7, 0)),
		"function 9 does not":   body(new(wasm.Body).Call(9)),
		"local 3, there are 0":  body(new(wasm.Body).LocalGet(3)),
		"global 3, there are":   body(new(wasm.Body).GlobalGet(3)),
		"i32.load without":      body(new(wasm.Body).I32Const(0).Load(wasm.OpI32Load, 0)),
		"memory.copy without":   body(new(wasm.Body).Index2(wasm.OpMemoryCopy, 0, 0)),
		"memory.grow without":   body(new(wasm.Body).Index(wasm.OpMemoryGrow, 0)),
		"type 5 does not exist": {Functions: []wasm.Function{{Type: 5, Body: []byte{0x0b}}}},
	} {
		_, _, err := meter.Instrument(m, meter.Options{})
		require.ErrorContains(t, err, want)
	}
}

func FuzzInstrument(f *testing.F) {
	f.Add([]byte{0x20, 0x00, 0x28, 0x02, 0x00, 0x1a, 0x0b})
	f.Add([]byte{0x20, 0x00, 0x41, 0x01, 0x36, 0x02, 0x04, 0x03, 0x40, 0x20, 0x00, 0x0d, 0x00, 0x0b, 0x0b})
	f.Add([]byte{0x02, 0x40, 0x0c, 0x00, 0x03, 0x40, 0x0b, 0x0b, 0x00, 0x05, 0x0b, 0x0b, 0x0b})
	f.Add([]byte{0x41, 0x00, 0x41, 0x00, 0x41, 0x05, 0xfc, 0x0a, 0x00, 0x00, 0x20, 0x00, 0x40, 0x00, 0x1a, 0x0b})
	f.Fuzz(func(t *testing.T, code []byte) {
		m := &wasm.Module{Memories: []wasm.MemoryType{{Min: 1}}}
		m.AddGlobal(wasm.GlobalType{Type: wasm.I64, Mutable: true}, wasm.ConstI64(0))
		m.AddFunction(wasm.FuncType{Params: []wasm.ValType{wasm.I32}}, nil, slices.Concat(code, []byte{0x0b}))
		ctx, r := runtime(t)
		_, invalid := r.CompileModule(ctx, m.Encode())
		instrumented, _, err := meter.Instrument(m, meter.Options{})
		if invalid == nil {
			require.NoError(t, err)
			_, err = r.CompileModule(ctx, instrumented.Encode())
			require.NoError(t, err, "%x", code)
		}
	})
}
