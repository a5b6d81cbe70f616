package webauthn

import (
	"errors"
	"fmt"

	"kedge/internal/minicbor"
)

// Attestation is an attestation object (WebAuthn section 6.5.4). The statement is not verified: who needs to
// know the maker of a device must do so; the authenticator data in it is only as true as the authenticator.
type Attestation struct {
	Format   string
	AuthData *AuthenticatorData // with a credential
	Raw      []byte             // the authenticator data as signed
}

// ParseAttestation reads an attestation object: CBOR {"fmt", "attStmt", "authData"} and nothing else.
func ParseAttestation(data []byte) (*Attestation, error) {
	var a Attestation
	if err := a.read(minicbor.NewReader(data)); err != nil {
		return nil, fmt.Errorf("attestation object: %w", err)
	}
	var err error
	if a.AuthData, err = ParseAuthenticatorData(a.Raw); err != nil {
		return nil, fmt.Errorf("attestation object: %w", err)
	}
	if a.AuthData.Credential == nil {
		return nil, errors.New("attestation object: no attested credential (flag AT)")
	}
	return &a, nil
}

func (a *Attestation) read(r *minicbor.Reader) error {
	err := r.AllFields(map[string]func() error{
		"fmt":      func() (err error) { a.Format, err = r.Text(); return err },
		"attStmt":  func() error { return r.Skip(extensionsDepth) },
		"authData": func() (err error) { a.Raw, err = r.Bytes(); return err },
	})
	if err != nil {
		return err
	}
	return r.Done()
}
