package identity

// MaxServiceStep is the most that one step adds to service time, in ns: an hour. So time in which the
// canister could not answer does not count.
const MaxServiceStep = 3600 * second

// ServiceClock is service time (rule 6): advanced by every update call and by a timer every 30 minutes.
// Both fields are stored.
type ServiceClock struct {
	Time uint64 // ns of service so far
	Last uint64 // ns since the epoch of the last step, 0 before the first
}

// Advance steps the clock to now (ns since the epoch) and returns service time. A clock that went
// backwards adds nothing.
func (s *ServiceClock) Advance(now uint64) uint64 {
	s.Time, s.Last = s.At(now), max(s.Last, now)
	return s.Time
}

// At returns what Advance would, for a query.
func (s *ServiceClock) At(now uint64) uint64 {
	if s.Last == 0 {
		return s.Time
	}
	return s.Time + min(max(now, s.Last)-s.Last, MaxServiceStep)
}
