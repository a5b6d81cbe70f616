package subnet

import (
	"slices"

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
	ID         principal.Principal
	Settings   settings
	Status     status
	Balance    cycles.Amount
	Version    uint64
	Created    uint64 // nanoseconds
	Installed  uint64 // when code was last installed; zero if never
	LastTime   uint64 // of the last step: time never goes back
	LastCharge uint64 // when memory was last paid for

	Code     []byte // as uploaded; nil if empty
	CodeHash [32]byte
	module   *exec.Module
	instance *exec.Instance

	execution *execution // that goes on between rounds; nil if there is none

	// The sizes of heap and stable memory in pages of 64 KiB, as of the last round: readers must not ask the
	// instance, on which a query may be running.
	heapPages, stablePages uint64

	CertifiedData []byte
	GlobalTimer   uint64 // zero if not set
	Turn          turn
	InstallDebit  uint64 // instructions of installations, less what rounds forgave; counts if installations are limited
	LowMemory     bool   // canister_on_low_wasm_memory has run and is not armed again

	Contexts     map[uint64]*callContext
	Callbacks    map[uint64]*callback
	NextID       uint64 // of contexts and callbacks
	StopRequests []stopRequest

	History     []change
	ChangeCount uint64
	Logs        canisterLog
	Chunks      []chunk
	Snapshots   []*snapshot
	NextShot    uint64
	Consumed    consumption
}

// stopRequest is somebody who waits for the canister to stop.
type stopRequest struct {
	Origin origin
	Since  uint64
	Refund cycles.Amount
}

// settings are the settings of a canister, all of them set.
type settings struct {
	Controllers           []principal.Principal
	ComputeAllocation     uint64 // percent
	MemoryAllocation      uint64 // bytes
	FreezingThreshold     uint64 // seconds
	ReservedCyclesLimit   cycles.Amount
	MinimumIncomingCycles cycles.Amount
	LogVisibility         visibility
	SnapshotVisibility    visibility
	StatusVisibility      visibility
	LogMemoryLimit        uint64 // bytes
	LogLimitSet           bool   // somebody asked for LogMemoryLimit; if not, it is told as zero, as production does
	WasmMemoryLimit       uint64 // bytes; zero if unlimited
	WasmMemoryThreshold   uint64 // bytes
	Environment           []exec.Variable
}

// visibility says who besides the controllers may see something.
type visibility struct {
	Public  bool
	Viewers []principal.Principal // who may see it if it is not public; nil for nobody else
	Named   bool                  // the setting was allowed_viewers, though the list may be empty
}

// allows reports whether somebody who is not a controller may see it.
func (v visibility) allows(who principal.Principal) bool {
	return v.Public || slices.Contains(v.Viewers, who)
}

// Defaults of settings.
const (
	defaultFreezingThreshold = 2_592_000
	defaultLogLimit          = 4096
	defaultWasmLimit         = 3 << 30
	maxLogLimit              = 2 << 20
	maxVariables             = 20
)

func defaultSettings(controllers ...principal.Principal) settings {
	return settings{
		Controllers:         controllers,
		FreezingThreshold:   defaultFreezingThreshold,
		ReservedCyclesLimit: cycles.Trillion(5),
		LogMemoryLimit:      defaultLogLimit,
		WasmMemoryLimit:     defaultWasmLimit,
	}
}

func (c *canister) isController(who principal.Principal) bool {
	return slices.Contains(c.Settings.Controllers, who)
}

// measure notes the sizes of the memories after the instance has changed.
func (c *canister) measure() {
	c.heapPages, c.stablePages = 0, 0
	if c.instance != nil {
		c.heapPages, c.stablePages = c.instance.HeapPages(), c.instance.StablePages()
	}
}

// callContext is a message that awaits its answer, and what the callbacks of the calls made on its behalf
// need to give it (Interface Specification, "Call contexts").
type callContext struct {
	ID           uint64
	Origin       origin
	Caller       principal.Principal
	Info         exec.CallerInfo
	Deadline     uint64
	Available    cycles.Amount // cycles that came with the call and were not accepted
	Answered     bool
	Pending      int // calls without a response yet
	Instructions uint64
	Report       exec.Report // of all steps
}

// callback is what a canister runs when the response to one of its calls comes.
type callback struct {
	Context       uint64
	Callee        principal.Principal
	Reply, Reject exec.Callback
	Cleanup       *exec.Callback
	Cycles        cycles.Amount // sent along
	Prepaid       cycles.Amount // for transmission and execution of the response
	Deadline      uint64        // zero if the response is guaranteed
	Expired       bool          // the deadline passed and the canister is about to be told
}

// newID returns a number for a context or callback.
func (c *canister) newID() uint64 {
	c.NextID++
	return c.NextID
}

// chunk is an entry of the chunk store.
type chunk struct {
	Hash [32]byte
	Data []byte
}

// consumption is what a canister spent, by use.
type consumption struct {
	Memory, Compute, Ingress, Instructions, Transmission, Creation, Outcalls, Burned, Uninstalled cycles.Amount
}
