package machine

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"kedge/candid/kedge"
	"kedge/device"
	"kedge/tests/harness"
	"kedge/tests/model"
)

// upgrade is an action that the model does not know: the anchor is the same after it.
const upgrade = "upgrade"

// world is an anchor on the network, and the keys of all who have to do with it.
type world struct {
	*harness.Harness
	anchor    uint64
	devices   [model.Keys]*harness.Device // as they come: an alias, no more
	keys      [model.Keys]*device.Passkey
	temporary *harness.Device // of key 0
	stranger  *harness.Device
	code      string // of the tentative device
	serial    int    // makes aliases and origins new
}

func newWorld(h *harness.Harness) *world {
	w := &world{Harness: h, temporary: harness.NewDevice("temporary"), stranger: harness.NewDevice("stranger")}
	for i := range w.devices {
		w.devices[i], w.keys[i] = h.NewPasskey(fmt.Sprintf("key %d", i), true)
		w.devices[i].Data.CredentialID, w.devices[i].Data.KeyType = nil, kedge.KeyTypeUnknown
	}
	return w
}

// failing is a test in which what fails is what rapid has drawn.
type failing struct {
	testing.TB
	drawn *rapid.T
}

func (f failing) Helper()                        { f.drawn.Helper() }
func (f failing) Errorf(format string, a ...any) { f.drawn.Errorf(format, a...) }
func (f failing) FailNow()                       { f.drawn.FailNow() }

// TestMain does less than rapid would by itself, unless -rapid.checks says how much.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", "30"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// TestRandomMessages sends them.
func TestRandomMessages(t *testing.T) {
	h := harness.Open(t, harness.Attesting())
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(h.For(failing{t, rt}))
		kind := rapid.SampledFrom([]model.Kind{model.Passkey, model.Credential, model.Phrase}).Draw(rt, "kind of the first device")
		mark, temporary := rapid.Bool().Draw(rt, "marked"), rapid.Bool().Draw(rt, "with temporary key")
		if temporary {
			w.anchor = w.RegisterFor(w.bring(0, kind, mark), w.temporary)
		} else {
			w.anchor = w.Register(w.bring(0, kind, mark))
		}
		want := model.Register(kind, mark, temporary)
		w.compare(want)
		for _, m := range rapid.SampledFrom(openings).Draw(rt, "opening") {
			want = w.apply(want, m)
		}
		for range rapid.IntRange(20, 60).Draw(rt, "messages") {
			want = w.apply(want, draw(rt, want.View()))
		}
	})
}

// openings are what people do first, so that what follows is not all about anchors with one device.
var openings = [][]model.Message{
	{},
	{ // a second passkey
		{Action: "add", Key: 1},
	},
	{ // a phrase, typed back and protected, that may be released
		{Action: "add", Key: 1},
		{Action: "add", Key: 2, Kind: model.Phrase},
		{Action: "protect", Who: 2, Target: 2},
		{Action: "consent", Who: 2, Askers: 0b0011},
	},
	{ // a release that nobody answered for thirty days
		{Action: "add", Key: 1},
		{Action: "add", Key: 2, Kind: model.Phrase},
		{Action: "protect", Who: 2, Target: 2},
		{Action: "consent", Who: 2, Askers: 0b0011},
		{Action: "request", Who: 1, Target: 2},
		{Action: "tick"},
	},
	{ // and one that completed
		{Action: "add", Key: 1, Kind: model.Phrase},
		{Action: "protect", Who: 1, Target: 1},
		{Action: "consent", Who: 1, Askers: 0b0001},
		{Action: "request", Who: 0, Target: 1},
		{Action: "tick"},
		{Action: "complete", Who: 0, Target: 1},
	},
	{ // two protected devices and the guard
		{Action: "protect", Target: 0},
		{Action: "add", Key: 1, Kind: model.Credential, Mark: true},
		{Action: "read", Who: 1},
		{Action: "add", Key: 3},
		{Action: "guard on", Who: 1},
	},
}

// apply sends a message to both and compares.
func (w *world) apply(want model.Anchor, m model.Message) model.Anchor {
	w.Helper()
	if m.Action == upgrade {
		w.Upgrade()
		w.compare(want)
		return want
	}
	after, granted := want.Step(m)
	err := w.send(m, want.View())
	require.Equal(w, granted, err == nil, "%+v: the module answered: %v", m, err)
	w.compare(after)
	return after
}

// draw draws a message that may have an effect: most are by devices that are there.
func draw(t *rapid.T, v model.View) model.Message {
	// Each tick is 1,440 runs of the timer, and each upgrade an installation: they are the rarer the longer
	// they take.
	action := rapid.SampledFrom(frequent).Draw(t, "action")
	if rapid.IntRange(0, 24).Draw(t, "seldom") == 24 {
		action = rapid.SampledFrom([]string{"tick", "pause", upgrade}).Draw(t, "what")
	}
	var present, protected []int
	for i, d := range v.Devices {
		if d.On {
			present = append(present, i)
		}
		if d.Marked && d.Proven {
			protected = append(protected, i)
		}
	}
	anyone := rapid.IntRange(0, model.Keys-1)
	someone := func(label string, of []int) int {
		if len(of) == 0 || rapid.IntRange(0, 7).Draw(t, label+" at random") == 7 {
			return anyone.Draw(t, label)
		}
		return rapid.SampledFrom(of).Draw(t, label)
	}
	m := model.Message{Action: action, Who: someone("who", present), Target: someone("target", present)}
	switch action {
	case "add", "replace", "offer":
		m.Key = anyone.Draw(t, "key")
		m.Kind = rapid.SampledFrom([]model.Kind{model.Passkey, model.Passkey, model.Credential, model.Phrase, model.PhraseCredential}).Draw(t, "kind")
		m.Mark = rapid.IntRange(0, 3).Draw(t, "mark") == 3
	case "guard on", "guard off", "demand on", "demand off", "cancel":
		m.Who = someone("protected", protected)
	case "consent":
		m.Who = someone("protected", protected)
		for _, i := range present {
			if i != m.Who && rapid.Bool().Draw(t, "asker") {
				m.Askers |= 1 << i
			}
		}
		if rapid.IntRange(0, 7).Draw(t, "odd askers") == 7 {
			m.Askers = uint8(rapid.IntRange(0, 1<<model.Keys-1).Draw(t, "askers"))
		}
	case "request", "complete":
		m.Target = someone("protected", protected)
		var askers []int
		for i, ask := range v.Devices[m.Target].Ask {
			if ask != model.Unnamed {
				askers = append(askers, i)
			}
		}
		m.Who = someone("asker", askers)
	}
	m.Temporary = v.Devices[m.Who].Temporary && rapid.Bool().Draw(t, "by temporary key")
	if action == "offer" && rapid.Bool().Draw(t, "by a stranger") {
		m.Who, m.Temporary = model.Stranger, false
	}
	return m
}

// ofContacts are the actions that need other anchors. tests/scenarios and tests/permissions send them on the
// real module; here the anchor is alone.
var ofContacts = []string{"name contacts", "end contacts", "agree", "disagree", "accept", "approve", "withdraw approval", "resign", "recover"}

// frequent are the actions of people. What builds an anchor up comes oftener than what takes it down.
var frequent = func() []string {
	people := slices.DeleteFunc(slices.Clone(model.Actions()), func(a string) bool {
		return a == "tick" || a == "pause" || slices.Contains(ofContacts, a)
	})
	return append(people, "add", "add", "protect", "protect", "consent", "consent", "request", "request", "complete", "offer", "verify")
}()

// compare holds the anchor's record to the model.
func (w *world) compare(want model.Anchor) {
	w.Helper()
	a, at := anchorIn(w.Harness, w.anchor)
	require.Equal(w, want.View(), w.viewOf(a, at))
	// And what everyone sees, to the record.
	for _, d := range w.Lookup(w.anchor) {
		seen := want.View().Devices[w.keyOf(d.Pubkey)]
		require.Equal(w, seen.Marked, d.Protection == kedge.DeviceProtectionProtected)
		require.Equal(w, seen.Proven, *d.Proven)
	}
}

// bring is the device of a key as add and its like bring it.
func (w *world) bring(key int, kind model.Kind, mark bool) *harness.Device {
	d := *w.devices[key]
	if kind == model.Phrase || kind == model.PhraseCredential {
		d.Data.KeyType = kedge.KeyTypeSeedPhrase
	}
	if kind == model.Credential || kind == model.PhraseCredential {
		d.Data.CredentialID = []byte("credential x")
	}
	if mark {
		return d.Marked()
	}
	return &d
}

// present is the device of a key as it stands on the anchor, the alias excepted, which everyone may change
// of himself. The model does not know origins: that one is read.
func (w *world) present(key int, v model.View) *harness.Device {
	d := v.Devices[key]
	kind := model.Passkey
	switch {
	case d.Phrase:
		kind = model.Phrase
	case d.Credential:
		kind = model.Credential
	}
	there := w.bring(key, kind, d.Marked)
	for _, seen := range w.Lookup(w.anchor) {
		if bytes.Equal(seen.Pubkey, there.Key()) {
			there.Data.Origin = seen.Origin
		}
	}
	return there
}

func (w *world) caller(m model.Message) *harness.Device {
	switch {
	case m.Who == model.Stranger:
		return w.stranger
	case m.Temporary:
		return w.temporary
	}
	return w.devices[m.Who]
}

// send calls the method, or lets the time pass.
func (w *world) send(m model.Message, v model.View) error {
	w.serial++
	as, target := w.caller(m), w.present(m.Target, v)
	brought := w.bring(m.Key, m.Kind, m.Mark)
	switch m.Action {
	case "tick":
		w.Pass(30*24*time.Hour + time.Minute)
	case "pause":
		w.Pass(15*time.Minute + time.Second)
	case "read":
		_, err := w.TryInfo(w.anchor, as)
		return err
	case "add":
		return w.Add(w.anchor, as, brought)
	case "replace":
		return w.Replace(w.anchor, as, target, brought)
	case "remove":
		return w.Remove(w.anchor, as, target)
	case "update alias", "update origin", "update mark", "update unmark", "update credential", "update key type", "update key":
		return w.update(m, as, target)
	case "enter":
		_, err := w.EnterMode(w.anchor, as)
		return err
	case "exit":
		return w.ExitMode(w.anchor, as)
	case "offer":
		response, err := w.Offer(w.anchor, as, brought)
		if err == nil && response.Tag == kedge.AddTentativeDeviceResponseTagAddedTentatively {
			w.code = response.AddedTentatively.VerificationCode
		}
		return err
	case "verify":
		_, err := w.Verify(w.anchor, as, w.code)
		return err
	case "verify wrong":
		_, err := w.Verify(w.anchor, as, "not it")
		return err
	case "protect":
		return w.Protect(w.anchor, as, target)
	case "unprotect":
		return w.Unprotect(w.anchor, as, target)
	case "guard on", "guard off":
		return w.Guard(w.anchor, as, m.Action == "guard on")
	case "demand on", "demand off":
		return w.Demand(w.anchor, as, m.Action == "demand on")
	case "limit":
		hour := uint64(3600)
		return w.LimitSessions(w.anchor, as, &hour)
	case "consent":
		return w.consent(m, as)
	case "withdraw":
		return w.Consent(w.anchor, as, 0)
	case "request":
		return w.Ask(w.anchor, as, target)
	case "cancel":
		return w.Cancel(w.anchor, as, target)
	case "complete":
		return w.Complete(w.anchor, as, target)
	case "attest":
		return w.attest(m, as)
	default:
		panic("unknown action " + m.Action)
	}
	return nil
}

func (w *world) update(m model.Message, as, target *harness.Device) error {
	changed, key := target.Renamed(fmt.Sprint(w.serial)), target.Key()
	switch m.Action {
	case "update origin":
		origin := fmt.Sprintf("https://%d.example.org", w.serial)
		changed.Data.Origin = &origin
	case "update mark":
		changed.Data.Protection = kedge.DeviceProtectionProtected
	case "update unmark":
		changed.Data.Protection = kedge.DeviceProtectionUnprotected
	case "update credential":
		if changed.Data.CredentialID == nil {
			changed.Data.CredentialID = []byte("credential x")
		} else {
			changed.Data.CredentialID = nil
		}
	case "update key type":
		if changed.Data.KeyType == kedge.KeyTypeSeedPhrase {
			changed.Data.KeyType = kedge.KeyTypeUnknown
		} else {
			changed.Data.KeyType = kedge.KeyTypeSeedPhrase
		}
	case "update key":
		changed.Data.Pubkey = []byte("another key")
	}
	_, err := w.Call(as.Principal(), "update", kedge.EncodeUpdateArgs(w.anchor, key, changed.Data))
	return err
}

// consent names the askers; without any, which withdraws in people's words, the list is empty.
func (w *world) consent(m model.Message, as *harness.Device) error {
	askers := []*harness.Device{}
	for i := range w.devices {
		if m.Askers>>i&1 == 1 {
			askers = append(askers, w.devices[i])
		}
	}
	return w.ConsentTo(w.anchor, as, 30, askers)
}

// attest asks for a challenge and answers it; both are calls of the device. A temporary key is refused the
// first, and tries the second all the same.
func (w *world) attest(m model.Message, as *harness.Device) error {
	challenge, err := w.AskChallenge(w.anchor, as)
	if err != nil {
		challenge.Challenge = make([]byte, 32)
	}
	_, err = w.Attest(w.anchor, as, w.AssertionBy(w.keys[max(m.Who, 0)], challenge.Challenge))
	return err
}
