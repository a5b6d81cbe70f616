package meter_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/wasm"
	"kedge/wasm/meter"
)

// The oracle for page tracking is an interpreter of random programs, in Go: it knows every byte
// that a program reads and writes. The same programs run instrumented on wazero.

const (
	memoryPages = 3
	locals32    = 4    // locals 0..3 are i32, the parameters
	locals64    = 2    // 4..5 are i64
	counterVar  = 6    // 7.. in code: i32, counters of loops; in the interpreter: the address just computed
	globalVar   = 7    // the one global, in the interpreter's list of variables
	callStep    = 5000 // what a call adds to the global, modulo 0x20000
)

var errTrap = errors.New("trap")

// statement is one step: it writes its code and runs on a state.
type statement struct {
	code func(*wasm.Body)
	run  func(*state) error
}

type state struct {
	vars          [8]uint64
	memory        []byte
	reads, writes map[uint64]bool // bytes
}

func (s *state) touch(set map[uint64]bool, at, n uint64) error {
	if at+n > uint64(len(s.memory)) {
		return errTrap
	}
	for i := range n {
		set[at+i] = true
	}
	return nil
}

type generator struct {
	*rand.Rand
	page int // size of tracked pages
}

func get(b *wasm.Body, v int) {
	if v == globalVar {
		b.GlobalGet(0)
	} else {
		b.LocalGet(uint32(v))
	}
}

func set(b *wasm.Body, v int) {
	if v == globalVar {
		b.GlobalSet(0)
	} else {
		b.LocalSet(uint32(v))
	}
}

func wide(v int) bool { return v >= locals32 && v < counterVar }

func (s *state) assign(v int, x uint64) {
	if !wide(v) {
		x = uint64(uint32(x))
	}
	s.vars[v] = x
}

func (g *generator) variable() int {
	if v := g.IntN(locals32 + locals64 + 1); v < locals32+locals64 {
		return v
	}
	return globalVar
}

// constant is small, rarely anything.
func (g *generator) constant() int32 {
	if g.IntN(200) == 0 {
		return int32(g.Uint32())
	}
	return int32(g.IntN(120) - 60)
}

// place is an address, mostly near a page boundary.
func (g *generator) place() uint32 {
	if g.IntN(3) == 0 {
		return 4096 + uint32(g.IntN(memoryPages<<16-16384))
	}
	pages := memoryPages << 16 / g.page
	return uint32((1+g.IntN(pages-1))*g.page + g.IntN(200) - 100)
}

// address emits an i32 from a variable and a constant, in one of the forms that compilers use.
func (g *generator) address() statement {
	v, c := g.variable(), g.constant()
	form := g.IntN(5)
	if form == 4 {
		c = int32(g.place())
	}
	value := func(s *state) uint64 {
		switch form {
		case 0:
			return uint64(uint32(s.vars[v]))
		case 4:
			return uint64(uint32(c))
		case 2:
			return uint64(uint32(s.vars[v]) - uint32(c))
		}
		return uint64(uint32(s.vars[v]) + uint32(c))
	}
	return statement{
		code: func(b *wasm.Body) {
			if form == 4 {
				b.I32Const(c)
				return
			}
			get(b, v)
			if form == 3 { // by way of 64 bits
				if !wide(v) {
					b.Op([]wasm.Opcode{wasm.OpI64ExtendI32U, wasm.OpI64ExtendI32S}[c&1])
				}
				b.I64Const(int64(uint32(c))).Op(wasm.OpI64Add).Op(wasm.OpI32WrapI64)
				return
			}
			if wide(v) {
				b.Op(wasm.OpI32WrapI64)
			}
			switch form {
			case 1:
				b.I32Const(c).Op(wasm.OpI32Add)
			case 2:
				b.I32Const(c).Op(wasm.OpI32Sub)
			}
		},
		run: func(s *state) error { s.vars[counterVar] = value(s); return nil }, // result register of the interpreter
	}
}

func (g *generator) offset() uint64 {
	switch g.IntN(200) {
	case 0:
		return uint64(g.Uint32())
	case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12:
		return uint64(g.IntN(g.page / 2))
	default:
		return uint64(g.IntN(64))
	}
}

var loads = []wasm.Opcode{wasm.OpI32Load8U, wasm.OpI32Load16U, wasm.OpI32Load, wasm.OpI64Load}
var stores = []wasm.Opcode{wasm.OpI32Store8, wasm.OpI32Store16, wasm.OpI32Store, wasm.OpI64Store}

func (g *generator) statement(depth int) statement {
	kind := g.IntN(15)
	if depth == 0 && kind >= 10 {
		kind = g.IntN(10)
	}
	switch kind {
	case 0: // v = w + c
		v, w, c := g.variable(), g.variable(), g.constant()
		return statement{
			func(b *wasm.Body) {
				get(b, w)
				switch {
				case wide(w):
					b.I64Const(int64(c)).Op(wasm.OpI64Add)
					if !wide(v) {
						b.Op(wasm.OpI32WrapI64)
					}
				default:
					b.I32Const(c).Op(wasm.OpI32Add)
					if wide(v) {
						b.Op(wasm.OpI64ExtendI32S)
					}
				}
				set(b, v)
			},
			func(s *state) error {
				if wide(w) {
					s.assign(v, s.vars[w]+uint64(int64(c)))
				} else {
					s.assign(v, uint64(int64(int32(uint32(s.vars[w])+uint32(c)))))
				}
				return nil
			},
		}
	case 1, 2, 3, 4: // v = load
		v, addr, size, offset := g.variable(), g.address(), g.IntN(4), g.offset()
		return statement{
			func(b *wasm.Body) {
				addr.code(b)
				b.Load(loads[size], offset)
				if size == 3 && !wide(v) {
					b.Op(wasm.OpI32WrapI64)
				} else if size < 3 && wide(v) {
					b.Op(wasm.OpI64ExtendI32U)
				}
				// Pointers that are loaded stay in the memory.
				if wide(v) {
					b.I64Const(0x1ffff).Op(wasm.OpI64And)
				} else {
					b.I32Const(0x1ffff).Op(wasm.OpI32And)
				}
				set(b, v)
			},
			func(s *state) error {
				_ = addr.run(s)
				at := s.vars[counterVar] + offset
				if err := s.touch(s.reads, at, 1<<size); err != nil {
					return err
				}
				var buf [8]byte
				copy(buf[:], s.memory[at:at+1<<size])
				s.assign(v, binary.LittleEndian.Uint64(buf[:])&0x1ffff)
				return nil
			},
		}
	case 5, 6, 7: // store w; sometimes the address is computed before a variable changes
		w, addr, size, offset := g.variable(), g.address(), g.IntN(4), g.offset()
		between := g.IntN(3) == 0
		change := g.variable()
		changeOps := [][]wasm.Opcode{{wasm.OpI32Add, wasm.OpI64Add}, {wasm.OpI32Xor, wasm.OpI64Xor}}[g.IntN(2)]
		return statement{
			func(b *wasm.Body) {
				addr.code(b)
				if between {
					if get(b, change); wide(change) {
						b.I64Const(64).Op(changeOps[1])
					} else {
						b.I32Const(64).Op(changeOps[0])
					}
					set(b, change)
				}
				get(b, w)
				if size == 3 && !wide(w) {
					b.Op(wasm.OpI64ExtendI32U)
				} else if size < 3 && wide(w) {
					b.Op(wasm.OpI32WrapI64)
				}
				b.Store(stores[size], offset)
			},
			func(s *state) error {
				_ = addr.run(s)
				at := s.vars[counterVar] + offset
				if between {
					if changeOps[0] == wasm.OpI32Add {
						s.assign(change, s.vars[change]+64)
					} else {
						s.assign(change, s.vars[change]^64)
					}
				}
				if err := s.touch(s.writes, at, 1<<size); err != nil {
					return err
				}
				var buf [8]byte
				binary.LittleEndian.PutUint64(buf[:], s.vars[w])
				copy(s.memory[at:], buf[:1<<size])
				return nil
			},
		}
	case 8: // memory.copy or memory.fill
		dst, src, n, isCopy := g.address(), g.address(), g.IntN(min(3*g.page/2, 16384)), g.IntN(2) == 0
		return statement{
			func(b *wasm.Body) {
				dst.code(b)
				if isCopy {
					src.code(b)
					b.I32Const(int32(n)).Index2(wasm.OpMemoryCopy, 0, 0)
				} else {
					b.I32Const(7).I32Const(int32(n)).Index(wasm.OpMemoryFill, 0)
				}
			},
			func(s *state) error {
				_ = dst.run(s)
				to := s.vars[counterVar]
				_ = src.run(s)
				from := s.vars[counterVar]
				if to+uint64(n) > uint64(len(s.memory)) || isCopy && from+uint64(n) > uint64(len(s.memory)) {
					return errTrap
				}
				_ = s.touch(s.writes, to, uint64(n))
				if !isCopy {
					for i := range n {
						s.memory[to+uint64(i)] = 7
					}
					return nil
				}
				_ = s.touch(s.reads, from, uint64(n))
				copy(s.memory[to:to+uint64(n)], s.memory[from:])
				return nil
			},
		}
	case 9: // a call, which changes the global
		return statement{
			func(b *wasm.Body) { b.Call(0) },
			func(s *state) error { s.vars[globalVar] = (s.vars[globalVar] + callStep) & 0x1ffff; return nil },
		}
	case 10, 11: // if
		v, yes, no := g.IntN(locals32), g.block(depth-1), g.block(depth-1)
		return statement{
			func(b *wasm.Body) {
				get(b, v)
				b.I32Const(1).Op(wasm.OpI32And).If(wasm.BlockEmpty)
				yes.code(b)
				b.Else()
				no.code(b)
				b.End()
			},
			func(s *state) error {
				if s.vars[v]&1 != 0 {
					return yes.run(s)
				}
				return no.run(s)
			},
		}
	case 12, 13: // block with an early exit
		v, first, second := g.IntN(locals32), g.block(depth-1), g.block(depth-1)
		return statement{
			func(b *wasm.Body) {
				b.Block(wasm.BlockEmpty)
				first.code(b)
				get(b, v)
				b.I32Const(2).Op(wasm.OpI32And).BrIf(0)
				second.code(b)
				b.End()
			},
			func(s *state) error {
				if err := first.run(s); err != nil || s.vars[v]&2 != 0 {
					return err
				}
				return second.run(s)
			},
		}
	default: // twice around a loop, with a call
		body := g.block(depth - 1)
		return statement{
			func(b *wasm.Body) {
				count := uint32(counterVar + depth) // each nesting has its own
				b.I32Const(2).LocalSet(count).Loop(wasm.BlockEmpty)
				body.code(b)
				b.Call(0) // changes the global
				b.LocalGet(count).I32Const(1).Op(wasm.OpI32Sub).LocalTee(count).BrIf(0).End()
			},
			func(s *state) error {
				for range 2 {
					if err := body.run(s); err != nil {
						return err
					}
					s.vars[globalVar] = (s.vars[globalVar] + callStep) & 0x1ffff
				}
				return nil
			},
		}
	}
}

func (g *generator) block(depth int) statement {
	list := make([]statement, 2+g.IntN(6))
	for i := range list {
		list[i] = g.statement(depth)
	}
	return statement{
		func(b *wasm.Body) {
			for _, s := range list {
				s.code(b)
			}
		},
		func(s *state) error {
			for _, st := range list {
				if err := st.run(s); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func TestTouchedPagesAreExactOnRandomPrograms(t *testing.T) {
	finished := 0
	for seed := range uint64(700) {
		opts := meter.Options{Page: meter.PageSize(seed % 2), IgnoreRead: seed%8 == 0}
		g := &generator{rand.New(rand.NewPCG(seed, 1)), opts.Page.Bytes()}
		program := g.block(2)
		// The 64-bit variables begin as copies of parameters.
		body := new(wasm.Body).LocalGet(0).Op(wasm.OpI64ExtendI32U).LocalSet(4).LocalGet(1).Op(wasm.OpI64ExtendI32S).LocalSet(5)
		program.code(body)
		body.End()

		m := &wasm.Module{Memories: []wasm.MemoryType{{Min: memoryPages}}}
		m.AddGlobal(wasm.GlobalType{Type: wasm.I32, Mutable: true}, wasm.ConstI32(5000))
		m.AddFunction(wasm.FuncType{}, nil, new(wasm.Body).GlobalGet(0).I32Const(callStep).Op(wasm.OpI32Add).I32Const(0x1ffff).Op(wasm.OpI32And).GlobalSet(0).End().Bytes())
		run := m.AddFunction(wasm.FuncType{Params: []wasm.ValType{wasm.I32, wasm.I32, wasm.I32, wasm.I32}},
			[]wasm.Locals{{Count: locals64, Type: wasm.I64}, {Count: 3, Type: wasm.I32}}, body.Bytes())
		m.Exports = []wasm.Export{{Name: "run", Kind: wasm.KindFunction, Index: run}}
		h := start(t, m, opts)
		name := fmt.Sprintf("seed %d", seed)

		s := &state{memory: make([]byte, memoryPages<<16)}
		s.vars[globalVar] = 5000
		for message := range 4 {
			args := make([]uint64, locals32)
			for i := range args {
				args[i] = uint64(g.place())
			}
			s.vars = [8]uint64{args[0], args[1], args[2], args[3], args[0], args[1], 0, s.vars[globalVar]}
			if message > 0 {
				s.vars[globalVar] = uint64(g.place())
				h.setGlobal(0, s.vars[globalVar])
			}
			s.reads, s.writes = map[uint64]bool{}, map[uint64]bool{}
			trapped := program.run(s)
			_, _, err := h.run("run", args...)
			if trapped != nil {
				require.Error(t, err, "%s message %d", name, message)
				for _, p := range pages(s.writes, opts) {
					require.Contains(t, h.writes, p, "%s: written before the trap, but not marked", name)
				}
				break
			}
			require.NoError(t, err, "%s message %d", name, message)
			require.Equal(t, pages(s.writes, opts), sorted(t, h.writes), "%s message %d: pages written", name, message)
			if opts.IgnoreRead {
				require.Empty(t, h.reads)
			} else {
				read := pages(s.reads, opts)
				// A page that was written first is accessed, and not marked again when read.
				for _, p := range read {
					require.True(t, slices.Contains(h.reads, p) || slices.Contains(h.writes, p), "%s: page %d read", name, p)
				}
				for _, p := range sorted(t, h.reads) {
					require.Contains(t, read, p, "%s message %d: page marked as read", name, message)
				}
			}
			data, _ := h.mod.Memory().Read(0, memoryPages<<16)
			require.True(t, slices.Equal(s.memory, data), "%s message %d: memory", name, message)
			finished++
		}
	}
	require.Greater(t, finished, 700, "messages that ran to their end; trapping programs show little")
}

func pages(bytes map[uint64]bool, opts meter.Options) []uint32 {
	set := map[uint32]bool{}
	for at := range bytes {
		set[uint32(at/uint64(opts.Page.Bytes()))] = true
	}
	list := []uint32{}
	for p := range set {
		list = append(list, p)
	}
	slices.Sort(list)
	return list
}

// sorted returns the marks in order and requires that no page was marked twice.
func sorted(t *testing.T, marks []uint32) []uint32 {
	list := append([]uint32{}, marks...)
	slices.Sort(list)
	require.Equal(t, len(list), len(slices.Compact(slices.Clone(list))), "a page was marked twice: %v", marks)
	return list
}
