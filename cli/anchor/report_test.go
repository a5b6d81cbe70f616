package anchor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/cli/session"
)

func TestWordsOfTheReportAreComplete(t *testing.T) {
	for s := range kedge.Scenario(32) {
		if s.String() != "unknown" {
			require.NotEmpty(t, scenarioTexts[s], s.String())
		}
	}
	for a := range kedge.Advice(32) {
		if a.String() != "unknown" {
			require.NotContains(t, steps{}.text(a), "does not know", a.String())
		}
	}
}

// Advice fits the anchor: the device that is there signs, and each step is said once.
func TestAdviceFitsTheAnchor(t *testing.T) {
	marked, yes, no := kedge.DeviceProtectionProtected, true, false
	phrase := kedge.DeviceWithUsage{Pubkey: []byte("phrase"), KeyType: kedge.KeyTypeSeedPhrase, Protection: marked, Proven: &yes}
	unproven := phrase
	unproven.Proven = &no
	key := kedge.DeviceWithUsage{Pubkey: []byte("key"), Protection: marked, Proven: &no}
	for name, c := range map[string]struct {
		devices []kedge.DeviceWithUsage
		page    bool
		step    kedge.Advice
		want    string
	}{
		"a phrase that was not typed back": {[]kedge.DeviceWithUsage{unproven}, true, kedge.AdviceProveDevice, "type the recovery phrase once: kedge anchor show --as phrase"},
		"a key that never signed":          {[]kedge.DeviceWithUsage{key}, true, kedge.AdviceProveDevice, "sign in once with the protected device, where it is"},
		"a phrase consents":                {[]kedge.DeviceWithUsage{phrase}, true, kedge.AdviceConsentToRelease, "agree to a timed release: kedge release consent --asker DEVICE --as phrase"},
		"the first phrase":                 {nil, true, kedge.AdviceAddPhrase, "make a recovery phrase: kedge recovery phrase add"},
		"with a page":                      {nil, true, kedge.AdviceAddHardwareKey, "add a security key of another make, keep it elsewhere, protect it: on the web page, which kedge open shows"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, newSteps(kedge.IdentityAnchorInfo{Devices: c.devices}, session.OwnKeys{}, c.page).text(c.step))
		})
	}
	require.NotContains(t, newSteps(kedge.IdentityAnchorInfo{}, session.OwnKeys{}, false).text(kedge.AdviceAddHardwareKey), "kedge open")

	lost, stolen, step := kedge.ScenarioLoseAllDevices, kedge.ScenarioLaptopStolen, kedge.AdviceAddPhrase
	delayed := kedge.OutcomeDelayed
	require.Contains(t, reportText(kedge.RecoveryReport{Findings: []kedge.Finding{{Scenario: &lost, Outcome: &delayed}}, Warnings: []kedge.Warning{}}, nil, steps{}),
		"delayed  all everyday devices are lost  recovery contacts")
	text := reportText(kedge.RecoveryReport{Findings: []kedge.Finding{{Scenario: &lost, NextStep: &step}, {Scenario: &stolen, NextStep: &step}}}, nil, steps{})
	require.Equal(t, 1, strings.Count(text, "kedge recovery phrase add"))
	require.Contains(t, text, "      if all everyday devices are lost; if a thief holds an unlocked device")
}
