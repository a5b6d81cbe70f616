package builtin

import (
	_ "embed"
	"slices"
	"strings"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// The built-in canisters, by their ids of mainnet.
var (
	ICPLedger     = principal.Canister(2)         // ryjl3-tyaaa-aaaaa-aaaba-cai
	CyclesMinting = principal.Canister(4)         // rkp4c-7iaaa-aaaaa-aaaca-cai
	CyclesLedger  = principal.Canister(0x2100002) // um5iw-rqaaa-aaaaq-qaaba-cai
)

// State is what the built-in canisters remember.
type State struct {
	Cycles, ICP Ledger
}

// Opening balances of accounts on a network that nobody funds: what a developer needs for a long time.
var (
	openingCycles = cycles.Trillion(1_000)
	openingICP    = cycles.New(10_000 * e8s)
)

// New returns the state of a fresh network. With open, every account begins with 1,000 T cycles and 10,000
// ICP; without, with nothing.
func New(open bool) State {
	if !open {
		return State{}
	}
	return State{Cycles: Ledger{Opening: openingCycles}, ICP: Ledger{Opening: openingICP}}
}

// Host is the network as the built-in canisters need it.
type Host interface {
	// Subnet is the network's only subnet.
	Subnet() principal.Principal
	// Exists reports whether there is a canister with an id.
	Exists(canister principal.Principal) bool
	// Create makes a canister that pays for its creation from its balance. It fails if a setting is
	// refused or the balance does not suffice.
	Create(creator principal.Principal, settings *management.Settings, balance cycles.Amount) (principal.Principal, *reject.Error)
	// TopUp gives cycles to a canister that exists.
	TopUp(canister principal.Principal, amount cycles.Amount)
}

// Call is a call of a built-in canister. Queries have no cycles.
type Call struct {
	Host     Host
	Canister principal.Principal
	Caller   principal.Principal
	Method   string
	Arg      []byte
	Cycles   cycles.Amount
	Time     uint64 // nanoseconds since 1970

	accepted cycles.Amount
}

// session is a call being executed.
type session struct {
	*Call
	state *State
}

// method is a method of one or more built-in canisters.
type method struct {
	query bool
	run   func(s *session) ([]byte, *reject.Error)
}

// builtin is a built-in canister.
type builtin struct {
	methods map[string]method
	ledger  func(*State) *Ledger // nil if it is not one
	token   token
}

// builtins is filled on start: methods refer to it.
var builtins map[principal.Principal]*builtin

func init() {
	builtins = map[principal.Principal]*builtin{
		ICPLedger: {methods: join(tokenMethods, allowanceMethods, icpMethods), token: icpToken,
			ledger: func(s *State) *Ledger { return &s.ICP }},
		CyclesLedger: {methods: join(tokenMethods, allowanceMethods, cyclesMethods), token: cyclesToken,
			ledger: func(s *State) *Ledger { return &s.Cycles }},
		CyclesMinting: {methods: mintingMethods},
	}
}

func join(groups ...map[string]method) map[string]method {
	all := make(map[string]method)
	for _, group := range groups {
		for name, m := range group {
			all[name] = m
		}
	}
	return all
}

// IDs lists the built-in canisters in order.
func IDs() []principal.Principal {
	return []principal.Principal{ICPLedger, CyclesMinting, CyclesLedger}
}

// Has reports whether an id is that of a built-in canister.
func Has(canister principal.Principal) bool { return builtins[canister] != nil }

// HasMethod reports whether a built-in canister has a method, and whether it is a query.
func HasMethod(canister principal.Principal, name string) (query, ok bool) {
	m, ok := builtins[canister].methods[name]
	return m.query, ok
}

//go:embed builtin.did
var allInterfaces string

// Interface returns the Candid interface of a built-in canister: all types, and the methods that it has.
func Interface(canister principal.Principal) string {
	var out []string
	_, text, _ := strings.Cut(allInterfaces, "\n\n") // without the comment at its head
	for line := range strings.Lines(text) {
		name, _, isMethod := strings.Cut(line, " : (")
		if isMethod && strings.HasPrefix(name, "  ") && !slices.Contains(builtins[canister].names(), name[2:]) {
			continue
		}
		out = append(out, line)
	}
	return strings.Join(out, "")
}

func (b *builtin) names() (names []string) {
	for name := range b.methods {
		names = append(names, name)
	}
	return names
}

// Call executes a call and returns the reply and the cycles that were accepted. The method must be one
// that the canister has.
func (s *State) Call(c Call) (reply []byte, accepted cycles.Amount, err *reject.Error) {
	reply, err = builtins[c.Canister].methods[c.Method].run(&session{&c, s})
	return reply, c.accepted, err
}

// trap is how the original refuses what it cannot answer.
func (s *session) trap(text string) *reject.Error {
	return reject.New(reject.CalledTrap, "Error from Canister %s: Canister called `ic0.trap` with message: '%s'", s.Canister, text)
}

// own returns what belongs to the canister that is called.
func (s *session) own() (*Ledger, token) {
	b := builtins[s.Canister]
	return b.ledger(s.state), b.token
}

// taking makes a method from a function with an argument.
func taking[A, R any](query bool, decode func([]byte) (A, error), encode func(R) []byte, run func(s *session, arg A) (R, *reject.Error)) method {
	return method{query, func(s *session) ([]byte, *reject.Error) {
		arg, err := decode(s.Arg)
		if err != nil {
			return nil, s.trap("failed to decode call arguments: " + err.Error())
		}
		result, refused := run(s, arg)
		if refused != nil {
			return nil, refused
		}
		return encode(result), nil
	}}
}

// telling makes a query without an argument.
func telling[R any](encode func(R) []byte, run func(s *session) R) method {
	return method{true, func(s *session) ([]byte, *reject.Error) { return encode(run(s)), nil }}
}
