package contacts

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
)

// Every kind of warning that the interface knows has words of this program, with the device or the contact in
// them where there is one. A kind that it does not know has the canister's.
func TestEveryWarningHasWords(t *testing.T) {
	seen := map[string]bool{}
	kinds := 0
	for k := range kedge.WarningKind(32) {
		if k.String() == "unknown" {
			continue
		}
		kinds++
		text := warningText(k, "laptop (abc…xyz)", 10001)
		require.NotEmpty(t, text, k)
		require.False(t, seen[text], k)
		seen[text] = true
		switch k {
		case kedge.WarningKindNotAgreed, kedge.WarningKindSharedDevice, kedge.WarningKindDelayLongerThanRelease:
			require.Contains(t, text, "laptop (abc…xyz)")
		}
		switch k {
		case kedge.WarningKindSharedDevice, kedge.WarningKindEachOthersOnly:
			require.Contains(t, text, "10001")
		}
	}
	require.Equal(t, 7, kinds)

	number, key := uint64(10001), []byte("laptop")
	shared := kedge.WarningKindSharedDevice
	views := Warnings(kedge.RecoveryReport{Warnings: []kedge.Warning{
		{Kind: &shared, Anchor: &number, Device: key, Description: "not shown"},
		{Description: "something new"},
	}}, kedge.IdentityAnchorInfo{Devices: []kedge.DeviceWithUsage{{Pubkey: key, Alias: "laptop"}}})
	require.Equal(t, "shared_device", views[0].Kind)
	require.Contains(t, views[0].Text, "contact 10001 has laptop (")
	require.Equal(t, WarningView{Kind: "unknown", Text: "something new"}, views[1])
	require.Empty(t, Warnings(kedge.RecoveryReport{}, kedge.IdentityAnchorInfo{}))
	require.Empty(t, WarningLines(nil))
}

// What devices agree, or are protected and do not, is told apart from those that have no say.
func TestWhoAgrees(t *testing.T) {
	yes, no := true, false
	key := principal.SelfAuthenticating([]byte("new"))
	left := uint64(3600)
	info := kedge.IdentityAnchorInfo{
		Contacts: &kedge.Contacts{Threshold: 1, DelayS: 7 * 24 * 3600, Contacts: []kedge.Contact{{Anchor: 10001, Accepted: true, Approves: &key, CompletesInS: &left}, {Anchor: 10002}}},
		Devices: []kedge.DeviceWithUsage{
			{Pubkey: []byte{1}, Alias: "phrase", Protection: kedge.DeviceProtectionProtected, AgreesToContacts: &yes},
			{Pubkey: []byte{2}, Alias: "phone", Protection: kedge.DeviceProtectionProtected, AgreesToContacts: &no},
			{Pubkey: []byte{3}, Alias: "laptop", Protection: kedge.DeviceProtectionUnprotected},
		},
	}
	v := Of(10000, info)
	require.Equal(t, []string{"01"}, v.Agreed)
	require.Equal(t, []string{"02"}, v.NotAgreed)
	require.Len(t, v.Contacts[0].Words, 6)
	require.Nil(t, v.Contacts[1].Words)
	text := Text(10000, info)
	require.Contains(t, text, "recovery contacts: 1 of 2 must approve, then 7d must pass\n")
	require.Contains(t, text, "of the recovery contacts of anchor 10000, 10001 approve the new key "+key.Text()+"; it may complete in 1h\n")
	require.Contains(t, text, "  six words: "+strings.Join(v.Contacts[0].Words, " "))
	require.Nil(t, Of(10000, kedge.IdentityAnchorInfo{}))
	require.Equal(t, "no recovery contacts", Text(10000, kedge.IdentityAnchorInfo{}))
}
