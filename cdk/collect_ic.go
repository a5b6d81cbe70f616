//go:build wasip1

package cdk

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The collector never runs by itself: one collection costs 1.6 million instructions at least and
// touches the whole heap, and whoever happens to call the method that starts it would pay. It runs
// at the end of a message whose state is kept, once 16 MiB have been allocated since the last time.

const (
	collectAfter = 16 << 20 // bytes
	looksEvery   = 16       // messages
)

// allocated is read into, to not allocate.
var allocated = []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}

var collector struct {
	base  uint64 // bytes that had been allocated in all at the last collection
	pages uint32 // size of the heap when we last looked
	idle  uint32 // messages since then
}

func init() {
	debug.SetGCPercent(-1)
	collector.base = allocatedBytes() // fills tables of package metrics here, not in the first message
	collector.pages = memoryPages()
}

func allocatedBytes() uint64 {
	metrics.Read(allocated)
	return allocated[0].Value.Uint64()
}

// collectGarbage runs the collector if it is time. To ask the runtime costs thousands of
// instructions, so it asks when the heap has become larger, and in every sixteenth message because
// a heap that was larger once has room without growing.
func collectGarbage() {
	pages := memoryPages()
	collector.idle++
	if pages == collector.pages && collector.idle < looksEvery {
		return
	}
	collector.pages, collector.idle = pages, 0
	if bytes := allocatedBytes(); bytes-collector.base >= collectAfter {
		collector.base = bytes
		runtime.GC()
	}
}
