package identity

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/ic/principal"
)

// anyData is what somebody says of a device: keys and credential ids of the owner's and of the newcomer's among them.
var anyData = rapid.Custom(func(t *rapid.T) Data {
	names := []string{"laptop", "key", "phrase", "new", "thief", "other thief"}
	d := passkey(rapid.SampledFrom(names).Draw(t, "key"))
	d.Alias = strings.Repeat("a", rapid.IntRange(0, MaxAlias).Draw(t, "alias"))
	d.KeyType = KeyType(rapid.IntRange(0, int(KeyTypes)-1).Draw(t, "type"))
	d.Protected = rapid.IntRange(0, 3).Draw(t, "marked") == 0
	switch rapid.IntRange(0, 3).Draw(t, "credential") {
	case 0:
		d.CredentialID = nil
	case 1:
		d.CredentialID = passkey(rapid.SampledFrom(names).Draw(t, "of")).CredentialID
	case 2:
		d.CredentialID = make([]byte, rapid.IntRange(0, MaxCredentialID).Draw(t, "length"))
	}
	return d
})

// others makes one message of somebody who is neither a protected device nor a contact that keeps its word.
func others(t *rapid.T, a *Anchor, call Call) {
	target := anyData.Draw(t, "target").PublicKey
	data := anyData.Draw(t, "data")
	who := rapid.SampledFrom([]principal.Principal{who("laptop"), who("thief"), who("other thief"), testTemp}).Draw(t, "by")
	call.Caller = who
	kind := rapid.IntRange(0, 14).Draw(t, "message")
	contact := Helper{10003, rapid.Bool().Draw(t, "protected")}
	switch kind {
	case 0:
		_ = a.AcceptContact(call, contact)
		return
	case 1:
		_ = a.ApproveKey(call, contact, principal.SelfAuthenticating(target))
		return
	case 2:
		_ = a.WithdrawApproval(call, contact)
		return
	case 3:
		_ = a.ResignContact(call, contact)
		return
	case 4:
		_, _ = a.OfferDevice(call, data, 1)
		return
	case 5:
		_ = a.CompleteContacts(call, data, false)
		return
	}
	c, err := a.Authenticate(call)
	if err != nil {
		return
	}
	switch kind {
	case 6, 7:
		_ = c.Add(data)
	case 8:
		data.PublicKey = target
		_ = c.Update(target, data)
	case 9:
		_ = c.Replace(target, data)
	case 10:
		_, _ = c.Remove(target)
	case 11:
		_ = c.Protect(target)
	case 12:
		_ = c.Unprotect(target)
	case 13:
		_, _ = c.EnterRegistration()
	case 14:
		_, _, _ = c.VerifyDevice(1)
	}
}

// Two contacts keep to the newcomer's key while all protected devices are silent: whatever all others do until the
// delay has passed, the key completes with the fields that it states, and what has not agreed stays as it was
// (theorems T1, T4 and T7, with sizes, credential ids and copies, which the model of tests/model leaves out).
func TestNothingKeepsTheNewcomerOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := withContacts()
		a.Devices[0].Temporary = TemporaryKey{testTemp, testNow + 20*day}
		a.Guard = rapid.IntRange(0, 3).Draw(t, "guard") == 0
		for _, name := range []string{"laptop", "key", "phrase"} {
			if rapid.IntRange(0, 2).Draw(t, "copy") == 0 {
				a.Copies = append(a.Copies, Data{PublicKey: key(name), CredentialID: []byte("of a copy of " + name), Alias: strings.Repeat("c", rapid.IntRange(0, 600).Draw(t, "alias of the copy"))})
			}
		}
		for i := range rapid.IntRange(0, MaxDevices).Draw(t, "imported devices") {
			d := device(Data{PublicKey: []byte{byte(i)}, Alias: strings.Repeat("i", rapid.IntRange(0, 400).Draw(t, "alias of the import"))})
			d.ID = DeviceID(3 + i)
			a.Devices = append(a.Devices, d)
		}
		call := callBy(testStranger)
		for _, number := range []uint64{10001, 10002} {
			require.NoError(t, a.ApproveKey(call, Helper{number, false}, who("new")))
		}
		kept := clone(a)
		for left := 7 * day; left > 0; {
			step := min(left, rapid.Uint64Range(0, day).Draw(t, "time"))
			left -= step
			call.Now, call.Service = call.Now+step, call.Service+step
			others(t, a, call)
			if step == 0 && rapid.Bool().Draw(t, "at the end") {
				call.Now, call.Service, left = call.Now+left, call.Service+left, 0
			}
		}
		data := passkey("new")
		data.Alias = strings.Repeat("n", rapid.IntRange(0, MaxAlias).Draw(t, "alias"))
		if rapid.Bool().Draw(t, "without a credential id") {
			data.CredentialID = nil
		}
		call.Caller = who("new")
		devices := len(a.Devices)
		require.NoError(t, a.CompleteContacts(call, data, false))

		data.Protected = true
		got := a.byKey(key("new"))
		require.NotNil(t, got)
		require.Equal(t, data, got.Data)
		require.True(t, got.protected())
		require.False(t, a.HasContacts())
		require.Equal(t, kept.Guard, a.Guard)
		require.LessOrEqual(t, len(a.Devices), max(devices, MaxDevices+1))
		require.Equal(t, kept.byKey(key("key")).Data, a.byKey(key("key")).Data, "it has not agreed")
		require.True(t, a.byKey(key("key")).protected())
		if d := a.byKey(key("phrase")); d != nil { // it may have given its place to the newcomer
			require.False(t, d.Protected)
		}
		for _, c := range kept.Copies {
			if string(c.PublicKey) == string(key("key")) {
				require.Contains(t, a.Copies, c)
			}
		}
		if len(data.CredentialID) > 0 {
			require.NoError(t, a.checkCredential(data.CredentialID, data.PublicKey), "it is nobody else's")
		}
	})
}
