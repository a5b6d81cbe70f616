// Package migrations changes the layout of stable memory, forwards and back, a bounded batch at a time.
//
// A layout change is a numbered [Step] with an Up and a Down. The step that is under way, its direction
// and its cursor live in the superblock, so that a step goes on after any upgrade, trap or pause exactly
// where it was. Between batches every anchor can be read and written: a reader knows every version, and
// a write is in the version that the step leads to, so whoever writes an anchor has migrated it.
//
// Each batch is one message or part of one. A trap undoes a batch whole.
//
//	layout 1 ──── step 1 up ───▶ layout 2      records of version 2, histories, index
//	         ◀─── step 1 down ──
//	layout 2 ──── step 2 up ───▶ layout 3      records of version 3: recovery contacts
//	         ◀─── step 2 down ──
//
// A Down that would lose a protection, a guard, a consent, a demand or contacts is refused with a [RefusedError]
// that names what and where, unless the controller has accepted that loss.
//
// Subpackage ii reads the layouts of Internet Identity.
package migrations
