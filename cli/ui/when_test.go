package ui

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWhen(t *testing.T) {
	now := time.Date(2026, 11, 27, 15, 4, 0, 0, time.FixedZone("CET", 3600))
	at := func(d time.Duration) string { return When(now.Add(d).UTC(), now) }
	require.Equal(t, "2026-11-27 15:04 CET (now)", at(0))
	require.Equal(t, "2026-11-27 12:04 CET (3 hours ago)", at(-3*time.Hour))
	require.Equal(t, "2026-11-26 15:04 CET (1 day ago)", at(-24*time.Hour))
	require.Equal(t, "2026-12-27 15:04 CET (in 30 days)", at(30*24*time.Hour))
	require.Equal(t, "2026-11-27 14:04 CET (1 hour ago)", WhenNanos(uint64(now.Add(-time.Hour).UnixNano()), now))
}

func TestSpansInDaysAndHours(t *testing.T) {
	for text, d := range map[string]time.Duration{
		"30d": 720 * time.Hour, "29d23h": 719 * time.Hour, "1d1h30m": 25*time.Hour + 30*time.Minute, "12h": 12 * time.Hour, "1d1s": 24*time.Hour + time.Second,
	} {
		require.Equal(t, text, SpanText(d))
		back, err := ParseSpan(text)
		require.NoError(t, err)
		require.Equal(t, d, back)
	}
	for _, bad := range []string{"d", "1d-1h", "1dx", "-1d", "1d1d", "1h1d", "99999d"} {
		_, err := ParseSpan(bad)
		require.Error(t, err, bad)
	}
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Uint32().Draw(t, "seconds")) * time.Second
		back, err := ParseSpan(SpanText(d))
		require.NoError(t, err)
		require.Equal(t, d, back)
	})
}
