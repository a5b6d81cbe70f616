// Package nearest finds the word of a list that somebody meant.
package nearest

import "fmt"

// Explain says which word of a secret is not in its list and what may be meant. It is for a terminal alone.
func Explain(position int, word, suggestion string) string {
	if suggestion == "" {
		return fmt.Sprintf("word %d %q is not in the list", position, word)
	}
	return fmt.Sprintf("word %d %q is not in the list, did you mean %q?", position, word, suggestion)
}

// maxTypos is the largest edit distance at which a word of the list is worth suggesting.
const maxTypos = 2

// Word returns the word of the list with the smallest edit distance to word, or "" if none is within two
// letters. Of equals the one that shares the longer beginning wins, since the first four letters tell any
// two words of the lists of BIP-39 and SLIP-0039 apart.
func Word(word string, list []string) string {
	best, bestDistance, bestPrefix := "", maxTypos+1, -1
	for _, candidate := range list {
		d, prefix := editDistance(word, candidate), commonPrefix(word, candidate)
		if d < bestDistance || d == bestDistance && d <= maxTypos && prefix > bestPrefix {
			best, bestDistance, bestPrefix = candidate, d, prefix
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, change or swap with their neighbour that lead
// from a to b (optimal string alignment, by bytes).
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
