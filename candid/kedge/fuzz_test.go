package kedge_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
)

// Whatever arrives as an argument, decoding ends without a panic, and what it
// yields is encoded and decoded to the same.
func FuzzDecodeArgs(f *testing.F) {
	f.Add(kedge.EncodeAddArgs(10000, kedge.DeviceData{Pubkey: []byte{1}, Alias: "a", Metadata: kedge.MetadataMap{{F0: "k"}}}))
	f.Add(kedge.EncodeRegisterArgs(kedge.DeviceData{}, kedge.ChallengeResult{Key: "k"}, nil))
	limit := kedge.RateLimitConfig{MaxTokens: 1}
	answer := "a"
	captcha := &answer
	f.Add(kedge.EncodeInitArgs(&kedge.KedgeInit{RegisterRateLimit: &limit, TestCaptcha: &captcha, RelatedOrigins: []string{}}))
	f.Add(kedge.EncodeReleaseConsentArgs(1, &kedge.ReleaseConsentConsent{Askers: []kedge.DeviceKey{{1}}}))
	f.Add([]byte("DIDL\x01i\x0200")) // a service whose method refers to no type
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, device, err := kedge.DecodeAddArgs(data); err == nil {
			n2, again, err := kedge.DecodeAddArgs(kedge.EncodeAddArgs(n, device))
			require.NoError(t, err)
			require.Equal(t, n, n2)
			require.Equal(t, device, again)
		}
		if device, result, key, err := kedge.DecodeRegisterArgs(data); err == nil {
			device2, result2, key2, err := kedge.DecodeRegisterArgs(kedge.EncodeRegisterArgs(device, result, key))
			require.NoError(t, err)
			require.Equal(t, device, device2)
			require.Equal(t, result, result2)
			require.Equal(t, key, key2)
		}
		if settings, err := kedge.DecodeInitArgs(data); err == nil {
			again, err := kedge.DecodeInitArgs(kedge.EncodeInitArgs(settings))
			require.NoError(t, err)
			require.Equal(t, settings, again)
		}
		if n, consent, err := kedge.DecodeReleaseConsentArgs(data); err == nil {
			n2, again, err := kedge.DecodeReleaseConsentArgs(kedge.EncodeReleaseConsentArgs(n, consent))
			require.NoError(t, err)
			require.Equal(t, n, n2)
			require.Equal(t, consent, again)
		}
	})
}
