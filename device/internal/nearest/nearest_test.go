package nearest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWord(t *testing.T) {
	list := []string{"abandon", "ability", "able", "zoo"}
	for typed, want := range map[string]string{
		"abandom": "abandon", "abnadon": "abandon", "abando": "abandon", "abilty": "ability", "abel": "able", "zooo": "zoo", "xylophone": "", "": "",
	} {
		require.Equal(t, want, Word(typed, list), typed)
	}
}

func TestExplain(t *testing.T) {
	require.Equal(t, `word 3 "abandom" is not in the list, did you mean "abandon"?`, Explain(3, "abandom", "abandon"))
	require.Equal(t, `word 3 "xylophone" is not in the list`, Explain(3, "xylophone", ""))
}
