package exec_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	engine "kedge/replica/exec"
)

// A step that pauses gives just what it gives without pauses, and uses its limit to the last instruction.
func TestSlicesChangeNothing(t *testing.T) {
	for _, limit := range []uint64{1, engine.SliceInstructions, engine.SliceInstructions + 1, 5*engine.SliceInstructions + 12_345} {
		for _, method := range []string{"hang", "change", "change_then_hang"} {
			in := update(method)
			in.Limit = limit
			plain := newBench(t, engine.Options{}).run(in)
			pauses := 0
			in.Pause = func(s *engine.Step) bool {
				require.GreaterOrEqual(t, s.Used(), uint64(pauses)*engine.SliceInstructions)
				pauses++
				return true
			}
			sliced := newBench(t, engine.Options{}).run(in)
			require.Equal(t, plain.Out, sliced.Out, "%s with a limit of %d", method, limit)
			require.False(t, sliced.Aborted())
			if sliced.Out.Err != nil {
				require.Equal(t, limit, sliced.Out.Report.Instructions)
				require.EqualValues(t, (limit-1)/engine.SliceInstructions, pauses)
			}
		}
	}
}

// While a step pauses, a fork of it is as the instance was before, and stays so.
func TestForkIsTheStateBefore(t *testing.T) {
	for _, pages := range []engine.PageModel{engine.Pages2026, engine.Pages2025} {
		b := newBench(t, engine.Options{Pages: pages})
		b.commit(update("change"))
		before := b.instance.Capture()
		in := update("change_then_hang")
		in.Limit = 10 * engine.SliceInstructions
		var twin *engine.Instance
		in.Pause = func(s *engine.Step) bool {
			if twin == nil {
				var err error
				twin, err = s.Fork(context.Background())
				require.NoError(t, err)
			}
			return true
		}
		s := b.run(in)
		require.NotNil(t, s.Out.Err)
		require.Equal(t, before.Heap, twin.Heap())
		require.Equal(t, before.Globals, twin.Capture().Globals)
		require.Equal(t, before.Stable.Bytes(), twin.Stable().Bytes())
		b.rollback(s)
		again := &bench{t, twin}
		again.commit(update("change"))
		require.NotEqual(t, b.instance.Stable().Pages(), twin.Stable().Pages(), "they share nothing")
	}
}

// A pause can end a step.
func TestPauseAborts(t *testing.T) {
	in := update("hang")
	in.Pause = func(*engine.Step) bool { return false }
	b := newBench(t, engine.Options{})
	s := b.run(in)
	require.True(t, s.Aborted())
	require.Less(t, s.Out.Report.Instructions, uint64(2*engine.SliceInstructions))
	b.rollback(s)
}
