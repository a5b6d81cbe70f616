package ui

import "time"

// When writes a time for people: local, and how long ago that was or is to come. JSON has times in UTC.
func When(at, now time.Time) string {
	text := at.In(now.Location()).Format("2006-01-02 15:04 MST")
	switch since := now.Sub(at); {
	case since < -time.Second:
		return text + " (in " + Rough(-since) + ")"
	case since < time.Second:
		return text + " (now)"
	default:
		return text + " (" + Rough(since) + " ago)"
	}
}

// WhenNanos is [When] for a time of the canister's, in nanoseconds since 1970.
func WhenNanos(nanos uint64, now time.Time) string { return When(time.Unix(0, int64(nanos)), now) }
