package ui

import "fmt"

// Remaining writes how many seconds are left, in the two largest units: 29d 23h, 1h 5m, 12s. It never says
// more than there is.
func Remaining(seconds uint64) string {
	units := []struct {
		length uint64
		name   string
	}{{24 * 3600, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}}
	for i, u := range units {
		if seconds < u.length {
			continue
		}
		text := fmt.Sprintf("%d%s", seconds/u.length, u.name)
		if i+1 < len(units) {
			if rest := seconds % u.length / units[i+1].length; rest > 0 {
				text += fmt.Sprintf(" %d%s", rest, units[i+1].name)
			}
		}
		return text
	}
	return "0s"
}
