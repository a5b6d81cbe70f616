package ctap

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"kedge/device"
	"kedge/device/credid"
)

type rawCBOR = cbor.RawMessage

const publicKeyType = "public-key"

type relyingParty struct {
	ID   string `cbor:"id"`
	Name string `cbor:"name,omitempty"`
}

type user struct {
	ID          []byte `cbor:"id"`
	Name        string `cbor:"name,omitempty"`
	DisplayName string `cbor:"displayName,omitempty"`
}

func (u user) title() string {
	if u.Name != "" {
		return u.Name
	}
	return u.DisplayName
}

type parameter struct {
	Algorithm int64  `cbor:"alg"`
	Type      string `cbor:"type"`
}

type descriptor struct {
	ID   []byte `cbor:"id"`
	Type string `cbor:"type"`
}

type requestOptions struct {
	RK *bool `cbor:"rk"`
	UV *bool `cbor:"uv"`
	UP *bool `cbor:"up"`
}

func is(b *bool, otherwise bool) bool {
	if b == nil {
		return otherwise
	}
	return *b
}

type makeRequest struct {
	ClientDataHash []byte          `cbor:"1,keyasint"`
	RP             *relyingParty   `cbor:"2,keyasint"`
	User           *user           `cbor:"3,keyasint"`
	Parameters     []parameter     `cbor:"4,keyasint"`
	Exclude        []descriptor    `cbor:"5,keyasint"`
	Extensions     *makeExtensions `cbor:"6,keyasint"`
	Options        requestOptions  `cbor:"7,keyasint"`
	AuthParam      []byte          `cbor:"8,keyasint"`
	Protocol       *uint64         `cbor:"9,keyasint"`
	Enterprise     *uint64         `cbor:"10,keyasint"`
	Formats        []string        `cbor:"11,keyasint"`
}

type makeExtensions struct {
	CredProtect  *uint8     `cbor:"credProtect"`
	HMACSecret   *bool      `cbor:"hmac-secret"`
	HMACSecretMC *hmacInput `cbor:"hmac-secret-mc"`
	CredBlob     *[]byte    `cbor:"credBlob"`
	LargeKey     *bool      `cbor:"largeBlobKey"`
	MinPINLength *bool      `cbor:"minPinLength"`
}

type makeOutputs struct {
	CredProtect  *uint8 `cbor:"credProtect,omitempty"`
	HMACSecret   *bool  `cbor:"hmac-secret,omitempty"`
	HMACSecretMC []byte `cbor:"hmac-secret-mc,omitempty"`
	CredBlob     *bool  `cbor:"credBlob,omitempty"`
	MinPINLength *int   `cbor:"minPinLength,omitempty"`
}

func (o makeOutputs) empty() bool {
	return o.CredProtect == nil && o.HMACSecret == nil && o.HMACSecretMC == nil && o.CredBlob == nil && o.MinPINLength == nil
}

type madeCredential struct {
	Format    string `cbor:"1,keyasint"`
	AuthData  []byte `cbor:"2,keyasint"`
	Statement any    `cbor:"3,keyasint"`
	LargeKey  []byte `cbor:"5,keyasint,omitempty"`
}

type selfAttestation struct {
	Algorithm int64  `cbor:"alg"`
	Signature []byte `cbor:"sig"`
}

// flags of authenticator data beside package device's.
const (
	hasCredential device.Flags = 1 << 6 // AT
	hasExtensions device.Flags = 1 << 7 // ED
)

// authenticatorData is WebAuthn Level 3, section 6.1.
func authenticatorData(rpID string, f device.Flags, counter uint32, credential []byte, extensions any) []byte {
	hash := sha256.Sum256([]byte(rpID))
	if credential != nil {
		f |= hasCredential
	}
	if extensions != nil {
		f |= hasExtensions
	}
	data := append(hash[:], byte(f))
	data = binary.BigEndian.AppendUint32(data, counter)
	data = append(data, credential...)
	if extensions != nil {
		data = append(data, encode(extensions)...)
	}
	return data
}

// verification finds out whether a request comes from somebody who gave the PIN, or verifies them here if it asks
// for that. up says that the request needs presence.
func (a *Authenticator) verification(c call, protocol *uint64, param, clientDataHash []byte, right permission, p Prompt, uv, up bool) (bool, error) {
	if param == nil {
		s, err := a.pin()
		switch {
		case err != nil:
			return false, err
		case uv && a.o.Verify == nil:
			return false, InvalidOption // there is no verification but the PIN
		case uv || s.AlwaysUV && up && a.o.Verify != nil:
			return true, a.verifyPerson(c, p)
		case s.AlwaysUV && up:
			return false, PUATRequired
		}
		return false, nil
	}
	if len(param) == 0 { // how CTAP 2.0 lets a person choose among several keys
		if err := a.present(c, Prompt{Action: Select}); err != nil {
			return false, err
		}
		s, err := a.pin()
		switch {
		case err != nil:
			return false, err
		case s.isSet():
			return false, PINInvalid
		}
		return false, PINNotSet
	}
	if err := a.authorize(protocol, param, right, clientDataHash); err != nil {
		return false, err
	}
	return true, a.bind(p.RPID)
}

// approve asks about a credential and, as CTAP 2.1 has it, takes the token's rights once somebody has pressed.
func (a *Authenticator) approve(c call, p Prompt) error {
	if err := a.present(c, p); err != nil {
		return err
	}
	a.token.rights &= mayWriteBlobs // which comes after the sign-in that gives the key of the blob
	return nil
}

// makeCredential is CTAP 2.1, section 6.1.2.
func (a *Authenticator) makeCredential(c call, parameters []byte) (any, error) {
	var r makeRequest
	if err := decode(parameters, &r); err != nil {
		return nil, err
	}
	algorithm, err := r.check()
	if err != nil {
		return nil, err
	}
	prompt := Prompt{Action: Register, RPID: r.RP.ID, Users: []string{r.User.title()}}
	verified, err := a.verification(c, r.Protocol, r.AuthParam, r.ClientDataHash, mayMake, prompt, is(r.Options.UV, false), true)
	if err != nil {
		return nil, err
	}
	k, err := a.o.Store.Load()
	if err != nil {
		return nil, err
	}
	resident := is(r.Options.RK, false)
	s, err := loadPIN(k)
	if err != nil {
		return nil, err
	}
	if resident && a.guarded(s) && !verified {
		return nil, PUATRequired
	}
	prompt.Verified = verified
	for _, d := range r.Exclude {
		if found, err := k.ByID(d.ID, r.RP.ID); err == nil && d.Type == publicKeyType && (found.Protection < 3 || verified) {
			prompt.Known = true
			// Whether there is one is for whoever presses a key to learn, and for nobody sooner.
			if err := a.approve(c, prompt); errors.Is(err, KeepaliveCancel) {
				return nil, err
			}
			return nil, CredentialExcluded
		}
	}
	var secret *shared
	var salts [][]byte
	if e := r.Extensions; e != nil && e.HMACSecretMC != nil && is(e.HMACSecret, false) {
		if secret, salts, err = a.openSalts(*e.HMACSecretMC); err != nil {
			return nil, err
		}
	}
	if resident {
		prompt.Replaces = replaced(k, r.RP.ID, r.User.ID)
	}
	if err := a.approve(c, prompt); err != nil {
		return nil, err
	}
	made, kept, err := a.create(r, algorithm, prompt.Replaces != "")
	if err != nil {
		return nil, err
	}
	out := r.outputs(s, kept)
	if secret != nil {
		plain, err := made.HMACSecret(verified, salts...)
		if err != nil {
			return nil, err
		}
		if out.HMACSecretMC, err = secret.encrypt(plain, a.o.Random); err != nil {
			return nil, err
		}
	}
	return r.attest(made, verified, out, kept.LargeKey)
}

// outputs answers the extensions that need no more than what is kept.
func (r makeRequest) outputs(s pinState, kept extra) (out makeOutputs) {
	e := r.Extensions
	if e == nil {
		return out
	}
	out.CredProtect = e.CredProtect
	if is(e.HMACSecret, false) {
		out.HMACSecret = e.HMACSecret
	}
	if e.CredBlob != nil {
		stored := kept.Blob != nil
		out.CredBlob = &stored
	}
	if is(e.MinPINLength, false) && slices.Contains(s.MinimumRPIDs, r.RP.ID) {
		minimum := s.minimum()
		out.MinPINLength = &minimum
	}
	return out
}

// check looks at all that can be judged without the key.
func (r makeRequest) check() (credid.Algorithm, error) {
	if r.ClientDataHash == nil || r.RP == nil || r.User == nil || r.Parameters == nil || r.RP.ID == "" || len(r.User.ID) == 0 {
		return 0, MissingParameter
	}
	switch {
	case len(r.ClientDataHash) != sha256.Size || len(r.User.ID) > 64:
		return 0, InvalidLength
	case !is(r.Options.UP, true):
		return 0, InvalidOption
	case r.Enterprise != nil || len(r.Exclude) > maxListLength:
		return 0, InvalidParameter
	}
	if e := r.Extensions; e != nil && e.CredProtect != nil && (*e.CredProtect < 1 || *e.CredProtect > 3) {
		return 0, InvalidOption
	}
	if e := r.Extensions; e != nil && e.LargeKey != nil && (!*e.LargeKey || !is(r.Options.RK, false)) {
		return 0, InvalidOption
	}
	for _, p := range r.Parameters {
		if a := credid.Algorithm(p.Algorithm); p.Type == publicKeyType && p.Algorithm != 0 && a.Known() {
			return a, nil
		}
	}
	return 0, UnsupportedAlgorithm
}

// replaced returns the label of a stored credential for the same user, which nothing brings back.
func replaced(k *device.SecurityKey, rpID string, userID []byte) string {
	for _, c := range k.ByRelyingParty(rpID) {
		if c.Kind == device.Stored && string(c.User.ID) == string(userID) {
			return c.Label
		}
	}
	return ""
}

// create makes the credential. What extensions have kept is kept with one that can be discovered.
func (a *Authenticator) create(r makeRequest, algorithm credid.Algorithm, replace bool) (*device.Credential, extra, error) {
	request := device.CreateRequest{
		Kind: device.NotDiscoverable, RPID: r.RP.ID, RPName: r.RP.Name, Algorithm: algorithm,
		User: device.User{ID: r.User.ID, Name: r.User.Name, DisplayName: r.User.DisplayName}, ReplaceStored: replace,
	}
	if is(r.Options.RK, false) {
		request.Kind = device.Discoverable
	}
	if e := r.Extensions; e != nil {
		request.HMACSecret = is(e.HMACSecret, false)
		if e.CredProtect != nil {
			request.Protection = *e.CredProtect
		}
	}
	var made *device.Credential
	create := func(k *device.SecurityKey) (err error) {
		if request.Kind == device.Discoverable && k.Free() == 0 {
			return KeyStoreFull
		}
		made, err = k.Create(request, a.o.Random, a.o.Now())
		return err
	}
	var kept extra
	if request.Kind == device.Discoverable {
		err := a.o.Store.Change(func(k *device.SecurityKey) (err error) {
			if err := create(k); err != nil {
				return err
			}
			kept, err = a.keepExtra(k, r.Extensions, made.CredentialID())
			return err
		})
		return made, kept, err
	}
	k, err := a.o.Store.Load()
	if err != nil {
		return nil, kept, err
	}
	err = create(k)
	return made, kept, err
}

// keepExtra keeps what the extensions credBlob and largeBlobKey ask for.
func (a *Authenticator) keepExtra(k *device.SecurityKey, e *makeExtensions, id []byte) (extra, error) {
	kept := extra{Mark: markOf(id)}
	if e == nil {
		return kept, nil
	}
	if e.CredBlob != nil && len(*e.CredBlob) <= maxCredBlob {
		kept.Blob = append([]byte{}, *e.CredBlob...)
	}
	if is(e.LargeKey, false) {
		kept.LargeKey = make([]byte, 32)
		if _, err := io.ReadFull(a.o.Random, kept.LargeKey); err != nil {
			return kept, fmt.Errorf("drawing the key of a large blob: %w", err)
		}
	}
	if kept.Blob == nil && kept.LargeKey == nil {
		return kept, nil
	}
	s, err := loadPIN(k)
	if err != nil {
		return kept, err
	}
	s.Extras = append(s.Extras, kept)
	s.keep(k)
	return kept, nil
}

// attest makes the answer: self attestation, which says that the key pair is the credential's, or none.
func (r makeRequest) attest(c *device.Credential, verified bool, out makeOutputs, largeKey []byte) (any, error) {
	id := c.CredentialID()
	attested := append(bytes.Clone(device.AAGUID[:]), byte(len(id)>>8), byte(len(id)))
	attested = append(append(attested, id...), c.COSE()...)
	f := device.UserPresent | c.BackupFlags()
	if verified {
		f |= device.UserVerified
	}
	// A null pointer in an interface is not nil.
	var extensions any
	if !out.empty() {
		extensions = out
	}
	data := authenticatorData(r.RP.ID, f, c.Counter(), attested, extensions)
	for _, format := range r.Formats {
		if format == "none" {
			return madeCredential{"none", data, struct{}{}, largeKey}, nil
		}
		if format == "packed" {
			break
		}
	}
	signature, err := c.SignData(data, [32]byte(r.ClientDataHash))
	if err != nil {
		return nil, err
	}
	return madeCredential{"packed", data, selfAttestation{int64(c.Algorithm()), signature}, largeKey}, nil
}
