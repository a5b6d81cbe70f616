package meter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/wasm/meter"
)

const segmentModule = `(module (memory 1)
	(data $active (i32.const 100) "aa")
	(data $kept "0123456789")
	(data $dropped "abcdefghij")
	(elem $e func $f) (func $f) (table 1 funcref)
	(func (export "drop") (data.drop $dropped) (elem.drop $e))
	(func (export "use") (result i32) (memory.init $dropped (i32.const 0) (i32.const 0) (i32.const 4)) (i32.load (i32.const 0)))
	(func (export "both") (data.drop $dropped) (memory.init $dropped (i32.const 0) (i32.const 0) (i32.const 4)))
	(func (export "nothing") (data.drop $dropped) (memory.init $dropped (i32.const 0) (i32.const 0) (i32.const 0)))
	(func (export "outside") (data.drop $dropped) (memory.init $dropped (i32.const 65537) (i32.const 0) (i32.const 0)))
	(func (export "kept") (result i32) (memory.init $kept (i32.const 8) (i32.const 0) (i32.const 4)) (i32.load (i32.const 8)))
	(func (export "active") (memory.init $active (i32.const 0) (i32.const 0) (i32.const 1)))
	(func (export "activenothing") (data.drop $active) (memory.init $active (i32.const 0) (i32.const 0) (i32.const 0))))`

// A dropped segment is empty for the rest of its message and whole for the next one.
func TestDroppedSegmentsComeBack(t *testing.T) {
	for name, opts := range map[string]meter.Options{"tracked": {}, "untracked": {Untracked: true}} {
		t.Run(name, func(t *testing.T) {
			h := start(t, decode(t, segmentModule), opts)
			for range 2 {
				got, _, err := h.run("use")
				require.NoError(t, err)
				require.Equal(t, uint64(0x64636261), got[0])
				_, cost, err := h.run("drop")
				require.NoError(t, err)
				require.EqualValues(t, 601, cost)
				_, _, err = h.run("both")
				require.ErrorContains(t, err, "out of bounds memory access")
				for _, name := range []string{"nothing", "activenothing"} {
					_, _, err = h.run(name)
					require.NoError(t, err, name)
				}
				for _, name := range []string{"outside", "active"} {
					_, _, err = h.run(name)
					require.ErrorContains(t, err, "out of bounds memory access", name)
				}
				got, _, err = h.run("kept")
				require.NoError(t, err)
				require.Equal(t, uint64(0x33323130), got[0])
			}
		})
	}
}
