package abuse

// Limit configures the registration rate: one token more every TimePerToken (ns), at most MaxTokens.
// The zero value is no limit.
type Limit struct {
	TimePerToken uint64 // ns
	MaxTokens    uint64
}

// Bucket is the token bucket of a Limit. The zero value has never been used: it is full.
type Bucket struct {
	Used   uint64 // tokens taken and not yet come back
	Filled uint64 // ns since the epoch up to which tokens have come back
}

// Take takes a token at now (ns since the epoch); false means that the rate limit is reached. Tokens
// come back one by one; a fraction of a token's time is kept.
func (b *Bucket) Take(limit Limit, now uint64) bool {
	if limit.MaxTokens == 0 || limit.TimePerToken == 0 {
		return true
	}
	now = max(now, b.Filled)
	if back := (now - b.Filled) / limit.TimePerToken; back >= b.Used {
		b.Used, b.Filled = 0, now
	} else {
		b.Used -= back
		b.Filled += back * limit.TimePerToken
	}
	if b.Used >= limit.MaxTokens {
		return false
	}
	b.Used++
	return true
}
