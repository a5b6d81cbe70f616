package meter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/wasm/meter"
)

// Frames are given back however a function is left, so that only nesting counts.
func TestFramesAreGivenBack(t *testing.T) {
	h := start(t, decode(t, `(module
		(func $leaf)
		(func $falls (call $leaf))
		(func $returns (result i32) (call $leaf) (return (i32.const 1)))
		(func $branches (result i32) (call $leaf) (br 0 (i32.const 2)))
		(func $inner (param i32) (result i32) (call $leaf) (block (block (br_table 0 1 (local.get 0))) (return (i32.const 3))) (br_if 0 (i32.const 4) (local.get 0)))
		(func $two (result i32 i64) (call $leaf) (i32.const 5) (i64.const 6))
		(func $tail (result i32) (return_call $returns))
		(func (export "many") (local $n i32)
			(loop $l
				(call $falls) (drop (call $returns)) (drop (call $branches))
				(drop (call $inner (i32.const 0))) (drop (call $inner (i32.const 1))) (drop (call $inner (i32.const 2)))
				(call $two) (drop) (drop) (drop (call $tail))
				(br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 400000)))))
		(func $deep (param i32) (result i32)
			(if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
		(func (export "deep") (param i32) (result i32) (call $deep (local.get 0))))`), meter.Options{})
	for range 2 { // the stack is empty for every message
		_, _, err := h.run("many")
		require.NoError(t, err)
		got, _, err := h.run("deep", 150_000)
		require.NoError(t, err)
		require.EqualValues(t, 150_000, got[0])
		_, _, err = h.run("deep", 170_000)
		require.ErrorContains(t, err, overflow)
	}
}
