//go:build wasip1

// Command testcanister is a canister that does one thing of each kind, for the tests of the cdk and
// the linker: it is built with icbuild's toolchain, linked, and run on a fake network.
package main

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kedge/cdk"
)

func main() {}

var (
	started = time.Now().UnixNano() // by the start function, whose clock is a constant
	counter uint64
	lines   []string // what callbacks and timers have seen

	// What a package that draws a secret while the program starts would get.
	randomAtStart = syscall.RandomGet(make([]byte, 32))
)

func note(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }

func replyText(format string, args ...any) { cdk.Reply(fmt.Appendf(nil, format, args...)) }

//go:wasmexport canister_init
func initialise() { cdk.Init(func() { note("init %s", cdk.Arg()) }) }

//go:wasmexport canister_query__lines
func queryLines() { cdk.Query(func() { cdk.Reply([]byte(strings.Join(lines, "\n"))) }) }

//go:wasmexport canister_query__started
func queryStarted() { cdk.Query(func() { replyText("%d", started) }) }

// random_of_wasi asks the system, past crypto/rand.
//
//go:wasmexport canister_query__random_of_wasi
func randomOfWASI() {
	cdk.Query(func() { replyText("%v, %v", randomAtStart, syscall.RandomGet(make([]byte, 32))) })
}

//go:wasmexport canister_update__greet
func greet() {
	cdk.Update(func() { cdk.Reply(append([]byte("hello "), cdk.Arg()...)) })
}

//go:wasmexport canister_update__increment
func increment() {
	cdk.Update(func() {
		counter++
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], counter)
		cdk.Reply(b[:])
	})
}

var argument [8]byte

// argumentInto replies whether the argument went behind the two bytes in use of a buffer of eight, and it.
//
//go:wasmexport canister_query__argument_into
func argumentInto() {
	cdk.Query(func() {
		argument = [8]byte{'u', 's', '.', '.', '.', '.', '.', '.'}
		arg := cdk.ArgInto(argument[:2])
		replyText("%t %s %s", len(arg) > 0 && &arg[0] == &argument[2], arg, argument[:])
	})
}

// increment_in_query changes what a query forgets.
//
//go:wasmexport canister_query__increment_in_query
func incrementInQuery() {
	cdk.Query(func() {
		counter++
		replyText("%d", counter)
	})
}

// context replies what the network says about the message and the canister.
//
//go:wasmexport canister_update__context
func context() {
	cdk.Update(func() {
		replyText("caller %s self %s controller %t version %d replicated %t time %d counter %d cycles %d accepted %d balance %d",
			cdk.Caller(), cdk.ID(), cdk.IsController(cdk.Caller()), cdk.CanisterVersion(), cdk.InReplicatedExecution(),
			time.Now().UnixNano()-int64(cdk.Time()), cdk.PerformanceCounter(),
			cdk.CyclesAvailable().Low, cdk.AcceptCycles(cdk.Amount(5)).Low, cdk.Balance().Low)
	})
}

//go:wasmexport canister_update__reject
func reject() { cdk.Update(func() { cdk.Reject("no: " + string(cdk.Arg())) }) }

// die ends in the way that its argument names.
//
//go:wasmexport canister_update__die
func die() {
	cdk.Update(func() {
		counter += 100 // must be undone
		_, _ = cdk.Stable().WriteAt([]byte("dirty"), 0)
		switch how := string(cdk.Arg()); how {
		case "trap":
			cdk.Trap("on purpose")
		case "string":
			panic("a panic with a text")
		case "error":
			panic(errors.New("a panic with an error"))
		case "value":
			panic(struct{ A, B int }{1, 2})
		case "index":
			_ = lines[counter*1000]
		case "nil":
			var p *struct{ x [100]int }
			p.x[3]++
		case "divide":
			note("%d", 1/(counter-counter))
		case "goroutine":
			go panic("a panic elsewhere")
			select {}
		case "sleep":
			time.Sleep(time.Second)
		case "deadlock":
			<-make(chan int)
		case "exit":
			fmt.Fprintln(os.Stderr, "giving up")
			os.Exit(3)
		case "memory":
			var keep [][]byte
			for {
				keep = append(keep, make([]byte, 1<<28))
			}
		default:
			panic("unknown end " + strconv.Quote(how))
		}
	})
}

// bare_panic is not wrapped by the cdk.
//
//go:wasmexport canister_update__bare_panic
func barePanic() { panic("nobody recovers") }

//go:wasmexport canister_update__print
func print() {
	cdk.Update(func() {
		fmt.Print("one\ntwo")
		fmt.Println(" and a half")
		println("three")
		cdk.Print("four")
		cdk.Reply(nil)
	})
}

// stable grows, writes and reads stable memory.
//
//go:wasmexport canister_update__stable
func stable() {
	cdk.Update(func() {
		m := cdk.Stable()
		if err := m.Grow(2); err != nil {
			panic(err)
		}
		if _, err := m.WriteAt(cdk.Arg(), cdk.PageSize-3); err != nil {
			panic(err)
		}
		b := make([]byte, len(cdk.Arg()))
		if _, err := m.ReadAt(b, cdk.PageSize-3); err != nil {
			panic(err)
		}
		replyText("%d %s", m.Size(), b)
	})
}

// concurrency lets goroutines work together within one message.
//
//go:wasmexport canister_update__concurrency
func concurrency() {
	cdk.Update(func() {
		c := make(chan int)
		for i := range 10 {
			go func() { c <- i * i }()
		}
		sum := 0
		for range 10 {
			sum += <-c
		}
		replyText("%d", sum)
	})
}

//go:wasmexport canister_update__certify
func certify() {
	cdk.Update(func() {
		cdk.SetCertifiedData(cdk.Arg())
		_, ok := cdk.DataCertificate()
		replyText("%t", ok)
	})
}

//go:wasmexport canister_query__certificate
func certificate() {
	cdk.Query(func() {
		c, ok := cdk.DataCertificate()
		again, still := cdk.DataCertificateInto(make([]byte, 0, len(c)))
		long, _ := cdk.DataCertificateInto(nil)
		if ok != still || string(again) != string(c) || string(long) != string(c) {
			cdk.Trap("two certificates")
		}
		replyText("%t %s", ok, hex.EncodeToString(c))
	})
}

//go:wasmexport canister_inspect_message
func inspect() {
	cdk.InspectMessage(func() {
		if cdk.MethodName() == "greet" {
			cdk.AcceptMessage()
		}
	})
}

//go:wasmexport canister_update__set_timer
func setTimer() {
	cdk.Update(func() {
		replyText("%d", cdk.SetTimer(cdk.Time()+5))
	})
}

//go:wasmexport canister_global_timer
func timer() { cdk.Timer(func() { note("timer %d", cdk.Time()) }) }

//go:wasmexport canister_heartbeat
func heartbeat() { cdk.Heartbeat(func() { note("heartbeat") }) }
