package ii

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/storage"
)

func TestTrialHasEveryField(t *testing.T) {
	want := Trial{Layout: 9, KnowsProtection: true, Imported: 1, WithoutKey: 2, Unreadable: 3, Amended: 4, Generation: 0x1ff, Returns: 63, Named: 5}
	for i := range want.FirstAmended {
		want.FirstAmended[i], want.FirstNamed[i] = uint32(100+i), uint32(200+i)
	}
	for _, w := range []Trial{want, {}, {Layout: 1}} {
		var b [storage.LegacySize]byte
		w.encode(&b)
		var got Trial
		got.decode(&b)
		require.Equal(t, w, got)
	}
}
