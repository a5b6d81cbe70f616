package canister

import (
	"errors"
	"fmt"

	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/cdk"
	"kedge/migrations"
	"kedge/migrations/ii"
)

// Budgets of one message in instructions, far below what the network allows (40 billion in an update, 5
// billion in a query), so that people's calls do not wait long behind a batch.
const (
	batchBudget = 2_000_000_000
	queryBudget = 2_000_000_000
)

// budgetOf returns a budget that ends when the message has used so many instructions.
func budgetOf(instructions uint64) func() bool {
	return func() bool { return cdk.PerformanceCounter() < instructions }
}

// listed is how many anchors an answer names.
const listed = 100

// underWay reports whether a step or an import wants the timer.
func underWay() bool {
	m := state.store.Migration()
	return !m.Paused && (m.Phase != storage.Idle || importing())
}

// migrate does one batch of what is under way. Of its errors only a refusal leaves memory whole; the
// others trap.
func migrate() error {
	if !underWay() {
		return nil
	}
	done, err := ii.Run(state.store, budgetOf(batchBudget))
	must(err)
	if !done {
		return nil
	}
	_, err = migrations.Run(state.store, budgetOf(batchBudget))
	var refused *migrations.RefusedError
	if errors.As(err, &refused) {
		return err
	}
	must(err)
	return nil
}

// operate answers a controller's method about migrations with the status after it.
func operate(method func() error) {
	if err := onlyController(); err != nil {
		replyMigration(err)
		return
	}
	replyMigration(method())
}

func onlyController() error {
	if cdk.IsController(cdk.Caller()) {
		return nil
	}
	return &identity.Error{Code: identity.ErrNotController,
		Message: "only a controller of this canister may do this; " + cdk.Caller().Text() + " is none"}
}

func badArgument(field string, err error) error {
	return &identity.Error{Code: identity.ErrBadArgument, Field: field, Message: err.Error()}
}

func replyMigration(err error) {
	if err != nil {
		cdk.Reply(kedge.EncodeMigrationStatusResult(kedge.MigrationStatusResult{Tag: kedge.MigrationStatusResultTagErr, Err: refusal(err)}))
		return
	}
	cdk.Reply(kedge.EncodeMigrationStatusResult(kedge.MigrationStatusResult{Tag: kedge.MigrationStatusResultTagOk, Ok: status()}))
}

func migrationStatus() {
	must(kedge.DecodeMigrationStatusArgs(cdk.Arg()))
	replyMigration(onlyController())
}

func migrationStep() {
	version, accept, err := kedge.DecodeMigrationStepArgs(cdk.Arg())
	must(err)
	operate(func() error {
		if err := startStep(version, accept); err != nil {
			return err
		}
		if err := migrate(); err != nil {
			return badArgument("accept", err)
		}
		return nil
	})
}

// startStep turns the memory towards a version: the newest if none is named.
func startStep(version *uint16, accept []kedge.Loss) error {
	want := migrations.Newest
	if version != nil {
		want = int(*version)
	}
	layout, phase := state.store.Layout(), state.store.Migration().Phase
	back := phase == storage.Down || phase == storage.Checking
	switch {
	case state.store.Migration().Paused:
		return badArgument("version", migrations.ErrPaused)
	case want > migrations.Newest || want < layout-1 || want < 1:
		return badArgument("version", fmt.Errorf("this build knows layouts 1 to %d, and goes one step at a time from layout %d", migrations.Newest, layout))
	case want < layout && !back:
		if err := migrations.StartBack(state.store, losses(accept)); err != nil {
			return badArgument("version", err)
		}
	case want > layout && phase == storage.Idle:
		must(migrations.StartTo(state.store, want))
	case want >= layout && back:
		return badArgument("version", fmt.Errorf("the memory is on its way back to layout %d; name that version to go on", layout-1))
	}
	return nil
}

func losses(accept []kedge.Loss) storage.Loss {
	var accepted storage.Loss
	for _, l := range accept {
		switch l {
		case kedge.LossProtections:
			accepted |= storage.LossProtections
		case kedge.LossGuards:
			accepted |= storage.LossGuards
		case kedge.LossConsents:
			accepted |= storage.LossConsents
		case kedge.LossDemands:
			accepted |= storage.LossDemands
		case kedge.LossContacts:
			accepted |= storage.LossContacts
		}
	}
	return accepted
}

func migrationPause() {
	must(kedge.DecodeMigrationPauseArgs(cdk.Arg()))
	operate(func() error { return setPaused(true) })
}

func migrationResume() {
	must(kedge.DecodeMigrationResumeArgs(cdk.Arg()))
	operate(func() error {
		if err := setPaused(false); err != nil {
			return err
		}
		armNow()
		return nil
	})
}

// setPaused pauses what is under way: a step, or the import of a memory on trial.
func setPaused(on bool) error {
	m := state.store.Migration()
	if m.Phase == storage.Idle && !importing() && !m.Paused {
		return badArgument("", errors.New("no migration is under way"))
	}
	m.Paused = on
	must(state.store.SetMigration(m))
	return nil
}

// importing reports whether anchors of an old memory are still to be imported.
func importing() bool {
	t := ii.TrialOf(state.store)
	return t.Layout != 0 && int(t.Imported) < state.store.Count()
}

func finalizeMigration() {
	options, err := kedge.DecodeFinalizeMigrationArgs(cdk.Arg())
	must(err)
	operate(func() error {
		if err := ii.Finalize(state.store, options != nil && options.AnchorsWithoutDevices); err != nil {
			return badArgument("", err)
		}
		return nil
	})
}

// status says where the memory stands.
func status() kedge.MigrationStatus {
	store, trial, step := state.store, ii.TrialOf(state.store), migrations.StatusOf(state.store)
	own := func(version int) kedge.Layout {
		return kedge.Layout{Family: kedge.LayoutFamilyKedge, Version: uint16(version)}
	}
	state := kedge.MigrationStateSettled
	s := kedge.MigrationStatus{Layout: own(step.Layout), State: &state, WeakenedComplete: true, OutdatedComplete: true}
	switch {
	case trial.Layout != 0:
		old := kedge.Layout{Family: kedge.LayoutFamilyInternetIdentity, Version: uint16(trial.Layout)}
		s.Layout = old
		state = kedge.MigrationStateTrial
		if importing() {
			state = kedge.MigrationStateRunning
			s.Step = &kedge.MigrationStatusStep{From: old, To: own(step.Layout), Done: uint64(trial.Imported), Total: uint64(store.Count())}
		}
		s.Weakened, s.WeakenedComplete = anchorsThat(func(from uint64, budget migrations.Budget) (numbers []uint64, next uint64, err error) {
			found, next, err := ii.Weakened(store, from, listed, budget)
			for _, w := range found {
				numbers = append(numbers, w.Anchor)
			}
			return numbers, next, err
		})
		s.WeakenedTotal = uint64(len(s.Weakened))
		s.Weakened = s.Weakened[:min(len(s.Weakened), listed)]
		s.Outdated, s.OutdatedComplete = anchorsThat(func(from uint64, budget migrations.Budget) ([]uint64, uint64, error) {
			return ii.Outdated(store, from, listed, budget)
		})
		s.OutdatedTotal = uint64(len(s.Outdated))
		s.Outdated = s.Outdated[:min(len(s.Outdated), listed)]
		note(&s, trial)
	case step.Phase != storage.Idle:
		state = kedge.MigrationStateRunning
		from, to := step.Layout, step.Layout
		if step.Phase == storage.Up {
			from = step.Layout - 1
		} else {
			to = step.Layout - 1
		}
		s.Step = &kedge.MigrationStatusStep{From: own(from), To: own(to), Done: step.Done, Total: step.Total}
	}
	if step.Paused {
		state = kedge.MigrationStatePaused
	}
	return s
}

// anchorsThat lists anchors, as many as half a message's budget can look at. find looks from one on while there is
// budget, and returns where to go on, 0 at the end.
func anchorsThat(find func(from uint64, budget migrations.Budget) ([]uint64, uint64, error)) (numbers []uint64, complete bool) {
	budget := budgetOf(cdk.PerformanceCounter() + queryBudget/2)
	for from := uint64(0); ; {
		found, next, err := find(from, budget)
		must(err)
		numbers = append(numbers, found...)
		if next == 0 {
			return numbers, true
		}
		if !budget() {
			return numbers, false
		}
		from = next
	}
}

// note lists what is odd about a memory on trial.
func note(s *kedge.MigrationStatus, t ii.Trial) {
	about := func(anchor *uint64, format string, args ...any) {
		s.Notes = append(s.Notes, kedge.MigrationNote{Anchor: anchor, Description: fmt.Sprintf(format, args...)})
	}
	if !t.KnowsProtection {
		about(nil, "the old module does not know protection: under it, nothing is protected")
	}
	if t.WithoutKey > 0 {
		about(nil, "%d anchors have no device, so nobody can sign in to them; finalising takes an explicit word", t.WithoutKey)
	}
	if t.Unreadable > 0 {
		about(nil, "%d anchors have an old record that cannot be read; fsck names them", t.Unreadable)
	}
	lo, _ := state.store.Range()
	for _, slot := range t.FirstAmended[:min(int(t.Amended), len(t.FirstAmended))] {
		number := lo + uint64(slot)
		about(&number, "what the old module wrote was not taken over as it was; the anchor's history says what was restored and dropped")
	}
	for _, slot := range t.FirstNamed[:min(int(t.Named), len(t.FirstNamed))] {
		number := lo + uint64(slot)
		about(&number, "it has a name or OpenID credentials in virtual memory 16 and no device: they stay there for the way back, and Kedge does not know them")
	}
	s.NotesTotal = uint64(len(s.Notes))
	for _, all := range [...]struct{ n, shown int }{{int(t.Amended), len(t.FirstAmended)}, {int(t.Named), len(t.FirstNamed)}} {
		s.NotesTotal += uint64(max(all.n-all.shown, 0))
	}
}
