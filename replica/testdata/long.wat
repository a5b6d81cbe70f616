;; A canister whose methods run for long.
(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_arg_data_size" (func $arg_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $arg_copy (param i32 i32 i32)))
  (import "ic0" "stable64_grow" (func $sgrow (param i64) (result i64)))
  (import "ic0" "stable64_write" (func $swrite (param i64 i64 i64)))
  (import "ic0" "accept_message" (func $accept))
  (memory (export "memory") 2)
  (global $n (mut i64) (i64.const 0))

  ;; spin runs about as many instructions as the argument says, a u64. It stays at address 0.
  (func $spin
    (call $arg_copy (i32.const 0) (i32.const 0) (call $arg_size))
    (call $spin_again))
  (func $spin_again
    (local $left i64)
    (local.set $left (i64.load (i32.const 0)))
    (block $done
      (loop $again
        (br_if $done (i64.lt_s (local.get $left) (i64.const 0)))
        (local.set $left (i64.sub (local.get $left) (i64.const 11)))
        (br $again))))
  (func $change
    (global.set $n (i64.add (global.get $n) (i64.const 1)))
    (i64.store (i32.const 100) (global.get $n))
    (i64.store (i32.const 70000) (global.get $n))
    (drop (memory.grow (i32.const 1)))
    (drop (call $sgrow (i64.const 1)))
    (call $swrite (i64.const 0) (i64.const 100) (i64.const 8)))

  (func (export "canister_update work") (call $change) (call $spin) (call $reply))
  (func (export "canister_update work_then_trap") (call $change) (call $spin) unreachable)
  (func (export "canister_update short") (call $change) (call $reply))
  (func (export "canister_pre_upgrade") (call $change) (call $spin_again))
  (func (export "canister_post_upgrade") (call $change) (call $spin))
  (func (export "canister_query get")
    (i64.store (i32.const 200) (global.get $n))
    (i64.store (i32.const 208) (i64.load (i32.const 70000)))
    (i32.store (i32.const 216) (memory.size))
    (call $append (i32.const 200) (i32.const 20)) (call $reply))
  (func (export "canister_query work_query") (call $spin) (call $reply))
)
