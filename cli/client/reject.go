package client

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Reject is a call or query that the network or the canister refused.
type Reject struct {
	Code      int    // of the Interface Specification, 1 to 6
	ErrorCode string // such as IC0503, may be empty
	Message   string // as it came
}

// ForController reports whether the network refused because the caller is no controller. Its codes differ by method; for
// snapshots and others it gives that of whatever was refused before it ran, with a text of its own.
func (r *Reject) ForController() bool {
	switch r.ErrorCode {
	case "IC0512", "IC0542":
		return true
	case "IC0406":
		return strings.HasPrefix(r.Message, "Caller ") && strings.Contains(r.Message, " is not allowed to call ")
	}
	return false
}

// Error returns the sentence of the canister if it spoke, else the first line of the network's
// message, without the canister's id before it, and the code.
func (r *Reject) Error() string {
	if s, ok := r.Trap(); ok {
		return Sentence(s)
	}
	message, _, _ := strings.Cut(strings.TrimSpace(r.Message), "\n")
	message = Sentence(strings.TrimRight(canisterPrefix.ReplaceAllString(message, ""), "."))
	if r.ErrorCode == "" {
		return message
	}
	return fmt.Sprintf("%s (%s)", message, r.ErrorCode)
}

// trapMessage matches the production network's report of a trap and takes the canister's text out:
// the canister's id before it, advice and a backtrace behind it.
var trapMessage = regexp.MustCompile("(?s)^Error from Canister [a-z0-9-]+: Canister called `ic0\\.trap` with message: '?(.*?)'?\\.?(?:\\n(?:Consider|Canister Backtrace).*)?$")

// longestSentence is how much of a text of others a message shows, in characters.
const longestSentence = 2000

// Sentence makes one line of a text that a canister or a node wrote, which stands within a message of this
// program: a line of its own could pass for another message, such as a hint. What is too long is cut off.
func Sentence(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > longestSentence { // bytes, of which there are at least as many
		if r := []rune(text[:min(len(text), 4*longestSentence+utf8.UTFMax)]); len(r) > longestSentence {
			text = string(r[:longestSentence]) + "... (cut off)"
		}
	}
	return strings.ReplaceAll(text, "\n", `\n`)
}

// Trap returns the text with which the canister trapped, if that is what happened.
func (r *Reject) Trap() (text string, ok bool) {
	if m := trapMessage.FindStringSubmatch(r.Message); m != nil {
		return m[1], true
	}
	return "", false
}

// canisterPrefix is what the network puts before the sentences that are about a canister.
var canisterPrefix = regexp.MustCompile(`^Error from Canister [a-z0-9-]+: `)

// agent-go reports refusals as text: "(5) message: IC0503" from a call or query, "(5) message" when
// it had to poll. An HTTP status has three digits.
var (
	agentReject = regexp.MustCompile(`(?s)^\(([1-6])\) (.*?)(?:: (IC\d{4})?)?$`)
	agentStatus = regexp.MustCompile(`(?s)^\((\d{3})\) \d{3} [^:]*: (.*)$`)
)

// HTTPError is a request that the network did not take: malformed, expired, too large, not signed as
// it should be.
type HTTPError struct {
	Status  int
	Message string
}

func (e *HTTPError) Error() string {
	return fmt.Sprintf("the network refused the request with status %d: %s", e.Status, Sentence(e.Message))
}

// explain turns the errors of agent-go into those of this package.
func explain(err error) error {
	var unreachable *UnreachableError
	var untrusted *UntrustedError
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled // by whoever called, and no fault of the network
	case errors.As(err, &unreachable):
		return unreachable
	case errors.As(err, &untrusted):
		return untrusted
	case errors.Is(err, context.DeadlineExceeded):
		return err
	}
	if m := agentReject.FindStringSubmatch(err.Error()); m != nil {
		code, _ := strconv.Atoi(m[1]) // one digit, by the expression
		return &Reject{Code: code, Message: m[2], ErrorCode: m[3]}
	}
	if m := agentStatus.FindStringSubmatch(err.Error()); m != nil {
		status, _ := strconv.Atoi(m[1]) // three digits, by the expression
		return &HTTPError{Status: status, Message: strings.TrimSpace(m[2])}
	}
	return &UntrustedError{Err: err} // all that agent-go has left: signatures and certificates
}
