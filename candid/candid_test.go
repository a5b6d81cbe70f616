package candid_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid"
	"kedge/candid/did"
	"kedge/candid/engine"
	"kedge/candid/gen/golang"
)

func parse(t *testing.T, path string) *did.File {
	t.Helper()
	src, err := os.ReadFile(path)
	require.NoError(t, err)
	file, err := did.Parse(string(src))
	require.NoError(t, err)
	return file
}

// The checked-in code is what the generator makes of kedge.did.
func TestGeneratedCodeIsFresh(t *testing.T) {
	file, err := did.Parse(candid.Interface)
	require.NoError(t, err)
	want, err := golang.Generate(file, "candid", "kedge.did")
	require.NoError(t, err)
	got, err := os.ReadFile("kedge_gen.go")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run go generate ./candid")
}

// A client of the classic interface can use this one: the service is a subtype
// of the classic one, and so is each method, which names the culprit.
func TestClassicClientsWork(t *testing.T) {
	kedge, classic := parse(t, "kedge.did"), parse(t, "testdata/classic.did")
	ck, cc := did.NewCompiler(kedge), did.NewCompiler(classic)
	methods := map[string]did.Type{}
	for _, m := range kedge.Methods() {
		methods[m.Name] = m.Type
	}
	require.Len(t, classic.Methods(), 23)
	for _, m := range classic.Methods() {
		require.Contains(t, methods, m.Name)
		a, b := ck.Ref(methods[m.Name]), cc.Ref(m.Type)
		require.True(t, engine.Subtype(ck.Table, a, cc.Table, b), m.Name)
	}
	a, b := ck.Ref(kedge.Service), cc.Ref(classic.Service)
	require.True(t, engine.Subtype(ck.Table, a, cc.Table, b))

	// A deployment script's classic init argument is accepted too.
	a, b = ck.Ref(kedge.Init[0].Type), cc.Ref(classic.Init[0].Type)
	require.True(t, engine.Subtype(cc.Table, b, ck.Table, a))
}

func device() candid.DeviceWithUsage {
	used, proven := uint64(1_700_000_000_000_000_000), true
	origin := "https://id.example"
	return candid.DeviceWithUsage{
		Pubkey: make([]byte, 91), Alias: "MacBook", CredentialID: make([]byte, 64), Aaguid: make([]byte, 16),
		Purpose: candid.PurposeAuthentication, KeyType: candid.KeyTypePlatform, Protection: candid.DeviceProtectionProtected,
		Origin: &origin, LastUsage: &used, Proven: &proven, AddedAt: &used,
		Metadata: candid.MetadataMap{{F0: "os", F1: candid.MetadataValue{Tag: candid.MetadataValueTagString, String: "macOS"}}},
		Release:  &candid.Release{DelayS: 2_592_000, Askers: []candid.Asker{{Pubkey: []byte{1}}}},
	}
}

func TestRoundTrip(t *testing.T) {
	info := candid.IdentityAnchorInfo{Devices: []candid.DeviceWithUsage{device(), {Pubkey: []byte{}}}}
	got, err := candid.DecodeGetAnchorInfoResult(candid.EncodeGetAnchorInfoResult(info))
	require.NoError(t, err)
	require.Equal(t, info, got)

	refused := candid.Result{Tag: candid.ResultTagErr, Err: candid.Error{Message: "no"}}
	result, err := candid.DecodeProtectResult(candid.EncodeProtectResult(refused))
	require.NoError(t, err)
	require.Equal(t, refused, result)

	// nil is null, empty is not.
	for _, metadata := range []candid.MetadataMap{nil, {}} {
		_, d, err := candid.DecodeAddArgs(candid.EncodeAddArgs(1, candid.DeviceData{Pubkey: []byte{}, Metadata: metadata}))
		require.NoError(t, err)
		require.Equal(t, metadata, d.Metadata)
	}
}

// An old client that knows fewer arguments and fields is understood.
func TestOldRegister(t *testing.T) {
	file, err := did.Parse(`type D = record { pubkey : blob; alias : text; purpose : variant { authentication };
		key_type : variant { unknown }; protection : variant { unprotected } };
		service : { register : (D, record { key : text; chars : text }) -> () }`)
	require.NoError(t, err)
	c := did.NewCompiler(file)
	sig := c.Signature(file.Methods()[0].Type.(did.Func).Args)
	// By ascending id: purpose and key_type come after alias, protection and pubkey.
	message := append([]byte(sig.Header), "\x03abc\x00\x03key\x00\x00\x01k\x02ok"...)
	d, challenge, key, err := candid.DecodeRegisterArgs(message)
	require.NoError(t, err)
	require.Nil(t, key)
	require.Equal(t, candid.ChallengeResult{Key: "k", Chars: "ok"}, challenge)
	require.Equal(t, candid.DeviceData{Alias: "abc", Pubkey: []byte("key"), KeyType: candid.KeyTypeUnknown}, d)
}

// Errors say where and what.
func TestErrors(t *testing.T) {
	file, err := did.Parse(`type D = record { pubkey : blob; alias : nat };
		service : { add : (nat64, D) -> (); remove : (nat64, text) -> (); lookup : () -> (); far : (nat64, nat64, text) -> () }`)
	require.NoError(t, err)
	headers := map[string]string{}
	c := did.NewCompiler(file)
	for _, m := range file.Methods() {
		headers[m.Name] = c.Signature(m.Type.(did.Func).Args).Header
	}
	anchor := "\x10\x27\x00\x00\x00\x00\x00\x00"
	for _, test := range []struct{ message, err string }{
		{"", `the message does not begin with "DIDL" at offset 0`},
		{"DIDL", `the message ends too early at offset 4`},
		{headers["add"] + anchor + "\x05\x01k", `argument 2, field "alias": expected text, got nat at offset 32`},
		{headers["remove"] + anchor + "\x01k", `argument 2: expected record, got text at offset 16`},
		{headers["lookup"], `argument 1: missing argument at offset 6`},
		{headers["far"] + anchor + anchor, `argument 2: expected record, got nat64 at offset 17`},
	} {
		_, _, err := candid.DecodeAddArgs([]byte(test.message))
		require.EqualError(t, err, test.err)
	}
	good := candid.EncodeAddArgs(1, candid.DeviceData{Pubkey: []byte("key")})
	_, _, err = candid.DecodeAddArgs(append(good, 0))
	require.ErrorContains(t, err, "bytes are left over after the last argument at offset ")
	broken := candid.EncodeGetAnchorInfoResult(candid.IdentityAnchorInfo{Devices: []candid.DeviceWithUsage{device(), device()}})
	_, err = candid.DecodeGetAnchorInfoResult(broken[:len(broken)-30])
	require.ErrorContains(t, err, `argument 1, field "devices", element 1, field "credential_id": the message ends too early at offset `)
	var e *engine.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, 1, e.Arg)
}

// Decoding what nearly everyone sends costs an allocation, and encoding a reply
// into a buffer that is there none.
func TestAllocations(t *testing.T) {
	lookup := candid.EncodeLookupArgs(10000)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if n, err := candid.DecodeLookupArgs(lookup); n != 10000 || err != nil {
			t.Fatal(n, err)
		}
	}), 1.0)
	info := candid.IdentityAnchorInfo{Devices: make([]candid.DeviceWithUsage, 9)}
	for i := range info.Devices {
		info.Devices[i] = device()
	}
	b := candid.EncodeGetAnchorInfoResult(info)
	require.Zero(t, testing.AllocsPerRun(100, func() { b = candid.AppendGetAnchorInfoResult(b[:0], info) }))
}

// A variant of a case that does not exist is a mistake of the program.
func TestUnknownCasePanics(t *testing.T) {
	require.PanicsWithValue(t, "candid: no such case of Purpose", func() {
		candid.EncodeAddArgs(1, candid.DeviceData{Purpose: 2})
	})
}
