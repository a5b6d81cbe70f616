package cdk

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func none(uint32) bool { return false }

// However messages, upgrades and snapshots follow each other, the numbers of 65,536 messages differ.
func TestNumbersOfLivesDoNotMeet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var n numbering
		version := rapid.Uint64Range(1, 1<<40).Draw(t, "version")
		first := version
		seen := map[uint32]bool{}
		kept := n
		for version < first+1<<16 && len(seen) < 3000 {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0: // an upgrade
				n, version = numbering{}, version+1
			case 1: // a snapshot is taken
				kept, version = n, version+1
			case 2: // and loaded: the heap is as it was, the version is not
				n, version = kept, version+1
			default: // a message with calls
				for range rapid.IntRange(1, 40).Draw(t, "calls") {
					number, ok := n.next(version, none)
					require.True(t, ok)
					require.False(t, seen[number], "number %d comes twice", number)
					seen[number] = true
				}
				version += rapid.Uint64Range(1, 400).Draw(t, "other messages")
			}
		}
	})
}

func TestOneMessageMakesManyCallsAndNoMore(t *testing.T) {
	var n numbering
	seen := make(map[uint32]bool, MaxCallsPerMessage)
	for range MaxCallsPerMessage {
		number, ok := n.next(3, none)
		require.True(t, ok)
		seen[number] = true
	}
	require.Len(t, seen, MaxCallsPerMessage)
	_, ok := n.next(3, none)
	require.False(t, ok)
	number, ok := n.next(4, none)
	require.True(t, ok)
	require.False(t, seen[number])
}

// A number whose call still waits is passed over when it comes again.
func TestNumbersThatWaitArePassedOver(t *testing.T) {
	var n numbering
	old, _ := n.next(5, none)
	again, ok := n.next(5+1<<16, func(number uint32) bool { return number == old })
	require.True(t, ok)
	require.Equal(t, old+1, again)
}
