package ctap

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/device"
)

// holder is a client that has a token with every right for any relying party.
func holder(t testing.TB) *Authenticator {
	t.Helper()
	root, err := device.NewRoot(rand.Reader)
	require.NoError(t, err)
	key, err := new(device.Keys).AddKey("laptop", root, time.Now())
	require.NoError(t, err)
	a, err := New(Options{Store: onlyKey{key}, Presence: func(context.Context, Prompt) error { return nil }, Random: rand.Reader, Now: time.Now})
	require.NoError(t, err)
	a.token.protocol, a.token.rights, a.token.inUse, a.token.issued = 2, mayMake|maySign|mayManage|mayWriteBlobs|mayConfigure, true, time.Now()
	return a
}

// proof is a pinUvAuthParam of protocol 2.
func (a *Authenticator) proof(parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, a.token.value)
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

func (a *Authenticator) makeWithToken(t testing.TB, rpID string) Status {
	t.Helper()
	hash := make([]byte, 32)
	command := append([]byte{cmdMakeCredential}, encode(map[int]any{
		1: hash, 2: relyingParty{ID: rpID}, 3: user{ID: []byte("anna")}, 4: []parameter{{-7, publicKeyType}}, 8: a.proof(hash), 9: 2,
	})...)
	return Status(a.Call(context.Background(), command, nil)[0])
}

func TestTokenLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := holder(t)
		time.Sleep(10 * time.Minute)
		require.Equal(t, OK, a.makeWithToken(t, "id.example"))
		a = holder(t)
		time.Sleep(10*time.Minute + time.Second)
		require.Equal(t, PINAuthInvalid, a.makeWithToken(t, "id.example"))
	})
}

// A token is good for one press and for one relying party.
func TestTokenIsUsedUp(t *testing.T) {
	a := holder(t)
	require.Equal(t, OK, a.makeWithToken(t, "id.example"))
	require.Equal(t, PINAuthInvalid, a.makeWithToken(t, "id.example"))
	require.Equal(t, mayWriteBlobs, a.token.rights, "the large blob comes after the sign-in")
	a.token.rights = mayMake
	require.Equal(t, PINAuthInvalid, a.makeWithToken(t, "elsewhere.example"))
	require.Equal(t, OK, a.makeWithToken(t, "id.example"))
	// Of another protocol, of another right, and one that nobody has, it is none.
	a.token.rights = maySign
	require.Equal(t, PINAuthInvalid, a.makeWithToken(t, "id.example"))
	a.token.rights, a.token.protocol = mayMake, 1
	require.Equal(t, PINAuthInvalid, a.makeWithToken(t, "id.example"))
	a.token.protocol, a.token.inUse = 2, false
	require.Equal(t, PINAuthInvalid, a.makeWithToken(t, "id.example"))
}

// The state of version 1, which had the PIN alone, is read, and written as the present version.
func TestStateOfVersion1(t *testing.T) {
	a := holder(t)
	k, err := a.o.Store.Load()
	require.NoError(t, err)
	hash := bytes.Repeat([]byte{7}, 16)
	k.SetProtocolState(append([]byte("\xa3\x01\x01\x02\x50"), append(hash, 3, 5)...)) // {1: 1, 2: hash, 3: 5}
	s, err := a.pin()
	require.NoError(t, err)
	require.Equal(t, pinState{Version: 1, Hash: hash, Tries: 5}, s)
	require.NoError(t, a.changeState(func(s *pinState) error { s.AlwaysUV = true; return nil }))
	s, err = a.pin()
	require.NoError(t, err)
	require.Equal(t, pinState{Version: 2, Hash: hash, Tries: 5, AlwaysUV: true}, s)

	k.SetProtocolState([]byte("\xa2\x01\x03\x03\x08"))
	_, err = a.pin()
	require.ErrorContains(t, err, "has version 3, which a newer version of this program wrote")
	k.SetProtocolState([]byte("\xa2\x01"))
	_, err = a.pin()
	require.ErrorContains(t, err, "is damaged")
	require.NotContains(t, err.Error(), "Hash")
}

// What extensions keep goes with the credential, whoever deletes it.
func TestExtrasGoWithTheCredential(t *testing.T) {
	a := holder(t)
	made, kept, err := a.create(makeRequest{
		RP: &relyingParty{ID: "id.example"}, User: &user{ID: []byte("anna")}, Options: requestOptions{RK: new(bool)},
	}, -7, false)
	require.NoError(t, err)
	require.Nil(t, kept.Blob)
	yes, blob := true, []byte("blob")
	request := makeRequest{
		RP: &relyingParty{ID: "id.example"}, User: &user{ID: []byte("anna")}, Options: requestOptions{RK: &yes},
		Extensions: &makeExtensions{CredBlob: &blob, LargeKey: &yes},
	}
	for range 2 { // the second takes the place of the first
		made, kept, err = a.create(request, -7, false)
		require.NoError(t, err)
		require.Len(t, kept.LargeKey, 32)
		s, err := a.pin()
		require.NoError(t, err)
		require.Equal(t, []extra{kept}, s.Extras)
		require.Equal(t, kept, s.extraOf(made.CredentialID()))
	}
	k, err := a.o.Store.Load()
	require.NoError(t, err)
	require.NoError(t, k.Delete(made.CredentialID())) // as kedge key credentials does
	require.NoError(t, a.changeState(func(*pinState) error { return nil }))
	s, err := a.pin()
	require.NoError(t, err)
	require.Empty(t, s.Extras)
}

// Commands that a token allows, with any parameters.
func FuzzWithToken(f *testing.F) {
	f.Add(byte(cmdConfig), byte(setMinPINLength), []byte("\xa3\x01\x06\x02\x81\x61a\x03\xf4"))
	f.Add(byte(cmdConfig), byte(toggleAlwaysUV), []byte{})
	f.Add(byte(cmdCredentialManagement), byte(1), []byte{})
	f.Add(byte(cmdCredentialManagement), byte(2), []byte{})
	f.Add(byte(cmdCredentialManagement), byte(4), append([]byte("\xa1\x01\x58\x20"), make([]byte, 32)...))
	f.Add(byte(cmdCredentialManagement), byte(6), []byte("\xa1\x02\xa2bidAxdtypejpublic-key"))
	f.Add(byte(cmdCredentialManagement), byte(7), []byte("\xa2\x02\xa2bidAxdtypejpublic-key\x03\xa2bidAxdnameax"))
	f.Add(byte(cmdLargeBlobs), byte(0), []byte("fragment"))
	f.Fuzz(func(t *testing.T, command, subcommand byte, parameters []byte) {
		a := holder(t)
		var request map[int]any
		switch prefix := append(bytes.Repeat([]byte{0xff}, 32), command, subcommand); command {
		case cmdConfig:
			request = map[int]any{1: subcommand, 3: 2, 4: a.proof(prefix, parameters)}
		case cmdCredentialManagement:
			request = map[int]any{1: subcommand, 3: 2, 4: a.proof([]byte{subcommand}, parameters)}
		case cmdLargeBlobs:
			hash := sha256.Sum256(parameters)
			request = map[int]any{2: parameters, 3: 0, 4: max(17, len(parameters)), 5: a.proof(prefix, make([]byte, 4), hash[:]), 6: 2}
		default:
			return
		}
		var whole any
		if command != cmdLargeBlobs && len(parameters) > 0 {
			if decoding.Unmarshal(parameters, &whole) != nil {
				return
			}
			request[2] = rawCBOR(parameters)
		}
		answer := a.Call(t.Context(), append([]byte{command}, encode(request)...), nil)
		require.NotEmpty(t, answer)
		require.NotEqual(t, Other, Status(answer[0]), "an error that has no code")
		_, err := a.pin()
		require.NoError(t, err, "what was kept is read again")
	})
}

// A damaged or hostile state is an error, not a panic.
func FuzzState(f *testing.F) {
	f.Add([]byte("\xa2\x01\x01\x03\x08"))
	f.Add([]byte("\xa4\x01\x02\x03\x08\x08\xf5\x0a\x41\x80"))
	f.Add([]byte("\xa3\x01\x02\x03\x08\x09\x81\xa2\x01\x41a\x02\x41b"))
	f.Fuzz(func(t *testing.T, state []byte) {
		a := holder(t)
		k, err := a.o.Store.Load()
		require.NoError(t, err)
		k.SetProtocolState(append([]byte{}, state...))
		for _, command := range []string{"\x04", "\x06\xa1\x02\x01", "\x0c\xa2\x01\x18\x64\x03\x00", "\x02\xa2\x01\x61a\x02\x58\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"} {
			require.NotEmpty(t, a.Call(t.Context(), []byte(command), nil))
		}
	})
}
