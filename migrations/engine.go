package migrations

import (
	"errors"
	"fmt"
	"strings"

	"kedge/canister/storage"
)

// Budget reports whether there is budget for another unit of work. It is asked before each.
type Budget func() bool

// Step is one change of layout, between From and From+1.
type Step struct {
	Number int
	Name   string
	From   int
	// Up migrates the anchor with this index, and Down takes it back. Both leave alone what is already
	// there, and do a bounded amount of work.
	Up, Down func(s *storage.Store, number uint64) error
	// Loses says what Down would lose of an anchor: nothing where it fails.
	Loses func(s *storage.Store, number uint64) (storage.Loss, error)
}

// Steps are all steps, in order.
var Steps = []Step{records2, records3}

// Newest is the newest layout.
const Newest = storage.NewestLayout

// Status is where the memory stands.
type Status struct {
	Layout int
	Step   int    // 0 if no step is under way
	Name   string // of the step
	Phase  storage.Phase
	Paused bool
	Done   uint64 // anchors that this phase has seen
	Total  uint64 // anchors
}

// RefusedError says that a step back would lose what nobody accepted to lose.
type RefusedError struct {
	Loss    storage.Loss
	Anchors []uint64 // the first ones that have it
	More    bool     // there are others
}

func (e *RefusedError) Error() string {
	names := make([]string, len(e.Anchors))
	for i, a := range e.Anchors {
		names[i] = fmt.Sprint(a)
	}
	more := ""
	if e.More {
		more = " and others"
	}
	loss := strings.Join(e.Loss.Names(), ", ")
	return fmt.Sprintf("going back would lose %s of anchors %s%s: have their owners remove them, or accept the loss by naming it", loss, strings.Join(names, ", "), more)
}

// ErrPaused is returned by Run while the controller has paused the step.
var ErrPaused = errors.New("the migration is paused")

// StatusOf says where a memory stands.
func StatusOf(s *storage.Store) Status {
	m := s.Migration()
	st := Status{Layout: s.Layout(), Step: int(m.Step), Phase: m.Phase, Paused: m.Paused, Done: m.Cursor, Total: m.Total}
	if step, err := stepOf(m); err == nil { // no step is number 0, which stands for none
		st.Name = step.Name
	}
	return st
}

func stepOf(m storage.Migration) (*Step, error) {
	if m.Step == 0 || int(m.Step) > len(Steps) {
		return nil, fmt.Errorf("this build does not know migration step %d: install the build that began it", m.Step)
	}
	return &Steps[m.Step-1], nil
}

// Start begins the next step towards the newest layout, if there is one to take and none under way; the others
// follow by themselves. A canister calls it after an upgrade. It is a constant amount of work.
func Start(s *storage.Store) error { return StartTo(s, Newest) }

// StartTo is Start towards an earlier layout.
func StartTo(s *storage.Store, layout int) error {
	if s.Migration().Phase != storage.Idle || s.Layout() >= layout {
		return nil
	}
	for i := range Steps {
		if Steps[i].From == s.Layout() {
			return s.Enter(storage.Migration{
				Step: uint16(Steps[i].Number), Phase: storage.Up, Total: uint64(s.Count()), Stop: s.Layout()+1 >= layout,
			})
		}
	}
	return fmt.Errorf("no step leads from layout %d to %d", s.Layout(), layout)
}

// StartBack begins the step from the present layout to the one before. It first looks at every anchor,
// and stops with a [RefusedError] at Run if that would lose what accepted does not name. A step that is
// on its way up is turned round.
func StartBack(s *storage.Store, accepted storage.Loss) error {
	if s.HasLegacy() {
		return errors.New("the memory is on trial beside the old module's: the way back is to upgrade the canister to the old module")
	}
	m := s.Migration()
	switch m.Phase {
	case storage.Down, storage.Checking:
		return fmt.Errorf("the memory is already on its way back to layout %d", s.Layout()-1)
	case storage.Up, storage.Idle:
	}
	for i := range Steps {
		if Steps[i].From+1 == s.Layout() {
			return s.SetMigration(storage.Migration{
				Step: uint16(Steps[i].Number), Phase: storage.Checking, Losses: accepted, Total: uint64(s.Count()),
			})
		}
	}
	return fmt.Errorf("no layout comes before layout %d", s.Layout())
}

// SetPaused pauses the step under way or lets it go on.
func SetPaused(s *storage.Store, paused bool) error {
	m := s.Migration()
	if m.Phase == storage.Idle {
		return errors.New("no migration is under way")
	}
	m.Paused = paused
	return s.SetMigration(m)
}

// refusalAnchors is how many anchors a refusal names.
const refusalAnchors = 20

// Run goes on with the step under way while there is budget, and reports whether nothing is left to do.
// Anchors that are damaged are passed over; fsck lists them. The error is a [RefusedError] when a step
// back was refused: the memory is then on its way forwards again, with nothing lost. After any other
// error but [ErrPaused] the caller traps.
func Run(s *storage.Store, budget Budget) (done bool, err error) {
	var refused *RefusedError
	err = s.Batch(func() error {
		done, err = run(s, budget)
		if errors.As(err, &refused) { // an answer, not a failure: what the batch did holds
			return nil
		}
		return err
	})
	if err != nil {
		return done, err
	}
	if refused != nil {
		return false, refused
	}
	return done, nil
}

func run(s *storage.Store, budget Budget) (done bool, err error) {
	m := s.Migration()
	if m.Phase == storage.Idle {
		return true, nil
	}
	if m.Paused {
		return false, ErrPaused
	}
	step, err := stepOf(m)
	if err != nil {
		return false, err
	}
	lo, _ := s.Range()
	for {
		n := uint64(s.Count())
		m.Total = n
		if m.Cursor >= n {
			switch m.Phase {
			case storage.Checking:
				m.Phase, m.Cursor = storage.Down, 0
				if err := s.SetMigration(m); err != nil {
					return false, err
				}
				continue
			case storage.Down:
				return true, s.Leave()
			default:
				if err := s.SetMigration(storage.Migration{}); err != nil || m.Stop {
					return true, err
				}
				if err := Start(s); err != nil {
					return false, err
				}
				return run(s, budget)
			}
		}
		if !budget() {
			return false, s.SetMigration(m)
		}
		if err := unit(s, step, &m, lo+m.Cursor); err != nil {
			return false, err
		}
	}
}

// unit does one unit of work.
func unit(s *storage.Store, step *Step, m *storage.Migration, number uint64) error {
	var err error
	switch m.Phase {
	case storage.Checking:
		var loss storage.Loss
		if loss, err = step.Loses(s, number); loss&^m.Losses != 0 {
			return refuse(s, step, m, number)
		}
	case storage.Down:
		err = step.Down(s, number)
		var lost *storage.LossError
		if errors.As(err, &lost) { // acquired since it was checked
			return refuse(s, step, m, lost.Anchor)
		}
	default:
		err = step.Up(s, number)
	}
	if err := serious(step, err); err != nil {
		return err
	}
	m.Cursor++
	return nil
}

// serious is the error of work on an anchor unless the anchor is damaged, which stops no step.
func serious(step *Step, err error) error {
	var damaged *storage.CorruptedError
	if err == nil || errors.As(err, &damaged) {
		return nil
	}
	return fmt.Errorf("migration step %d (%s): %w", step.Number, step.Name, err)
}

// refuse turns a step back round: what was already taken back goes up again, which loses nothing, as
// only anchors without any loss were taken back. It looks a little further to name more anchors.
func refuse(s *storage.Store, step *Step, m *storage.Migration, from uint64) error {
	e := &RefusedError{}
	lo, _ := s.Range()
	end := lo + uint64(s.Count())
	const further = 200
	number := from
	for ; number < min(end, from+further) && len(e.Anchors) < refusalAnchors; number++ {
		loss, err := step.Loses(s, number)
		if err := serious(step, err); err != nil {
			return err
		}
		if loss&^m.Losses != 0 {
			e.Loss |= loss &^ m.Losses
			e.Anchors = append(e.Anchors, number)
		}
	}
	e.More = number < end
	if err := s.SetMigration(storage.Migration{Step: m.Step, Phase: storage.Up, Total: uint64(s.Count()), Stop: true}); err != nil {
		return err
	}
	return e
}
