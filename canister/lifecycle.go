package canister

import (
	"fmt"

	"kedge/candid/kedge"
	"kedge/canister/storage"
	"kedge/cdk"
	"kedge/migrations/ii"
)

// firstAnchor is the number of the first anchor where the init argument names no range, as in Internet
// Identity.
const firstAnchor = 10_000

// install is canister_init.
func install() {
	arg, err := kedge.DecodeInitArgs(cdk.Arg())
	must(err)
	lo, hi := uint64(firstAnchor), uint64(firstAnchor+storage.MaxAnchors)
	if arg != nil && arg.AssignedUserNumberRange != nil {
		lo, hi = arg.AssignedUserNumberRange.F0, arg.AssignedUserNumberRange.F1
	}
	store, err := storage.Create(new(memory), storage.Config{Lo: lo, Hi: hi})
	must(err)
	must(configure(store, withDefaults(arg)))
	open(store)
}

// withDefaults is what an installation configures where its argument is silent. On mainnet registrations have
// Internet Identity's limit, so that filling the canister costs a stranger time; a local network, where tests
// register many, has none. An upgrade keeps what was configured.
func withDefaults(arg *kedge.KedgeInit) *kedge.KedgeInit {
	if !onMainnet() || arg != nil && arg.RegisterRateLimit != nil {
		return arg
	}
	var full kedge.KedgeInit
	if arg != nil {
		full = *arg
	}
	full.RegisterRateLimit = &kedge.RateLimitConfig{TimePerTokenNs: 10 * second, MaxTokens: 20_000}
	return &full
}

// upgrade is canister_post_upgrade, over Kedge or over Internet Identity. What it costs does not depend on
// the number of anchors: the timer imports and migrates them, a batch at a time. When it fails the network
// keeps the old module, with stable memory as it was.
func upgrade() {
	arg, err := kedge.DecodeInitArgs(cdk.Arg())
	must(err)
	store, err := ii.Upgrade(new(memory))
	if err != nil {
		cdk.Trap(fmt.Sprintf("open stable memory: %v; it is as it was, and so is the module", err))
	}
	if arg != nil && arg.AssignedUserNumberRange != nil {
		must(setRange(store, arg.AssignedUserNumberRange))
	}
	must(keepSettings(store))
	must(configure(store, arg))
	open(store)
}

// keepSettings takes over what an old module had configured, when nothing is configured here yet. Settings that
// cannot be read keep nobody from coming over: the log says so.
func keepSettings(store *storage.Store) error {
	if b, err := store.Config(); err != nil || len(b) > 0 {
		return err
	}
	old, err := ii.SettingsOf(store)
	if err != nil {
		cdk.Print("the old module's settings are not kept, set registration rate and captcha anew: " + err.Error())
		return nil
	}
	var kept kedge.KedgeInit
	if r := old.RateLimit; r != nil && r.MaxTokens > 0 {
		kept.RegisterRateLimit = &kedge.RateLimitConfig{TimePerTokenNs: r.TimePerTokenNs, MaxTokens: r.MaxTokens}
	}
	if c := old.Captcha; c != nil {
		trigger := kedge.CaptchaTriggerStaticCaptchaDisabled
		if c.On {
			trigger = kedge.CaptchaTriggerStaticCaptchaEnabled
		}
		kept.CaptchaConfig = &kedge.CaptchaConfig{
			MaxUnsolvedCaptchas: min(max(c.Unsolved, 1), maxCaptchas),
			CaptchaTrigger:      kedge.CaptchaTrigger{Tag: kedge.CaptchaTriggerTagStatic, Static: trigger},
		}
	}
	if kept.RegisterRateLimit == nil && kept.CaptchaConfig == nil {
		return nil
	}
	return configure(store, &kept)
}

func setRange(store *storage.Store, r *kedge.AnchorRange) error {
	if err := store.SetRange(r.F0, r.F1); err != nil {
		return fmt.Errorf("set_anchor_number_range: %w", err)
	}
	return nil
}

// memory is the canister's stable memory as storage wants it. What is inside the memory, all that a sound store asks
// for, is read and written without a detour, because every method does that several times.
type memory struct{}

func (*memory) Size() uint64            { return cdk.Stable().Pages() }
func (*memory) Grow(pages uint64) error { return cdk.Stable().Grow(pages) }

func (*memory) ReadAt(p []byte, off uint64) error {
	if size := cdk.Stable().Pages() * cdk.PageSize; off > size || uint64(len(p)) > size-off {
		_, err := cdk.Stable().ReadAt(p, int64(off)) // which says what is wrong
		return err
	}
	cdk.Stable().MustRead(p, off)
	return nil
}

func (*memory) WriteAt(p []byte, off uint64) error {
	if size := cdk.Stable().Pages() * cdk.PageSize; off > size || uint64(len(p)) > size-off {
		_, err := cdk.Stable().WriteAt(p, int64(off))
		return err
	}
	cdk.Stable().MustWrite(p, off)
	return nil
}
