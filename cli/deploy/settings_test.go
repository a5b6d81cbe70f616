package deploy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
)

// What is asked for and holds already by itself is no change.
func TestSettingsThatHoldAlready(t *testing.T) {
	off := noCaptcha
	require.Empty(t, settingChanges(&kedge.KedgeInit{}, &kedge.KedgeInit{CaptchaConfig: &off}))
	off.MaxUnsolvedCaptchas = 7
	require.Equal(t, []change{{Name: "captcha", Before: "off, 50 unsolved", After: "off, 7 unsolved"}},
		settingChanges(&kedge.KedgeInit{}, &kedge.KedgeInit{CaptchaConfig: &off}))
}
