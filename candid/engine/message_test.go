package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/engine"
)

// A value is handed on with the type that it came with.
func TestMessage(t *testing.T) {
	table := engine.Table{
		{Op: engine.Vec, Elem: engine.Text},
		{Op: engine.Record, Fields: []engine.Field{{ID: 1, Type: engine.Nat8}, {ID: 2, Type: 0}}},
	}
	value := append([]byte{7, 2}, engine.AppendText(engine.AppendText(nil, "a"), "b")...)
	sent := append(engine.AppendHeader(nil, table, []engine.Field{{Type: engine.Bool}, {Type: 1}}), 1)
	sent = append(sent, value...)

	d := engine.NewDecoder(sent, nil, new(engine.Signature))
	w, _ := d.Arg()
	require.True(t, d.Bool(w))
	w, _ = d.Arg()
	require.Equal(t, append(engine.AppendHeader(nil, table, []engine.Field{{Type: 1}}), value...), d.Message(w))
	require.NoError(t, d.Finish())

	d = engine.NewDecoder(sent[:len(sent)-1], nil, new(engine.Signature))
	w, _ = d.Arg()
	d.Bool(w)
	w, _ = d.Arg()
	require.Nil(t, d.Message(w))
	require.Error(t, d.Finish())
}
