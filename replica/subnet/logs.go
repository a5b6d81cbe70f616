package subnet

import "kedge/replica/exec"

// canisterLog is the log of a canister: the newest entries that fit its limit.
type canisterLog struct {
	Entries []logEntry
	Next    uint64 // index of the next entry
	Size    uint64 // bytes of all contents, with the overhead of each
}

type logEntry struct {
	Index   uint64
	Time    uint64
	Content []byte
}

// add appends an entry and drops the oldest ones that no longer fit.
func (l *canisterLog) add(entry exec.Log, limit uint64) {
	content := entry.Content
	if most := limit - min(limit, exec.LogOverhead); uint64(len(content)) > most {
		content = content[:most]
	}
	l.Entries = append(l.Entries, logEntry{l.Next, entry.Time, content})
	l.Next++
	l.Size += uint64(len(content)) + exec.LogOverhead
	l.trim(limit)
}

// trim drops the oldest entries beyond a limit.
func (l *canisterLog) trim(limit uint64) {
	for len(l.Entries) > 0 && l.Size > limit {
		l.Size -= uint64(len(l.Entries[0].Content)) + exec.LogOverhead
		l.Entries = l.Entries[1:]
	}
}

// clear forgets all entries; indices go on.
func (l *canisterLog) clear() { l.Entries, l.Size = nil, 0 }

// log keeps what a step logged.
func (n *Subnet) log(c *canister, entries []exec.Log) {
	for _, entry := range entries {
		c.Logs.add(entry, c.Settings.LogMemoryLimit)
	}
	n.print(c, entries)
}
