package stable

import "errors"

// ErrFault is what a [Faulty] memory fails with.
var ErrFault = errors.New("injected fault")

// Faulty passes everything to another memory until it has seen so many writes and growths; that one and
// all later ones fail without effect. It stands for a trap in tests: what was written before stays in the
// memory beneath, so the test restores a snapshot there, as the network does at the message boundary.
type Faulty struct {
	Memory
	left  int
	seen  int
	reads bool
	once  bool
}

// NewFaultyOnce returns a memory whose access number at, from 0, fails, reads included; all others succeed. So
// nothing but the answer to that one access tells of the fault.
func NewFaultyOnce(m Memory, at int) *Faulty {
	return &Faulty{Memory: m, left: at, reads: true, once: true}
}

// NewFaulty returns a memory whose first after writes and growths succeed.
func NewFaulty(m Memory, after int) *Faulty { return &Faulty{Memory: m, left: after} }

// Writes is the number of writes and growths, and of reads where those count, that succeeded.
func (f *Faulty) Writes() int { return f.seen }

func (f *Faulty) spend() error {
	if f.left == 0 {
		if f.once {
			f.left = -1
		}
		return ErrFault
	}
	f.left--
	f.seen++
	return nil
}

// ReadAt reads, or fails once the allowance is spent, if reads count.
func (f *Faulty) ReadAt(p []byte, off uint64) error {
	if f.reads {
		if err := f.spend(); err != nil {
			return err
		}
	}
	return f.Memory.ReadAt(p, off)
}

// WriteAt writes, or fails once the allowance is spent.
func (f *Faulty) WriteAt(p []byte, off uint64) error {
	if err := f.spend(); err != nil {
		return err
	}
	return f.Memory.WriteAt(p, off)
}

// Grow grows, or fails once the allowance is spent.
func (f *Faulty) Grow(pages uint64) error {
	if err := f.spend(); err != nil {
		return err
	}
	return f.Memory.Grow(pages)
}
