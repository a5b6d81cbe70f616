package permissions

import (
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/tests/harness"
)

// The people of every scene. A controller is no device of the anchor.
var (
	stranger   = harness.NewDevice("stranger")
	temporary  = harness.NewDevice("temporary key of the laptop")
	phone      = harness.NewDevice("phone")
	phrase     = harness.NewPhrase("phrase")
	friend     = harness.NewDevice("friend")
	controller = &harness.Device{Name: "controller", Data: kedge.DeviceData{Pubkey: []byte("the operator")}}
)

// stage is the state of an anchor before a call.
type stage int

const (
	plain        stage = iota // laptop with a temporary key, phone; key and phrase, both protected
	unmarked                  // the same without any mark
	guarded                   // with the guard on
	open                      // in registration mode, opened by the laptop
	openByPhone               // by the phone
	offered                   // opened by the laptop, with a tentative device
	offeredPhone              // opened by the phone, with a tentative device
	consented                 // the phrase lets laptop and key ask for its release
	asked                     // and they have
	ripe                      // thirty days ago
	named                     // the phrase has named a recovery contact, which has accepted
	approved                  // and thirty days ago approved the key of whoever calls
)

// scene is an anchor in a stage, and who is there.
type scene struct {
	anchor      uint64
	code        string // of the tentative device
	laptop, key *harness.Device
	friend      uint64 // the contact's anchor, whose device is friend
}

// build makes an anchor in the stage.
func build(h *harness.Harness, s stage) *scene {
	h.Helper()
	do := func(err error) {
		h.Helper()
		require.NoError(h, err)
	}
	sc := &scene{}
	sc.laptop, _ = h.NewPasskey("laptop", true)
	sc.key, _ = h.NewPasskey("key", true)
	sc.anchor = h.RegisterFor(sc.laptop, temporary)
	do(h.Add(sc.anchor, sc.laptop, phone))
	do(h.Add(sc.anchor, sc.laptop, phrase))
	do(h.Add(sc.anchor, sc.laptop, sc.key))
	if s != unmarked {
		do(h.Protect(sc.anchor, phrase, phrase))
		do(h.Protect(sc.anchor, phrase, sc.key))
		h.Info(sc.anchor, sc.key) // proves it
	}
	opener := map[stage]*harness.Device{open: sc.laptop, offered: sc.laptop, openByPhone: phone, offeredPhone: phone}[s]
	if opener != nil {
		_, err := h.EnterMode(sc.anchor, opener)
		do(err)
	}
	switch s {
	case guarded:
		do(h.Guard(sc.anchor, sc.key, true))
	case offered, offeredPhone:
		response, err := h.Offer(sc.anchor, stranger, stranger)
		do(err)
		sc.code = response.AddedTentatively.VerificationCode
	case named, approved:
		sc.friend = h.Register(friend)
		do(h.SetContacts(sc.anchor, phrase, 1, 30, sc.friend))
		do(h.AcceptContact(sc.anchor, sc.friend, friend))
	case consented, asked, ripe:
		do(h.Consent(sc.anchor, phrase, 30, sc.laptop, sc.key))
		if s != consented {
			do(h.Ask(sc.anchor, sc.laptop, phrase))
			do(h.Ask(sc.anchor, sc.key, phrase))
		}
	}
	return sc
}

// caller is who calls in a role. Temporary keys live ten minutes, so none is there in the ripe stage.
func (sc *scene) caller(r identity.Role) *harness.Device {
	return map[identity.Role]*harness.Device{
		identity.RoleAnyone:      stranger,
		identity.RoleTemporary:   temporary,
		identity.RoleUnprotected: sc.laptop,
		identity.RoleProtected:   sc.key,
		identity.RoleController:  controller,
	}[r]
}

// ripen makes a ripe scene, and one with an approval, for each role at once: the thirty days pass once.
func ripen(h *harness.Harness) map[stage]*[identity.Roles]*scene {
	scenes := map[stage]*[identity.Roles]*scene{ripe: {}, approved: {}}
	for s, ofRole := range scenes {
		for role := range ofRole {
			sc := build(h, s)
			if s == approved {
				require.NoError(h, h.ApproveContact(sc.anchor, sc.friend, friend, sc.caller(identity.Role(role)).Principal()))
			}
			ofRole[role] = sc
		}
	}
	h.Pass(30*24*time.Hour + time.Minute)
	return scenes
}
