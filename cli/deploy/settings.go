package deploy

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/internal/origin"
)

// What an installation has where its argument is silent, as the canister does it.
const (
	defaultRate        = 10 * time.Second
	defaultBurst       = 20_000
	defaultUnsolved    = 50
	mostUnsolved       = 500
	longestTestCaptcha = 64
)

// settingFlags are the flags of kedge deploy that make the init argument, one for every field of it.
type settingFlags struct {
	cmd *cobra.Command

	anchors, captcha, testCaptcha string
	rate                          string
	burst, unsolved               uint64
	origins, parties              []string
}

func (f *settingFlags) add(cmd *cobra.Command) {
	f.cmd = cmd
	flags := cmd.Flags()
	flags.StringVar(&f.anchors, "anchors", "", "numbers that anchors get, such as 10000-20000: the first, and the one behind the last")
	flags.StringVar(&f.rate, "register-every", "", "one registration in this time, such as 10s, once the burst is used up")
	flags.Uint64Var(&f.burst, "register-burst", 0, "registrations that may come at once")
	flags.StringVar(&f.captcha, "captcha", "", "on or off: whether who registers solves a captcha")
	flags.Uint64Var(&f.unsolved, "captcha-unsolved", 0, "captchas that may wait for an answer at once, 1 to 500")
	flags.StringVar(&f.testCaptcha, "test-captcha", "", "for tests: the answer of every captcha; empty returns to random ones")
	ui.OriginsVar(cmd, &f.origins, "origin", "web origin of the page, whose passkeys may attest; may be given several times (default on installation: the canister's own page)")
	flags.StringArrayVar(&f.parties, "relying-party", nil, "relying-party id of passkeys that may attest; may be given several times (default: the hosts of --origin)")
}

// names are the flags in the order of the init argument.
var settingNames = []string{"anchors", "register-every", "register-burst", "captcha", "captcha-unsolved", "test-captcha", "origin", "relying-party"}

// given returns the first of the flags that is given, or nothing.
func (f *settingFlags) given() string {
	for _, name := range settingNames {
		if f.cmd.Flags().Changed(name) {
			return name
		}
	}
	return ""
}

// check refuses what makes no sense, before anything is asked of a network.
func (f *settingFlags) check() error {
	_, err := f.argument(&kedge.KedgeInit{})
	return err
}

// argument returns the init argument that the flags ask for, nil if they ask for nothing. A setting of two
// parts of which one flag is given keeps the other part as the canister has it; before is nil if that is not
// known.
func (f *settingFlags) argument(before *kedge.KedgeInit) (*kedge.KedgeInit, error) {
	if f.given() == "" {
		return nil, nil
	}
	var arg kedge.KedgeInit
	for _, part := range []func(*kedge.KedgeInit, *kedge.KedgeInit) error{f.rangeOf, f.rateOf, f.captchaOf, f.originsOf} {
		if err := part(&arg, before); err != nil {
			return nil, err
		}
	}
	return &arg, nil
}

func (f *settingFlags) rangeOf(arg, _ *kedge.KedgeInit) error {
	if !f.cmd.Flags().Changed("anchors") {
		return nil
	}
	first, end, ok := strings.Cut(f.anchors, "-")
	lo, errLo := strconv.ParseUint(strings.TrimSpace(first), 10, 64)
	hi, errHi := strconv.ParseUint(strings.TrimSpace(end), 10, 64)
	switch {
	case !ok, errLo != nil, errHi != nil:
		return ui.Usagef("--anchors %q is not of the form FIRST-END, such as 10000-20000", f.anchors)
	case lo >= hi:
		return ui.Usagef("--anchors %q is empty: the first number is below the one behind the last", f.anchors)
	}
	arg.AssignedUserNumberRange = &kedge.AnchorRange{F0: lo, F1: hi}
	return nil
}

func (f *settingFlags) rateOf(arg, before *kedge.KedgeInit) error {
	changed := f.cmd.Flags().Changed
	if !changed("register-every") && !changed("register-burst") {
		return nil
	}
	if before == nil && !(changed("register-every") && changed("register-burst")) {
		return unknownPart("register-every", "register-burst")
	}
	rate := kedge.RateLimitConfig{TimePerTokenNs: uint64(defaultRate), MaxTokens: defaultBurst}
	if before != nil && before.RegisterRateLimit != nil {
		rate = *before.RegisterRateLimit
	}
	if changed("register-every") {
		every, err := time.ParseDuration(f.rate)
		if err != nil || every < 0 {
			return ui.Usagef("--register-every %q is not a length of time such as 10s or 500ms", f.rate)
		}
		rate.TimePerTokenNs = uint64(every)
	}
	if changed("register-burst") {
		if f.burst == 0 {
			return ui.Usagef("--register-burst is at least 1, or nobody could ever register")
		}
		rate.MaxTokens = f.burst
	}
	arg.RegisterRateLimit = &rate
	return nil
}

// unknownPart refuses one flag of two where the canister does not say what the other stays at.
func unknownPart(one, other string) error {
	return ui.Usagef("--%s and --%s belong together, and the canister does not say what it has; give both", one, other)
}

func (f *settingFlags) captchaOf(arg, before *kedge.KedgeInit) error {
	changed := f.cmd.Flags().Changed
	if changed("captcha") || changed("captcha-unsolved") {
		if before == nil && !(changed("captcha") && changed("captcha-unsolved")) {
			return unknownPart("captcha", "captcha-unsolved")
		}
		c := noCaptcha
		if before != nil && before.CaptchaConfig != nil {
			c = *before.CaptchaConfig
		}
		if changed("captcha") {
			on, err := ui.ParseOnOff(f.captcha)
			if err != nil {
				return ui.Usagef("--captcha: %w", err)
			}
			c.CaptchaTrigger = kedge.CaptchaTrigger{Tag: kedge.CaptchaTriggerTagStatic, Static: kedge.CaptchaTriggerStaticCaptchaDisabled}
			if on {
				c.CaptchaTrigger.Static = kedge.CaptchaTriggerStaticCaptchaEnabled
			}
		}
		if changed("captcha-unsolved") {
			if f.unsolved == 0 || f.unsolved > mostUnsolved {
				return ui.Usagef("--captcha-unsolved is 1 to %d, not %d", mostUnsolved, f.unsolved)
			}
			c.MaxUnsolvedCaptchas = f.unsolved
		}
		arg.CaptchaConfig = &c
	}
	if changed("test-captcha") {
		var answer *string
		if f.testCaptcha != "" {
			if len(f.testCaptcha) > longestTestCaptcha {
				return ui.Usagef("--test-captcha has at most %d bytes", longestTestCaptcha)
			}
			answer = &f.testCaptcha
		}
		arg.TestCaptcha = &answer
	}
	return nil
}

func (f *settingFlags) originsOf(arg, _ *kedge.KedgeInit) error {
	parties := make([]string, 0, len(f.parties))
	for _, text := range f.parties {
		host, err := canonicalHost(text)
		if err != nil {
			return ui.Usagef("--relying-party %q: %w", text, err)
		}
		parties = append(parties, host)
	}
	if len(f.origins) > 0 {
		arg.RelatedOrigins = unique(f.origins)
		if len(parties) == 0 {
			var err error
			if parties, err = relyingParties(arg.RelatedOrigins); err != nil {
				return ui.Usagef("--origin: %w", err)
			}
		}
	}
	if len(parties) > 0 {
		arg.RelyingParties = unique(parties)
	}
	return nil
}

// relyingParties are the hosts of origins.
func relyingParties(origins []string) ([]string, error) {
	var parties []string
	for _, o := range origins {
		party, err := device.RelyingParty(o)
		if err != nil {
			return nil, err
		}
		parties = append(parties, party)
	}
	return unique(parties), nil
}

// canonicalHost returns a relying-party id as browsers write it.
func canonicalHost(text string) (string, error) {
	if strings.ContainsAny(text, ":/") {
		return "", fmt.Errorf("a relying-party id is a host without scheme, port and path, such as id.example")
	}
	canonical, err := origin.Canonical("https://" + text)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(canonical, "https://"), nil
}

func unique(list []string) []string {
	var out []string
	for _, text := range list {
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// change is one line of what an upgrade would change.
type change struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
	// Narrows says that something is taken away from those who use the canister.
	Narrows bool `json:"narrows"`
}

// settingChanges compares the settings of a canister with those that an init argument asks for; what the
// argument leaves out stays as it is. Before is nil if it is not known.
func settingChanges(before, arg *kedge.KedgeInit) []change {
	changes := []change{}
	known := before != nil
	if !known {
		before = new(kedge.KedgeInit)
	}
	add := func(name, was, is string, narrows bool) {
		if !known {
			was, narrows = "unknown", false
		}
		if was != is {
			changes = append(changes, change{name, was, is, narrows})
		}
	}
	if arg == nil {
		return changes
	}
	if r := arg.AssignedUserNumberRange; r != nil {
		old := before.AssignedUserNumberRange
		add("anchors", rangeText(old), rangeText(r), old != nil && (r.F0 > old.F0 || r.F1 < old.F1))
	}
	if r := arg.RegisterRateLimit; r != nil {
		old := before.RegisterRateLimit
		add("registrations", rateText(old), rateText(r), old == nil || r.TimePerTokenNs > old.TimePerTokenNs || r.MaxTokens < old.MaxTokens)
	}
	if c := arg.CaptchaConfig; c != nil {
		old := before.CaptchaConfig
		add("captcha", captchaText(old), captchaText(c), old != nil && c.MaxUnsolvedCaptchas < old.MaxUnsolvedCaptchas)
	}
	if arg.TestCaptcha != nil {
		add("test captcha", testCaptchaText(before.TestCaptcha), testCaptchaText(arg.TestCaptcha), false)
	}
	if arg.RelatedOrigins != nil {
		add("origins", listText(before.RelatedOrigins), listText(arg.RelatedOrigins), lacks(arg.RelatedOrigins, before.RelatedOrigins))
	}
	if arg.RelyingParties != nil {
		add("relying parties", listText(before.RelyingParties), listText(arg.RelyingParties), lacks(arg.RelyingParties, before.RelyingParties))
	}
	return changes
}

func lacks(list, old []string) bool {
	return slices.ContainsFunc(old, func(text string) bool { return !slices.Contains(list, text) })
}

func rangeText(r *kedge.AnchorRange) string {
	if r == nil {
		return "default"
	}
	return fmt.Sprintf("%d-%d", r.F0, r.F1)
}

func rateText(r *kedge.RateLimitConfig) string {
	if r == nil {
		return "no limit"
	}
	if r.TimePerTokenNs == 0 {
		return "no limit"
	}
	return fmt.Sprintf("one every %s, %d at once", time.Duration(min(r.TimePerTokenNs, math.MaxInt64)), r.MaxTokens)
}

// noCaptcha is what holds where nothing is configured.
var noCaptcha = kedge.CaptchaConfig{
	MaxUnsolvedCaptchas: defaultUnsolved,
	CaptchaTrigger:      kedge.CaptchaTrigger{Tag: kedge.CaptchaTriggerTagStatic, Static: kedge.CaptchaTriggerStaticCaptchaDisabled},
}

func captchaText(c *kedge.CaptchaConfig) string {
	if c == nil {
		c = &noCaptcha
	}
	state := "off"
	switch {
	case c.CaptchaTrigger.Tag != kedge.CaptchaTriggerTagStatic:
		state = "dynamic"
	case c.CaptchaTrigger.Static == kedge.CaptchaTriggerStaticCaptchaEnabled:
		state = "on"
	}
	return fmt.Sprintf("%s, %d unsolved", state, c.MaxUnsolvedCaptchas)
}

func testCaptchaText(answer **string) string {
	if answer == nil || *answer == nil {
		return "random"
	}
	return **answer
}

func listText(list []string) string {
	if len(list) == 0 {
		return "the canister's own page"
	}
	return strings.Join(list, " ")
}
