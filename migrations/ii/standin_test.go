package ii

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/storage"
	"kedge/migrations/ii/iitest"
)

// build makes the memory of an old canister without anchors.
func build(t require.TestingT, layout uint8) *storage.RAM {
	mem := storage.NewRAM(0)
	iitest.Install(t, mem, layout, iitest.Options{})
	return mem
}

// latest is the last generation of builds of a layout, earliest the first.
func latest(layout uint8) iitest.Generation {
	all := iitest.Generations(layout)
	return all[len(all)-1]
}

func earliest(layout uint8) iitest.Generation { return iitest.Generations(layout)[0] }

// start runs the last build of its layout on a memory.
func start(t require.TestingT, mem *storage.RAM) *iitest.Module {
	var b [4]byte
	require.NoError(t, mem.ReadAt(b[:], 0))
	return iitest.Start(t, mem, latest(b[3]))
}

// passkey and phrase are devices that every generation can write.
var passkey = iitest.Passkey

func phrase(key string, protected bool) iitest.Device { return iitest.Phrase(key, protected) }

func TestStandInReadsRealImages(t *testing.T) {
	for _, name := range []string{"genesis_v1", "genesis_v5", "genesis_v7"} {
		mem := realImage(t, name)
		o := start(t, mem)
		require.Len(t, o.Devices(10002), 2)
		o.Add(10002, passkey("new"))
		require.Len(t, o.Devices(10002), 3)
	}
}
