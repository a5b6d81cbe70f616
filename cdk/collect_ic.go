//go:build wasip1

package cdk

import (
	"runtime"
	"runtime/debug"
)

// The collector never runs by itself: one collection costs 1.6 million instructions at least and
// touches the whole heap, and whoever happens to call the method that starts it would pay. It runs
// at the end of a message whose state is kept, once 16 MiB have been allocated since the last time.

const (
	collectAfter = 16 << 20 // bytes
	maxWait      = 256      // messages
)

// statistics is read into, to not allocate. Package runtime/metrics would name the one figure that is
// wanted, but prepares the texts of all others when the canister is installed, for 500,000 instructions.
var statistics runtime.MemStats

var collector struct {
	collected uint64 // bytes that had been allocated in all when we last collected,
	looked    uint64 // and when we last looked
	pages     uint32 // size of the heap when we last looked
	messages  uint32 // since then
	wait      uint32 // after so many messages we look again
}

func init() {
	debug.SetGCPercent(-1)
	growStack()
	collector.collected = allocatedBytes()
	collector.looked, collector.pages, collector.wait = collector.collected, memoryPages(), maxWait
}

func allocatedBytes() uint64 {
	runtime.ReadMemStats(&statistics)
	return statistics.TotalAlloc
}

// collectGarbage runs the collector if it is time. To ask the runtime how much was allocated costs
// 150,000 instructions and flushes the allocator's caches, so it asks when the heap has become larger by
// as much as calls for it, and else when it would be time if messages went on allocating as they did,
// because a heap that was larger once has room without growing.
func collectGarbage() {
	c := &collector
	c.messages++
	pages := memoryPages()
	if pages-c.pages < collectAfter/PageSize && c.messages < c.wait {
		return
	}
	bytes := allocatedBytes()
	perMessage := (bytes-c.looked)/uint64(c.messages) + 1
	c.looked, c.pages, c.messages = bytes, pages, 0
	if bytes-c.collected >= collectAfter {
		c.collected = bytes
		runtime.GC()
		growStack()
	}
	left := collectAfter - (bytes - c.collected)
	c.wait = uint32(min(left/perMessage+1, maxWait))
}

// growStack makes room on the stack of the goroutine that runs all entry points. Go grows stacks by
// copying them, which a query would pay for each time since what it grows is forgotten: a query that
// formats a map took 920,000 instructions and read 34 pages, and takes 540,000 and 19. The collector
// may shrink the stack again.
//
//go:noinline
func growStack() {
	var room [32 << 10]byte
	use(&room)
}

//go:noinline
func use(*[32 << 10]byte) {}
