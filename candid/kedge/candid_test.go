package kedge_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/gen"
	"kedge/candid/kedge"
	"kedge/candid/tsgen"
	"kedge/candid/wire"
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
	file, err := did.Parse(kedge.Interface)
	require.NoError(t, err)
	want, err := gen.Generate(file, "kedge", "kedge.did", "EncodeArgs", "DecodeArgs", "EncodeResult", "AppendResult", "DecodeResult")
	require.NoError(t, err)
	got, err := os.ReadFile("kedge_gen.go")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run go generate ./candid")
}

// The page's checked-in bindings are what the generator makes of kedge.did.
func TestPageBindingsAreFresh(t *testing.T) {
	file, err := did.Parse(kedge.Interface)
	require.NoError(t, err)
	want, err := tsgen.Generate(file, "kedge.did", "./wire.ts")
	require.NoError(t, err)
	got, err := os.ReadFile("../../frontend-shim/src/candid/kedge.gen.ts")
	require.NoError(t, err)
	require.Equal(t, want, string(got), "run go generate ./candid/...")
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
		require.True(t, wire.Subtype(ck.Table, a, cc.Table, b), m.Name)
	}
	a, b := ck.Ref(kedge.Service), cc.Ref(classic.Service)
	require.True(t, wire.Subtype(ck.Table, a, cc.Table, b))

	// A deployment script's classic init argument is accepted too.
	a, b = ck.Ref(kedge.Init[0].Type), cc.Ref(classic.Init[0].Type)
	require.True(t, wire.Subtype(cc.Table, b, ck.Table, a))
}

func device() kedge.DeviceWithUsage {
	used, proven := uint64(1_700_000_000_000_000_000), true
	origin := "https://id.example"
	return kedge.DeviceWithUsage{
		Pubkey: make([]byte, 91), Alias: "MacBook", CredentialID: make([]byte, 64), Aaguid: make([]byte, 16),
		Purpose: kedge.PurposeAuthentication, KeyType: kedge.KeyTypePlatform, Protection: kedge.DeviceProtectionProtected,
		Origin: &origin, LastUsage: &used, Proven: &proven, AddedAt: &used,
		Metadata: kedge.MetadataMap{{F0: "os", F1: kedge.MetadataValue{Tag: kedge.MetadataValueTagString, String: "macOS"}}},
		Release:  &kedge.Release{DelayS: 2_592_000, Askers: []kedge.Asker{{Pubkey: []byte{1}}}},
	}
}

func TestRoundTrip(t *testing.T) {
	info := kedge.IdentityAnchorInfo{Devices: []kedge.DeviceWithUsage{device(), {Pubkey: []byte{}}}}
	got, err := kedge.DecodeGetAnchorInfoResult(kedge.EncodeGetAnchorInfoResult(info))
	require.NoError(t, err)
	require.Equal(t, info, got)

	refused := kedge.Result{Tag: kedge.ResultTagErr, Err: kedge.Error{Message: "no"}}
	result, err := kedge.DecodeProtectResult(kedge.EncodeProtectResult(refused))
	require.NoError(t, err)
	require.Equal(t, refused, result)

	// nil is null, empty is not.
	for _, metadata := range []kedge.MetadataMap{nil, {}} {
		_, d, err := kedge.DecodeAddArgs(kedge.EncodeAddArgs(1, kedge.DeviceData{Pubkey: []byte{}, Metadata: metadata}))
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
	d, challenge, key, err := kedge.DecodeRegisterArgs(message)
	require.NoError(t, err)
	require.Nil(t, key)
	require.Equal(t, kedge.ChallengeResult{Key: "k", Chars: "ok"}, challenge)
	require.Equal(t, kedge.DeviceData{Alias: "abc", Pubkey: []byte("key"), KeyType: kedge.KeyTypeUnknown}, d)
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
		_, _, err := kedge.DecodeAddArgs([]byte(test.message))
		require.EqualError(t, err, test.err)
	}
	good := kedge.EncodeAddArgs(1, kedge.DeviceData{Pubkey: []byte("key")})
	_, _, err = kedge.DecodeAddArgs(append(good, 0))
	require.ErrorContains(t, err, "bytes are left over after the last argument at offset ")
	broken := kedge.EncodeGetAnchorInfoResult(kedge.IdentityAnchorInfo{Devices: []kedge.DeviceWithUsage{device(), device()}})
	_, err = kedge.DecodeGetAnchorInfoResult(broken[:len(broken)-30])
	require.ErrorContains(t, err, `argument 1, field "devices", element 1, field "credential_id": the message ends too early at offset `)
	var e *wire.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, 1, e.Arg)
	require.Equal(t, wire.Malformed, e.Kind)

	nothing := did.NewCompiler(&did.File{}).Signature([]did.Arg{{Type: did.Primitive(wire.Nat64)}, {Type: did.Record{}}}).Header
	_, _, err = kedge.DecodeAddArgs([]byte(nothing + anchor))
	require.ErrorAs(t, err, &e)
	require.Equal(t, wire.Error{Arg: 2, Offset: 18, Text: `missing field "alias"`, Kind: wire.MissingField, Field: "alias"}, *e)
}

// Decoding what nearly everyone sends costs an allocation, and encoding a reply
// into a buffer that is there none.
func TestAllocations(t *testing.T) {
	lookup := kedge.EncodeLookupArgs(10000)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if n, err := kedge.DecodeLookupArgs(lookup); n != 10000 || err != nil {
			t.Fatal(n, err)
		}
	}), 1.0)
	info := kedge.IdentityAnchorInfo{Devices: make([]kedge.DeviceWithUsage, 9)}
	for i := range info.Devices {
		info.Devices[i] = device()
	}
	b := kedge.EncodeGetAnchorInfoResult(info)
	require.Zero(t, testing.AllocsPerRun(100, func() { b = kedge.AppendGetAnchorInfoResult(b[:0], info) }))
}

// A variant of a case that does not exist is a mistake of the program.
func TestUnknownCasePanics(t *testing.T) {
	require.PanicsWithValue(t, "candid: no such case of Purpose", func() {
		kedge.EncodeAddArgs(1, kedge.DeviceData{Purpose: 2})
	})
}

// An Ok is sent as a variant of that case alone, without the types of the errors, which a subtype may leave out.
func TestSuccessIsShort(t *testing.T) {
	require.Equal(t, "DIDL\x01\x6b\x01\xbc\x8a\x01\x7f\x01\x00\x00", string(kedge.AppendGuardSetResult(nil, kedge.Result{Tag: kedge.ResultTagOk})))
	got, err := kedge.DecodeGuardSetResult(kedge.AppendGuardSetResult(nil, kedge.Result{Tag: kedge.ResultTagOk}))
	require.NoError(t, err)
	require.Equal(t, kedge.ResultTagOk, got.Tag)

	refused := kedge.Result{Tag: kedge.ResultTagErr, Err: kedge.Error{Message: "no"}}
	got, err = kedge.DecodeGuardSetResult(kedge.AppendGuardSetResult(nil, refused))
	require.NoError(t, err)
	require.Equal(t, refused, got)
}
