package ii

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMentionsOfFields(t *testing.T) {
	for _, c := range []struct {
		message string
		of      byte
		field   uint64
		want    bool
	}{
		{"", opRecord, 5, false},
		{"DID", opRecord, 5, false},
		{"DIDL", opRecord, 5, false},
		{"DIDX\x01\x6c\x01\x05\x71", opRecord, 5, false},
		{"DIDL\x01\x6c\x01\x05\x71", opRecord, 5, true},
		{"DIDL\x01\x6c\x01\x05\x71", opRecord, 6, false},
		{"DIDL\x01\x6c\x01\x05\x71", opVariantType, 5, false},
		{"DIDL\x01\x6b\x01\x05\x7f", opVariantType, 5, true},
		{"DIDL\x01\x6c\x02\x04\x71\x05\x71", opRecord, 5, true},
		{"DIDL\x02\x6e\x71\x6c\x01\x05\x71", opRecord, 5, true},
		{"DIDL\x02\x6d\x71\x6c\x01\x05\x71", opRecord, 5, true},
		{"DIDL\x01\x6e\x71\x6c\x01\x05\x71", opRecord, 5, false}, // behind the table
		{"DIDL\x00\x6c\x01\x05\x71", opRecord, 5, false},
		{"DIDL\x02\x6a\x71\x6c\x01\x05\x71", opRecord, 5, false}, // a function
		{"DIDL\x01\x6c\x00\x05\x71", opRecord, 5, false},
		{"DIDL\x01\x6c\x01\x85\x01\x71", opRecord, 133, true},
		{"DIDL\x01\x6c\x01\x05", opRecord, 5, true}, // cut short behind it
		{"DIDL\x01\x6c\x01", opRecord, 0, false},
		{"DIDL\x01\x6c", opRecord, 0, false},
		{"DIDL\x01", opRecord, 0, false},
		{"DIDL\x02\x6c\x01\x04", opRecord, 5, false},
		{"DIDL\x01\x6c\x01" + strings.Repeat("\x80", 9) + "\x00\x71", opRecord, 0, true},
		{"DIDL\x01\x6c\x01" + strings.Repeat("\x80", 10) + "\x00\x71", opRecord, 0, false},
	} {
		require.Equal(t, c.want, mentions([]byte(c.message), c.of, c.field), "%q", c.message)
	}
}

// A table without a shape tells its generation by the fields that it mentions.
func TestGenerationOfATableWithoutShape(t *testing.T) {
	for id, want := range map[uint64]generation{
		purposeField: hasPurpose, keyTypeField: hasKeyType, protectionField: hasProtection, originField: hasOrigin,
		lastUsedField: hasLastUsed, metadataField: hasMetadata, aaguidField: hasAAGUID, createdAtField: hasCreatedAt, 1: 0,
	} {
		p := someParts()
		p.device[id] = opNat64 // neither optional nor of its type
		if id == lastUsedField || id == createdAtField {
			p.device[id] = opText
		}
		message := p.message()
		_, ok := shapeOf(message)
		require.False(t, ok)
		require.Equal(t, want, generationOf(message), id)
	}
	p := someParts()
	p.device[1] = p.fields(opVariantType, map[uint64]uint64{browserKeyCase: opNull})
	require.Equal(t, hasBrowserKey, generationOf(p.message()))
}

// A table with a shape tells its generation by that, whatever else it has and lacks.
func TestGenerationOfEveryTable(t *testing.T) {
	for g := range allGenerations + 1 {
		if g&hasBrowserKey != 0 && g&hasKeyType == 0 {
			continue // the browser storage key is a case of the type
		}
		require.Equal(t, g, generationOf(tableOf(g, 9).table), "%b", g)
	}
}
