package classic

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/tests/harness"
)

func TestLimits(t *testing.T) {
	open := harness.Open(t, nil)
	laptop := harness.NewDevice("laptop")
	text := func(n int) string { return strings.Repeat("x", n) }
	origin := func(n int) *string { s := text(n); return &s }
	entry := func(key string) kedge.MetadataMap {
		return kedge.MetadataMap{{F0: key, F1: kedge.MetadataValue{Tag: kedge.MetadataValueTagBytes, Bytes: []byte{1}}}}
	}
	for _, c := range []struct {
		name   string
		change func(*kedge.DeviceData)
		want   string // nothing: accepted
	}{
		{"alias of 64 bytes", func(d *kedge.DeviceData) { d.Alias = text(64) }, ""},
		{"alias of 65 bytes", func(d *kedge.DeviceData) { d.Alias = text(65) }, "alias limit exceeded: length 65, limit 64"},
		{"alias of 22 letters with 66 bytes", func(d *kedge.DeviceData) { d.Alias = strings.Repeat("€", 22) }, "alias limit exceeded: length 66, limit 64"},
		{"key of 300 bytes", func(d *kedge.DeviceData) { d.Pubkey = []byte(text(300)) }, ""},
		{"key of 301 bytes", func(d *kedge.DeviceData) { d.Pubkey = []byte(text(301)) }, "pubkey limit exceeded: length 301, limit 300"},
		{"credential id of 1,023 bytes", func(d *kedge.DeviceData) { d.CredentialID = []byte(text(1023)) }, ""},
		{"credential id of 1,024 bytes", func(d *kedge.DeviceData) { d.CredentialID = []byte(text(1024)) }, "credential_id limit exceeded: length 1024, limit 1023"},
		{"origin of 100 bytes", func(d *kedge.DeviceData) { d.Origin = origin(100) }, ""},
		{"origin of 101 bytes", func(d *kedge.DeviceData) { d.Origin = origin(101) }, "origin limit exceeded: length 101, limit 100"},
		{"aaguid of 16 bytes", func(d *kedge.DeviceData) { d.Aaguid = make([]byte, 16) }, ""},
		{"aaguid of 15 bytes", func(d *kedge.DeviceData) { d.Aaguid = make([]byte, 15) }, "aaguid must be exactly 16 bytes, got 15"},
		{"metadata with a free key", func(d *kedge.DeviceData) { d.Metadata = entry("color") }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open.For(t)
			anchor := h.Register(laptop)
			d := harness.NewDevice("new")
			c.change(&d.Data)
			if c.want == "" {
				require.NoError(t, h.Add(anchor, laptop, d))
				require.NoError(t, h.Replace(anchor, laptop, d, d))
				h.Register(d)
				return
			}
			h.RequireTrap("failed to add device: "+c.want, h.Add(anchor, laptop, d))
			h.RequireTrap("failed to replace device: "+c.want, h.Replace(anchor, laptop, laptop, d))
			_, err := h.TryRegister(d.Principal(), d, kedge.ChallengeResult{}, nil)
			h.RequireTrap(fmt.Sprintf("failed to register anchor %d: %s", anchor+1, c.want), err)
			require.Len(t, h.Lookup(anchor), 1)
			if bytes.Equal(d.Key(), harness.NewDevice("new").Key()) { // update does not change keys
				require.NoError(t, h.Add(anchor, laptop, harness.NewDevice("new")))
				h.RequireTrap("failed to modify device: "+c.want, h.Update(anchor, laptop, d))
			}
		})
	}

	for _, key := range []string{"pubkey", "alias", "credential_id", "purpose", "key_type", "protection", "origin",
		"last_usage_timestamp", "metadata", "usage", "authenticator_attachment"} {
		t.Run("should_not_allow_reserved_metadata_keys "+key, func(t *testing.T) {
			h := open.For(t)
			anchor := h.Register(laptop)
			d := harness.NewDevice("new")
			d.Data.Metadata = entry(key)
			h.RequireTrap("failed to add device: Metadata key '"+key+"' is reserved and cannot be used.", h.Add(anchor, laptop, d))
		})
	}

	t.Run("should_enforce_max_number_of_devices", func(t *testing.T) {
		h := open.For(t)
		anchor := h.Register(laptop)
		for i := range 9 {
			require.NoError(t, h.Add(anchor, laptop, harness.NewDevice(fmt.Sprint(i))))
		}
		h.RequireTrap("failed to add device: Anchor device limit exceeded: num devices 11, limit 10", h.Add(anchor, laptop, harness.NewDevice("eleventh")))
		require.NoError(t, h.Replace(anchor, laptop, harness.NewDevice("8"), harness.NewDevice("eleventh")))
		require.NoError(t, h.Remove(anchor, laptop, harness.NewDevice("7")))
		require.NoError(t, h.Add(anchor, laptop, harness.NewDevice("8")))
	})

	t.Run("should_respect_total_size_limit", func(t *testing.T) {
		h := open.For(t)
		anchor := h.Register(laptop) // 50 bytes: its key and its alias
		sized := func(name string, size int) *harness.Device {
			d := harness.NewDevice(name)
			d.Data.CredentialID = []byte(name + text(size-len(d.Key())-2*len(name)))
			return d
		}
		require.NoError(t, h.Add(anchor, laptop, sized("a", 1000)))
		require.NoError(t, h.Add(anchor, laptop, sized("b", 1000)))
		full := "Cumulative size of variable sized fields exceeds limit: length 2501, limit 2500."
		h.RequireTrap("failed to add device: "+full, h.Add(anchor, laptop, sized("c", 451)))
		require.NoError(t, h.Add(anchor, laptop, sized("c", 450)), "2,500 bytes to the last")
		h.RequireTrap("failed to modify device: "+full, h.Update(anchor, laptop, laptop.Renamed("laptops")))
		require.NoError(t, h.Update(anchor, laptop, laptop.Renamed("mobile")), "as long as before")
		require.NoError(t, h.Remove(anchor, laptop, sized("b", 1000)), "removing makes room")
		require.NoError(t, h.Update(anchor, laptop, laptop.Renamed("laptops")))
	})
}
