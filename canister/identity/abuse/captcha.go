package abuse

// CaptchaLife is how long a captcha may be answered, in ns: five minutes.
const CaptchaLife = uint64(300e9)

// KeyLength is the length of a captcha's key, in characters a to z.
const KeyLength = 10

// Challenge is a captcha that waits for its answer.
type Challenge struct {
	Key       string
	Text      string // what the person should type
	ExpiresAt uint64 // ns since the epoch
}

// Captchas are the unsolved captchas, oldest first. A newcomer is never turned away: when there is no
// room the oldest gives way, so filling the store keeps nobody from getting a captcha.
type Captchas struct {
	Pending []Challenge
}

// Add keeps a captcha of which text is the answer, with a key made from random bytes; at most limit
// are kept (at least 1).
func (c *Captchas) Add(text string, limit int, now uint64, random [KeyLength]byte) Challenge {
	c.expire(now)
	key := random
	for i, b := range key {
		key[i] = 'a' + b%26
	}
	c.drop(max(len(c.Pending)+1-max(limit, 1), 0))
	challenge := Challenge{Key: string(key[:]), Text: text, ExpiresAt: now + CaptchaLife}
	c.Pending = append(c.Pending, challenge)
	return challenge
}

// Spend takes the captcha with the key out, whatever was answered, and returns its text; ok is false if
// there is none, or no longer.
func (c *Captchas) Spend(now uint64, key string) (text string, ok bool) {
	c.expire(now)
	for i := range c.Pending {
		if c.Pending[i].Key == key {
			text = c.Pending[i].Text
			c.Pending = append(c.Pending[:i], c.Pending[i+1:]...)
			return text, true
		}
	}
	return "", false
}

// expire drops what has run out. The oldest stand first and all live equally long.
func (c *Captchas) expire(now uint64) {
	n := 0
	for n < len(c.Pending) && now >= c.Pending[n].ExpiresAt {
		n++
	}
	c.drop(n)
}

func (c *Captchas) drop(n int) { c.Pending = append(c.Pending[:0], c.Pending[n:]...) }
