package identity

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// laptop and phone unprotected, phrase protected: the usual anchor.
func usual() *Anchor {
	return stage(device(passkey("laptop"), proven), device(passkey("phone"), proven), device(phrase("phrase"), protected))
}

// early has no mark yet.
func early() *Anchor {
	return stage(device(passkey("laptop"), proven), device(passkey("phone"), proven), device(phrase("phrase"), proven))
}

// typing has a new phrase, granted by a protected key, that was not yet typed back.
func typing() *Anchor {
	return stage(device(passkey("laptop"), proven), device(passkey("key"), protected), device(phrase("phrase"), fresh))
}

func withTemporary(a *Anchor) *Anchor { temporary(&a.Devices[0]); return a }

func renamed(d Data) Data { d.Alias = "renamed"; return d }

func moved(d Data) Data { d.HasOrigin, d.Origin = true, "https://other"; return d }

func TestEveryForbiddenRemoval(t *testing.T) {
	run(t, []ruleTest{
		{"another removes a protected device", usual(), who("laptop"), remove("phrase"), ErrSelfOnly, nil},
		{"a protected device removes another protected one",
			stage(device(passkey("key"), protected), device(phrase("phrase"), protected)), who("key"), remove("phrase"), ErrSelfOnly, nil},
		{"an unprotected device removes one whose mark is not proven", typing(), who("laptop"), remove("phrase"), ErrSelfOnly, nil},
		{"a temporary key removes its own device", withTemporary(early()), testTemp, remove("laptop"), ErrTemporaryKey, nil},
		{"a temporary key removes a protected device", withTemporary(usual()), testTemp, remove("phrase"), ErrSelfOnly, nil},
		{"the last device removes itself", stage(device(passkey("laptop"), proven)), who("laptop"), remove("laptop"), ErrLastDevice, nil},
		{"the last protected device removes itself from a guarded anchor", usual().guarded(), who("phrase"), remove("phrase"), ErrGuardNeedsDevice, nil},
		{"an unprotected device removes another from a guarded anchor", usual().guarded(), who("laptop"), remove("phone"), ErrGuarded, nil},
		{"a temporary key removes from a guarded anchor", withTemporary(usual()).guarded(), testTemp, remove("phone"), ErrGuarded, nil},
		{"nobody removes what is not there", usual(), who("phrase"), remove("nothing"), ErrNoSuchDevice, nil},

		{"a protected device removes itself", usual(), who("phrase"), remove("phrase"), 0, has("laptop", "phone")},
		{"a protected device removes an unprotected one", usual(), who("phrase"), remove("laptop"), 0, has("phone", "phrase")},
		{"so too from a guarded anchor", usual().guarded(), who("phrase"), remove("laptop"), 0, has("phone", "phrase")},
		{"an unprotected device removes another", usual(), who("laptop"), remove("phone"), 0, has("laptop", "phrase")},
		{"an unprotected device removes itself", usual(), who("laptop"), remove("laptop"), 0, has("phone", "phrase")},
		{"so too from a guarded anchor", usual().guarded(), who("laptop"), remove("laptop"), 0, has("phone", "phrase")},
		{"one of two protected devices leaves a guarded anchor",
			stage(device(passkey("key"), protected), device(phrase("phrase"), protected)).guarded(), who("key"), remove("key"), 0, has("phrase")},
		{"a protected device removes one whose mark is not proven", typing(), who("key"), remove("phrase"), 0, has("laptop", "key")},
		{"a device whose mark was not proven removes itself: its call proves it", typing(), who("phrase"), remove("phrase"), 0, has("laptop", "key")},
		{"a temporary key removes another device", withTemporary(early()), testTemp, remove("phone"), 0, has("laptop", "phrase")},
	})
}

func TestEveryForbiddenChange(t *testing.T) {
	other := func(change func(*Data)) Data { d := passkey("laptop"); change(&d); return d }
	long := other(func(d *Data) { d.PublicKey = key("phone") })
	run(t, []ruleTest{
		{"another changes a protected device", usual(), who("laptop"), update("phrase", renamed(marked(phrase("phrase")))), ErrSelfOnly, nil},
		{"another unprotects it", usual(), who("laptop"), update("phrase", phrase("phrase")), ErrSelfOnly, nil},
		{"a protected device changes another protected one",
			stage(device(passkey("key"), protected), device(phrase("phrase"), protected)), who("key"), update("phrase", renamed(marked(phrase("phrase")))), ErrSelfOnly, nil},
		{"an unprotected device changes one whose mark is not proven", typing(), who("laptop"), update("phrase", marked(phrase("phrase"))), ErrSelfOnly, nil},
		{"a temporary key changes its own device", withTemporary(early()), testTemp, update("laptop", renamed(passkey("laptop"))), ErrTemporaryKey, nil},
		{"the public key changes", early(), who("laptop"), update("laptop", long), ErrKeyChange, nil},
		{"the key type changes", early(), who("laptop"), update("laptop", other(func(d *Data) { d.KeyType = SeedPhrase; d.CredentialID = nil })), ErrKeyTypeChange, nil},
		{"a phrase becomes something else, to make room for a second", early(), who("laptop"), update("phrase", other(func(d *Data) { d.PublicKey = key("phrase") })), ErrKeyTypeChange, nil},
		{"an unknown device", early(), who("laptop"), update("nothing", passkey("nothing")), ErrNoSuchDevice, nil},
		{"a phrase gets a credential id", early(), who("phrase"), update("phrase", func() Data { d := phrase("phrase"); d.CredentialID = []byte{}; return d }()), ErrPhraseCredential, nil},
		{"a credential id of another device", early(), who("laptop"), update("laptop", other(func(d *Data) { d.CredentialID = passkey("phone").CredentialID })), ErrCredentialExists, nil},
		{"an unprotected device changes another on a guarded anchor", usual().guarded(), who("laptop"), update("phone", renamed(passkey("phone"))), ErrGuarded, nil},
		{"an unprotected device marks itself when there are marks", usual(), who("laptop"), update("laptop", marked(passkey("laptop"))), ErrNotGranted, nil},
		{"an unprotected device marks another", early(), who("laptop"), update("phone", marked(passkey("phone"))), ErrNotGranted, nil},
		{"a temporary key marks another", withTemporary(early()), testTemp, update("phone", marked(passkey("phone"))), ErrTemporaryKey, nil},
		{"the last protected device of a guarded anchor unprotects itself", usual().guarded(), who("phrase"), update("phrase", phrase("phrase")), ErrGuardNeedsDevice, nil},

		{"a device changes itself", early(), who("laptop"), update("laptop", moved(renamed(passkey("laptop")))), 0, func(t *testing.T, a *Anchor) {
			require.Equal(t, moved(renamed(passkey("laptop"))), a.Devices[0].Data)
			require.Equal(t, []EventKind{EventUpdated}, kinds(a))
		}},
		{"a device changes another", usual(), who("laptop"), update("phone", moved(passkey("phone"))), 0, nil},
		{"a temporary key changes another", withTemporary(early()), testTemp, update("phone", moved(passkey("phone"))), 0, nil},
		{"a protected device changes itself", usual(), who("phrase"), update("phrase", moved(marked(phrase("phrase")))), 0, isProtected("phrase", true)},
		{"the last protected device of a guarded anchor changes itself", usual().guarded(), who("phrase"), update("phrase", renamed(marked(phrase("phrase")))), 0, isProtected("phrase", true)},
		{"a device gets a credential id", stage(device(change(passkey("laptop"), func(d *Data) { d.CredentialID = nil }), proven)), who("laptop"), update("laptop", passkey("laptop")), 0, nil},
		{"a protected device changes an unproven mark's", typing(), who("key"), update("phrase", renamed(marked(phrase("phrase")))), 0, func(t *testing.T, a *Anchor) {
			require.Equal(t, testService+LapseAfter, a.byKey(key("phrase")).LapsesAt, "the running lapse is not touched")
			require.Equal(t, []EventKind{EventUpdated}, kinds(a))
		}},
		{"a protected device takes an unproven mark", typing(), who("key"), update("phrase", phrase("phrase")), 0, func(t *testing.T, a *Anchor) {
			require.False(t, a.byKey(key("phrase")).Protected)
			require.Zero(t, a.byKey(key("phrase")).LapsesAt)
		}},
		{"an unprotected device of a guarded anchor changes its alias", usual().guarded(), who("laptop"), update("laptop", renamed(passkey("laptop"))), 0, nil},
		{"a protected device of a guarded anchor changes another", usual().guarded(), who("phrase"), update("laptop", moved(passkey("laptop"))), 0, nil},
		{"the first mark, by the device itself", early(), who("laptop"), update("laptop", marked(passkey("laptop"))), 0, func(t *testing.T, a *Anchor) {
			isProtected("laptop", true)(t, a)
			require.Equal(t, []EventKind{EventUpdated, EventProtected}, kinds(a))
		}},
		{"a mark granted by a protected device", usual(), who("phrase"), update("laptop", marked(passkey("laptop"))), 0, isProtected("laptop", true)},
		{"a protected device unprotects itself", usual(), who("phrase"), update("phrase", phrase("phrase")), 0, func(t *testing.T, a *Anchor) {
			require.False(t, a.byKey(key("phrase")).Protected)
			require.Equal(t, []EventKind{EventUpdated, EventUnprotected}, kinds(a))
		}},
	})
}

func TestUpdateTouchesClassicFieldsAlone(t *testing.T) {
	a := usual().consents(2, Asker{ID: 0})
	d := &a.Devices[2]
	d.SessionsUntil, d.Attestation, d.Challenge = testNow+day, Attestation{At: 5}, Challenge{ExpiresAt: testNow + second}
	before := clone(a).Devices[2]
	granted(t, a, who("laptop"), update("phone", renamed(passkey("phone"))))
	granted(t, a, who("phrase"), update("phrase", renamed(marked(phrase("phrase")))))
	before.Data = renamed(marked(phrase("phrase")))
	before.LastUsed = testNow
	require.Equal(t, before, a.Devices[2])
}

// What a guard leaves to an unprotected device is its alias: nothing else of its own record.
func TestGuardLeavesTheAlias(t *testing.T) {
	full := passkey("laptop")
	full.AAGUID, full.Metadata = make([]byte, AAGUIDSize), Metadata{{Key: "k", Text: "v"}}
	full.HasOrigin, full.Origin = true, "https://origin"
	for name, change := range map[string]func(*Data){
		"purpose":             func(d *Data) { d.Purpose = Recovery },
		"protection":          func(d *Data) { d.Protected = true },
		"origin":              func(d *Data) { d.Origin = "https://other" },
		"no origin":           func(d *Data) { d.HasOrigin = false },
		"credential id":       func(d *Data) { d.CredentialID = []byte("other") },
		"no credential id":    func(d *Data) { d.CredentialID = nil },
		"aaguid":              func(d *Data) { d.AAGUID = append([]byte{1}, make([]byte, 15)...) },
		"no aaguid":           func(d *Data) { d.AAGUID = nil },
		"metadata text":       func(d *Data) { d.Metadata = Metadata{{Key: "k", Text: "w"}} },
		"metadata key":        func(d *Data) { d.Metadata = Metadata{{Key: "l", Text: "v"}} },
		"metadata kind":       func(d *Data) { d.Metadata = Metadata{{Key: "k", Text: "v", Kind: MetadataBytes}} },
		"metadata bytes":      func(d *Data) { d.Metadata = Metadata{{Key: "k", Text: "v", Bytes: []byte{1}}} },
		"metadata map":        func(d *Data) { d.Metadata = Metadata{{Key: "k", Text: "v", Map: Metadata{{}}}} },
		"more metadata":       func(d *Data) { d.Metadata = append(Metadata{{Key: "k", Text: "v"}}, MetadataEntry{}) },
		"no metadata":         func(d *Data) { d.Metadata = nil },
		"empty metadata":      func(d *Data) { d.Metadata = Metadata{} },
		"empty credential id": func(d *Data) { d.CredentialID = []byte{} },
	} {
		t.Run(name, func(t *testing.T) {
			a := stage(device(full, proven), device(phrase("phrase"), protected)).guarded()
			data := full
			change(&data)
			refused(t, a, who("laptop"), ErrGuarded, update("laptop", data))
		})
	}
	a := stage(device(full, proven), device(phrase("phrase"), protected)).guarded()
	granted(t, a, who("laptop"), update("laptop", renamed(full)))
	require.False(t, sameMetadata(nil, Metadata{}), "absent is not empty")
	require.False(t, sameBytes(nil, []byte{}))
}

func TestOnlyAliasSeesTheKeyAndItsType(t *testing.T) {
	a, b := passkey("a"), passkey("a")
	require.True(t, onlyAlias(&a, &b))
	b.PublicKey = key("b")
	require.False(t, onlyAlias(&a, &b))
	b = a
	b.KeyType = Unknown
	require.False(t, onlyAlias(&a, &b))
}

func TestAdd(t *testing.T) {
	run(t, []ruleTest{
		{"an unprotected device", usual(), who("laptop"), add(passkey("tablet")), 0, func(t *testing.T, a *Anchor) {
			has("laptop", "phone", "phrase", "tablet")(t, a)
			require.Equal(t, Device{Data: passkey("tablet"), ID: 3, Principal: who("tablet"), AddedAt: testNow, AddedUnprotected: true}, a.Devices[3])
			require.Equal(t, []Event{{At: testNow, Kind: EventAdded, By: who("laptop"), Device: who("tablet")}}, a.Events)
		}},
		{"its temporary key", withTemporary(early()), testTemp, add(passkey("tablet")), 0, func(t *testing.T, a *Anchor) {
			require.True(t, a.Events[0].Temporary)
		}},
		{"the guard", usual().guarded(), who("laptop"), add(passkey("tablet")), ErrGuarded, nil},
		{"the guard and a temporary key", withTemporary(usual()).guarded(), testTemp, add(passkey("tablet")), ErrGuarded, nil},
		{"a protected device of a guarded anchor", usual().guarded(), who("phrase"), add(passkey("tablet")), 0, nil},
		{"a mark is not granted to another while there is none", early(), who("laptop"), add(marked(passkey("tablet"))), ErrNotGranted, nil},
		{"nor by an unprotected device", usual(), who("laptop"), add(marked(passkey("tablet"))), ErrNotGranted, nil},
		{"nor by a temporary key", withTemporary(early()), testTemp, add(marked(passkey("tablet"))), ErrTemporaryKey, nil},
		{"a mark granted by a protected device may lapse", usual(), who("phrase"), add(marked(passkey("tablet"))), 0, func(t *testing.T, a *Anchor) {
			d := a.byKey(key("tablet"))
			require.True(t, d.Protected)
			require.False(t, d.Proven)
			require.Equal(t, testService+LapseAfter, d.LapsesAt)
			require.Equal(t, []EventKind{EventAdded, EventProtected}, kinds(a))
			require.Equal(t, d.LapsesAt, a.Events[1].Until)
		}},
		{"the first phrase", stage(device(passkey("laptop"), proven)), who("laptop"), add(phrase("phrase")), 0, nil},
		{"a second phrase", early(), who("laptop"), add(phrase("second")), ErrSecondPhrase, nil},
		{"a key that is there", early(), who("laptop"), add(passkey("phone")), ErrDeviceExists, nil},
		{"an error carries its classic prefix", early(), who("laptop"), func(c *Actor) error {
			err := c.Add(phrase("second"))
			require.EqualError(t, err, "failed to add device: There is already a recovery phrase and only one is allowed.")
			return err
		}, ErrSecondPhrase, nil},
	})
}

// The classic texts that clients match on (dfinity/internet-identity, src/internet_identity).
func TestClassicTexts(t *testing.T) {
	hexKey := func(name string) string { return hexadecimal(key(name)) }
	for _, c := range []struct {
		do   func(*Actor) error
		code Code
		text string
	}{
		{update("phrase", phrase("phrase")), ErrSelfOnly, "failed to modify device: Device is locked. Must be authenticated with this device to mutate: authorized principal " +
			who("phrase").Text() + ", actual principal " + who("laptop").Text()},
		{remove("phrase"), ErrSelfOnly, "failed to remove device: Device is locked. Must be authenticated with this device to mutate: authorized principal " +
			who("phrase").Text() + ", actual principal " + who("laptop").Text()},
		{remove("nothing"), ErrNoSuchDevice, "failed to remove device: Device with key " + hexKey("nothing") + " not found."},
		{replace("nothing", passkey("x")), ErrNoSuchDevice, "failed to replace device: Device with key " + hexKey("nothing") + " not found."},
		{update("nothing", passkey("nothing")), ErrNoSuchDevice, "failed to modify device: Could not find device to update, check device key"},
		{update("laptop", passkey("phone")), ErrKeyChange, "failed to modify device: Device key cannot be updated."},
		{add(passkey("phone")), ErrDeviceExists, "failed to add device: Device with key " + hexKey("phone") + " already exists on this anchor."},
		{replace("laptop", passkey("phone")), ErrDeviceExists, "failed to replace device: Device with key " + hexKey("phone") + " already exists on this anchor."},
	} {
		t.Run(c.text, func(t *testing.T) {
			require.EqualError(t, refused(t, usual(), who("laptop"), c.code, c.do), c.text)
		})
	}
	_, err := usual().Authenticate(callBy(testStranger))
	require.EqualError(t, err, testStranger.Text()+" could not be authenticated.")
	require.Equal(t, ErrNotADevice, CodeOf(err))
}
