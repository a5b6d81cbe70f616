package replica

import (
	"slices"
	"sync"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/exec"
)

// status is the running state of a canister; the numbers are those of ic0.canister_status.
type status int32

const (
	running  status = 1
	stopping status = 2
	stopped  status = 3
)

// canister is all that the network keeps of one canister. It is plain data but for instance and module,
// which can be made again from code, heap and stable memory.
type canister struct {
	id         principal.Principal
	settings   settings
	status     status
	balance    cycles.Amount
	version    uint64
	created    uint64 // nanoseconds
	installed  uint64 // when code was last installed; zero if never
	lastTime   uint64 // of the last step: time is strictly monotone
	lastCharge uint64 // when memory was last paid for

	code     []byte // as uploaded; nil if empty
	codeHash [32]byte
	module   *exec.Module
	instance *exec.Instance

	certifiedData []byte
	globalTimer   uint64 // zero if not set
	lowMemory     bool   // canister_on_low_wasm_memory has run and is not armed again

	contexts     map[uint64]*callContext
	callbacks    map[uint64]*callback
	nextID       uint64 // of contexts and callbacks
	stopRequests []stopRequest

	history     []change
	changeCount uint64
	logs        canisterLog
	chunks      []chunk
	snapshots   []*snapshot
	nextShot    uint64
	consumed    consumption

	// queryLock keeps steps of queries, which share the network's lock, apart.
	queryLock sync.Mutex
	// lastReport is what the last call, query or installation consumed, for tests.
	lastReport exec.Report
}

// stopRequest is somebody who waits for the canister to stop.
type stopRequest struct {
	origin origin
	since  uint64
	refund cycles.Amount
}

// settings are the settings of a canister, all of them set.
type settings struct {
	controllers           []principal.Principal
	computeAllocation     uint64 // percent
	memoryAllocation      uint64 // bytes
	freezingThreshold     uint64 // seconds
	reservedCyclesLimit   cycles.Amount
	minimumIncomingCycles cycles.Amount
	logVisibility         visibility
	snapshotVisibility    visibility
	statusVisibility      visibility
	logMemoryLimit        uint64 // bytes
	wasmMemoryLimit       uint64 // bytes; zero if unlimited
	wasmMemoryThreshold   uint64 // bytes
	environment           []exec.Variable
}

// visibility says who beside the controllers may see something.
type visibility struct {
	public  bool
	viewers []principal.Principal // who may see it if it is not public; nil for nobody else
	named   bool                  // the setting was allowed_viewers, though the list may be empty
}

// allows reports whether somebody who is not a controller may see it.
func (v visibility) allows(who principal.Principal) bool {
	return v.public || slices.Contains(v.viewers, who)
}

// Defaults of settings.
const (
	defaultFreezingThreshold = 2_592_000
	defaultLogLimit          = 4096
	maxLogLimit              = 2 << 20
	maxControllers           = 10
	maxVariables             = 20
)

func defaultSettings(controllers ...principal.Principal) settings {
	return settings{
		controllers:         controllers,
		freezingThreshold:   defaultFreezingThreshold,
		reservedCyclesLimit: cycles.Trillion(5),
		logMemoryLimit:      defaultLogLimit,
	}
}

func (c *canister) isController(who principal.Principal) bool {
	return slices.Contains(c.settings.controllers, who)
}

// stable returns a snapshot of the stable memory, empty if there is no code.
func (c *canister) stable() *exec.Stable {
	if c.instance == nil {
		return exec.NewStable()
	}
	return c.instance.Stable()
}

// callContext is a message that awaits its answer, and what the callbacks of the calls made on its behalf
// need to give it (Interface Specification, "Call contexts").
type callContext struct {
	id           uint64
	origin       origin
	caller       principal.Principal
	deadline     uint64
	available    cycles.Amount // cycles that came with the call and were not accepted
	answered     bool
	pending      int // calls without a response yet
	instructions uint64
	report       exec.Report // of all steps
}

// callback is what a canister runs when the response to one of its calls comes.
type callback struct {
	context       uint64
	callee        principal.Principal
	reply, reject exec.Callback
	cleanup       *exec.Callback
	cycles        cycles.Amount // sent along
	prepaid       cycles.Amount // for transmission and execution of the response
	deadline      uint64        // zero if the response is guaranteed
	expired       bool          // the deadline passed and the canister is about to be told
}

// newID returns a number for a context or callback.
func (c *canister) newID() uint64 {
	c.nextID++
	return c.nextID
}

// chunk is an entry of the chunk store.
type chunk struct {
	hash [32]byte
	data []byte
}

// consumption is what a canister spent, by use.
type consumption struct {
	memory, compute, ingress, instructions, transmission, creation, burned cycles.Amount
}
