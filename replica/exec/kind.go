package exec

// Kind says in which role code of a canister runs; it decides which system calls are legal
// (Interface Specification, "Overview of imports"). Kinds are bits so that a set of them is a Kind too.
type Kind uint32

// The roles.
const (
	Start            Kind = 1 << iota // the start function
	Init                              // canister_init and canister_post_upgrade
	PreUpgrade                        // canister_pre_upgrade
	Update                            // an update method
	ReplicatedQuery                   // a query method called as an update
	Query                             // a query method
	Transform                         // the transform function of an outcall
	CompositeQuery                    // a composite query method
	ReplyCallback                     // the reply callback of a call
	RejectCallback                    // the reject callback of a call
	CompositeReply                    // the reply callback of a call by a composite query
	CompositeReject                   // the reject callback of a call by a composite query
	Cleanup                           // the cleanup callback of a call
	CompositeCleanup                  // the cleanup callback of a call by a composite query
	Inspect                           // canister_inspect_message
	Heartbeat                         // canister_heartbeat
	Timer                             // canister_global_timer
	LowMemory                         // canister_on_low_wasm_memory
)

// Sets of roles that several system calls share.
const (
	task      = Heartbeat | Timer | LowMemory
	callbacks = ReplyCallback | RejectCallback
	// composites is every role inside a composite query.
	composites = CompositeQuery | CompositeReply | CompositeReject | CompositeCleanup
	queries    = ReplicatedQuery | Query | Transform
	// answering roles may reply and reject.
	answering = Update | queries | CompositeQuery | callbacks | CompositeReply | CompositeReject
	// calling roles may call other canisters.
	calling    = Update | CompositeQuery | callbacks | CompositeReply | CompositeReject | task
	everywhere = LowMemory<<1 - 1
	// running is everywhere but the start function.
	running = everywhere &^ Start
	// forgetful roles leave nothing behind, so that they do not pay for pages of the heap that they write.
	// Composite queries do: their callbacks see what they wrote.
	forgetful = queries | Inspect
	// nonReplicated roles are executed by one node alone and change nothing.
	nonReplicated = Query | Transform | Inspect | composites
)

// kindNames are the names that the production replica uses in contract violations.
var kindNames = map[Kind]string{
	Start: "start", Init: "init", PreUpgrade: "pre upgrade", Update: "update",
	ReplicatedQuery: "replicated query", Query: "non replicated query", Transform: "non replicated query",
	CompositeQuery: "composite query", ReplyCallback: "reply callback", RejectCallback: "reject callback",
	CompositeReply: "composite reply callback", CompositeReject: "composite reject callback",
	Cleanup: "cleanup", CompositeCleanup: "composite cleanup", Inspect: "inspect message",
	Heartbeat: "heartbeat", Timer: "global timer", LowMemory: "on low Wasm memory",
}

// String names the role as the production replica does.
func (k Kind) String() string { return kindNames[k] }

// in reports whether the role is one of a set.
func (k Kind) in(set Kind) bool { return k&set != 0 }
