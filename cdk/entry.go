package cdk

import "fmt"

// entry says what kind of entry point is running.
type entry uint8

const (
	entryNone entry = iota
	entryInit
	entryPreUpgrade
	entryPostUpgrade
	entryUpdate
	entryQuery
	entryInspect
	entryTimer
	entryHeartbeat
	entryCallback
	entryCleanup
)

// running is the entry point that is running, or the last one.
var running entry

// keeps reports whether the state that the entry point leaves is kept, so that it may do what
// only makes sense then: draw random bytes, collect garbage.
func (e entry) keeps() bool { return e != entryNone && e != entryQuery && e != entryInspect }

// Update runs f as an update method (export canister_update__name). A panic in f becomes a trap
// with its message: the network undoes all that the message did, to memory, stable memory and
// outgoing calls, and the caller gets the message as an error.
func Update(f func()) { run(entryUpdate, f) }

// Query runs f as a query method (export canister_query__name). What f changes is forgotten.
func Query(f func()) { run(entryQuery, f) }

// Init runs f when the canister is installed (export canister_init).
func Init(f func()) { run(entryInit, f) }

// PreUpgrade runs f in the old module before an upgrade (export canister_pre_upgrade). A trap
// here makes the upgrade fail; a canister whose truth is in stable memory needs none.
func PreUpgrade(f func()) { run(entryPreUpgrade, f) }

// PostUpgrade runs f in the new module after an upgrade (export canister_post_upgrade). Of the old
// module only stable memory and the certified data are left; timers have to be set again.
func PostUpgrade(f func()) { run(entryPostUpgrade, f) }

// Timer runs f when the time given to [SetTimer] has come (export canister_global_timer).
func Timer(f func()) { run(entryTimer, f) }

// Heartbeat runs f about once a second, at a price (export canister_heartbeat). Prefer a timer.
func Heartbeat(f func()) { run(entryHeartbeat, f) }

// InspectMessage runs f before an update call from outside is let in (export
// canister_inspect_message); f says yes with [AcceptMessage]. One replica alone runs it: it saves
// cycles and is no protection.
func InspectMessage(f func()) { run(entryInspect, f) }

// run is what all entry points have in common.
func run(e entry, f func()) {
	checkInstalled()
	running = e
	defer trapOnPanic()
	f()
	if e.keeps() {
		collectGarbage()
	}
}

// trapOnPanic is deferred.
func trapOnPanic() {
	if r := recover(); r != nil {
		checkTrap(r)
		system.Trap(panicMessage(r))
	}
}

func panicMessage(r any) string {
	switch r := r.(type) {
	case string:
		return r
	case error:
		return r.Error()
	}
	return fmt.Sprint(r)
}
