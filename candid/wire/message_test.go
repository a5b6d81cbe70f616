package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/wire"
)

// A value is handed on with the type that it came with.
func TestMessage(t *testing.T) {
	table := wire.Table{
		{Op: wire.Vec, Elem: wire.Text},
		{Op: wire.Record, Fields: []wire.Field{{ID: 1, Type: wire.Nat8}, {ID: 2, Type: 0}}},
	}
	value := append([]byte{7, 2}, wire.AppendText(wire.AppendText(nil, "a"), "b")...)
	sent := append(wire.AppendHeader(nil, table, []wire.Field{{Type: wire.Bool}, {Type: 1}}), 1)
	sent = append(sent, value...)

	d := wire.NewDecoder(sent, nil, new(wire.Signature))
	w, _ := d.Arg()
	require.True(t, d.Bool(w))
	w, _ = d.Arg()
	require.Equal(t, append(wire.AppendHeader(nil, table, []wire.Field{{Type: 1}}), value...), d.Message(w))
	require.NoError(t, d.Finish())

	d = wire.NewDecoder(sent[:len(sent)-1], nil, new(wire.Signature))
	w, _ = d.Arg()
	d.Bool(w)
	w, _ = d.Arg()
	require.Nil(t, d.Message(w))
	require.Error(t, d.Finish())
}
