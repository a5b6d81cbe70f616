package ii

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/canister/identity"
	"kedge/migrations/ii/wire"
)

// Each case starts from an anchor of a passkey and one more device, as Kedge has it, exports it, lets the
// old module do something to the export, and merges.
func TestMerge(t *testing.T) {
	const key = "second"
	phraseDevice := func(change func(*identity.Device)) identity.Device {
		d := protectedDevice(key, 1, identity.SeedPhrase)
		if change != nil {
			change(&d)
		}
		return d
	}
	unproven := func(d *identity.Device) { d.Proven, d.LapsesAt = false, 99 }
	unmarked := func(d *identity.Device) { d.Protected = false }
	alias := func(d *wire.AnyDevice) { d.Alias = "renamed" }
	unprotect := func(d *wire.AnyDevice) { p := wire.ProtectionUnprotected; d.Protection = &p }
	protect := func(d *wire.AnyDevice) { p := wire.ProtectionProtected; d.Protection = &p }
	used := func(d *wire.AnyDevice) { n := uint64(1000); d.LastUsageTimestamp = &n }
	forget := func(change func(*wire.AnyDevice)) func(*wire.AnyDevice) { // by a module without protection
		return func(d *wire.AnyDevice) { unprotect(d); change(d) }
	}
	gone := func(*wire.AnyDevice) {}

	for _, c := range []struct {
		name       string
		was        identity.Device
		change     func(*wire.AnyDevice)
		gone       bool
		without    bool // the old module does not know protection
		unenforced bool // it had the device from us as unprotected
		want       func(*identity.Device)
		absent     bool
		events     []identity.EventKind
	}{
		{name: "untouched phrase", was: phraseDevice(nil), change: gone, want: func(*identity.Device) {}},
		{name: "used phrase", was: phraseDevice(nil), change: used, want: func(d *identity.Device) { d.LastUsed = 1000 }},
		{name: "renamed by itself", was: phraseDevice(nil), change: alias, want: func(d *identity.Device) { d.Alias = "renamed" }},
		{name: "unprotected by itself", was: phraseDevice(func(d *identity.Device) {
			d.Consent = &identity.Consent{Delay: 1, Askers: []identity.Asker{{ID: 0}}}
		}), change: unprotect, want: func(d *identity.Device) { d.Protected, d.Consent = false, nil }},
		{name: "removed by itself", was: phraseDevice(nil), gone: true, absent: true},
		{
			name: "renamed where nobody enforced it", was: phraseDevice(nil), change: alias, unenforced: true,
			want: func(*identity.Device) {}, events: []identity.EventKind{identity.EventRestored},
		},
		{
			name: "removed where nobody enforced it", was: phraseDevice(nil), gone: true, unenforced: true,
			want: func(*identity.Device) {}, events: []identity.EventKind{identity.EventRestored},
		},
		{
			name: "removed by a module without protection", was: phraseDevice(nil), gone: true, without: true,
			want: func(*identity.Device) {}, events: []identity.EventKind{identity.EventRestored},
		},
		{
			name: "re-encoded by a module without protection", was: phraseDevice(nil), change: forget(gone), without: true,
			want: func(*identity.Device) {}, events: []identity.EventKind{identity.EventRestored},
		},
		{
			name: "renamed by a module without protection", was: phraseDevice(nil), change: forget(alias), without: true,
			want: func(*identity.Device) {}, events: []identity.EventKind{identity.EventRestored},
		},
		{
			name: "hardware key renamed", was: protectedDevice(key, 1, identity.CrossPlatform), change: alias,
			want: func(*identity.Device) {}, events: []identity.EventKind{identity.EventRestored},
		},
		{
			name: "hardware key used", was: protectedDevice(key, 1, identity.CrossPlatform), change: used,
			want: func(d *identity.Device) { d.LastUsed = 1000 },
		},
		{name: "unprotected device renamed", was: newDevice(key, 1), change: alias, want: func(d *identity.Device) { d.Alias = "renamed" }},
		{name: "unprotected device removed", was: newDevice(key, 1), gone: true, absent: true},
		{
			name: "protected by the old module", was: phraseDevice(unmarked), change: protect,
			want: func(d *identity.Device) { d.Protected = true },
		},
		{
			name: "unproven one protected by the old module", was: phraseDevice(func(d *identity.Device) { unmarked(d); d.Proven = false }), change: protect,
			want: func(d *identity.Device) { d.Protected, d.Proven = true, true },
		},
		{
			name: "unproven mark kept", was: phraseDevice(unproven), change: alias,
			want: func(d *identity.Device) { d.Alias = "renamed" },
		},
		{
			name: "unproven mark proven by use", was: phraseDevice(unproven), change: used,
			want: func(d *identity.Device) { d.LastUsed, d.Proven, d.LapsesAt = 1000, true, 0 },
		},
		{
			name: "unproven mark renamed and proven by use", was: phraseDevice(unproven),
			change: func(d *wire.AnyDevice) { alias(d); used(d) },
			want:   func(d *identity.Device) { d.Alias, d.LastUsed, d.Proven, d.LapsesAt = "renamed", 1000, true, 0 },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			own := &identity.Anchor{Number: 10000, Devices: []identity.Device{newDevice("passkey", 0), c.was}}
			w := exported(own, !c.unenforced)
			if c.gone {
				w.Devices = w.Devices[:1]
			} else {
				c.change(&w.Devices[1])
			}
			layout := uint8(5)
			raw := tableOf(allGenerations, layout).encode(nil, &w)
			if c.without {
				layout, raw = 1, tableOf(0, 1).encode(nil, &w)
			}
			old := &Record{Number: 10000, raw: raw}
			require.Equal(t, !c.without, old.Protection())
			var err error
			if layout == 1 {
				old.Anchor.Devices, err = wire.DecodeAnyDevicesArgs(raw)
			} else {
				old.Anchor, err = wire.DecodeAnyAnchorArgs(raw)
			}
			require.NoError(t, err)

			a := merge(own, old, raw, !c.unenforced)
			var kinds []identity.EventKind
			for _, e := range a.Events {
				kinds = append(kinds, e.Kind)
			}
			require.Equal(t, c.events, kinds)
			require.Equal(t, own.Devices[0], a.Devices[0])
			if c.absent {
				require.Len(t, a.Devices, 1)
				return
			}
			want := c.was
			c.want(&want)
			require.Len(t, a.Devices, 2)
			require.Equal(t, want, a.Devices[1])
		})
	}
}
