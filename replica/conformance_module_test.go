package replica_test

import (
	"kedge/ic/principal"
	"kedge/wasm"
)

// probe builds a module around one system call: its entry points make the call, in every role that the
// Interface Specification knows, and then answer as the role should.
type probe struct {
	name    string
	allowed func(role string) bool
	helper  principal.Principal // has the queries "reply" and "refuse"
	args    []int64             // of the call; nil for the usual ones

	m       wasm.Module
	imports map[string]uint32
}

// Where the probe keeps things in its memory.
const (
	atVariable = 32  // "a", the name of the only environment variable
	atHelper   = 64  // the id of the helper
	atReply    = 128 // "reply"
	atRefuse   = 136 // "refuse"
	atFlag     = 256 // one byte: 1 once the last task came to its end
)

// Functions of the probe's table.
const (
	onNothing = iota
	onReply
	onReject
	onTrap
	onCleanup
	onCompositeReply
	onCompositeReject
	onCompositeCleanup
)

// setup is what must precede a call so that it can succeed: most calls of call_* need a call in the making.
var setup = map[string]bool{
	"call_on_cleanup": true, "call_data_append": true, "call_with_best_effort_response": true,
	"call_cycles_add": true, "call_cycles_add128": true, "call_perform": true,
}

// arguments are those of calls that zeros would not do for.
var arguments = map[string][]int64{
	"env_var_value_size":             {atVariable, 1},
	"env_var_value_copy":             {atVariable, 1, 0, 0, 0},
	"call_with_best_effort_response": {1},
}

// answers are the calls after which there is nothing left to reply.
var answers = map[string]bool{"msg_reply": true, "msg_reject": true}

func newProbe(name string, helper principal.Principal, allowed func(role string) bool) *probe {
	p := &probe{name: name, allowed: allowed, helper: helper, imports: map[string]uint32{}}
	p.m.Memories = []wasm.MemoryType{{Min: 1}}
	p.m.Exports = []wasm.Export{{Name: "memory", Kind: wasm.KindMemory}}
	for at, text := range map[int32]string{atVariable: "a", atHelper: string(helper.Bytes()), atReply: "reply", atRefuse: "refuse"} {
		p.m.Data = append(p.m.Data, wasm.Data{Offset: wasm.ConstI32(at), Bytes: []byte(text)})
	}
	api := wasm.SystemAPI()
	for _, name := range []string{name, "msg_reply", "msg_reply_data_append", "call_new", "call_on_cleanup", "call_perform",
		"accept_message", "global_timer_set"} {
		if _, twice := p.imports[name]; twice {
			continue
		}
		p.m.Imports = append(p.m.Imports, p.m.FunctionImport("ic0", name, api[name]))
		p.imports[name] = uint32(len(p.m.Imports) - 1)
	}
	return p
}

func (p *probe) call(b *wasm.Body, name string, args ...int32) *wasm.Body {
	for _, a := range args {
		b.I32Const(a)
	}
	return b.Call(p.imports[name])
}

// make makes the system call in a role.
func (p *probe) make(b *wasm.Body, role string) *wasm.Body {
	if setup[p.name] && p.allowed(role) {
		p.call(b, "call_new", 0, 0, 0, 0, onNothing, 0, onNothing, 0) // to the management canister
	}
	t, args := wasm.SystemAPI()[p.name], p.args
	if args == nil {
		args = arguments[p.name]
	}
	for i, param := range t.Params {
		var value int64
		if args != nil {
			value = args[i]
		}
		if param == wasm.I64 {
			b.I64Const(value)
		} else {
			b.I32Const(int32(value))
		}
	}
	b.Call(p.imports[p.name])
	for range t.Results {
		b.Op(wasm.OpDrop)
	}
	return b
}

// reply ends a role that has to reply.
func (p *probe) reply(b *wasm.Body) *wasm.Body {
	if answers[p.name] {
		return b
	}
	return p.call(b, "msg_reply")
}

// reach calls the helper.
func (p *probe) reach(method, length, reply, reject int32) *wasm.Body {
	b := p.call(new(wasm.Body), "call_new", atHelper, 10, method, length, reply, 0, reject, 0)
	return b
}

// send sends the call in the making.
func (p *probe) send(b *wasm.Body) *wasm.Body { return p.call(b, "call_perform").Op(wasm.OpDrop) }

var (
	entryType    = wasm.FuncType{}
	callbackType = wasm.FuncType{Params: []wasm.ValType{wasm.I32}}
)

func (p *probe) function(t wasm.FuncType, b *wasm.Body) uint32 {
	return p.m.AddFunction(t, nil, b.End().Bytes())
}

func (p *probe) export(name string, b *wasm.Body) {
	p.m.Exports = append(p.m.Exports, wasm.Export{Name: name, Kind: wasm.KindFunction, Index: p.function(entryType, b)})
}

// flagged notes that a task came to its end: what traps leaves no trace.
func (p *probe) flagged(b *wasm.Body) *wasm.Body {
	return b.I32Const(atFlag).I32Const(1).Mem(wasm.OpI32Store8, 0, 0)
}

// running returns the module with the roles that need code that is installed already.
func (p *probe) running() []byte {
	body := func() *wasm.Body { return new(wasm.Body) }
	p.export("canister_update U", p.reply(p.make(body(), "U")))
	p.export("canister_query RQ", p.reply(p.make(body(), "RQ")))
	p.export("canister_query NRQ", p.reply(p.make(body(), "NRQ")))
	p.export("canister_composite_query CQ", p.reply(p.make(body(), "CQ")))

	p.export("canister_update Ry", p.send(p.reach(atReply, 5, onReply, onNothing)))
	p.export("canister_update Rt", p.send(p.reach(atRefuse, 6, onNothing, onReject)))
	p.export("canister_update C", p.send(p.call(p.reach(atReply, 5, onTrap, onNothing), "call_on_cleanup", onCleanup, 0)))
	p.export("canister_composite_query CRy", p.send(p.reach(atReply, 5, onCompositeReply, onNothing)))
	p.export("canister_composite_query CRt", p.send(p.reach(atRefuse, 6, onNothing, onCompositeReject)))
	p.export("canister_composite_query CC", p.send(p.call(p.reach(atReply, 5, onTrap, onNothing), "call_on_cleanup", onCompositeCleanup, 0)))
	p.m.Tables = []wasm.TableType{{Elem: wasm.FuncRef, Min: 8}}
	p.m.Elements = []wasm.Element{{Offset: wasm.ConstI32(0), Type: wasm.FuncRef, Funcs: []uint32{
		onNothing:          p.function(callbackType, body()),
		onReply:            p.function(callbackType, p.reply(p.make(body(), "Ry"))),
		onReject:           p.function(callbackType, p.reply(p.make(body(), "Rt"))),
		onTrap:             p.function(callbackType, body().Op(wasm.OpUnreachable)),
		onCleanup:          p.function(callbackType, p.make(body(), "C")),
		onCompositeReply:   p.function(callbackType, p.reply(p.make(body(), "CRy"))),
		onCompositeReject:  p.function(callbackType, p.reply(p.make(body(), "CRt"))),
		onCompositeCleanup: p.function(callbackType, p.make(body(), "CC")),
	}}}

	p.export("canister_global_timer", p.flagged(p.make(body(), "T")))
	p.export("canister_update arm", p.reply(body().I64Const(1).Call(p.imports["global_timer_set"]).Op(wasm.OpDrop)))
	p.export("canister_query flag", p.flag(body()))
	p.export("canister_pre_upgrade", p.make(body(), "G"))
	return p.m.Encode()
}

// flag replies with the flag.
func (p *probe) flag(b *wasm.Body) *wasm.Body {
	return p.call(p.call(b, "msg_reply_data_append", atFlag, 1), "msg_reply")
}

// only returns a module with one entry point, or with the call in its start function.
func (p *probe) only(entry, role string) []byte {
	b := p.make(new(wasm.Body), role)
	switch entry {
	case "canister_start":
		start := p.function(entryType, b)
		p.m.Start = &start
		return p.m.Encode()
	case "canister_heartbeat":
		p.flagged(b)
		p.export("canister_query flag", p.flag(new(wasm.Body)))
	case "canister_inspect_message":
		if p.name != "accept_message" {
			p.call(b, "accept_message")
		}
		p.export("canister_update F", p.call(new(wasm.Body), "msg_reply"))
	}
	p.export(entry, b)
	return p.m.Encode()
}

// helperModule replies to "reply" and refuses "refuse".
func helperModule() []byte {
	p := newProbe("msg_reject", principal.Management, nil)
	p.export("canister_query reply", p.call(new(wasm.Body), "msg_reply"))
	p.export("canister_query refuse", p.call(new(wasm.Body), "msg_reject", 0, 0))
	return p.m.Encode()
}
