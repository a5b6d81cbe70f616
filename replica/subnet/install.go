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
	mode           installMode
	code           []byte // as uploaded
	arg            []byte
	caller         principal.Principal
	by             change
	skipPreUpgrade bool
	keepHeap       bool
	heapChosen     bool // the caller said whether to keep the heap
}

// install installs, reinstalls or upgrades the code of a canister. It is atomic: if any of its parts
// fails, the canister is as it was, but for logs and cycles.
func (n *Subnet) install(ctx context.Context, c *canister, req installation) *reject.Error {
	prepaid := exec.ExecutionCost(exec.LimitInstall)
	if n.liquid(c).Less(prepaid) {
		return cannotPayInstallation(c, n.missing(c, prepaid))
	}
	var refusal *reject.Error
	switch {
	case req.mode == modeInstall && c.module != nil:
		refusal = notEmpty(c)
	case req.mode == modeUpgrade && c.module == nil:
		refusal = exec.WasmModuleNotFound(c.ID)
	}
	if refusal != nil {
		n.charge(c, exec.ExecutionCost(0), &c.Consumed.Instructions)
		return refusal
	}
	hash := sha256.Sum256(req.code)
	module, err := n.acquireModule(ctx, hash, req.code)
	if err != nil {
		n.charge(c, exec.ExecutionCost(min(exec.InvalidCost(req.code), exec.LimitInstall)), &c.Consumed.Instructions)
		n.trace.add(c.ID, c.Balance)
		return exec.InvalidWasm(c.ID, err)
	}
	i := &installer{Subnet: n, canister: c, req: req, module: module, hash: hash, left: exec.LimitInstall, firstLog: c.Logs.Next}
	failure := i.run(ctx)
	n.charge(c, exec.ExecutionCost(exec.LimitInstall-i.left), &c.Consumed.Instructions)
	n.report(c, 0, nil, i.report)
	n.trace.add(c.ID, i.report, c.Balance)
	n.state.Spent += exec.LimitInstall - i.left
	if failure != nil {
		n.releaseModule(ctx, module)
		return failure
	}
	return nil
}

// installer carries one installation through.
type installer struct {
	*Subnet
	canister *canister
	req      installation
	module   *exec.Module
	hash     [32]byte
	left     uint64 // instructions
	firstLog uint64 // index of the first entry of the log that the installation makes
	report   exec.Report
	pre      *exec.Step // pre_upgrade, not committed yet

	certified []byte
	timer     uint64
}

func (i *installer) run(ctx context.Context) *reject.Error {
	c := i.canister
	compile := i.module.CompileCost(i.state.Compiled[i.hash])
	if compile > i.left {
		return reject.New(reject.InstructionLimitExceeded, "Canister exceeded the limit of %d instructions for single message execution.", i.left)
	}
	i.left -= compile
	if err := i.checkPersistence(); err != nil {
		return err
	}
	if i.state.Compiled == nil {
		i.state.Compiled = make(map[[32]byte]bool)
	}
	i.state.Compiled[i.hash] = true
	stable := exec.NewStable()
	if i.req.mode == modeUpgrade {
		i.certified = c.CertifiedData
		if err := i.preUpgrade(ctx); err != nil {
			return err
		}
		if stable = c.stable(); i.pre != nil {
			stable = i.pre.Stable()
		}
	}
	fresh, err := i.begin(ctx, stable)
	if err != nil {
		if i.pre != nil {
			i.must(i.pre.Rollback(ctx))
		}
		return err
	}
	i.finish(ctx, fresh)
	return nil
}

// persistence is the metadata by which a module asks that its heap outlives upgrades.
const persistence = "enhanced-orthogonal-persistence"

// checkPersistence holds the choice for the heap against what the old and the new module ask for.
func (i *installer) checkPersistence() *reject.Error {
	if i.req.mode != modeUpgrade {
		return nil
	}
	_, old := i.canister.module.Section(persistence)
	_, fresh := i.module.Section(persistence)
	switch {
	case i.req.keepHeap && !fresh:
		return reject.New(reject.ContractViolation, "Invalid upgrade option: The `wasm_memory_persistence: opt Keep` upgrade option "+
			"requires that the new canister module supports enhanced orthogonal persistence.")
	case !i.req.heapChosen && old:
		return reject.New(reject.ContractViolation, "Missing upgrade option: Enhanced orthogonal persistence requires the "+
			"`wasm_memory_persistence` upgrade option.")
	}
	return nil
}

// preUpgrade runs canister_pre_upgrade of the old code.
func (i *installer) preUpgrade(ctx context.Context) *reject.Error {
	c := i.canister
	if i.req.skipPreUpgrade || !c.module.Has(exec.EntryPreUpgrade) {
		return nil
	}
	s := c.instance.Run(ctx, i.input(exec.PreUpgrade, exec.EntryPreUpgrade))
	if err := i.keep(s.Out); err != nil {
		i.must(s.Rollback(ctx))
		return err
	}
	i.pre = s
	return nil
}

// begin makes the new instance and runs its start function and canister_init or canister_post_upgrade.
func (i *installer) begin(ctx context.Context, stable *exec.Stable) (*exec.Instance, *reject.Error) {
	if err := i.module.CheckHeap(i.canister.ID, i.canister.Settings.WasmMemoryLimit); err != nil {
		return nil, err
	}
	fresh, used, err := i.instantiate(ctx, i.canister, i.module, stable, i.left)
	i.add(used)
	if err != nil {
		return nil, err
	}
	if i.req.keepHeap {
		if failure := fresh.AdoptHeap(i.canister.instance); failure != nil {
			i.must(fresh.Close(ctx))
			return nil, exec.InvalidWasm(i.canister.ID, failure)
		}
	}
	entry := exec.EntryInit
	if i.req.mode == modeUpgrade {
		entry = exec.EntryPostUpgrade
	}
	if !i.module.Has(entry) {
		return fresh, nil
	}
	s := fresh.Run(ctx, i.input(exec.Init, entry))
	if err := i.keep(s.Out); err != nil {
		i.must(fresh.Close(ctx))
		return nil, err
	}
	s.Commit()
	return fresh, nil
}

// input is the input of an entry point of the installation.
func (i *installer) input(kind exec.Kind, entry string) exec.Input {
	env := i.env(i.canister)
	env.GlobalTimer = i.timer
	env.Version++ // the new code already sees the version that it will have
	return exec.Input{Kind: kind, Entry: entry, Caller: i.req.caller, Arg: i.req.arg, Limit: i.left, Env: env}
}

// keep notes what an entry point gave, to be carried out if the whole installation succeeds.
func (i *installer) keep(out exec.Output) *reject.Error {
	i.log(i.canister, out.Logs)
	i.add(out.Report)
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

// add adds up what the parts of the installation consumed.
func (i *installer) add(r exec.Report) {
	i.left -= min(i.left, r.Instructions)
	i.report = i.report.Plus(r)
}

// finish puts the new instance in the place of the old one.
func (i *installer) finish(ctx context.Context, fresh *exec.Instance) {
	c := i.canister
	if c.instance != nil {
		i.must(c.instance.Close(ctx))
		i.releaseModule(ctx, c.module)
	}
	c.Code, c.CodeHash = i.req.code, i.hash
	c.module, c.instance = i.module, fresh
	c.CertifiedData, c.GlobalTimer, c.LowMemory = i.certified, i.timer, false
	if i.req.mode == modeReinstall {
		c.Logs.dropBefore(i.firstLog) // what the new code logged while it was installed stays
	}
	c.Version++
	c.Installed = i.state.Time
	i.touchCanister(c.ID)
	by := i.req.by
	by.Kind, by.ModuleHash = changeInstall+changeKind(i.req.mode), c.CodeHash
	i.record(c, by)
	i.watchMemory(c)
}
