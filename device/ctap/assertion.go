package ctap

import (
	"crypto/sha256"
	"time"

	"kedge/device"
)

type getRequest struct {
	RPID           string         `cbor:"1,keyasint"`
	ClientDataHash []byte         `cbor:"2,keyasint"`
	Allow          []descriptor   `cbor:"3,keyasint"`
	Extensions     *getExtensions `cbor:"4,keyasint"`
	Options        requestOptions `cbor:"5,keyasint"`
	AuthParam      []byte         `cbor:"6,keyasint"`
	Protocol       *uint64        `cbor:"7,keyasint"`
}

type getExtensions struct {
	HMACSecret *hmacInput `cbor:"hmac-secret"`
	CredBlob   *bool      `cbor:"credBlob"`
	LargeKey   *bool      `cbor:"largeBlobKey"`
}

// hmacInput is the input of the extension hmac-secret (CTAP 2.1, section 12.5).
type hmacInput struct {
	KeyAgreement *cosePoint `cbor:"1,keyasint"`
	SaltEnc      []byte     `cbor:"2,keyasint"`
	SaltAuth     []byte     `cbor:"3,keyasint"`
	Protocol     *uint64    `cbor:"4,keyasint"`
}

type getOutputs struct {
	HMACSecret []byte  `cbor:"hmac-secret,omitempty"`
	CredBlob   *[]byte `cbor:"credBlob,omitempty"`
}

type assertion struct {
	Credential descriptor `cbor:"1,keyasint"`
	AuthData   []byte     `cbor:"2,keyasint"`
	Signature  []byte     `cbor:"3,keyasint"`
	User       *user      `cbor:"4,keyasint,omitempty"`
	Number     int        `cbor:"5,keyasint,omitempty"`
	LargeKey   []byte     `cbor:"7,keyasint,omitempty"`
}

// assertions is a getAssertion that getNextAssertion goes on with.
type assertions struct {
	rpID           string
	clientDataHash [32]byte
	present        bool
	verified       bool
	secret         *shared // of hmac-secret, nil if it was not asked for
	salts          [][]byte
	blob, largeKey bool // extensions of the request
	discovered     bool // no list was given
	several        bool
	left           []*device.Credential
	lastCalled     time.Time
}

// getAssertion is CTAP 2.1, section 6.2.2.
func (a *Authenticator) getAssertion(c call, parameters []byte) (any, error) {
	var r getRequest
	if err := decode(parameters, &r); err != nil {
		return nil, err
	}
	switch {
	case r.RPID == "" || r.ClientDataHash == nil:
		return nil, MissingParameter
	case len(r.ClientDataHash) != sha256.Size:
		return nil, InvalidLength
	case r.Options.RK != nil:
		return nil, UnsupportedOption
	case len(r.Allow) > maxListLength:
		return nil, InvalidParameter
	}
	if e := r.Extensions; e != nil && e.LargeKey != nil && !*e.LargeKey {
		return nil, InvalidOption
	}
	prompt := Prompt{Action: SignIn, RPID: r.RPID}
	verified, err := a.verification(c, r.Protocol, r.AuthParam, r.ClientDataHash, maySign, prompt, is(r.Options.UV, false), is(r.Options.UP, true))
	if err != nil {
		return nil, err
	}
	k, err := a.o.Store.Load()
	if err != nil {
		return nil, err
	}
	run := &assertions{
		rpID: r.RPID, clientDataHash: [32]byte(r.ClientDataHash), present: is(r.Options.UP, true), verified: verified,
		discovered: len(r.Allow) == 0, left: applicable(k, r, verified),
	}
	if len(run.left) == 0 {
		return nil, NoCredentials
	}
	run.several = len(run.left) > 1
	if r.Extensions != nil && r.Extensions.HMACSecret != nil {
		if !run.present {
			return nil, UnsupportedOption
		}
		if run.secret, run.salts, err = a.openSalts(*r.Extensions.HMACSecret); err != nil {
			return nil, err
		}
	}
	if e := r.Extensions; e != nil {
		run.blob, run.largeKey = is(e.CredBlob, false), is(e.LargeKey, false)
	}
	if run.present {
		prompt.Verified = verified
		for _, credential := range run.left {
			prompt.Users = append(prompt.Users, user{nil, credential.User.Name, credential.User.DisplayName}.title())
		}
		if err := a.approve(c, prompt); err != nil {
			return nil, err
		}
	}
	number := 0
	if run.several {
		number = len(run.left)
		a.next = run
	}
	return a.assert(run, number)
}

// applicable returns the credentials that may answer: one of a list, or all that can be discovered.
func applicable(k *device.SecurityKey, r getRequest, verified bool) []*device.Credential {
	if len(r.Allow) > 0 {
		for _, d := range r.Allow {
			if found, err := k.ByID(d.ID, r.RPID); err == nil && d.Type == publicKeyType && (found.Protection < 3 || verified) {
				return []*device.Credential{found}
			}
		}
		return nil
	}
	var all []*device.Credential
	for _, found := range k.ByRelyingParty(r.RPID) {
		if found.Protection < 2 || verified {
			all = append(all, found)
		}
	}
	return all
}

// openSalts decrypts the salts of hmac-secret.
func (a *Authenticator) openSalts(in hmacInput) (*shared, [][]byte, error) {
	if in.KeyAgreement == nil || in.SaltEnc == nil || in.SaltAuth == nil {
		return nil, nil, MissingParameter
	}
	protocol := uint64(1) // of CTAP 2.0, whose clients do not say it
	if in.Protocol != nil {
		protocol = *in.Protocol
	}
	g, err := a.exchange(&protocol)
	if err != nil {
		return nil, nil, err
	}
	secret, err := g.decapsulate(in.KeyAgreement)
	if err != nil {
		return nil, nil, err
	}
	if err := secret.verify(in.SaltAuth, in.SaltEnc); err != nil {
		return nil, nil, err
	}
	plain, err := secret.decrypt(in.SaltEnc)
	if err != nil {
		return nil, nil, err
	}
	if len(plain) != 32 && len(plain) != 64 {
		return nil, nil, InvalidLength
	}
	var salts [][]byte
	for ; len(plain) > 0; plain = plain[32:] {
		salts = append(salts, plain[:32])
	}
	return &secret, salts, nil
}

// getNextAssertion is CTAP 2.1, section 6.3.
func (a *Authenticator) getNextAssertion([]byte) (any, error) {
	if a.next == nil || len(a.next.left) == 0 || a.o.Now().Sub(a.next.lastCalled) > nextWindow {
		a.next = nil
		return nil, NotAllowed
	}
	return a.assert(a.next, 0)
}

// assert signs with the first credential that is left.
func (a *Authenticator) assert(run *assertions, number int) (any, error) {
	credential := run.left[0]
	run.left, run.lastCalled = run.left[1:], a.o.Now()
	f := credential.BackupFlags()
	if run.verified {
		f |= device.UserVerified
	}
	if run.present {
		f |= device.UserPresent
		used, err := a.use(credential)
		if err != nil {
			return nil, err
		}
		credential = used
	}
	var kept extra
	if run.blob || run.largeKey {
		s, err := a.pin()
		if err != nil {
			return nil, err
		}
		kept = s.extraOf(credential.CredentialID())
	}
	var out getOutputs
	if run.secret != nil && credential.HasHMACSecret() {
		plain, err := credential.HMACSecret(run.verified, run.salts...)
		if err != nil {
			return nil, err
		}
		if out.HMACSecret, err = run.secret.encrypt(plain, a.o.Random); err != nil {
			return nil, err
		}
	}
	if run.blob {
		blob := append([]byte{}, kept.Blob...) // empty if there is none
		out.CredBlob = &blob
	}
	var extensions any
	if out.HMACSecret != nil || out.CredBlob != nil {
		extensions = out
	}
	data := authenticatorData(run.rpID, f, credential.Counter(), nil, extensions)
	signature, err := credential.SignData(data, run.clientDataHash)
	if err != nil {
		return nil, err
	}
	answer := assertion{Credential: descriptor{credential.CredentialID(), publicKeyType}, AuthData: data, Signature: signature, Number: number}
	if run.largeKey {
		answer.LargeKey = kept.LargeKey
	}
	if credential.Kind != device.NotDiscoverable && len(credential.User.ID) > 0 {
		answer.User = &user{ID: credential.User.ID}
		if run.verified && run.several { // names are for those who gave the PIN and have to choose
			answer.User.Name, answer.User.DisplayName = credential.User.Name, credential.User.DisplayName
		}
	}
	return answer, nil
}

// use records that the credential signs. Of one without a record nothing is kept, and nothing is written.
func (a *Authenticator) use(c *device.Credential) (*device.Credential, error) {
	if c.Label == "" {
		return c, nil
	}
	used := c
	err := a.o.Store.Change(func(k *device.SecurityKey) (err error) {
		used, err = k.MarkUsed(c.CredentialID(), a.o.Now())
		return err
	})
	return used, err
}
