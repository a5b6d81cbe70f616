package canister

import (
	"encoding/base64"

	"kedge/candid/kedge"
	"kedge/canister/captcha"
	"kedge/canister/identity/abuse"
	"kedge/cdk"
)

// admission bounds what strangers can take. It lives in memory only: after an upgrade the bucket is full, and
// whoever was solving a captcha asks for another.
type admission struct {
	bucket   abuse.Bucket
	captchas abuse.Captchas
}

// defaultCaptchas is how many captchas are kept unsolved where nothing else is configured.
const defaultCaptchas = 50

// captchaOn reports whether registration takes a captcha; it is off where nothing else is configured.
func captchaOn() bool {
	c := state.settings.CaptchaConfig
	return c != nil && c.CaptchaTrigger.Static == kedge.CaptchaTriggerStaticCaptchaEnabled
}

// admit judges a registration: first the rate, then the captcha, whose answer spends it in any case. A
// registration that traps later gives back both, because a trap undoes everything.
func admit(answer kedge.ChallengeResult) (ok bool) {
	if limit := state.settings.RegisterRateLimit; limit != nil {
		rate := abuse.Limit{TimePerToken: limit.TimePerTokenNs, MaxTokens: limit.MaxTokens}
		if !state.admission.bucket.Take(rate, cdk.Time()) {
			cdk.Trap("rate limit reached, try again later")
		}
	}
	if !captchaOn() {
		return true
	}
	text, ok := state.admission.captchas.Spend(cdk.Time(), answer.Key)
	return ok && captcha.Matches(text, answer.Chars)
}

func createChallenge() {
	must(kedge.DecodeCreateChallengeArgs(cdk.Arg()))
	seed(func() {
		var random [captcha.RandomBytes]byte
		var key [abuse.KeyLength]byte
		draw(random[:])
		draw(key[:])
		text, picture, err := captcha.New(random[:])
		must(err)
		if test := state.settings.TestCaptcha; test != nil && *test != nil {
			text = **test
		}
		most := defaultCaptchas
		if c := state.settings.CaptchaConfig; c != nil {
			most = int(c.MaxUnsolvedCaptchas)
		}
		challenge := state.admission.captchas.Add(text, most, cdk.Time(), key)
		cdk.Reply(kedge.EncodeCreateChallengeResult(kedge.Challenge{
			PngBase64:    base64.StdEncoding.EncodeToString(picture),
			ChallengeKey: challenge.Key,
		}))
	})
}
