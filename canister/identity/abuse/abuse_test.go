package abuse

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const sec = uint64(1e9)

func TestBucket(t *testing.T) {
	limit := Limit{TimePerToken: 10 * sec, MaxTokens: 2}
	start := 1000 * sec
	for _, c := range []struct {
		name string
		at   []uint64 // seconds after the start
		want []bool
	}{
		{"full at first, empty after its tokens", []uint64{0, 0, 0}, []bool{true, true, false}},
		{"not yet", []uint64{0, 0, 9}, []bool{true, true, false}},
		{"one token comes back at its time", []uint64{0, 0, 10, 10}, []bool{true, true, true, false}},
		{"the rest of a token's time is kept", []uint64{0, 0, 15, 20, 20}, []bool{true, true, true, true, false}},
		{"a full bucket keeps no rest", []uint64{0, 15, 15, 20, 25}, []bool{true, true, true, false, true}},
		{"never more than the maximum", []uint64{0, 0, 900, 900, 900}, []bool{true, true, true, true, false}},
		{"a clock that goes back gives nothing", []uint64{5, 5, 0, 14, 15}, []bool{true, true, false, false, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := Bucket{}
			for i, at := range c.at {
				require.Equal(t, c.want[i], b.Take(limit, start+at*sec), "call %d", i)
			}
		})
	}
}

func TestNoLimit(t *testing.T) {
	for _, limit := range []Limit{{}, {TimePerToken: 1}, {MaxTokens: 1}} {
		b := Bucket{}
		for range 10 {
			require.True(t, b.Take(limit, 1))
		}
	}
}

func TestBucketNeverExceedsItsRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := Limit{TimePerToken: rapid.Uint64Range(1, 50).Draw(t, "time"), MaxTokens: rapid.Uint64Range(1, 5).Draw(t, "max")}
		b, now := Bucket{}, uint64(1000)
		granted := []uint64{}
		for range 60 {
			now += rapid.Uint64Range(0, 60).Draw(t, "step")
			if b.Take(limit, now) {
				granted = append(granted, now)
			}
		}
		for i := range granted {
			for j := i; j < len(granted); j++ {
				most := limit.MaxTokens + (granted[j]-granted[i])/limit.TimePerToken + 1
				if uint64(j-i+1) > most {
					t.Fatalf("%d grants within %d", j-i+1, granted[j]-granted[i])
				}
			}
		}
	})
}

func TestCaptchaIsSpentByAnyAnswer(t *testing.T) {
	c := Captchas{}
	got := c.Add("text", 3, 5, [KeyLength]byte{0, 25, 26})
	require.Equal(t, "azaaaaaaaa", got.Key)
	require.Equal(t, 5+CaptchaLife, got.ExpiresAt)
	_, ok := c.Spend(5, "unknown")
	require.False(t, ok)
	text, ok := c.Spend(5, got.Key)
	require.True(t, ok)
	require.Equal(t, "text", text)
	_, ok = c.Spend(5, got.Key)
	require.False(t, ok)
}

func TestCaptchaExpires(t *testing.T) {
	c := Captchas{}
	old := c.Add("old", 3, 5, [KeyLength]byte{1})
	young := c.Add("young", 3, 6, [KeyLength]byte{2})
	_, ok := c.Spend(5+CaptchaLife, old.Key)
	require.False(t, ok)
	_, ok = c.Spend(5+CaptchaLife, young.Key)
	require.True(t, ok)
}

func TestExpiredCaptchasTakeNoRoom(t *testing.T) {
	c := Captchas{}
	c.Add("old", 3, 5, [KeyLength]byte{1})
	c.Add("young", 3, 5+CaptchaLife, [KeyLength]byte{2})
	require.Len(t, c.Pending, 1)
}

func TestTheOldestCaptchaGivesWay(t *testing.T) {
	for _, limit := range []int{0, 1, 3} {
		c := Captchas{}
		for i := range byte(10) {
			got := c.Add("text", limit, 5, [KeyLength]byte{i})
			require.Len(t, c.Pending, min(int(i)+1, max(limit, 1)))
			require.Equal(t, got, c.Pending[len(c.Pending)-1], "the newcomer is kept")
		}
	}
}
