;; What stands in for the WASI imports of a Go program: functions inside the module, so that the
;; network sees imports from ic0 alone. The linker assembles this file (see asm.go for the subset of
;; the text format that it reads) and adds to a module only what that module uses.
;;
;; Errno values (WASI preview 1): 8 badf, 52 nosys. Anything imported that is not here gets nosys.

(global $started (mut i32) 0)   ;; 1 once the start function has returned: ic0.time is legal from then on
(global $seeded (mut i32) 0)    ;; 1 once the Go runtime has seeded its hashes
(global $line_len (mut i32) 0)  ;; bytes of the unfinished line at $line
(global $last_len (mut i32) 0)  ;; bytes of the last finished line, which stays at $line until it is overwritten
(global $held_len (mut i32) 0)  ;; bytes of the message of a dying program at $held

(memory $line 2048)             ;; the line that is being written to standard output or standard error
(memory $held 2560)             ;; the last line that announced a panic or a fatal error, and room for a hint

(data $panic "panic: ")
(data $fatal "fatal er")
(data $deadlock "eadlock!")
(data $hint " (a message cannot wait for a later one: continue in the callbacks of cdk.Call, or in a timer)")
(data $exited "the program exited")
(data $sleep "a canister cannot sleep: time stands still while a message runs (set a timer with cdk.SetTimer)")

;; Runs the Go runtime and the package initialisers. Named by the start section.
(func $start
  call $_initialize
  i32.const 1
  global.set $started
)

;; The time of the message, in nanoseconds since 1970. The start function may not ask for it, and
;; the Go runtime refuses a zero, so until then it is 1 ns.
(func $clock_time_get (param $clock i32) (param $precision i64) (param $time i32) (result i32)
  local.get $time
  global.get $started
  if (result i64)
    call $ic0.time
  else
    i64.const 1
  end
  i64.store
  i32.const 0
)

;; Seeds the hash function of the Go runtime, once, with a constant: every replica must compute the
;; same, and an attacker who may choose map keys gains collisions at worst, which the instruction
;; limit of a message bounds. Whoever asks again wants a secret, and there is none to be had here.
(func $random_get (param $buf i32) (param $len i32) (result i32)
  global.get $seeded
  if
    i32.const 52
    return
  end
  i32.const 1
  global.set $seeded
  local.get $buf
  i32.const 0x4b
  local.get $len
  memory.fill
  i32.const 0
)

(func $args_sizes_get (param $count i32) (param $size i32) (result i32)
  local.get $count
  i32.const 0
  i32.store
  local.get $size
  i32.const 0
  i32.store
  i32.const 0
)

(func $args_get (param $args i32) (param $buf i32) (result i32)
  i32.const 0
)

(func $environ_sizes_get (param $count i32) (param $size i32) (result i32)
  local.get $count
  local.get $size
  call $args_sizes_get
)

(func $environ_get (param $env i32) (param $buf i32) (result i32)
  i32.const 0
)

(func $sched_yield (result i32)
  i32.const 0
)

;; There are no open directories; the initialiser of package syscall counts them.
(func $fd_prestat_get (param $fd i32) (param $result i32) (result i32)
  i32.const 8
)

;; Standard output and standard error go to ic0.debug_print line by line.
(func $fd_write (param $fd i32) (param $vectors i32) (param $count i32) (param $written i32) (result i32)
  (local $total i32)
  local.get $fd
  i32.const 1
  i32.sub
  i32.const 1
  i32.gt_u
  if
    i32.const 8
    return
  end
  block $done
    loop $next
      local.get $count
      i32.eqz
      br_if $done
      local.get $vectors
      i32.load
      local.get $vectors
      i32.load offset=4
      call $put
      local.get $vectors
      i32.load offset=4
      local.get $total
      i32.add
      local.set $total
      local.get $vectors
      i32.const 8
      i32.add
      local.set $vectors
      local.get $count
      i32.const 1
      i32.sub
      local.set $count
      br $next
    end
  end
  local.get $written
  local.get $total
  i32.store
  i32.const 0
)

;; Appends $n bytes to the line; a newline, or a full buffer, ends it.
(func $put (param $p i32) (param $n i32)
  (local $byte i32)
  block $done
    loop $next
      local.get $n
      i32.eqz
      br_if $done
      local.get $p
      i32.load8_u
      local.tee $byte
      i32.const 10
      i32.eq
      if
        call $end_line
      else
        global.get $line_len
        local.get $byte
        i32.store8 offset=$line
        global.get $line_len
        i32.const 1
        i32.add
        global.set $line_len
        global.get $line_len
        i32.const $line.size
        i32.eq
        if
          call $end_line
        end
      end
      local.get $p
      i32.const 1
      i32.add
      local.set $p
      local.get $n
      i32.const 1
      i32.sub
      local.set $n
      br $next
    end
  end
)

;; Prints the line. One that begins as the runtime begins its last words is kept for $proc_exit.
(func $end_line
  i32.const $line
  global.get $line_len
  call $ic0.debug_print
  i32.const $line
  i64.load
  i32.const $fatal
  i64.load
  i64.eq
  i32.const $line
  i64.load
  i32.const $panic
  i64.load
  i64.xor
  i64.const 0x00ffffffffffffff ;; the seven bytes of "panic: "
  i64.and
  i64.eqz
  i32.or
  if
    i32.const $held
    i32.const $line
    global.get $line_len
    memory.copy
    global.get $line_len
    global.set $held_len
  end
  global.get $line_len
  global.set $last_len
  i32.const 0
  global.set $line_len
)

;; Traps with the panic or fatal error, else with the last line printed, else by saying so.
(func $proc_exit (param $code i32)
  global.get $line_len
  if
    call $end_line
  end
  global.get $held_len
  if
    ;; "all goroutines are asleep - deadlock!" deserves a word about canisters.
    global.get $held_len
    i32.const $held
    i32.add
    i32.const 8
    i32.sub
    i64.load
    i32.const $deadlock
    i64.load
    i64.eq
    if
      global.get $held_len
      i32.const $held
      i32.add
      i32.const $hint
      i32.const $hint.size
      memory.copy
      global.get $held_len
      i32.const $hint.size
      i32.add
      global.set $held_len
    end
    i32.const $held
    global.get $held_len
    call $ic0.trap
  end
  global.get $last_len
  if
    i32.const $line
    global.get $last_len
    call $ic0.trap
  end
  i32.const $exited
  i32.const $exited.size
  call $ic0.trap
  unreachable
)

;; Stands in for runtime.dopanic_m, which would dump the stacks of all goroutines.
(func $die (param $pc_b i32) (result i32)
  i32.const 2
  call $proc_exit
  unreachable
)

;; The scheduler polls with a clock subscription: of 0 ns to look whether something is ready
;; (nothing ever is), of more when nothing can run until then, which in a canister is never.
;; A subscription is 48 bytes: tag u8 at 8 (0 is a clock), timeout u64 at 24.
(func $poll_oneoff (param $in i32) (param $out i32) (param $count i32) (param $events i32) (result i32)
  local.get $count
  i32.const 1
  i32.eq
  local.get $in
  i32.load8_u offset=8
  i32.eqz
  i32.and
  local.get $in
  i64.load offset=24
  i64.eqz
  i32.and
  if
    local.get $events
    i32.const 0
    i32.store
    i32.const 0
    return
  end
  i32.const $sleep
  i32.const $sleep.size
  call $ic0.trap
  unreachable
)

(func $nosys (result i32)
  i32.const 52
)

;; What package cdk asks of the linker.

;; The size of the heap in pages of 64 KiB.
(func $link.memory_pages (result i32)
  memory.size
)

;; The system calls for stable memory take addresses of 64 bits, which //go:wasmimport cannot make
;; from a pointer; and from an integer it must not, since Go's stacks move.
(func $link.stable_read (param $to i32) (param $offset i64) (param $size i64)
  local.get $to
  i64.extend_i32_u
  local.get $offset
  local.get $size
  call $ic0.stable64_read
)

(func $link.stable_write (param $offset i64) (param $from i32) (param $size i64)
  local.get $offset
  local.get $from
  i64.extend_i32_u
  local.get $size
  call $ic0.stable64_write
)
