package ii

import (
	"testing"

	"github.com/aviate-labs/agent-go/candid"
	"github.com/aviate-labs/agent-go/candid/idl"
	"github.com/stretchr/testify/require"

	"kedge/canister/storage"
	"kedge/migrations/ii/iitest"
	"kedge/migrations/ii/wire"
)

// What builds of several years kept, encoded by another library, with fields that are nobody's business here.
type (
	rateLimit struct {
		TimePerTokenNS uint64 `ic:"time_per_token_ns"`
		MaxTokens      uint64 `ic:"max_tokens"`
	}
	static struct {
		Enabled  *idl.Null `ic:"CaptchaEnabled,variant"`
		Disabled *idl.Null `ic:"CaptchaDisabled,variant"`
	}
	dynamic struct {
		Threshold uint16 `ic:"threshold_pct"`
		Current   uint64 `ic:"current_rate_sampling_interval_s"`
		Reference uint64 `ic:"reference_rate_sampling_interval_s"`
	}
	trigger struct {
		Dynamic *dynamic `ic:"Dynamic,variant"`
		Static  *static  `ic:"Static,variant"`
	}
	captchaConfig struct {
		Unsolved uint64  `ic:"max_unsolved_captchas"`
		Trigger  trigger `ic:"captcha_trigger"`
	}

	state2023 struct {
		Cost uint64     `ic:"canister_creation_cycles_cost"`
		Rate *rateLimit `ic:"registration_rate_limit"`
	}
	state2024 struct {
		Cost     uint64    `ic:"canister_creation_cycles_cost"`
		Rate     rateLimit `ic:"registration_rate_limit"`
		Origins  uint64    `ic:"max_num_latest_delegation_origins"`
		Captchas uint64    `ic:"max_inflight_captchas"`
	}
	state2025 struct {
		Cost    uint64        `ic:"canister_creation_cycles_cost"`
		Rate    rateLimit     `ic:"registration_rate_limit"`
		Captcha captchaConfig `ic:"captcha_config"`
		Events  *uint64       `ic:"event_data_count"`
	}
)

func TestSettings(t *testing.T) {
	limit := rateLimit{10_000_000_000, 20_000}
	kept := &wire.RateLimit{TimePerTokenNs: 10_000_000_000, MaxTokens: 20_000}
	on, off := trigger{Static: &static{Enabled: new(idl.Null)}}, trigger{Static: &static{Disabled: new(idl.Null)}}
	busy := trigger{Dynamic: &dynamic{Threshold: 20, Current: 600, Reference: 3600}}
	for _, c := range []struct {
		name   string
		layout uint8
		state  any
		want   Settings
	}{
		{"layout 8, none", 8, state2023{}, Settings{}},
		{"layout 8, a limit", 8, state2023{Rate: &limit}, Settings{RateLimit: kept}},
		{"layout 6, a limit", 6, state2023{Rate: &limit}, Settings{RateLimit: kept}},
		{"layout 9 of 2024: captchas are always on", 9, state2024{Rate: limit, Captchas: 500}, Settings{kept, &Captcha{500, true}}},
		{"layout 9, captchas on", 9, state2025{Rate: limit, Captcha: captchaConfig{7, on}}, Settings{kept, &Captcha{7, true}}},
		{"layout 9, captchas off", 9, state2025{Rate: limit, Captcha: captchaConfig{50, off}}, Settings{kept, &Captcha{50, false}}},
		{"layout 9, captchas while many register", 9, state2025{Rate: limit, Captcha: captchaConfig{50, busy}}, Settings{kept, &Captcha{50, true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := candid.Marshal([]any{c.state})
			require.NoError(t, err)
			mem := storage.NewRAM(1 << 22)
			iitest.Install(t, mem, c.layout, iitest.Options{})
			writeState(t, mem, c.layout, raw)
			img, err := Open(mem)
			require.NoError(t, err)
			got, err := img.Settings()
			require.NoError(t, err)
			require.Equal(t, c.want, got)

			store, err := Upgrade(mem)
			require.NoError(t, err)
			got, err = SettingsOf(store)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	t.Run("no state", func(t *testing.T) {
		for _, layout := range []uint8{1, 3, 5, 6, 7, 8, 9} {
			mem := storage.NewRAM(1 << 14)
			iitest.Install(t, mem, layout, iitest.Options{})
			img, err := Open(mem)
			require.NoError(t, err)
			got, err := img.Settings()
			require.NoError(t, err)
			require.Zero(t, got)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		mem := storage.NewRAM(1 << 14)
		iitest.Install(t, mem, 9, iitest.Options{})
		writeState(t, mem, 9, []byte("no Candid"))
		img, err := Open(mem)
		require.NoError(t, err)
		_, err = img.Settings()
		require.ErrorContains(t, err, "read persistent state: ")
	})
}

// writeState writes a module's state where its layout has it.
func writeState(t *testing.T, mem storage.Memory, layout uint8, raw []byte) {
	t.Helper()
	if layout < 9 {
		m := iitest.Start(t, mem, iitest.Generations(layout)[len(iitest.Generations(layout))-1])
		m.Stop() // makes room behind the last record
		img, err := Open(mem)
		require.NoError(t, err)
		b := le.AppendUint64([]byte(stateMagic), uint64(len(raw)))
		require.NoError(t, img.entries.writeAt(append(b, raw...), img.entriesEnd()))
		return
	}
	manager, err := openManager(mem, layout)
	require.NoError(t, err)
	require.NoError(t, manager.grow(stateMemory, 1))
	cell, err := manager.virtual(stateMemory)
	require.NoError(t, err)
	b := le.AppendUint32([]byte(cellMagic), uint32(len(raw)))
	require.NoError(t, cell.writeAt(append(b, raw...), 0))
}

func TestSettingsOfRealImages(t *testing.T) {
	for _, name := range []string{"genesis_v1", "genesis_v5", "genesis_v7"} {
		img, err := Open(realImage(t, name))
		require.NoError(t, err)
		got, err := img.Settings()
		require.NoError(t, err)
		require.Zero(t, got, "%s had neither", name)
	}
}
