package exec_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	engine "kedge/replica/exec"
)

// BenchmarkInstructionLimit measures how fast an endless loop reaches a limit: instructions a second, as
// the production network counts them.
func BenchmarkInstructionLimit(b *testing.B) {
	const limit = 1_000_000_000
	i := newInstance(b, engine.Options{})
	for b.Loop() {
		s := i.Run(context.Background(), input(engine.Input{Kind: engine.Update, Entry: "canister_update hang", Limit: limit}))
		require.NotNil(b, s.Out.Err)
		require.NoError(b, s.Rollback(context.Background()))
	}
	b.ReportMetric(limit*float64(b.N)/b.Elapsed().Seconds()/1e9, "Ginstructions/s")
}

// BenchmarkRollback measures a step that writes two pages of a heap, and its rollback.
func BenchmarkRollback(b *testing.B) {
	i := newInstance(b, engine.Options{})
	for b.Loop() {
		s := i.Run(context.Background(), input(update("change_then_trap")))
		require.NotNil(b, s.Out.Err)
		require.NoError(b, s.Rollback(context.Background()))
	}
}

func newInstance(tb testing.TB, options engine.Options) *engine.Instance {
	ctx := context.Background()
	e, err := engine.NewEngine(ctx, options)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, e.Close(ctx)) })
	code, err := os.ReadFile("testdata/exec.wasm")
	require.NoError(tb, err)
	m, err := e.Compile(ctx, code)
	require.NoError(tb, err)
	i, err := e.Instantiate(ctx, m, engine.NewStable())
	require.NoError(tb, err)
	return i
}
