package identity

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/ic/principal"
)

func change(d Data, do func(*Data)) Data { do(&d); return d }

func TestFieldLimits(t *testing.T) {
	text := func(n int) string { return strings.Repeat("x", n) }
	blob := func(n int) []byte { return bytes.Repeat([]byte{1}, n) }
	for _, c := range []struct {
		field string
		limit int
		set   func(*Data, int)
	}{
		{"pubkey", 300, func(d *Data, n int) { d.PublicKey = blob(n) }},
		{"alias", 64, func(d *Data, n int) { d.Alias = text(n) }},
		{"credential_id", 1023, func(d *Data, n int) { d.CredentialID = blob(n) }},
		{"origin", 100, func(d *Data, n int) { d.HasOrigin, d.Origin = true, text(n) }},
	} {
		t.Run(c.field, func(t *testing.T) {
			data := func(n int) Data { return change(passkey("tablet"), func(d *Data) { c.set(d, n) }) }
			granted(t, usual(), who("laptop"), add(data(c.limit)))
			e := refused(t, usual(), who("laptop"), ErrFieldTooLong, add(data(c.limit+1)))
			require.EqualError(t, e, fmt.Sprintf("failed to add device: %s limit exceeded: length %d, limit %d", c.field, c.limit+1, c.limit))
			require.Equal(t, Error{Code: ErrFieldTooLong, Prefix: e.Prefix, Message: e.Message, Field: c.field, Length: uint64(c.limit + 1), Limit: uint64(c.limit)}, *e)
			refused(t, usual(), who("laptop"), ErrFieldTooLong, replace("phone", data(c.limit+1)))

			// An import outside a limit is held only to what a call adds.
			giant := stage(device(data(c.limit+7), proven))
			name := principal.SelfAuthenticating(giant.Devices[0].PublicKey)
			k := giant.Devices[0].PublicKey
			again := func(d Data) func(*Actor) error { return func(c *Actor) error { return c.Update(k, d) } }
			granted(t, giant, name, again(data(c.limit+7)))
			if c.field == "pubkey" {
				return
			}
			refused(t, giant, name, ErrFieldTooLong, again(change(data(c.limit+8), func(d *Data) { d.PublicKey = k })))
			granted(t, giant, name, again(data(c.limit+6)))
			granted(t, giant, name, again(data(c.limit)))
			refused(t, giant, name, ErrFieldTooLong, again(data(c.limit+1)))
		})
	}
}

func TestAAGUID(t *testing.T) {
	for n, ok := range map[int]bool{0: false, 15: false, 16: true, 17: false} {
		data := change(passkey("tablet"), func(d *Data) { d.AAGUID = make([]byte, n) })
		if ok {
			granted(t, usual(), who("laptop"), add(data))
			continue
		}
		e := refused(t, usual(), who("laptop"), ErrBadAAGUID, add(data))
		require.Equal(t, []uint64{uint64(n), 16}, []uint64{e.Length, e.Limit})
	}
}

func TestReservedMetadataKeys(t *testing.T) {
	for _, k := range reservedKeys {
		data := change(passkey("tablet"), func(d *Data) { d.Metadata = Metadata{{Key: "fine"}, {Key: k}} })
		e := refused(t, usual(), who("laptop"), ErrReservedKey, add(data))
		require.EqualError(t, e, "failed to add device: Metadata key '"+k+"' is reserved and cannot be used.")
		require.Equal(t, k, e.Field)

		nested := change(passkey("tablet"), func(d *Data) { d.Metadata = Metadata{{Key: "fine", Map: Metadata{{Key: k}}}} })
		granted(t, usual(), who("laptop"), add(nested))

		imported := stage(device(data, proven))
		granted(t, imported, who("tablet"), update("tablet", renamed(data)))
	}
}

func TestVariableBytes(t *testing.T) {
	d := Data{PublicKey: make([]byte, 1), Alias: "22", CredentialID: make([]byte, 3), Origin: "4444",
		Metadata: Metadata{{Key: "55555", Text: "666666"}, {Key: "7", Bytes: make([]byte, 8), Map: Metadata{{Text: "9"}}}}}
	require.Equal(t, 1+2+3+4+5+6+1+8+1+3*metadataEntryBytes, d.VariableBytes())
	a := stage(device(d), device(d))
	require.Equal(t, 2*d.VariableBytes(), a.VariableBytes())
	a.Copies = []Data{d}
	require.Equal(t, 3*d.VariableBytes(), a.VariableBytes())
	a.Registration = &Registration{}
	require.Equal(t, 3*d.VariableBytes(), a.VariableBytes())
	a.Registration.Tentative = &d
	require.Equal(t, 4*d.VariableBytes(), a.VariableBytes())
}

// filled returns an anchor of exactly n variable bytes, of which copies take some if there are any.
func filled(n int) *Anchor {
	a := stage(device(passkey("laptop"), proven), device(passkey("phone"), proven), device(phrase("phrase"), protected))
	a.Devices[1].Metadata = Metadata{{Key: "k"}}
	a.Devices[1].Metadata[0].Text = strings.Repeat("x", n-a.VariableBytes())
	return a
}

func TestTotal(t *testing.T) {
	small := Data{PublicKey: key("s"), Alias: "s"} // 9 bytes: "key of s" and "s"
	require.Equal(t, 9, small.VariableBytes())
	granted(t, filled(MaxVariableBytes-9), who("laptop"), add(small))
	e := refused(t, filled(MaxVariableBytes-8), who("laptop"), ErrTooLarge, add(small))
	require.EqualError(t, e, "failed to add device: Cumulative size of variable sized fields exceeds limit: length 2501, limit 2500.")
	require.Equal(t, []uint64{2501, 2500}, []uint64{e.Length, e.Limit})

	longer := change(passkey("laptop"), func(d *Data) { d.Alias += "1" })
	granted(t, filled(MaxVariableBytes-1), who("laptop"), update("laptop", longer))
	refused(t, filled(MaxVariableBytes), who("laptop"), ErrTooLarge, update("laptop", longer))

	credential := change(passkey("laptop"), func(d *Data) { d.CredentialID = append([]byte("x"), d.CredentialID...) })
	refused(t, filled(MaxVariableBytes), who("laptop"), ErrTooLarge, update("laptop", credential))

	// An import over the limit is edited towards it, and never kept from being put in order.
	over := func() *Anchor { return filled(MaxVariableBytes + 100) }
	refused(t, over(), who("laptop"), ErrTooLarge, update("laptop", longer))
	granted(t, over(), who("laptop"), update("laptop", change(passkey("laptop"), func(d *Data) { d.Alias = "LAPTOP" })))
	granted(t, over(), who("laptop"), replace("laptop", passkey("tablet")))
	refused(t, over(), who("laptop"), ErrTooLarge, replace("laptop", passkey("a longer name")))
	copies := filled(MaxVariableBytes)
	copies.Copies = []Data{passkey("laptop")} // goes with the change, so its bytes may be used
	granted(t, clone(copies), who("laptop"), update("laptop", longer))
	refused(t, clone(copies), who("laptop"), ErrTooLarge, update("phone", change(copies.Devices[1].Data, func(d *Data) { d.Alias += "1" })))
	granted(t, clone(copies), who("laptop"), replace("laptop", passkey("a longer name")))
}

func TestOverLimitAnchors(t *testing.T) {
	many := func(n int) *Anchor {
		a := usual()
		for i := 3; i < n; i++ {
			d := device(Data{PublicKey: key(fmt.Sprint(i))}, proven)
			d.ID = DeviceID(i)
			a.Devices = append(a.Devices, d)
		}
		return a
	}
	granted(t, many(9), who("laptop"), add(passkey("tablet")))
	e := refused(t, many(10), who("laptop"), ErrTooManyDevices, add(passkey("tablet")))
	require.EqualError(t, e, "failed to add device: Anchor device limit exceeded: num devices 11, limit 10")
	require.Equal(t, []uint64{11, 10}, []uint64{e.Length, e.Limit})
	for name, do := range map[string]func(*Actor) error{
		"replace": replace("laptop", passkey("tablet")), "update": update("laptop", renamed(passkey("laptop"))),
		"remove": remove("phone"), "protect": protect("phone"), "unprotect": unprotect("phrase"),
	} {
		t.Run(name, func(t *testing.T) { granted(t, many(12), who("phrase"), do) })
	}
}

func TestImportedViolationsOfRule4(t *testing.T) {
	twoPhrases := func() *Anchor {
		return stage(device(phrase("one"), proven), device(phrase("two"), proven), device(passkey("laptop"), proven))
	}
	withCredential := change(phrase("phrase"), func(d *Data) { d.CredentialID = []byte("c") })
	sameCredential := change(passkey("phone"), func(d *Data) { d.CredentialID = passkey("laptop").CredentialID })
	run(t, []ruleTest{
		{"both phrases stay in use", twoPhrases(), who("one"), update("one", renamed(phrase("one"))), 0, nil},
		{"one is rotated", twoPhrases(), who("one"), replace("one", phrase("three")), 0, nil},
		{"one is protected", twoPhrases(), who("one"), protect("one"), 0, nil},
		{"one is removed", twoPhrases(), who("one"), remove("two"), 0, nil},
		{"no third", twoPhrases(), who("one"), add(phrase("three")), ErrSecondPhrase, nil},
		{"no third in the place of a passkey", twoPhrases(), who("one"), replace("laptop", phrase("three")), ErrSecondPhrase, nil},
		{"a phrase keeps its credential id", stage(device(withCredential, proven)), who("phrase"), update("phrase", renamed(withCredential)), 0, nil},
		{"a new phrase has none", early(), who("laptop"), replace("phrase", withCredential), ErrPhraseCredential, nil},
		{"a shared credential id is kept", stage(device(passkey("laptop"), proven), device(sameCredential, proven)), who("phone"), update("phone", renamed(sameCredential)), 0, nil},
		{"but not taken on", early(), who("phone"), update("phone", sameCredential), ErrCredentialExists, nil},
		{"a key with its own old credential id", early(), who("phone"), replace("phone", passkey("phone")), 0, nil},
		{"empty credential ids are not the same", stage(device(change(passkey("laptop"), func(d *Data) { d.CredentialID = []byte{} }), proven)), who("laptop"),
			add(change(passkey("phone"), func(d *Data) { d.CredentialID = []byte{} })), 0, nil},
	})
	e := refused(t, early(), who("phone"), ErrCredentialExists, add(change(passkey("x"), func(d *Data) { d.CredentialID = passkey("laptop").CredentialID })))
	require.Equal(t, key("laptop"), e.Key)
}

func TestOwnCanisterSignature(t *testing.T) {
	der := func(id principal.Principal, oid ...byte) []byte {
		seed := bytes.Repeat([]byte{9}, 32)
		body := append(append([]byte{byte(id.Len())}, id.Bytes()...), seed...)
		out := []byte{0x30, byte(7 + len(oid) + len(body)), 0x30, byte(2 + len(oid)), 0x06, byte(len(oid))}
		out = append(append(out, oid...), 0x03, byte(1+len(body)), 0)
		return append(out, body...)
	}
	oid := []byte{0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x02} // 1.3.6.1.4.1.56387.1.2
	own, other := der(testCanister, oid...), der(principal.Canister(8), oid...)
	// The network reads object identifiers whose numbers begin with zeros, too.
	require.True(t, IsOwnSignature(der(testCanister, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x80, 0x83, 0xb8, 0x43, 0x01, 0x02), testCanister))
	require.True(t, IsOwnSignature(der(testCanister, 0x2b, 0x80, 0x80, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x80, 0x02), testCanister))
	require.False(t, IsOwnSignature(der(testCanister, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0x80, 0xb8, 0x43, 0x01, 0x02), testCanister), "another number")
	require.True(t, IsOwnSignature(own, testCanister))
	require.False(t, IsOwnSignature(other, testCanister))
	require.False(t, IsOwnSignature(testCanister.AppendTo([]byte{10}), testCanister), "another kind of key")
	for name, do := range map[string]func(Data) func(*Actor) error{
		"add": add, "replace": func(d Data) func(*Actor) error { return replace("phone", d) },
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, own, refused(t, usual(), who("laptop"), ErrOwnSignature, do(Data{PublicKey: own})).Key)
			granted(t, usual(), who("laptop"), do(Data{PublicKey: other}))
		})
	}
	_, err := Register(callBy(principal.SelfAuthenticating(own)), 1, Data{PublicKey: own}, nil)
	require.Equal(t, ErrOwnSignature, CodeOf(err))
}

func TestCheckKey(t *testing.T) {
	id := []byte("credential")
	ed25519 := append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}, make([]byte, 32)...)
	require.NoError(t, CheckKey(&Data{PublicKey: ed25519, CredentialID: id}))
	require.NoError(t, CheckKey(&Data{PublicKey: key("laptop")}), "without a credential id it crowds nothing")
	require.NoError(t, CheckKey(&Data{PublicKey: key("laptop"), CredentialID: []byte{}}))
	err := CheckKey(&Data{PublicKey: key("laptop"), CredentialID: id})
	require.Equal(t, ErrUnusableKey, CodeOf(err))
	require.EqualError(t, err, "A device with a credential id needs a public key that can sign: it is not a public key in DER (SubjectPublicKeyInfo).")
}

// update is the third way in for a credential id, beside add and replace.
func TestCheckNewCredential(t *testing.T) {
	ed25519 := append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}, make([]byte, 32)...)
	usable := Data{PublicKey: ed25519, Alias: "usable", KeyType: Platform}
	bare := change(passkey("phone"), func(d *Data) { d.CredentialID = nil })
	anchor := stage(device(passkey("laptop"), proven), device(bare, proven), device(usable, proven))
	c, err := anchor.Authenticate(callBy(who("laptop")))
	require.NoError(t, err)
	withID := func(d Data, id string) *Data { d.CredentialID = []byte(id); return &d }

	require.Equal(t, ErrUnusableKey, CodeOf(c.CheckNewCredential(withID(bare, "new"))))
	require.Equal(t, ErrUnusableKey, CodeOf(c.CheckNewCredential(withID(passkey("laptop"), "another"))))
	require.NoError(t, c.CheckNewCredential(withID(usable, "new")))
	old := change(passkey("laptop"), func(d *Data) { d.Alias = "renamed" })
	require.NoError(t, c.CheckNewCredential(&old), "what an import has stays")
	none := change(passkey("laptop"), func(d *Data) { d.CredentialID = nil })
	require.NoError(t, c.CheckNewCredential(&none))
	stranger := passkey("stranger")
	require.NoError(t, c.CheckNewCredential(&stranger), "update says that there is no such device")
}

func TestHexadecimal(t *testing.T) {
	require.Equal(t, "00ff1a9c", hexadecimal([]byte{0, 0xff, 0x1a, 0x9c}))
}
