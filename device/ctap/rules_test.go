package ctap_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"kedge/device"
	"kedge/device/ctap"
)

type m = map[any]any

// request is a command in canonical CBOR.
func request(command byte, parameters any) []byte {
	mode, err := cbor.CTAP2EncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	data, err := mode.Marshal(parameters)
	if err != nil {
		panic(err)
	}
	return append([]byte{command}, data...)
}

func registration(user string, more m) []byte {
	parameters := m{
		1: make([]byte, 32), 2: m{"id": "id.example"}, 3: m{"id": []byte(user), "name": user}, 4: []m{{"alg": -7, "type": "public-key"}},
		7: m{"rk": true},
	}
	for key, value := range more {
		parameters[key] = value
	}
	return request(0x01, parameters)
}

func signIn(more m) []byte {
	parameters := m{1: "id.example", 2: make([]byte, 32)}
	for key, value := range more {
		parameters[key] = value
	}
	return request(0x02, parameters)
}

// status calls and returns the status alone.
func status(a *ctap.Authenticator, command []byte) ctap.Status {
	return ctap.Status(a.Call(context.Background(), command, nil)[0])
}

// A stored credential for the same user is replaced if the person who sees its name agrees, and not otherwise; a derived one is
// replaced as everywhere.
func TestStoredCredentialIsNotOverwritten(t *testing.T) {
	var asked []ctap.Prompt
	answer := ctap.ErrDeclined
	a, key := plug(t, func(_ context.Context, p ctap.Prompt) error { asked = append(asked, p); return answer })
	stored, err := key.Create(device.CreateRequest{Kind: device.Stored, RPID: "id.example", User: device.User{ID: []byte("anna")}, Label: "old one"}, rand.Reader, time.Now())
	require.NoError(t, err)
	require.Equal(t, ctap.OperationDenied, status(a, registration("anna", nil)))
	require.Equal(t, "old one", asked[0].Replaces)
	require.Equal(t, "id.example", asked[0].RPID)
	require.Equal(t, []string{"anna"}, asked[0].Users)
	_, err = key.ByID(stored.CredentialID(), "id.example")
	require.NoError(t, err)

	answer = nil
	require.Equal(t, ctap.OK, status(a, registration("bert", nil)))
	require.Empty(t, asked[1].Replaces)
	// Without a record nothing is replaced.
	require.Equal(t, ctap.OK, status(a, registration("anna", m{7: m{"rk": false}})))
	require.Empty(t, asked[2].Replaces)
	_, err = key.ByID(stored.CredentialID(), "id.example")
	require.NoError(t, err)
	require.Equal(t, ctap.OK, status(a, registration("anna", nil)))
	require.Equal(t, "old one", asked[3].Replaces)
	_, err = key.ByID(stored.CredentialID(), "id.example")
	require.ErrorIs(t, err, device.ErrNoCredential)
	before := key.ByRelyingParty("id.example")
	require.Len(t, before, 2)
	require.Equal(t, ctap.OK, status(a, registration("anna", nil)))
	require.Empty(t, asked[4].Replaces)
	after := key.ByRelyingParty("id.example")
	require.Len(t, after, 2)
	require.NotEqual(t, before[0].CredentialID(), after[0].CredentialID())
}

// A stored credential that appears while the person is asked is not lost: another process may have imported it.
func TestStoredCredentialThatComesMeanwhile(t *testing.T) {
	var key *device.SecurityKey
	a, key := plug(t, func(context.Context, ctap.Prompt) error {
		_, err := key.Create(device.CreateRequest{Kind: device.Stored, RPID: "id.example", User: device.User{ID: []byte("anna")}}, rand.Reader, time.Now())
		return err
	})
	require.NotEqual(t, ctap.OK, status(a, registration("anna", nil)))
	found := key.ByRelyingParty("id.example")
	require.Len(t, found, 1)
	require.Equal(t, device.Stored, found[0].Kind)
}

// What needs no press asks nobody and is no use of the credential.
func TestWithoutPresence(t *testing.T) {
	asked := 0
	a, key := plug(t, func(context.Context, ctap.Prompt) error { asked++; return nil })
	require.Equal(t, ctap.OK, status(a, registration("anna", nil)))
	require.Equal(t, 1, asked)
	answer := a.Call(t.Context(), signIn(m{5: m{"up": false}}), nil)
	require.Equal(t, byte(ctap.OK), answer[0])
	require.Equal(t, 1, asked)
	require.Zero(t, key.Credentials()[0].LastUsed)
	var out struct {
		Data []byte `cbor:"2,keyasint"`
	}
	require.NoError(t, cbor.Unmarshal(answer[1:], &out))
	require.Zero(t, out.Data[32]&1, "user present")
	require.Equal(t, ctap.OK, status(a, signIn(nil)))
	require.Equal(t, 2, asked)
	require.NotZero(t, key.Credentials()[0].LastUsed)
	require.Equal(t, ctap.InvalidOption, status(a, registration("bert", m{7: m{"up": false}})))
	require.Equal(t, 2, asked)
	// Who asks for nothing that is there learns so without a press, and who is refused learns only that.
	require.Equal(t, ctap.NoCredentials, status(a, signIn(m{1: "elsewhere.example"})))
	require.Equal(t, 2, asked)
}

func TestPressRefused(t *testing.T) {
	a, key := plug(t, func(context.Context, ctap.Prompt) error { return fmt.Errorf("at the terminal: %w", ctap.ErrDeclined) })
	for _, command := range [][]byte{registration("anna", nil), {0x0b}, {0x07}} {
		require.Equal(t, ctap.OperationDenied, status(a, command))
	}
	require.Empty(t, key.Credentials())
	_, err := key.Create(device.CreateRequest{Kind: device.Discoverable, RPID: "id.example", User: device.User{ID: []byte("anna")}}, rand.Reader, time.Now())
	require.NoError(t, err)
	require.Equal(t, ctap.OperationDenied, status(a, signIn(nil)))
	require.Zero(t, key.Credentials()[0].LastUsed)
	// An error that is no refusal is none, and is told.
	var told error
	b, err := ctap.New(ctap.Options{
		Store: memory{key}, Random: rand.Reader, Now: time.Now, Report: func(err error) { told = err },
		Presence: func(context.Context, ctap.Prompt) error { return errors.New("the terminal is on fire") },
	})
	require.NoError(t, err)
	require.Equal(t, ctap.Other, status(b, signIn(nil)))
	require.EqualError(t, told, "the terminal is on fire")
}

// A sealed backup changes nothing for those who sign in.
func TestFinalizedKeySigns(t *testing.T) {
	a, key := plug(t, nil)
	require.Equal(t, ctap.OK, status(a, registration("anna", nil)))
	require.NoError(t, key.Check(key.Root(), time.Now()))
	require.NoError(t, key.Finalize(time.Now()))
	require.NotZero(t, key.Status().Finalized)
	require.Equal(t, ctap.OK, status(a, signIn(nil)))
	require.Equal(t, ctap.OK, status(a, registration("bert", nil)))
}

// The windows of time: the next assertion, and the reset.
func TestWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, key := plug(t, nil)
		for _, user := range []string{"anna", "bert", "carl"} {
			require.Equal(t, ctap.OK, status(a, registration(user, nil)))
		}
		require.Equal(t, ctap.OK, status(a, signIn(nil)))
		time.Sleep(30 * time.Second)
		require.Equal(t, ctap.OK, status(a, []byte{0x08}))
		time.Sleep(30*time.Second + time.Millisecond)
		require.Equal(t, ctap.NotAllowed, status(a, []byte{0x08}))
		require.Equal(t, ctap.NotAllowed, status(a, []byte{0x07}), "reset")
		require.Len(t, key.Credentials(), 3)

		b, err := ctap.New(ctap.Options{Store: memory{key}, Presence: func(context.Context, ctap.Prompt) error { return nil }, Random: rand.Reader, Now: time.Now})
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		id := key.Credentials()[0].CredentialID()
		require.Equal(t, ctap.OK, status(b, []byte{0x07}))
		require.Empty(t, key.Credentials())
		require.True(t, key.HasSeed())
		_, err = key.ByID(id, "id.example") // which carries itself, and the seed is the same
		require.ErrorIs(t, err, device.ErrNoCredential)
	})
}

// Two processes work on one store: a key that is plugged in, and whoever else.
func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.age")
	open := func() *device.Store {
		s, err := device.OpenStore(path, "a passphrase")
		require.NoError(t, err)
		s.SetWorkFactor(1)
		return s
	}
	root, err := device.NewRoot(rand.Reader)
	require.NoError(t, err)
	require.NoError(t, open().Change(func(k *device.Keys) error { _, err := k.AddKey("laptop", root, time.Now()); return err }))
	a, err := ctap.New(ctap.Options{
		Store: onDisk{open()}, Presence: func(context.Context, ctap.Prompt) error { return nil }, Random: rand.Reader, Now: time.Now,
		Report: func(err error) { t.Error(err) },
	})
	require.NoError(t, err)
	const each = 20
	var both sync.WaitGroup
	both.Go(func() {
		for i := range each {
			if s := status(a, registration(fmt.Sprint("user ", i), m{6: m{"credBlob": []byte{byte(i)}}})); s != ctap.OK {
				t.Error(s)
			}
		}
	})
	both.Go(func() {
		other := open()
		for i := range each {
			err := other.Change(func(k *device.Keys) error {
				key, err := k.Key("laptop")
				if err != nil {
					return err
				}
				_, err = key.Create(device.CreateRequest{Kind: device.Discoverable, RPID: "elsewhere.example", User: device.User{ID: []byte{byte(i)}}}, rand.Reader, time.Now())
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	both.Wait()
	keys, err := open().Load()
	require.NoError(t, err)
	key, err := keys.Key("laptop")
	require.NoError(t, err)
	require.Len(t, key.ByRelyingParty("id.example"), each)
	require.Len(t, key.ByRelyingParty("elsewhere.example"), each)
	for i := range each {
		answer := a.Call(t.Context(), signIn(m{3: []m{{"id": key.ByRelyingParty("id.example")[i].CredentialID(), "type": "public-key"}}, 4: m{"credBlob": true}}), nil)
		require.Equal(t, byte(0), answer[0])
	}
}

// onDisk is a store on disk, as kedge key plug has it.
type onDisk struct{ *device.Store }

func (d onDisk) Load() (*device.SecurityKey, error) {
	keys, err := d.Store.Load()
	if err != nil {
		return nil, err
	}
	return keys.Key("laptop")
}

func (d onDisk) Change(change func(*device.SecurityKey) error) error {
	return d.Store.Change(func(keys *device.Keys) error {
		k, err := keys.Key("laptop")
		if err != nil {
			return err
		}
		return change(k)
	})
}

// Malformed requests of every kind have the standard's code, and nobody is asked.
func TestMalformedRequests(t *testing.T) {
	a, _ := plug(t, func(context.Context, ctap.Prompt) error { return errors.New("somebody was asked") })
	hash := strings.Repeat("00", 32)
	const es256 = "81a263616c672664747970656a7075626c69632d6b6579"
	rp, person := "a1626964"+"61"+"61", "a1626964"+"41"+"61"
	make_ := func(hash, rp, user, algorithms, rest string) string {
		return "01a4" + "01" + hash + "02" + rp + "03" + user + "04" + algorithms + rest
	}
	whole := "5820" + hash
	for name, c := range map[string]struct {
		request string
		want    ctap.Status
	}{
		"nothing":                      {"", ctap.InvalidLength},
		"unknown command":              {"3f", ctap.InvalidCommand},
		"bio enrollment":               {"09a0", ctap.InvalidCommand},
		"no parameters":                {"01", ctap.MissingParameter},
		"no parameters of a sign-in":   {"02", ctap.MissingParameter},
		"an array":                     {"0180", ctap.CBORUnexpectedType},
		"a number":                     {"0100", ctap.CBORUnexpectedType},
		"cut off":                      {"01a101", ctap.InvalidCBOR},
		"something behind":             {"01a000", ctap.InvalidCBOR},
		"indefinite length":            {"01bfff", ctap.InvalidCBOR},
		"indefinite bytes":             {"01a1015f4100ff", ctap.InvalidCBOR},
		"a tag":                        {"01a101c000", ctap.InvalidCBOR},
		"keys in the wrong order":      {"01a202a001a0", ctap.InvalidCBOR},
		"a key twice":                  {"01a201000100", ctap.InvalidCBOR},
		"a number that is too wide":    {"01a1180100", ctap.InvalidCBOR},
		"a length that is too wide":    {"01a101580100", ctap.InvalidCBOR},
		"too deep":                     {"01a1018181818100", ctap.InvalidCBOR},
		"text that is not UTF-8":       {"01a10161ff", ctap.InvalidCBOR},
		"a reserved number":            {"01a1011c", ctap.InvalidCBOR},
		"a break":                      {"01a101ff", ctap.InvalidCBOR},
		"a length of 2^64-1":           {"01a1015bffffffffffffffff", ctap.InvalidCBOR},
		"an array of 2^32":             {"019b0000000100000000", ctap.InvalidCBOR},
		"a float":                      {"01a101fb3ff0000000000000", ctap.CBORUnexpectedType},
		"hash that is a text":          {make_("6161", rp, person, es256, ""), ctap.CBORUnexpectedType},
		"hash of 31 bytes":             {make_("581f"+hash[2:], rp, person, es256, ""), ctap.InvalidLength},
		"no relying party":             {"01a101" + whole, ctap.MissingParameter},
		"relying party without id":     {make_(whole, "a0", person, es256, ""), ctap.MissingParameter},
		"user without id":              {make_(whole, rp, "a0", es256, ""), ctap.MissingParameter},
		"user id that is a text":       {make_(whole, rp, "a16269646161", es256, ""), ctap.CBORUnexpectedType},
		"user id of 65 bytes":          {make_(whole, rp, "a16269645841"+strings.Repeat("61", 65), es256, ""), ctap.InvalidLength},
		"algorithms that are a map":    {make_(whole, rp, person, "a0", ""), ctap.CBORUnexpectedType},
		"no algorithm":                 {make_(whole, rp, person, "80", ""), ctap.UnsupportedAlgorithm},
		"none but unknown ones":        {make_(whole, rp, person, "81a263616c67390100"+"64747970656a7075626c69632d6b6579", ""), ctap.UnsupportedAlgorithm},
		"a type that is not known":     {make_(whole, rp, person, "81a263616c6726647479706563"+"666f6f", ""), ctap.UnsupportedAlgorithm},
		"sign-in without a hash":       {"02a1016161", ctap.MissingParameter},
		"sign-in, hash of 33 bytes":    {"02a2016161025821" + hash + "00", ctap.InvalidLength},
		"sign-in, list that is a map":  {"02a301616102" + whole + "03a0", ctap.CBORUnexpectedType},
		"sign-in with rk":              {"02a301616102" + whole + "05a162726bf5", ctap.UnsupportedOption},
		"sign-in with uv":              {"02a301616102" + whole + "05a1627576f5", ctap.InvalidOption},
		"sign-in, nobody there":        {"02a201616102" + whole, ctap.NoCredentials},
		"sign-in, PIN of no protocol":  {"02a301616102" + whole + "0650" + hash[:32], ctap.MissingParameter},
		"sign-in, PIN of protocol 9":   {"02a401616102" + whole + "0650" + hash[:32] + "0709", ctap.InvalidParameter},
		"sign-in, PIN that is wrong":   {"02a401616102" + whole + "0650" + hash[:32] + "0701", ctap.PINAuthInvalid},
		"next of nothing":              {"08", ctap.NotAllowed},
		"PIN, no subcommand":           {"06a0", ctap.MissingParameter},
		"PIN, unknown subcommand":      {"06a10218ff", ctap.InvalidSubcommand},
		"PIN, by UV that is not there": {"06a10206", ctap.InvalidSubcommand},
		"PIN, agreement of protocol 3": {"06a201030202", ctap.InvalidParameter},
		"PIN, agreement of none":       {"06a10202", ctap.MissingParameter},
		"PIN, set without anything":    {"06a201020203", ctap.MissingParameter},
		"PIN, token without a right":   {"06a201020209", ctap.MissingParameter},
		"PIN, token for nothing":       {"06a3010202090900", ctap.InvalidParameter},
		"PIN, token for fingerprints":  {"06a3010202090908", ctap.UnauthorizedPermission},
		"PIN, token, no relying party": {"06a3010202090901", ctap.MissingParameter},
		"manage, no subcommand":        {"0aa0", ctap.MissingParameter},
		"manage, no token":             {"0aa10101", ctap.PUATRequired},
		"manage, unknown subcommand":   {"0aa1011863", ctap.InvalidSubcommand},
		"manage, next of nothing":      {"0aa10103", ctap.NotAllowed},
		"manage, preview":              {"41a10105", ctap.NotAllowed},
		"config, no subcommand":        {"0da0", ctap.MissingParameter},
		"config, enterprise":           {"0da10101", ctap.InvalidSubcommand},
		"config, PIN of 64":            {"0da2010302a1011840", ctap.PINPolicyViolation},
		"config, change of no PIN":     {"0da2010302a103f5", ctap.PINNotSet},
		"blobs, nothing":               {"0ca0", ctap.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := hex.DecodeString(c.request)
			require.NoError(t, err)
			require.Equal(t, c.want, status(a, data))
		})
	}
}
