package identity

// PrepareSession returns when a session ends (ns since the epoch) that the actor asks for, with the
// time to live in ns or nil for DefaultSession, cut to the anchor's limit; and remembers the longest on
// the device (rule 8). A temporary key's sessions are its device's.
func (c *Actor) PrepareSession(timeToLive *uint64) (expiration uint64) {
	ttl := DefaultSession
	if timeToLive != nil {
		ttl = *timeToLive
	}
	expiration = c.Now + min(ttl, c.anchor.LongestSession())
	d := c.device()
	d.SessionsUntil = max(d.SessionsUntil, expiration)
	return expiration
}

// LongestSession is the anchor's session limit in ns.
func (a *Anchor) LongestSession() uint64 {
	if a.SessionLimit == 0 {
		return MaxSession
	}
	return a.SessionLimit
}
