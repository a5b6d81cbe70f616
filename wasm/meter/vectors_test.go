package meter_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/internal/vectors"
	"kedge/wasm"
	"kedge/wasm/meter"
)

// The production replica's own instrumentation of seventeen modules is the oracle here. Both its
// output and ours are stripped of what was inserted, which must leave the same code: the original.
// What was stripped is, for each place in that code, a static charge, a check or a bulk charge.
// Over the control-flow graph of the original code both must then add up to the same on every path.

// skeleton is a function without its instrumentation.
type skeleton struct {
	codes   []wasm.Opcode
	ops     []string     // the original instructions, with immediates that survive renumbering
	labels  [][]int      // for branches: the places that they go to; len(ops) is the return
	charges []int64      // charges[i] is paid before ops[i], on the way from ops[i-1] or from a branch
	checks  map[int]bool // checks[i]: the counter is checked before ops[i]
	bulk    map[int]bool // bulk[i]: ops[i] is charged by its length, at run time
}

// parseSnap reads production's output. Its last function and two more memories serve stable memory;
// they are cut out, since this repository's decoder knows one memory only.
func parseSnap(t *testing.T, text string) (*wasm.Module, error) {
	t.Helper()
	var kept []string
	for _, line := range strings.Split(text, "\n") {
		if stableMemory.MatchString(line) {
			continue
		}
		kept = append(kept, line)
	}
	text = strings.Join(kept, "\n")
	if i := strings.LastIndex(text, "\n  (func (;"); i > 0 {
		rest := ""
		for _, tail := range strings.Split(text[i+1:], "\n  (")[1:] {
			rest += "\n  (" + tail
		}
		if rest == "" {
			rest = "\n)"
		}
		text = text[:i] + rest
	}
	return wasm.Decode(assemble(t, text))
}

var stableMemory = regexp.MustCompile(`^  \((memory \(;\d+;\) (i64 0 8192000|2000 2000)|export "stable_(memory|bytemap_memory)" .*)\)$`)

// strip finds charges: global.get c, i64.const N, i64.sub, global.set c; the check behind: global.get
// c, i64.const 0, i64.lt_s, if, call outOf, end; and calls of functions in helpers.
func strip(t *testing.T, m *wasm.Module, f *wasm.Function, counter, outOf uint32, firstHelper uint32, renumber func(uint32) uint32) skeleton {
	t.Helper()
	type instr struct {
		op    wasm.Opcode
		index uint32
		konst int64
		raw   string
		label []uint32
	}
	var code []instr
	in := f.Walk()
	for in.Next() {
		i := instr{op: in.Op, index: in.Index, konst: in.Const, raw: string(in.Raw())}
		if in.Op == wasm.OpBrTable {
			in.Labels(func(l uint32) bool { i.label = append(i.label, l); return true })
		} else if in.Op == wasm.OpBr || in.Op == wasm.OpBrIf {
			i.label = []uint32{in.Index}
		}
		code = append(code, i)
	}
	require.NoError(t, in.Err())
	is := func(at int, ops ...wasm.Opcode) bool {
		for i, op := range ops {
			if at+i >= len(code) || code[at+i].op != op {
				return false
			}
		}
		return true
	}
	// Ours: frames are taken from the stack, whose size is the global behind the counter, around a block.
	if is(0, wasm.OpGlobalGet, wasm.OpI32Const, wasm.OpI32Sub, wasm.OpGlobalSet, wasm.OpGlobalGet, wasm.OpI32Const, wasm.OpI32LtS, wasm.OpIf, wasm.OpCall, wasm.OpEnd, wasm.OpBlock) && code[0].index == counter+1 {
		tail := len(code) - 5
		require.True(t, is(tail, wasm.OpGlobalGet, wasm.OpI32Const, wasm.OpI32Add, wasm.OpGlobalSet, wasm.OpEnd) && code[tail].index == counter+1, "the frame is given back")
		code = code[11:tail]
	}
	s := skeleton{checks: map[int]bool{}, bulk: map[int]bool{}}
	type frame struct {
		op    wasm.Opcode
		start int
		fixes []*int
		elseJ *int
	}
	stack := []frame{{op: wasm.OpBlock}}
	pending := int64(0)
	for i := 0; i < len(code); {
		at := len(s.ops)
		c := code[i]
		switch {
		case is(i, wasm.OpGlobalGet, wasm.OpI64Const, wasm.OpI64Sub, wasm.OpGlobalSet) && c.index == counter && code[i+3].index == counter:
			pending += code[i+1].konst
			i += 4
			continue
		case is(i, wasm.OpGlobalGet, wasm.OpI64Const, wasm.OpI64LtS, wasm.OpIf, wasm.OpCall, wasm.OpEnd) && c.index == counter && code[i+4].index == outOf:
			s.checks[at] = true
			i += 6
			continue
		case is(i, wasm.OpLocalSet, wasm.OpF32Const, wasm.OpLocalGet, wasm.OpLocalGet, wasm.OpLocalGet, 0x5c, wasm.OpSelect) && code[i+1].raw == "\x43\x00\x00\xc0\x7f",
			is(i, wasm.OpLocalSet, wasm.OpF64Const, wasm.OpLocalGet, wasm.OpLocalGet, wasm.OpLocalGet, 0x62, wasm.OpSelect) && code[i+1].raw == "\x44\x00\x00\x00\x00\x00\x00\xf8\x7f":
			i += 7 // ours: the canonical NaN
			continue
		case is(i, wasm.OpGlobalGet, wasm.OpI32Const, wasm.OpI32Add, wasm.OpGlobalSet) && c.index == counter+1 && code[i+3].index == counter+1:
			leaves := code[i+4].op
			require.True(t, leaves == wasm.OpReturn || leaves == wasm.OpReturnCall || leaves == wasm.OpReturnCallIndirect)
			i += 4
			continue
		case is(i, wasm.OpI64ExtendI32U, wasm.OpCall, wasm.OpI32WrapI64) && code[i+1].index >= firstHelper:
			s.bulk[at] = true // production: the length goes through a helper
			i += 3
			continue
		case is(i, wasm.OpLocalTee, wasm.OpMemoryGrow, wasm.OpLocalGet, wasm.OpCall): // production
			i, c = i+3, code[i+1]
		case c.op == wasm.OpCall && c.index >= firstHelper:
			if signature, _ := m.TypeOf(c.index); len(signature.Params) == 1 {
				c = instr{op: wasm.OpMemoryGrow} // ours: a helper grows the memory
				break
			}
			s.bulk[at] = true // ours: all three operands go through a helper
			i++
			continue
		}
		s.charges = append(s.charges, pending)
		pending = 0
		op := c.op.String()
		switch c.op {
		case wasm.OpCall:
			op += fmt.Sprint(" ", renumber(c.index))
		case wasm.OpLocalGet, wasm.OpLocalSet, wasm.OpLocalTee, wasm.OpGlobalGet, wasm.OpGlobalSet:
			op += fmt.Sprint(" ", c.index)
		case wasm.OpI32Const, wasm.OpI64Const:
			op += fmt.Sprint(" ", c.konst)
		}
		s.ops = append(s.ops, op)
		s.codes = append(s.codes, c.op)
		targets := make([]int, len(c.label), len(c.label)+1)
		for j, l := range c.label {
			fr := &stack[len(stack)-1-int(l)]
			if fr.op == wasm.OpLoop {
				targets[j] = fr.start
			} else {
				fr.fixes = append(fr.fixes, &targets[j])
			}
		}
		switch c.op {
		case wasm.OpBlock, wasm.OpLoop:
			stack = append(stack, frame{op: c.op, start: at + 1})
		case wasm.OpIf:
			targets = append(targets, 0)
			stack = append(stack, frame{op: c.op, elseJ: &targets[0]})
		case wasm.OpElse:
			fr := &stack[len(stack)-1]
			*fr.elseJ, fr.elseJ = at+1, nil
			targets = append(targets, 0)
			fr.fixes = append(fr.fixes, &targets[0]) // the end of the first branch jumps over the second
		case wasm.OpEnd:
			fr := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if fr.elseJ != nil {
				fr.fixes = append(fr.fixes, fr.elseJ)
			}
			for _, fix := range fr.fixes {
				*fix = at + 1
			}
		}
		s.labels = append(s.labels, targets)
		i++
	}
	require.Zero(t, pending, "a charge behind the last instruction")
	return s
}

// edges calls visit for every step of control from one place to another.
func (s *skeleton) edges(visit func(from, to int)) {
	for i, op := range s.ops {
		for _, to := range s.labels[i] {
			visit(i, to)
		}
		switch op, _, _ := strings.Cut(op, " "); op {
		case "br", "br_table", "else":
		case "return", "return_call", "return_call_indirect", "unreachable":
			visit(i, len(s.ops))
		default:
			visit(i, i+1)
		}
	}
}

// comparePaths checks that both sets of charges add up to the same along every path from entry to
// return: exactly if every place has one difference of what was charged on the way to it, and the
// difference at the return is nil. It also returns the difference at each place.
func comparePaths(t *testing.T, ours, theirs *skeleton) {
	t.Helper()
	require.Equal(t, theirs.ops, ours.ops, "code that is left when the instrumentation is gone")
	require.Equal(t, theirs.labels, ours.labels)
	const unreached = int64(-1 << 62)
	diff := make([]int64, len(ours.ops)+1)
	for i := range diff {
		diff[i] = unreached
	}
	diff[0] = 0
	for changed := true; changed; {
		changed = false
		ours.edges(func(from, to int) {
			if diff[from] == unreached {
				return
			}
			d := diff[from] + ours.charges[from] - theirs.charges[from]
			switch diff[to] {
			case unreached:
				diff[to] = d
				changed = true
			case d:
			default:
				t.Fatalf("paths to instruction %d are charged %d and %d more than in production", to, diff[to], d)
			}
		})
	}
	if end := diff[len(ours.ops)]; end != unreached {
		require.Zero(t, end, "charged more than in production at the return")
	}
	require.Equal(t, theirs.bulk, ours.bulk, "run-time charges")
	// Production checks at function entry and at every loop head, and so do we.
	require.Equal(t, theirs.checks, ours.checks, "checks of the counter")
}

func TestChargesAreThoseOfProduction(t *testing.T) {
	dir := vectors.Dir(t, "ic/metering")
	files, err := filepath.Glob(filepath.Join(dir, "*.wat"))
	require.NoError(t, err)
	require.Len(t, files, 17)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".wat")
		t.Run(name, func(t *testing.T) {
			wat, err := os.ReadFile(file)
			require.NoError(t, err)
			snap, err := os.ReadFile(filepath.Join(dir, name+".snap"))
			require.NoError(t, err)
			_, header, _ := strings.Cut(string(snap), "---\n")
			_, text, ok := strings.Cut(header, "---\n")
			require.True(t, ok)

			original := decode(t, string(wat))
			ours, layout, err := meter.Instrument(original, meter.Options{Untracked: true})
			require.NoError(t, err)
			theirs, err := parseSnap(t, text)
			require.NoError(t, err)

			counterOf := func(m *wasm.Module) uint32 {
				e, ok := m.Export("canister counter_instructions")
				require.True(t, ok)
				return e.Index
			}
			imported := original.Imported(wasm.KindFunction)
			defined := len(original.Functions)
			shift := func(m *wasm.Module) (int, func(uint32) uint32) {
				added := m.Imported(wasm.KindFunction) - imported
				return added, func(f uint32) uint32 {
					if int(f) >= imported {
						return f - uint32(added)
					}
					return f
				}
			}
			outOurs, _ := ours.ImportedFunction(meter.ImportModule, meter.OutOfInstructions)
			outTheirs, _ := theirs.ImportedFunction("__", "out_of_instructions")
			addedOurs, numberOurs := shift(ours)
			addedTheirs, numberTheirs := shift(theirs)
			for i := range defined {
				a := strip(t, ours, &ours.Functions[i], counterOf(ours), outOurs, uint32(imported+defined+addedOurs), numberOurs)
				b := strip(t, theirs, &theirs.Functions[i], counterOf(theirs), outTheirs, uint32(imported+defined+addedTheirs), numberTheirs)
				comparePaths(t, &a, &b)
			}
			require.Equal(t, original.Start != nil, layout.Start != "")
			for _, e := range theirs.Exports { // names that hosts rely on
				if strings.HasPrefix(e.Name, "__persistent") || e.Name == "canister_start" {
					_, ok := ours.Export(e.Name)
					require.True(t, ok, e.Name)
				}
			}
		})
	}
}

// TestChargesAreExactOnGoProgram: on every path through every function of a large program, the
// charges add up to 1 and the prices of the instructions on it.
func TestChargesAreExactOnGoProgram(t *testing.T) {
	original, err := wasm.Decode(goProgram(t))
	require.NoError(t, err)
	ours, _, err := meter.Instrument(original, meter.Options{Untracked: true})
	require.NoError(t, err)
	counter, ok := ours.Export(meter.CounterExport)
	require.True(t, ok)
	outOf, _ := ours.ImportedFunction(meter.ImportModule, meter.OutOfInstructions)
	helpers := uint32(ours.Imported(wasm.KindFunction) + len(original.Functions))
	branches := 0
	for i := range original.Functions {
		a := strip(t, ours, &ours.Functions[i], counter.Index, outOf, helpers, func(f uint32) uint32 { return f })
		exact := a
		exact.charges = make([]int64, len(a.codes))
		for j, op := range a.codes {
			exact.charges[j] = int64(meter.Weight(op))
			branches += len(a.labels[j])
		}
		exact.charges[0]++
		comparePaths(t, &a, &exact)
		require.True(t, a.checks[0], "checked on entry")
		for j, op := range a.codes {
			if op == wasm.OpLoop {
				require.True(t, a.checks[j+1] || unreachable(&a, j), "checked at the head of the loop")
			}
		}
	}
	require.Greater(t, branches, 50_000)
}

// unreachable reports whether no step of control leads to a place.
func unreachable(s *skeleton, place int) bool {
	reached := false
	s.edges(func(_, to int) { reached = reached || to == place })
	return !reached
}
