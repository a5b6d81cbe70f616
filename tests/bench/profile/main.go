// Command profile shows where a method of the canister spends instructions, and which functions touch
// which pages of its heap: go run ./tests/bench/profile METHOD [DEVICES [CONTACTS]]. If a number of recovery contacts
// is given, 0 too, the last device calls, which is not protected; each contact approves a new key.
//
// It runs the canister, built with its function names, on the same engine as the network. A listener is
// told of every function that is entered and left and reads the meter's counter, so charges are those of
// the network; a charge falls where its basic block begins, which is in the right function. The meter's
// marks are forgotten at every function boundary, so that not only the first touch of a page is seen.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	goexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"kedge/canister/identity"
	"kedge/replica/exec"
	"kedge/wasm/meter"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: profile METHOD [DEVICES [CONTACTS]]; METHOD is one of "+strings.Join(slices.Sorted(maps.Keys(methods)), ", "))
		os.Exit(2)
	}
	devices := 9
	if len(os.Args) > 2 {
		n, err := strconv.Atoi(os.Args[2])
		if err != nil || n < 2 || n > 10 {
			fmt.Fprintf(os.Stderr, "profile: DEVICES is %q; want 2 to 10\n", os.Args[2])
			os.Exit(2)
		}
		devices = n
	}
	contacts := -1
	if len(os.Args) > 3 {
		n, err := strconv.Atoi(os.Args[3])
		if err != nil || n < 0 || n > identity.MaxContacts {
			fmt.Fprintf(os.Stderr, "profile: CONTACTS is %q; want 0 to %d\n", os.Args[3], identity.MaxContacts)
			os.Exit(2)
		}
		contacts = n
	}
	if err := run(os.Args[1], devices, contacts); err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
}

func run(method string, devices, contacts int) error {
	prepare, ok := methods[method]
	if !ok {
		return fmt.Errorf("method %q is not known here; add it to methods, in canister.go", method)
	}
	module, err := build()
	if err != nil {
		return err
	}
	p := &profile{self: map[string]*cost{}, pages: map[uint32]map[string]touch{}}
	ctx := experimental.WithFunctionListenerFactory(context.Background(), p)
	engine, err := exec.NewEngine(context.Background(), exec.Options{KeepNames: true})
	if err != nil {
		return err
	}
	defer engine.Close(ctx)
	compiled, err := engine.Compile(ctx, module)
	if err != nil {
		return err
	}
	instance, err := engine.Instantiate(ctx, compiled, exec.NewStable())
	if err != nil {
		return err
	}
	c := &canister{instance: instance, profile: p, record: method, contacts: contacts}
	if err := c.prepareAnchor(devices, prepare); err != nil {
		return err
	}
	p.print(c.report)
	return nil
}

// build returns the canister with its function names.
func build() ([]byte, error) {
	if file := os.Getenv("KEDGE_NAMED_WASM"); file != "" {
		return os.ReadFile(file)
	}
	dir, err := os.MkdirTemp("", "kedge-profile-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "kedge.wasm")
	cmd := goexec.Command("go", "run", "kedge/cmd/icbuild", "-names", "-o", out, "kedge/cmd/canister")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("build the canister: %w", err)
	}
	return os.ReadFile(out)
}

// profile listens while it is on.
type profile struct {
	on    bool
	reset api.Function
	stack []string // of functions, by name
	self  map[string]*cost
	pages map[uint32]map[string]touch
	left  int64 // the counter when a function was last entered or left

	last    uint32 // index of the last function of the module
	address uint32 // that the meter was last told of
}

// pageCharge is what the first access of a page of 64 KiB costs, and again the first write.
const pageCharge = 16 * 5_000

// meterName stands for all functions that the meter added.
const meterName = "(meter)"

type cost struct {
	calls, instructions uint64
	callers             map[string]uint64
}

type touch struct {
	written bool
	lo, hi  uint32
}

// NewFunctionListener implements experimental.FunctionListenerFactory.
func (p *profile) NewFunctionListener(def api.FunctionDefinition) experimental.FunctionListener {
	p.last = max(p.last, def.Index())
	return listener{p, def.Name()}
}

type listener struct {
	*profile
	name string
}

func (p *profile) start() {
	p.on = true
	p.stack = append(p.stack[:0], "(outside)")
	p.left = -1
	p.reset = nil
}

func (p *profile) stop() { p.on = false }

// charge gives what the counter fell to the function that runs.
func (p *profile) charge(mod api.Module) {
	left := int64(mod.ExportedGlobal(meter.CounterExport).Get())
	if left <= p.left { // else another message has begun
		used := uint64(p.left - left)
		top := p.running()
		if p.stack[len(p.stack)-1] == meterName || strings.HasPrefix(top, "link.stable") || strings.HasPrefix(top, "kedge_cdk.") {
			used %= pageCharge // here, and nowhere else, pages are paid for; and bytes of bulk instructions
		}
		p.cost(top).instructions += used
	}
	p.left = left
}

func (p *profile) cost(name string) *cost {
	c := p.self[name]
	if c == nil {
		c = &cost{callers: map[string]uint64{}}
		p.self[name] = c
	}
	return c
}

// Before implements experimental.FunctionListener.
func (l listener) Before(_ context.Context, mod api.Module, def api.FunctionDefinition, params []uint64, _ experimental.StackIterator) {
	p := l.profile
	if !p.on {
		return
	}
	p.charge(mod)
	caller := p.stack[len(p.stack)-1]
	if l.name == "" {
		p.helper(def, params)
		p.stack = append(p.stack, meterName)
		return
	}
	p.forget(mod)
	c := p.cost(l.name)
	c.calls++
	c.callers[caller]++
	p.stack = append(p.stack, l.name)
}

// The functions that the meter adds come last in the module; see addHelpers in kedge/wasm/meter.
const (
	fromEndBulkCharge = iota
	fromEndBulkWrite
	fromEndBulkCopy
	fromEndGrow
	fromEndTouchWrite
	fromEndMarkWrite
	fromEndTouchRead
	fromEndMarkRead
	fromEndReset
)

// helper sees a call of a function that the meter added.
func (p *profile) helper(def api.FunctionDefinition, params []uint64) {
	switch p.last - def.Index() {
	case fromEndTouchWrite, fromEndTouchRead:
		p.address = uint32(params[0])
	case fromEndBulkCopy, fromEndBulkWrite:
		p.address = 0
	case fromEndMarkRead:
		p.touch(uint32(params[0]), false)
	case fromEndMarkWrite:
		p.touch(uint32(params[0]), true)
	}
}

// touch notes the access of a page by the function that runs.
func (p *profile) touch(page uint32, write bool) {
	name := p.running()
	address := p.address
	if address>>16 != page {
		address = page << 16
	}
	if p.pages[page] == nil {
		p.pages[page] = map[string]touch{}
	}
	t, seen := p.pages[page][name]
	if !seen {
		t.lo, t.hi = address, address
	}
	t.lo, t.hi = min(t.lo, address), max(t.hi, address)
	t.written = t.written || write
	p.pages[page][name] = t
}

// running is the canister's own function that runs.
func (p *profile) running() string {
	i := len(p.stack) - 1
	for p.stack[i] == meterName {
		i--
	}
	return p.stack[i]
}

// forget makes the meter tell of pages again.
func (p *profile) forget(mod api.Module) {
	p.on = false
	if p.reset == nil {
		p.reset = mod.ExportedFunction("meter_reset")
	}
	if _, err := p.reset.Call(context.Background()); err != nil {
		panic(err)
	}
	p.on = true
}

// After implements experimental.FunctionListener.
func (l listener) After(_ context.Context, mod api.Module, def api.FunctionDefinition, _ []uint64) {
	p := l.profile
	if !p.on {
		return
	}
	p.charge(mod)
	if len(p.stack) > 1 {
		p.stack = p.stack[:len(p.stack)-1]
	}
	if l.name != "" {
		p.forget(mod)
	}
}

// Abort implements experimental.FunctionListener.
func (l listener) Abort(context.Context, api.Module, api.FunctionDefinition, error) {}
