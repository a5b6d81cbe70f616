package abuse

import "crypto/subtle"

// CaptchaLife is how long a captcha may be answered, in ns: five minutes.
const CaptchaLife = uint64(300e9)

// Mode says which captchas registration asks for. The values are stored.
type Mode uint8

// The modes.
const (
	CaptchaOff    Mode = 0 // any answer passes
	CaptchaStatic Mode = 1 // the answer is always StaticAnswer; for tests
	CaptchaImage  Mode = 2 // a drawn image
)

// StaticAnswer solves every captcha of mode CaptchaStatic, as in Internet Identity's test builds.
const StaticAnswer = "a"

// KeyLength is the length of a captcha's key, in characters a to z.
const KeyLength = 10

// alphabet has no two characters that look alike.
const alphabet = "abcdefghkmnrtuw34689"

// AnswerLength is the number of characters of a drawn captcha.
const AnswerLength = 5

// Challenge is a captcha that waits for its answer.
type Challenge struct {
	Key       string
	Answer    string
	ExpiresAt uint64 // ns since the epoch
}

// Captchas are the unsolved captchas, oldest first. A newcomer is never turned away: when there is no
// room, the oldest gives way, so that filling the store locks nobody out.
type Captchas struct {
	Pending []Challenge
}

// New returns a captcha made from 15 random bytes, of which at most limit are kept (at least 1).
func (c *Captchas) New(mode Mode, limit int, now uint64, random [KeyLength + AnswerLength]byte) Challenge {
	c.expire(now)
	key := make([]byte, KeyLength)
	for i := range key {
		key[i] = 'a' + random[i]%26
	}
	challenge := Challenge{Key: string(key), Answer: StaticAnswer, ExpiresAt: now + CaptchaLife}
	if mode == CaptchaImage {
		answer := make([]byte, AnswerLength)
		for i := range answer {
			answer[i] = alphabet[int(random[KeyLength+i])%len(alphabet)]
		}
		challenge.Answer = string(answer)
	}
	if mode == CaptchaOff {
		return challenge // nothing to remember
	}
	if over := len(c.Pending) + 1 - max(limit, 1); over > 0 {
		c.Pending = append(c.Pending[:0], c.Pending[over:]...)
	}
	c.Pending = append(c.Pending, challenge)
	return challenge
}

// Solve spends the captcha with the key, whatever the answer, and reports whether it was right and in
// time. Capitals count as small letters.
func (c *Captchas) Solve(mode Mode, now uint64, key, answer string) bool {
	if mode == CaptchaOff {
		return true
	}
	c.expire(now)
	for i := range c.Pending {
		if c.Pending[i].Key == key {
			want := c.Pending[i].Answer
			c.Pending = append(c.Pending[:i], c.Pending[i+1:]...)
			return subtle.ConstantTimeCompare([]byte(lower(answer)), []byte(want)) == 1
		}
	}
	return false
}

// expire drops what has run out; the oldest stand first and live equally long.
func (c *Captchas) expire(now uint64) {
	n := 0
	for n < len(c.Pending) && now >= c.Pending[n].ExpiresAt {
		n++
	}
	c.Pending = append(c.Pending[:0], c.Pending[n:]...)
}

func lower(s string) string {
	out := []byte(s)
	for i, b := range out {
		if b >= 'A' && b <= 'Z' {
			out[i] = b + 'a' - 'A'
		}
	}
	return string(out)
}
