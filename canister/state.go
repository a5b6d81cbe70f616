package canister

import (
	"kedge/canister/assets"
	"kedge/canister/delegation"
	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/cdk"
	"kedge/ic/principal"
)

// heapState is what the canister holds in memory between messages. All of it can be had again: from stable
// memory, or by asking the client or the network once more.
type heapState struct {
	self       principal.Principal
	store      *storage.Store
	clock      identity.ServiceClock
	settings   settings
	signatures *delegation.Signatures
	site       *assets.Site
	published  bool     // the documents of the init argument are in the site
	siteRoot   [32]byte // the hash of the site, beside the signatures in the certified tree
	due        uint64   // when the timer should run, ns since the epoch
	prunes     uint64   // when Signatures wants to be pruned, ns since the epoch, 0 for never
	seeded     bool     // crypto/rand works
	warm       bool     // tables that verifying takes are made
	admission  admission
	checking   storage.Check // how far fsck has come
	upgradedAt uint64
}

var state heapState

// signatures are those of state. They are a variable of their own, as the first store and the scratch memory are,
// because variables lie together, where the heap would put each on pages of its own.
var signatures delegation.Signatures

// Times are in nanoseconds.
const (
	second = uint64(1_000_000_000)
	// serviceStep is how often the timer advances service time when nobody calls (design rule 6).
	serviceStep = 30 * 60 * second
)

// open sets the state up around an open store.
func open(store *storage.Store) {
	signatures.Init()
	state = heapState{
		self:       cdk.ID(),
		store:      store,
		signatures: &signatures,
		upgradedAt: cdk.Time(),
	}
	state.clock.Time, state.clock.Last = store.ServiceTime()
	state.settings = loadSettings(store)
	site, err := assets.Open(assets.Page)
	must(err)
	state.site, state.siteRoot = site, site.Root()
	if !site.HasPage() {
		cdk.Print("this module was built without its web page: install Node.js, run `make build`, and upgrade to the new module")
	}
	certify()
	// The first tick seeds the random numbers: installing and upgrading may not call other canisters.
	arm(cdk.Time() + 1)
}

// certify tells the network the root of the certified tree.
func certify() {
	root := state.signatures.Root(&state.siteRoot)
	cdk.SetCertifiedData(root[:])
}

// advance steps service time, as every update call does, and returns the time.
func advance() uint64 {
	now := cdk.Time()
	state.clock.Advance(now)
	must(state.store.SetServiceTime(state.clock.Time, state.clock.Last))
	return now
}

// tick is the global timer: it advances service time, prunes signatures and sets itself again.
func tick() {
	advance()
	prune()
	publish()
	if err := migrate(); err != nil {
		cdk.Print("migration: " + err.Error())
	}
	setTimer()
	if !state.warm {
		state.warm = true
		warm()
	}
	if !state.seeded {
		seed(func() {})
	}
}

// arm sets the timer.
func arm(at uint64) {
	state.due = at
	cdk.SetTimer(at)
}

// rearm sets a timer again that was due long ago and did not run: one whose message trapped is gone.
func rearm(now uint64) {
	if now > state.due+serviceStep {
		setTimer()
	}
}

// armNow has the timer run again at once: there is work left.
func armNow() { arm(cdk.Time() + 1) }

// prune takes out expired signatures.
func prune() {
	next, changed := state.signatures.Prune(cdk.Time())
	state.prunes = next
	if changed {
		certify()
	}
}

// setTimer has the timer run when service time wants a step, or signatures have expired; at once where a
// migration is under way, so that people who sign in do not put it off.
func setTimer() {
	if underWay() {
		armNow()
		return
	}
	at := cdk.Time() + serviceStep
	if state.prunes != 0 {
		at = min(at, max(state.prunes, cdk.Time()+1))
	}
	arm(at)
}

// seed runs then once crypto/rand works: at once, or after the network has sent randomness. In the second
// case it runs in another message, so everything that was checked before has to be checked again.
func seed(then func()) {
	if state.seeded {
		then()
		return
	}
	cdk.SeedRandom(func(err error) {
		advance()
		must(err)
		state.seeded = true
		then()
	})
}

// must traps: what goes wrong here leaves nothing behind.
func must(err error) {
	if err != nil {
		cdk.Trap(err.Error())
	}
}
