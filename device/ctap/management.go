package ctap

import (
	"bytes"
	"crypto/sha256"
	"errors"

	"kedge/device"
)

type manageRequest struct {
	Subcommand *uint64 `cbor:"1,keyasint"`
	Params     rawCBOR `cbor:"2,keyasint"`
	Protocol   *uint64 `cbor:"3,keyasint"`
	AuthParam  []byte  `cbor:"4,keyasint"`
}

type manageParams struct {
	RPIDHash   []byte      `cbor:"1,keyasint"`
	Credential *descriptor `cbor:"2,keyasint"`
	User       *user       `cbor:"3,keyasint"`
}

type manageAnswer struct {
	Existing    *int          `cbor:"1,keyasint,omitempty"`
	Remaining   *int          `cbor:"2,keyasint,omitempty"`
	RP          *relyingParty `cbor:"3,keyasint,omitempty"`
	RPIDHash    []byte        `cbor:"4,keyasint,omitempty"`
	TotalRPs    int           `cbor:"5,keyasint,omitempty"`
	User        *user         `cbor:"6,keyasint,omitempty"`
	Credential  *descriptor   `cbor:"7,keyasint,omitempty"`
	PublicKey   rawCBOR       `cbor:"8,keyasint,omitempty"`
	Total       int           `cbor:"9,keyasint,omitempty"`
	CredProtect uint8         `cbor:"10,keyasint,omitempty"`
	LargeKey    []byte        `cbor:"11,keyasint,omitempty"`
}

// listing is an enumeration that goes on with the next call.
type listing struct {
	parties     []relyingParty
	credentials []*device.Credential
}

// credentialManagement is CTAP 2.1, section 6.8. It shows the credentials that can be discovered: no more is kept of
// the others than the relying party has.
func (a *Authenticator) credentialManagement(parameters []byte) (any, error) {
	var r manageRequest
	if err := decode(parameters, &r); err != nil {
		return nil, err
	}
	if r.Subcommand == nil {
		return nil, MissingParameter
	}
	k, err := a.o.Store.Load()
	if err != nil {
		return nil, err
	}
	switch *r.Subcommand {
	case 3:
		return a.nextParty(0)
	case 5:
		return a.nextCredential(k, 0)
	case 1, 2, 4, 6, 7:
	default:
		return nil, InvalidSubcommand
	}
	a.listing = listing{}
	if r.AuthParam == nil {
		return nil, PUATRequired
	}
	if err := a.authorize(r.Protocol, r.AuthParam, mayManage, []byte{byte(*r.Subcommand)}, r.Params); err != nil {
		return nil, err
	}
	var p manageParams
	if *r.Subcommand > 2 {
		if err := decode(r.Params, &p); err != nil {
			return nil, err
		}
	}
	switch *r.Subcommand {
	case 1, 2:
		if a.token.rpID != "" { // a token for one relying party does not see the others
			return nil, PINAuthInvalid
		}
		if *r.Subcommand == 1 {
			existing, room := len(discoverable(k)), k.Free()
			return manageAnswer{Existing: &existing, Remaining: &room}, nil
		}
		return a.beginParties(k)
	case 4:
		return a.beginCredentials(k, p)
	case 6:
		return nil, a.change(k, p, func(k *device.SecurityKey, c *device.Credential) error { return k.Delete(c.CredentialID()) })
	}
	if p.User == nil {
		return nil, MissingParameter
	}
	return nil, a.change(k, p, func(k *device.SecurityKey, c *device.Credential) error {
		if !bytes.Equal(c.User.ID, p.User.ID) {
			return InvalidParameter
		}
		return k.UpdateUser(c.CredentialID(), p.User.Name, p.User.DisplayName)
	})
}

func discoverable(k *device.SecurityKey) []*device.Credential {
	var all []*device.Credential
	for _, c := range k.Credentials() {
		if c.Kind != device.NotDiscoverable {
			all = append(all, c)
		}
	}
	return all
}

func (a *Authenticator) beginParties(k *device.SecurityKey) (any, error) {
	seen := map[string]bool{}
	for _, c := range discoverable(k) {
		if id := c.RelyingParty(); !seen[id] {
			seen[id] = true
			a.listing.parties = append(a.listing.parties, relyingParty{id, c.RPName})
		}
	}
	if len(a.listing.parties) == 0 {
		return nil, NoCredentials
	}
	return a.nextParty(len(a.listing.parties))
}

func (a *Authenticator) nextParty(total int) (any, error) {
	if len(a.listing.parties) == 0 {
		return nil, NotAllowed
	}
	rp := a.listing.parties[0]
	a.listing.parties = a.listing.parties[1:]
	hash := sha256.Sum256([]byte(rp.ID))
	return manageAnswer{RP: &rp, RPIDHash: hash[:], TotalRPs: total}, nil
}

func (a *Authenticator) beginCredentials(k *device.SecurityKey, p manageParams) (any, error) {
	if p.RPIDHash == nil {
		return nil, MissingParameter
	}
	for _, c := range discoverable(k) {
		if hash := sha256.Sum256([]byte(c.RelyingParty())); bytes.Equal(hash[:], p.RPIDHash) {
			if a.token.rpID != "" && a.token.rpID != c.RelyingParty() {
				return nil, PINAuthInvalid
			}
			a.listing.credentials = append(a.listing.credentials, c)
		}
	}
	if len(a.listing.credentials) == 0 {
		return nil, NoCredentials
	}
	return a.nextCredential(k, len(a.listing.credentials))
}

func (a *Authenticator) nextCredential(k *device.SecurityKey, total int) (any, error) {
	if len(a.listing.credentials) == 0 {
		return nil, NotAllowed
	}
	s, err := loadPIN(k)
	if err != nil {
		return nil, err
	}
	c := a.listing.credentials[0]
	a.listing.credentials = a.listing.credentials[1:]
	return manageAnswer{
		User:       &user{c.User.ID, c.User.Name, c.User.DisplayName},
		Credential: &descriptor{c.CredentialID(), publicKeyType}, PublicKey: c.COSE(), Total: total, CredProtect: max(1, c.Protection),
		LargeKey: s.extraOf(c.CredentialID()).LargeKey,
	}, nil
}

// change changes one credential that can be discovered.
func (a *Authenticator) change(k *device.SecurityKey, p manageParams, change func(*device.SecurityKey, *device.Credential) error) error {
	if p.Credential == nil {
		return MissingParameter
	}
	for _, c := range discoverable(k) {
		if !bytes.Equal(c.CredentialID(), p.Credential.ID) {
			continue
		}
		if a.token.rpID != "" && a.token.rpID != c.RelyingParty() {
			return PINAuthInvalid
		}
		err := a.o.Store.Change(func(k *device.SecurityKey) error { return change(k, c) })
		if errors.Is(err, device.ErrNoCredential) {
			return NoCredentials
		}
		return err
	}
	return NoCredentials
}
