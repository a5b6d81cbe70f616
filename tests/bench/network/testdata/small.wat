;; A small canister that can have a large heap.
;;
;;   init              argument u32: the heap grows to that many pages of 64 KiB and is filled
;;   update bump       adds one to a counter in stable memory and answers with it, u32
;;   query  read       answers with the counter
;;   update spoil      argument u32: writes one byte to each of so many pages of 4 KiB, then traps
(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg (param i32 i32 i32)))
  (import "ic0" "stable64_grow" (func $grow (param i64) (result i64)))
  (import "ic0" "stable64_read" (func $read (param i64 i64 i64)))
  (import "ic0" "stable64_write" (func $write (param i64 i64 i64)))
  (memory (export "memory") 1)
  (func (export "canister_init")
    (call $arg (i32.const 0) (i32.const 0) (i32.const 4))
    (drop (memory.grow (i32.sub (i32.load (i32.const 0)) (memory.size))))
    (memory.fill (i32.const 16) (i32.const 7) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 16)))
    (drop (call $grow (i64.const 1))))
  (func (export "canister_update bump")
    (call $read (i64.const 0) (i64.const 0) (i64.const 4))
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (call $write (i64.const 0) (i64.const 0) (i64.const 4))
    (call $append (i32.const 0) (i32.const 4))
    (call $reply))
  (func (export "canister_query read")
    (call $read (i64.const 0) (i64.const 0) (i64.const 4))
    (call $append (i32.const 0) (i32.const 4))
    (call $reply))
  (func (export "canister_update spoil") (local $end i32) (local $at i32)
    (call $arg (i32.const 0) (i32.const 0) (i32.const 4))
    (local.set $end (i32.mul (i32.load (i32.const 0)) (i32.const 4096)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (i32.store8 (i32.add (local.get $at) (i32.const 64)) (i32.const 9))
        (local.set $at (i32.add (local.get $at) (i32.const 4096)))
        (br $next)))
    (unreachable))
)
