package replica

import (
	"fmt"
	"io"

	"kedge/replica/exec"
)

// canisterLog is the log of a canister: the newest entries that fit its limit.
type canisterLog struct {
	entries []logEntry
	next    uint64 // index of the next entry
	size    uint64 // bytes of all contents, with the overhead of each
}

type logEntry struct {
	index   uint64
	time    uint64
	content []byte
}

// logOverhead is what an entry takes beside its content, in bytes.
const logOverhead = 16

// remaining is how many bytes are free under a limit.
func (l *canisterLog) remaining(limit uint64) uint64 { return limit - min(limit, l.size) }

// add appends an entry and drops the oldest ones that no longer fit.
func (l *canisterLog) add(entry exec.Log, limit uint64) {
	content := entry.Content
	if most := limit - min(limit, logOverhead); uint64(len(content)) > most {
		content = content[:most]
	}
	l.entries = append(l.entries, logEntry{l.next, entry.Time, content})
	l.next++
	l.size += uint64(len(content)) + logOverhead
	l.trim(limit)
}

// trim drops the oldest entries beyond a limit.
func (l *canisterLog) trim(limit uint64) {
	for len(l.entries) > 0 && l.size > limit {
		l.size -= uint64(len(l.entries[0].content)) + logOverhead
		l.entries = l.entries[1:]
	}
}

// clear forgets all entries; indices go on.
func (l *canisterLog) clear() { l.entries, l.size = nil, 0 }

// log keeps what a step logged, and prints it if the network was asked to.
func (n *Network) log(c *canister, entries []exec.Log) {
	for _, entry := range entries {
		c.logs.add(entry, c.settings.logMemoryLimit)
	}
	n.print(c, entries)
}

// print writes log entries for people to see.
func (n *Network) print(c *canister, entries []exec.Log) {
	if n.options.Log == nil {
		return
	}
	for _, entry := range entries {
		// Nobody can be told that the log itself cannot be written.
		_, _ = io.WriteString(n.options.Log, fmt.Sprintf("[Canister %s] %s\n", c.id, entry.Content))
	}
}

// dropBefore forgets the entries from before a time.
func (l *canisterLog) dropBefore(time uint64) {
	for len(l.entries) > 0 && l.entries[0].time < time {
		l.size -= uint64(len(l.entries[0].content)) + logOverhead
		l.entries = l.entries[1:]
	}
}
