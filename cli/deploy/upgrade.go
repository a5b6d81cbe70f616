package deploy

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"kedge/candid/compat"
	"kedge/candid/did"
	"kedge/candid/kedge"
	"kedge/candid/wire"
	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/ui"
	"kedge/ic/management"
	"kedge/ic/principal"
)

// cleanUpTime is how long the canister may take to be started again, which is tried even when the person has
// interrupted the command.
const cleanUpTime = time.Minute

func cleanUp(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
}

// upgrade shows what changes, asks, and upgrades.
func (d *deployment) upgrade(ctx context.Context) error {
	d.mode = "upgrade"
	arg, err := d.compare(ctx)
	if err != nil || d.options.dryRun {
		return err
	}
	return d.run(ctx, d.argument(arg), d.replace)
}

// compare shows what the upgrade changes and asks where it takes something away. It returns the argument.
func (d *deployment) compare(ctx context.Context) (*kedge.KedgeInit, error) {
	old, err := d.oldSettings(ctx)
	if err != nil {
		return nil, err
	}
	arg, err := d.options.settings.argument(old)
	if err != nil {
		return nil, err
	}
	asked := arg
	if d.options.argumentHex != "" {
		if asked, err = kedge.DecodeInitArgs(d.options.argument); err != nil {
			d.Warn("what --arg changes of the settings cannot be shown: %v", err)
			asked = nil
		}
	}
	d.settings = settingChanges(old, asked)
	if err := d.compareInterfaces(ctx); err != nil {
		return nil, err
	}
	return arg, d.show()
}

// oldSettings reads the settings that the canister has; nil if it does not tell: it is stopped, or its module
// knows of none.
func (d *deployment) oldSettings(ctx context.Context) (*kedge.KedgeInit, error) {
	if d.before.Status != management.RunStateRunning {
		return nil, nil
	}
	reply, err := d.c.Query(ctx, d.canister, "config", kedge.EncodeConfigArgs())
	var reject *client.Reject
	if errors.As(err, &reject) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := kedge.DecodeConfigResult(reply)
	if err != nil { // of another provider, which means something else by this name
		return nil, nil
	}
	return &s, nil
}

// compareInterfaces compares the metadata candid:service of the module that runs with that of the new one.
func (d *deployment) compareInterfaces(ctx context.Context) error {
	text, err := d.c.Metadata(ctx, d.canister, "candid:service")
	if err != nil {
		return fmt.Errorf("reading the interface of canister %s: %w", d.canister, err)
	}
	old, err := did.Parse(string(text))
	switch {
	case d.about.service == nil:
		d.Warn("the interfaces cannot be compared: the new module has no metadata candid:service that can be read")
		return nil
	case text == nil || err != nil:
		d.Warn("the interfaces cannot be compared: what canister %s runs has no metadata candid:service that can be read", d.canister)
		if d.options.dryRun {
			return nil
		}
		return d.Confirm(fmt.Sprintf("what canister %s runs may be something else than an identity provider, and all of it is replaced", d.canister))
	}
	d.changes = compat.Compare(old, d.about.service)
	return nil
}

// show prints the changes on standard error and asks if one takes something away.
func (d *deployment) show() error {
	narrowed := 0
	mark := func(narrows bool) string {
		if narrows {
			narrowed++
			return "!"
		}
		return " "
	}
	if len(d.settings)+len(d.changes) > 0 {
		d.Note("this upgrade changes (! takes something away):")
	}
	for _, s := range d.settings {
		d.Note("%s setting   %s: %s -> %s", mark(s.Narrows), s.Name, ui.Printable(s.Before), ui.Printable(s.After))
	}
	for _, c := range d.changes {
		d.Note("%s interface %s", mark(c.Narrows), ui.Printable(c.String()))
	}
	if narrowed == 0 || d.options.dryRun {
		return nil
	}
	return d.Confirm(fmt.Sprintf("this upgrade of canister %s takes %s away from those who use it", d.canister, ui.Count(narrowed, "thing")))
}

// replace stops the canister, takes a snapshot, upgrades and starts it again, whatever happens. Then it asks the
// new module something, and goes back if it does not answer.
func (d *deployment) replace(ctx context.Context, u *client.Upload) error {
	var began count
	installed := false
	err := d.WhileStopped(ctx, d.c, d.canister, false, func() error {
		if err := d.takeSnapshot(ctx); err != nil {
			return err
		}
		if err := d.installModule(ctx, u); err != nil {
			return d.unchanged(ctx, err)
		}
		installed = true
		var err error
		began, err = d.beginCount(ctx)
		return err
	})
	if !installed {
		d.dropUpload(ctx, u)
	}
	if err != nil {
		return err
	}
	failure := d.firstQuery(ctx)
	var silent *silentError
	if !errors.As(failure, &silent) {
		return failure
	}
	return d.goBack(ctx, began, silent)
}

// where names the canister in the record of snapshots.
func (d *deployment) where() string { return where(d.c, d.canister) }

func where(c *client.Client, canister principal.Principal) string {
	return canister.Text() + "@" + c.Network().Fingerprint()
}

// takeSnapshot keeps what is there, in the place of the snapshot that the last deployment from here took.
func (d *deployment) takeSnapshot(ctx context.Context) error {
	if d.options.noSnapshot {
		return nil
	}
	var err error
	d.snapshot, err = TakeSnapshot(ctx, d.UI, d.c, d.canister)
	return err
}

// TakeSnapshot takes a snapshot of a stopped canister before another module is installed, in the place of the one that
// the last deployment from this folder took.
func TakeSnapshot(ctx context.Context, u *ui.UI, c *client.Client, canister principal.Principal) (id []byte, err error) {
	own, err := project.DeploySnapshot(where(c, canister))
	if err != nil {
		return nil, err
	}
	list, err := c.Snapshots(ctx, canister)
	if err != nil {
		return nil, fmt.Errorf("listing the snapshots: %w", err)
	}
	var replaced []byte
	for _, s := range list {
		if own != nil && bytes.Equal(s.ID, own) {
			replaced = own
		}
	}
	done := u.Working("taking a snapshot")
	shot, err := c.TakeSnapshot(ctx, canister, replaced)
	done()
	if err != nil {
		return nil, ui.Hinted(fmt.Errorf("there is no snapshot before the upgrade, so nothing was upgraded: %w", err),
			"kedge canister snapshot list shows those there are (at most 10); --no-snapshot goes without, and without a way back")
	}
	return shot.ID, project.RecordDeploySnapshot(where(c, canister), shot.ID)
}

// unchanged says what the canister runs after an upgrade that failed: the network took back whatever the failed
// upgrade had done, unless its answer alone was lost.
func (d *deployment) unchanged(ctx context.Context, failure error) error {
	ctx, cancel := cleanUp(ctx)
	defer cancel()
	hash, err := d.c.ModuleHash(ctx, d.canister)
	switch {
	case err != nil:
		return errors.Join(failure, fmt.Errorf("which module canister %s runs cannot be read: %w", d.canister, err))
	case bytes.Equal(hash, d.before.ModuleHash):
		d.Note("canister %s runs the module that it had, %x, with everything in it", d.canister, hash)
	default:
		d.Warn("canister %s runs module %x, not the one that it had before, %x", d.canister, hash, d.before.ModuleHash)
	}
	return failure
}

// firstQuery asks the new module something that it must know after every upgrade. A network that does not
// answer says nothing about the module.
func (d *deployment) firstQuery(ctx context.Context) error {
	method := d.question()
	if method == "" {
		d.Warn("whether the new module answers was not checked: its interface names no query without arguments that is known")
		return nil
	}
	done := d.Working("asking the new module for its %s", method)
	defer done()
	for attempt := 1; ; attempt++ {
		_, err := d.c.Query(ctx, d.canister, method, []byte("DIDL\x00\x00"))
		var reject *client.Reject
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &reject):
			return ui.Hinted(fmt.Errorf("the module is installed, but whether it answers is not known: %w", err), "kedge canister status")
		case reject.Code == transient && attempt < queryAttempts, reject.ErrorCode == isStopped && attempt < queryAttempts:
			time.Sleep(queryPause)
		default:
			return &silentError{method: method, err: err}
		}
	}
}

const (
	transient     = 2 // code of a rejection that may be otherwise a moment later
	isStopped     = "IC0508"
	queryAttempts = 5
	queryPause    = 500 * time.Millisecond
)

// silentError is a new module that refuses the first query.
type silentError struct {
	method string
	err    error
}

func (e *silentError) Error() string {
	return fmt.Sprintf("the new module does not answer the query %s: %v", e.method, e.err)
}

func (e *silentError) Unwrap() error { return e.err }

// question is a query without arguments that the module's interface has.
func (d *deployment) question() string {
	if d.about.service == nil {
		return ""
	}
	methods := map[string]did.Func{}
	for _, m := range d.about.service.Methods() {
		methods[m.Name] = m.Type.(did.Func)
	}
	for _, name := range []string{"config", "stats", "whoami"} {
		if f, ok := methods[name]; ok && len(f.Args) == 0 && f.Mode&wire.Query != 0 {
			return name
		}
	}
	return ""
}

// count is what a stopped canister had counted when the new module was installed.
type count struct {
	version uint64   // of the canister: every message that may change it counts one up
	ingress *big.Int // cycles paid for messages of users; nil if that is not known
	fee     *big.Int // for one short message
}

// beginCount reads the counters of the stopped canister.
func (d *deployment) beginCount(ctx context.Context) (count, error) {
	status, _, after, fee, err := d.measure(ctx)
	return count{version: status.Version, ingress: after, fee: fee}, err
}

// measure reads the status of the stopped canister, and what it has paid for messages of users before and after. Its
// own request for the status is a short message, and tells what one costs: too much if another controller sends one
// at the same time. What is not known is nil.
func (d *deployment) measure(ctx context.Context) (status management.Status, before, after, fee *big.Int, err error) {
	if m, err := d.c.Metrics(ctx, d.canister); err == nil {
		before = m.IngressInduction
	}
	if status, err = d.c.Status(ctx, d.canister); err != nil {
		return status, nil, nil, nil, err
	}
	if m, err := d.c.Metrics(ctx, d.canister); err == nil {
		after = m.IngressInduction
	}
	if before != nil && after != nil {
		fee = new(big.Int).Sub(after, before)
	}
	return status, before, after, fee, nil
}

// ownMessages are those that kedge deploy sends between the counts: start, status, stop.
const ownMessages = 3

// smaller returns the smaller of two amounts, nil if one is not known.
func smaller(a, b *big.Int) *big.Int {
	if a == nil || b == nil || a.Cmp(b) < 0 {
		return a
	}
	return b
}

// untouched reports whether no user's call can have changed anything since the counters were read, while the
// canister was started and stopped again. Devices sign messages of users, and the canister pays for each: if it
// paid for those that started it, asked for its status and stopped it alone, nothing has run but its own timers, and
// calls of other canisters, which nothing counts (docs/limitations.md).
func (c count) untouched(now management.Status, ingress *big.Int) bool {
	if c.version > 0 && now.Version <= c.version+2 { // it is 0 where the network does not tell
		return true
	}
	if c.ingress == nil || ingress == nil || c.fee == nil || c.fee.Sign() <= 0 {
		return false
	}
	// A message costs a fixed fee, which is more than half of fee, and a little for every byte.
	quarter := new(big.Int).Rsh(c.fee, 2)
	most := new(big.Int).Add(new(big.Int).Mul(c.fee, big.NewInt(ownMessages)), quarter)
	return new(big.Int).Sub(ingress, c.ingress).Cmp(most) <= 0
}

// goBack loads the snapshot again if nothing is lost by it, or the person accepts what is lost. The canister
// runs while it asks, so that whoever can use it can.
func (d *deployment) goBack(ctx context.Context, began count, failure error) error {
	if d.snapshot == nil {
		return ui.Hinted(fmt.Errorf("%w; there is no snapshot to go back to", failure), "kedge deploy OLD.wasm.gz upgrades to another module")
	}
	untouched := false
	err := d.WhileStopped(ctx, d.c, d.canister, false, func() (err error) {
		if untouched, err = d.count(ctx, began); err != nil || !untouched {
			return err
		}
		return d.load(ctx)
	})
	if err != nil {
		return errors.Join(failure, err)
	}
	went := fmt.Errorf("%w; canister %s went back to the module and the anchors that it had", failure, d.canister)
	if untouched {
		return went
	}
	d.Warn("%v", failure)
	d.Warn("calls have run since it was started. Going back undoes all of them: devices removed since are back, those added since are gone, and so are protections, names and anchors made since")
	hint := fmt.Sprintf("kedge canister snapshot restore %x goes back later, with the same loss", d.snapshot)
	// The snapshot is the only way back, so the next deployment must not take its place.
	left := func(how string) error {
		return ui.Hinted(errors.Join(fmt.Errorf("%w; %s", failure, how), project.KeepDeploySnapshot(d.where())), "%s", hint)
	}
	t, err := d.OpenTerminalOnce()
	if err != nil {
		return left("calls have run since, so it was left in place")
	}
	answer, err := t.Line("go back all the same, and lose what those calls did? type yes: ")
	if err != nil {
		return errors.Join(failure, err, project.KeepDeploySnapshot(d.where()))
	}
	if answer != "yes" {
		return left("it was left in place")
	}
	if err := d.WhileStopped(ctx, d.c, d.canister, false, func() error { return d.load(ctx) }); err != nil {
		return errors.Join(failure, err)
	}
	return went
}

// count reads the counters of the stopped canister again. A message's fee is the smaller of what it was measured to be
// at both times: with one that is too large, messages of users would go unnoticed.
func (d *deployment) count(ctx context.Context, began count) (untouched bool, err error) {
	status, before, _, fee, err := d.measure(ctx)
	if err != nil {
		return false, err
	}
	began.fee = smaller(fee, began.fee)
	return began.untouched(status, before), nil
}

// load gives the stopped canister back what the snapshot has.
func (d *deployment) load(ctx context.Context) error {
	ctx, cancel := cleanUp(ctx)
	defer cancel()
	done := d.Working("loading the snapshot")
	defer done()
	if err := d.c.LoadSnapshot(ctx, d.canister, d.snapshot); err != nil {
		return ui.Hinted(fmt.Errorf("the snapshot could not be loaded: %w", err), "kedge canister snapshot restore %s", hex.EncodeToString(d.snapshot))
	}
	return nil
}
