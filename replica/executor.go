package replica

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"kedge/replica/subnet"
)

// executor runs executions, each on a goroutine of its own. Those that go on between rounds take turns, so that one
// processor is left for everything else.
type executor struct {
	poke    func()        // is called when an execution that went on has ended
	turns   chan struct{} // has room for as many executions as may run at the same time
	stopped atomic.Bool
	running sync.WaitGroup

	lock  sync.Mutex
	ended []uint64      // executions that went on and have ended
	news  chan struct{} // closed and made anew when ended grows
}

func newExecutor(poke func()) *executor {
	return &executor{poke: poke, turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)), news: make(chan struct{})}
}

// turnPauses is for how many pauses an execution keeps its turn: for about a tenth of a second.
const turnPauses = 150

// running execution's side of it.
type pauses struct {
	*executor
	long   chan struct{}
	isLong bool
	count  int
}

// Long lets the round go on without the execution.
func (p *pauses) Long() {
	p.isLong = true
	close(p.long)
	p.turns <- struct{}{}
}

// Pause lets others run.
func (p *pauses) Pause() bool {
	if p.count++; p.isLong && p.count%turnPauses == 0 {
		<-p.turns
		p.turns <- struct{}{}
	}
	runtime.Gosched()
	return !p.stopped.Load()
}

// Run runs work, and waits until it has ended or may go on by itself.
func (x *executor) Run(id uint64, work func(subnet.Pauses)) (wait func(), ended bool) {
	p := &pauses{executor: x, long: make(chan struct{})}
	done := make(chan struct{})
	x.running.Go(func() {
		work(p)
		close(done)
		if p.isLong {
			<-p.turns
			x.note(id)
		}
	})
	wait = func() { <-done }
	select {
	case <-done:
	case <-p.long:
	}
	select {
	case <-p.long:
		return wait, false
	default:
		return wait, true
	}
}

// note keeps the number of an execution that has ended for the next round.
func (x *executor) note(id uint64) {
	x.lock.Lock()
	x.ended = append(x.ended, id)
	close(x.news)
	x.news = make(chan struct{})
	x.lock.Unlock()
	x.poke()
}

// take returns which of the executions that still run, as the state sees it, have ended.
func (x *executor) take(running []uint64) (ended []uint64) {
	x.lock.Lock()
	defer x.lock.Unlock()
	for _, id := range x.ended {
		if slices.Contains(running, id) {
			ended = append(ended, id)
		}
	}
	x.ended = nil
	return ended
}

// next is closed when another execution has ended.
func (x *executor) next() <-chan struct{} {
	x.lock.Lock()
	defer x.lock.Unlock()
	if len(x.ended) > 0 {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	return x.news
}

// stop aborts what runs and waits for its end.
func (x *executor) stop() {
	x.stopped.Store(true)
	x.running.Wait()
}
