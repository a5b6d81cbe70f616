package subnet

import (
	"context"
	"crypto/sha256"

	"kedge/ic/principal"
	"kedge/replica/exec"
	"kedge/replica/reject"
)

// installMode says how code is installed.
type installMode uint8

const (
	modeInstall installMode = iota
	modeReinstall
	modeUpgrade
)

// installation is a request to install code.
type installation struct {
	Mode           installMode
	Code           []byte // as uploaded
	Arg            []byte
	Caller         principal.Principal
	By             change
	SkipPreUpgrade bool
	KeepHeap       bool
	HeapChosen     bool // the caller said whether to keep the heap

	Assembly    uint64        // instructions that joining its chunks costs
	Unassembled *reject.Error // why its chunks cannot be joined; nil if they can

	Env     exec.Env // when it began
	Compile uint64   // instructions that compiling costs
}

// install installs, reinstalls or upgrades the code of a canister. It is atomic: if any of its parts
// fails, the canister is as it was, but for logs and cycles. If it takes long it is concluded in a later round.
func (n *Subnet) install(ctx context.Context, c *canister, req *installation, request *call) (ended bool, err *reject.Error) {
	prepaid := exec.ExecutionCost(exec.LimitInstall)
	if n.liquid(c).Less(prepaid) {
		return true, cannotPayInstallation(lackingFor(c, n.missing(c, prepaid), req.Caller))
	}
	switch {
	case req.Mode == modeInstall && c.module != nil:
		err = notEmpty(c)
	case n.state.LimitInstalls && c.InstallDebit > 0:
		err = rateLimited(c)
	case req.Mode == modeUpgrade && c.module == nil:
		err = exec.WasmModuleNotFound(c.ID)
	}
	if err != nil {
		n.charge(c, exec.ExecutionCost(0), &c.Consumed.Instructions)
		return true, err
	}
	req.Env = n.env(c)
	e := &execution{Install: req, Request: request}
	i := n.newInstaller(ctx, c, e)
	if i.module != nil {
		req.Compile = i.module.CompileCost(n.state.Compiled[i.hash])
	}
	e.progress = i
	if !n.run(ctx, c, e) {
		return false, nil
	}
	return true, i.failure
}

// newInstaller compiles the code of an installation. Code that is refused is refused when its turn comes: an upgrade
// runs canister_pre_upgrade before it.
func (n *Subnet) newInstaller(ctx context.Context, c *canister, e *execution) *installer {
	i := &installer{Subnet: n, execution: e, req: e.Install, old: c.instance, oldModule: c.module, oldCertified: c.CertifiedData,
		oldTimer: c.GlobalTimer, left: exec.LimitInstall}
	if e.Install.Unassembled != nil {
		return i
	}
	i.hash = sha256.Sum256(e.Install.Code)
	module, err := n.acquireModule(ctx, i.hash, e.Install.Code)
	if err != nil {
		i.invalid = exec.InvalidWasm(c.ID, err)
		return i
	}
	i.module = module
	return i
}

// installer carries one installation through. Its run does not touch the state: it may go on between rounds.
type installer struct {
	*Subnet
	execution    *execution
	req          *installation
	old          *exec.Instance // nil if the canister is empty
	oldModule    *exec.Module
	oldCertified []byte
	oldTimer     uint64
	module       *exec.Module  // nil if the code is refused
	invalid      *reject.Error // why it is
	hash         [32]byte

	left   uint64 // instructions
	report exec.Report
	logs   []exec.Log
	pre    *exec.Step // pre_upgrade, not committed yet

	failure   *reject.Error
	fresh     *exec.Instance // nil if the installation failed
	certified []byte
	timer     uint64
	begun     bool // the new code was about to run: its log begins
}

// run runs all parts of the installation.
func (i *installer) run(ctx context.Context) { i.fresh, i.failure = i.runParts(ctx) }

func (i *installer) runParts(ctx context.Context) (*exec.Instance, *reject.Error) {
	stable := exec.NewStable()
	if i.req.Mode == modeUpgrade {
		if err := i.preUpgrade(ctx); err != nil {
			return nil, err
		}
		if i.pre != nil {
			stable = i.pre.Stable()
		} else {
			stable = i.old.Stable()
		}
	}
	i.left -= min(i.left, i.req.Assembly)
	if i.req.Unassembled != nil {
		return nil, i.req.Unassembled
	}
	if i.module == nil {
		i.left -= min(i.left, exec.InvalidCost(i.req.Code))
		if err := i.checkPersistence(); err != nil {
			return nil, err
		}
		return nil, i.invalid
	}
	i.left -= min(i.left, i.req.Compile)
	if err := i.checkPersistence(); err != nil {
		return nil, err
	}
	i.begun = true
	return i.begin(ctx, stable)
}

// persistence is the metadata by which a module asks that its heap outlives upgrades.
const persistence = "enhanced-orthogonal-persistence"

// checkPersistence holds the choice for the heap against what the old and the new module ask for.
func (i *installer) checkPersistence() *reject.Error {
	if i.req.Mode != modeUpgrade {
		return nil
	}
	_, old := i.oldModule.Section(persistence)
	fresh := false
	if i.module != nil {
		_, fresh = i.module.Section(persistence)
	}
	switch {
	case i.req.KeepHeap && !fresh:
		return reject.New(reject.ContractViolation, "Invalid upgrade option: The `wasm_memory_persistence: opt Keep` upgrade option "+
			"requires that the new canister module supports enhanced orthogonal persistence.")
	case !i.req.HeapChosen && old:
		return reject.New(reject.ContractViolation, "Missing upgrade option: Enhanced orthogonal persistence requires the "+
			"`wasm_memory_persistence` upgrade option.")
	}
	return nil
}

// preUpgrade runs canister_pre_upgrade of the old code, if it has it, while its certified data and timer stand; then
// the timer is unset.
func (i *installer) preUpgrade(ctx context.Context) *reject.Error {
	i.certified, i.timer = i.oldCertified, i.oldTimer
	defer func() { i.timer = 0 }()
	if i.req.SkipPreUpgrade || !i.oldModule.Has(exec.EntryPreUpgrade) {
		return nil
	}
	i.pre = i.old.Run(ctx, i.input(ctx, exec.PreUpgrade, exec.EntryPreUpgrade))
	return i.keep(i.pre.Out)
}

// begin makes the new instance and runs its start function and canister_init or canister_post_upgrade. Whether its
// heap is within the canister's limit is looked at last.
func (i *installer) begin(ctx context.Context, stable *exec.Stable) (*exec.Instance, *reject.Error) {
	if err := i.module.CheckInitialHeap(i.execution.Canister, i.req.Env.WasmLimit); err != nil {
		return nil, err
	}
	fresh, err := i.engine.Instantiate(ctx, i.module, stable)
	if err != nil {
		return nil, exec.InvalidWasm(i.execution.Canister, err)
	}
	failure := i.initialise(ctx, fresh)
	if failure == nil {
		failure = exec.CheckHeap(i.execution.Canister, fresh.HeapPages(), i.req.Env.WasmLimit)
	}
	if failure != nil {
		i.must(fresh.Close(ctx))
		return nil, failure
	}
	return fresh, nil
}

func (i *installer) initialise(ctx context.Context, fresh *exec.Instance) *reject.Error {
	if err := i.enter(ctx, fresh, exec.Start, exec.EntryStart); err != nil {
		return err
	}
	if i.req.KeepHeap {
		if err := fresh.CopyHeap(i.old); err != nil {
			return exec.InvalidWasm(i.execution.Canister, err)
		}
	}
	entry := exec.EntryInit
	if i.req.Mode == modeUpgrade {
		entry = exec.EntryPostUpgrade
	}
	return i.enter(ctx, fresh, exec.Init, entry)
}

// enter runs an entry point of the new code, if it has it.
func (i *installer) enter(ctx context.Context, fresh *exec.Instance, kind exec.Kind, entry string) *reject.Error {
	if !i.module.Has(entry) {
		return nil
	}
	s := fresh.Run(ctx, i.input(ctx, kind, entry))
	if err := i.keep(s.Out); err != nil {
		return err
	}
	s.Commit()
	return nil
}

// input is the input of an entry point of the installation.
func (i *installer) input(ctx context.Context, kind exec.Kind, entry string) exec.Input {
	in := exec.Input{Kind: kind, Entry: entry, Limit: i.left, Env: i.req.Env, Pause: i.pause(ctx, i.execution, i.forked)}
	in.Env.QueueSpace = func(principal.Principal) int { return 0 } // nothing here may call
	switch kind {
	case exec.Start:
		return in
	case exec.PreUpgrade:
		in.Env.GlobalTimer = i.timer
	default:
		in.Env.GlobalTimer = i.timer
		in.Env.Version++ // the new code already sees the version that it will have
	}
	in.Caller, in.Arg = i.req.Caller, i.req.Arg
	return in
}

// forked is the step that readers are to see the state before: pre_upgrade, which alone changes what they see.
func (i *installer) forked(s *exec.Step) *exec.Step {
	switch {
	case i.pre != nil:
		return i.pre
	case s.Kind() == exec.PreUpgrade:
		return s
	}
	return nil
}

// keep notes what an entry point gave, to be carried out if the whole installation succeeds.
func (i *installer) keep(out exec.Output) *reject.Error {
	i.logs = append(i.logs, out.Logs...)
	i.left -= min(i.left, out.Report.Instructions)
	i.report = i.report.Plus(out.Report)
	i.execution.before += out.Report.Instructions
	if out.Err != nil {
		return out.Err
	}
	if out.CertifiedData != nil {
		i.certified = out.CertifiedData
	}
	if out.GlobalTimer != nil {
		i.timer = *out.GlobalTimer
	}
	return nil
}

// concludeInstallation books what an installation cost, and puts the new instance in the place of the old one if
// it succeeded.
func (n *Subnet) concludeInstallation(ctx context.Context, c *canister, e *execution) {
	i := e.progress
	n.undoPreUpgrade(ctx, c, e)
	used := exec.LimitInstall - i.left
	c.InstallDebit += used
	n.charge(c, exec.ExecutionCost(used), &c.Consumed.Instructions)
	n.report(c, 0, nil, i.report)
	n.trace.add(c.ID, i.report, c.Balance)
	if !e.isLong {
		n.state.Spent += used
	}
	if i.failure == nil {
		if i.failure = n.checkGrowth(c, i.growth(c)); i.failure != nil {
			n.must(i.fresh.Close(ctx))
		}
	}
	if i.begun && i.req.Mode != modeUpgrade {
		c.Logs.clear() // even if the installation fails
	}
	n.log(c, i.logs)
	if i.failure == nil {
		if n.state.Compiled == nil {
			n.state.Compiled = make(map[[32]byte]bool)
		}
		n.state.Compiled[i.hash] = true // what was refused is compiled anew
		n.replaceCode(ctx, c, i)
	} else if i.module != nil {
		n.releaseModule(ctx, i.module)
	}
	if !e.isLong {
		return // who asked is answered by the caller
	}
	answer := replied(emptyReply)
	if i.failure != nil {
		answer = refused(i.failure)
	}
	n.respond(e.Request.Origin, answer, e.Request.Cycles)
}

// growth is how many bytes more the canister would hold with the new code, an entry of its history included.
func (i *installer) growth(c *canister) uint64 {
	fresh := *c
	fresh.Code, fresh.module, fresh.heapPages, fresh.stablePages = i.req.Code, i.module, i.fresh.HeapPages(), i.fresh.StablePages()
	after, before := fresh.memory().total()+historySize, c.memory().total()
	return after - min(before, after)
}

// undoPreUpgrade takes back what pre_upgrade did to the old instance: the new one has its stable memory.
func (n *Subnet) undoPreUpgrade(ctx context.Context, c *canister, e *execution) {
	switch i := e.progress; {
	case e.twin != nil:
		n.must(i.old.Close(ctx)) // the twin is as it was
	case i.pre != nil:
		n.must(i.pre.Rollback(ctx))
	}
}

// replaceCode puts a new instance in the place of the old one.
func (n *Subnet) replaceCode(ctx context.Context, c *canister, i *installer) {
	if c.instance != nil {
		n.must(c.instance.Close(ctx))
		n.releaseModule(ctx, c.module)
	}
	c.Code, c.CodeHash = i.req.Code, i.hash
	c.module, c.instance = i.module, i.fresh
	c.measure()
	c.CertifiedData, c.GlobalTimer, c.LowMemory = i.certified, i.timer, false
	c.Version++
	c.Installed = n.state.Time
	n.touchCanister(c.ID)
	by := i.req.By
	by.Kind, by.ModuleHash = changeInstall+changeKind(i.req.Mode), c.CodeHash
	n.record(c, by)
	n.watchMemory(c)
}
