package candid_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid"
)

// Whatever arrives as an argument, decoding ends without a panic, and what it
// yields is encoded and decoded to the same.
func FuzzDecodeArgs(f *testing.F) {
	f.Add(candid.EncodeAddArgs(10000, candid.DeviceData{Pubkey: []byte{1}, Alias: "a", Metadata: candid.MetadataMap{{F0: "k"}}}))
	f.Add(candid.EncodeRegisterArgs(candid.DeviceData{}, candid.ChallengeResult{Key: "k"}, nil))
	limit := candid.RateLimitConfig{MaxTokens: 1}
	answer := "a"
	captcha := &answer
	f.Add(candid.EncodeInitArgs(&candid.KedgeInit{RegisterRateLimit: &limit, TestCaptcha: &captcha, RelatedOrigins: []string{}}))
	f.Add(candid.EncodeReleaseConsentArgs(1, &candid.ReleaseConsentConsent{Askers: []candid.DeviceKey{{1}}}))
	f.Add([]byte("DIDL\x01i\x0200")) // a service whose method refers to no type
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, device, err := candid.DecodeAddArgs(data); err == nil {
			n2, again, err := candid.DecodeAddArgs(candid.EncodeAddArgs(n, device))
			require.NoError(t, err)
			require.Equal(t, n, n2)
			require.Equal(t, device, again)
		}
		if device, result, key, err := candid.DecodeRegisterArgs(data); err == nil {
			device2, result2, key2, err := candid.DecodeRegisterArgs(candid.EncodeRegisterArgs(device, result, key))
			require.NoError(t, err)
			require.Equal(t, device, device2)
			require.Equal(t, result, result2)
			require.Equal(t, key, key2)
		}
		if settings, err := candid.DecodeInitArgs(data); err == nil {
			again, err := candid.DecodeInitArgs(candid.EncodeInitArgs(settings))
			require.NoError(t, err)
			require.Equal(t, settings, again)
		}
		if n, consent, err := candid.DecodeReleaseConsentArgs(data); err == nil {
			n2, again, err := candid.DecodeReleaseConsentArgs(candid.EncodeReleaseConsentArgs(n, consent))
			require.NoError(t, err)
			require.Equal(t, n, n2)
			require.Equal(t, consent, again)
		}
	})
}
