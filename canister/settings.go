package canister

import (
	"fmt"

	"kedge/candid/kedge"
	"kedge/canister/storage"
)

// maxCaptchas is the most captchas that may be kept unsolved.
const maxCaptchas = 500

// settings are what the init arguments have set so far. They are stored as the Candid of the init
// argument that would set them all, without the anchor range, which the superblock keeps.
type settings = kedge.KedgeInit

func loadSettings(store *storage.Store) settings {
	b, err := store.Config()
	must(err)
	if len(b) == 0 {
		return settings{}
	}
	s, err := kedge.DecodeInitArgs(b)
	must(err)
	return *s
}

// configure merges an init argument into the stored settings: what is null stays as it was.
func configure(store *storage.Store, arg *kedge.KedgeInit) error {
	if arg == nil {
		return nil
	}
	s := loadSettings(store)
	if arg.RegisterRateLimit != nil {
		if arg.RegisterRateLimit.MaxTokens == 0 {
			return fmt.Errorf("register_rate_limit: max_tokens must be at least 1, or nobody could ever register")
		}
		s.RegisterRateLimit = arg.RegisterRateLimit
	}
	if c := arg.CaptchaConfig; c != nil {
		switch {
		case c.CaptchaTrigger.Tag != kedge.CaptchaTriggerTagStatic:
			return fmt.Errorf("captcha_config: the trigger Dynamic is not supported; choose Static, CaptchaEnabled or CaptchaDisabled")
		case c.MaxUnsolvedCaptchas == 0 || c.MaxUnsolvedCaptchas > maxCaptchas:
			return fmt.Errorf("captcha_config: max_unsolved_captchas must be 1 to %d, got %d", maxCaptchas, c.MaxUnsolvedCaptchas)
		}
		s.CaptchaConfig = c
	}
	if arg.TestCaptcha != nil {
		s.TestCaptcha = arg.TestCaptcha
	}
	if arg.RelatedOrigins != nil {
		for _, origin := range arg.RelatedOrigins {
			if problem := originProblem(origin); problem != "" {
				return fmt.Errorf("related_origins: %q is no origin as browsers write it: %s", origin, problem)
			}
		}
		s.RelatedOrigins = arg.RelatedOrigins
	}
	if arg.RelyingParties != nil {
		for _, host := range arg.RelyingParties {
			if problem := hostProblem(host); problem != "" {
				return fmt.Errorf("relying_parties: %q is no host as browsers write it: %s", host, problem)
			}
		}
		s.RelyingParties = arg.RelyingParties
	}
	if err := store.SetConfig(kedge.EncodeInitArgs(&s)); err != nil {
		return fmt.Errorf("store the settings: %w", err)
	}
	return nil
}
