;; A canister that uses up what an instance has: its passive segments. (Production allows no instruction
;; that changes a table or reads an element segment.)
(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "trap" (func $trap (param i32 i32)))
  (memory (export "memory") 1)
  (func $a)
  (table $t 2 8 funcref)
  (elem $spare func $a $a)
  (data $text "cd")
  (global $kept (mut i32) (i32.const 0))

  ;; Replies the passive text and the global.
  (func $use
    (memory.init $text (i32.const 0) (i32.const 0) (i32.const 2))
    (i32.store8 (i32.const 2) (global.get $kept))
    (call $append (i32.const 0) (i32.const 3))
    (call $reply))

  ;; Drops both segments, and counts in the global.
  (func $spend
    (data.drop $text)
    (elem.drop $spare)
    (global.set $kept (i32.add (global.get $kept) (i32.const 1))))

  (func (export "canister_update use") (call $use))
  (func (export "canister_query ask") (call $use))
  (func (export "canister_update spend") (call $spend) (call $reply))
  (func (export "canister_query spend_in_query") (call $spend) (call $reply))
  (func (export "canister_update spend_and_trap") (call $spend) (call $trap (i32.const 0) (i32.const 0)))
  (func (export "canister_query spend_and_trap_in_query") (call $spend) (call $trap (i32.const 0) (i32.const 0)))
  (func (export "canister_update spend_then_use") (call $spend) (call $use))
)
