package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseOnOff reads the argument of a switch.
func ParseOnOff(text string) (bool, error) {
	switch text {
	case "on":
		return true, nil
	case "off":
		return false, nil
	}
	return false, Usagef("%q is neither on nor off", text)
}

// ParseSpan reads a length of time in whole seconds: a number of days such as 30d, Go's form such as 12h or 1h30m,
// or days and the rest, such as 29d23h.
func ParseSpan(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	days, rest, found := strings.Cut(text, "d")
	if !found {
		days, rest = "0", text
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, Usagef("%q is not a number of days such as 30d", text)
	}
	var d time.Duration
	if rest != "" || !found {
		if d, err = time.ParseDuration(rest); err != nil || d < 0 || d%time.Second != 0 || found && strings.ContainsAny(rest, "+-") {
			return 0, Usagef("%q is not a length of time such as 30d, 12h or 90m", text)
		}
	}
	return time.Duration(n)*day + d, nil
}

// SpanText is the inverse of [ParseSpan], in days and what is left in hours, minutes and seconds.
func SpanText(d time.Duration) string {
	const day = 24 * time.Hour
	days := ""
	if d >= day {
		days = fmt.Sprintf("%dd", d/day)
		if d = (d % day).Round(time.Second); d == 0 {
			return days
		}
	}
	text := d.Round(time.Second).String() // 12h0m0s
	if short, found := strings.CutSuffix(text, "m0s"); found {
		text = short + "m"
	}
	if short, found := strings.CutSuffix(text, "h0m"); found {
		text = short + "h"
	}
	if days != "" {
		text = strings.Replace(text, "h0m", "h", 1) // 1d1h5s
		text = strings.TrimPrefix(text, "0s")
	}
	return days + text
}

// Time writes a time of the canister's, in nanoseconds since 1970, for programs. People read [When].
func Time(nanos uint64) string { return time.Unix(0, int64(nanos)).UTC().Format(time.RFC3339) }

// Seconds writes a length of time that the canister gave.
func Seconds(n uint64) string {
	const most = 200 * 365 * 24 * 3600 // a Duration overflows beyond 292 years
	return SpanText(time.Duration(min(n, most)) * time.Second)
}

// Rough writes a length of time for people, in its largest unit: days, hours, minutes or seconds.
func Rough(d time.Duration) string {
	const day = 24 * time.Hour
	for _, u := range []struct {
		length time.Duration
		name   string
	}{{day, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if d >= u.length {
			return Count(d/u.length, u.name)
		}
	}
	return Count(d/time.Second, "second")
}

// Count is a number of things, whose name takes an s where there is not one of them.
func Count[N ~int | ~int64 | ~uint64](n N, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
