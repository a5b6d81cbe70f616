package identity

import (
	"bytes"
	"strconv"

	"kedge/ic/principal"
	"kedge/ic/pubkey"
)

// metadataEntryBytes is charged for each metadata entry beside its key and value, so that a record of
// MaxVariableBytes has a bounded encoding however many empty entries it holds.
const metadataEntryBytes = 5

// reservedKeys are the metadata keys that the v2 interface of Internet Identity uses (dfinity/internet-identity,
// src/internet_identity/internet_identity.did).
var reservedKeys = [...]string{
	"pubkey", "alias", "credential_id", "purpose", "key_type", "protection", "origin",
	"last_usage_timestamp", "metadata", "usage", "authenticator_attachment",
}

// VariableBytes is the length of the fields that count towards MaxVariableBytes.
func (d *Data) VariableBytes() int {
	return len(d.Alias) + len(d.PublicKey) + len(d.CredentialID) + len(d.Origin) + d.Metadata.bytes()
}

func (m Metadata) bytes() int {
	n := 0
	for i := range m {
		e := &m[i]
		n += metadataEntryBytes + len(e.Key) + len(e.Text) + len(e.Bytes) + e.Map.bytes()
	}
	return n
}

func (m Metadata) has(key string) bool {
	for i := range m {
		if m[i].Key == key {
			return true
		}
	}
	return false
}

// VariableBytes is the sum over the anchor's devices, copies and tentative device.
func (a *Anchor) VariableBytes() int {
	n := 0
	for i := range a.Devices {
		n += a.Devices[i].VariableBytes()
	}
	for i := range a.Copies {
		n += a.Copies[i].VariableBytes()
	}
	if a.Registration != nil && a.Registration.Tentative != nil {
		n += a.Registration.Tentative.VariableBytes()
	}
	return n
}

// copiesBytes is the part of VariableBytes that goes with the device of this key.
func (a *Anchor) copiesBytes(key []byte) int {
	n := 0
	for i := range a.Copies {
		if bytes.Equal(a.Copies[i].PublicKey, key) {
			n += a.Copies[i].VariableBytes()
		}
	}
	return n
}

// checkNew judges a device that add, replace, register or registration mode brings, by rule 4 and the
// limits. gone is the device that it replaces, or nil. An anchor that breaks a limit already (an
// import) is held only to what the call adds.
func (a *Anchor) checkNew(data *Data, gone *Device, canister principal.Principal) error {
	if IsOwnSignature(data.PublicKey, canister) {
		return errOwnSignature(data.PublicKey)
	}
	if err := checkFields(data, &Data{}); err != nil {
		return err
	}
	if data.KeyType == SeedPhrase && data.CredentialID != nil {
		return errPhraseCredential()
	}
	if gone == nil && len(a.Devices) >= MaxDevices {
		n := uint64(len(a.Devices) + 1)
		return &Error{Code: ErrTooManyDevices, Length: n, Limit: MaxDevices,
			Message: "Anchor device limit exceeded: num devices " + decimal(n) + ", limit " + decimal(MaxDevices)}
	}
	for i := range a.Devices {
		d := &a.Devices[i]
		if gone != nil && d.ID == gone.ID {
			continue
		}
		if bytes.Equal(d.PublicKey, data.PublicKey) {
			return &Error{Code: ErrDeviceExists, Key: data.PublicKey,
				Message: "Device with key " + hexadecimal(data.PublicKey) + " already exists on this anchor."}
		}
		if data.KeyType == SeedPhrase && d.KeyType == SeedPhrase && (gone == nil || gone.KeyType != SeedPhrase) {
			return &Error{Code: ErrSecondPhrase, Message: "There is already a recovery phrase and only one is allowed."}
		}
	}
	freed := 0
	if gone != nil {
		if err := a.checkCredential(data.CredentialID, gone.PublicKey); err != nil {
			return err
		}
		freed = gone.VariableBytes() + a.copiesBytes(gone.PublicKey)
	} else if err := a.checkCredential(data.CredentialID, data.PublicKey); err != nil {
		return err
	}
	return a.checkTotal(data.VariableBytes(), freed)
}

// checkChange judges what update brings, by rule 4 and the limits.
func (a *Anchor) checkChange(data *Data, old *Device) error {
	if data.KeyType != old.KeyType {
		return &Error{Code: ErrKeyTypeChange, Message: "Device key type cannot be updated; replace the device instead."}
	}
	if err := checkFields(data, &old.Data); err != nil {
		return err
	}
	if data.KeyType == SeedPhrase && data.CredentialID != nil && old.CredentialID == nil {
		return errPhraseCredential()
	}
	if !bytes.Equal(data.CredentialID, old.CredentialID) {
		if err := a.checkCredential(data.CredentialID, old.PublicKey); err != nil {
			return err
		}
	}
	return a.checkTotal(data.VariableBytes(), old.VariableBytes()+a.copiesBytes(old.PublicKey))
}

// checkCredential refuses a credential id that a device other than that of the key has.
func (a *Anchor) checkCredential(id, key []byte) error {
	if len(id) == 0 {
		return nil
	}
	for i := range a.Devices {
		if d := &a.Devices[i]; bytes.Equal(d.CredentialID, id) && !bytes.Equal(d.PublicKey, key) {
			return errCredentialExists(d.PublicKey)
		}
	}
	for i := range a.Copies {
		if d := &a.Copies[i]; bytes.Equal(d.CredentialID, id) && !bytes.Equal(d.PublicKey, key) {
			return errCredentialExists(d.PublicKey)
		}
	}
	return nil
}

func (a *Anchor) checkTotal(added, freed int) error {
	total := a.VariableBytes() - freed + added
	if total > MaxVariableBytes && added > freed {
		return errTooLarge(total)
	}
	return nil
}

// checkFields holds each field to its limit, or to its old length where that was longer.
func checkFields(data, old *Data) error {
	if err := checkLength("pubkey", len(data.PublicKey), len(old.PublicKey), MaxPublicKey); err != nil {
		return err
	}
	if err := checkLength("alias", len(data.Alias), len(old.Alias), MaxAlias); err != nil {
		return err
	}
	if err := checkLength("credential_id", len(data.CredentialID), len(old.CredentialID), MaxCredentialID); err != nil {
		return err
	}
	if err := checkLength("origin", len(data.Origin), len(old.Origin), MaxOrigin); err != nil {
		return err
	}
	if n := len(data.AAGUID); data.AAGUID != nil && n != AAGUIDSize {
		return &Error{Code: ErrBadAAGUID, Length: uint64(n), Limit: AAGUIDSize,
			Message: "aaguid must be exactly 16 bytes, got " + decimal(uint64(n))}
	}
	for _, key := range reservedKeys {
		if data.Metadata.has(key) && !old.Metadata.has(key) {
			return &Error{Code: ErrReservedKey, Field: key,
				Message: "Metadata key '" + key + "' is reserved and cannot be used."}
		}
	}
	return nil
}

func checkLength(field string, length, was, limit int) error {
	if length <= limit || length <= was {
		return nil
	}
	return &Error{Code: ErrFieldTooLong, Field: field, Length: uint64(length), Limit: uint64(limit),
		Message: field + " limit exceeded: length " + decimal(uint64(length)) + ", limit " + decimal(uint64(limit))}
}

// IsOwnSignature reports whether key is a canister signature key of the canister, in whatever form the network
// reads: signing in to an application must not act as a device (rule 10).
func IsOwnSignature(key []byte, canister principal.Principal) bool {
	id, _, ok := pubkey.Canister(key)
	return ok && bytes.Equal(id, canister.Bytes())
}

// CheckKey refuses the key of a new device that has a credential id if nobody can ever sign with it. Such
// devices would cost a stranger nothing, and crowd the look-ups by credential id. What an import has stays.
func CheckKey(data *Data) error {
	if len(data.CredentialID) == 0 {
		return nil
	}
	if err := pubkey.Check(data.PublicKey); err != nil {
		return &Error{Code: ErrUnusableKey, Key: data.PublicKey,
			Message: "A device with a credential id needs a public key that can sign: " + err.Error() + "."}
	}
	return nil
}

// CheckNewCredential is [CheckKey] for what update brings: a key that can never sign gets no credential id. One that
// it has already, from an import, stays.
func (c *Actor) CheckNewCredential(data *Data) error {
	if d := c.anchor.byKey(data.PublicKey); d == nil || bytes.Equal(d.CredentialID, data.CredentialID) {
		return nil // Update refuses a key that is not there
	}
	return CheckKey(data)
}

func errOwnSignature(key []byte) error {
	return &Error{Code: ErrOwnSignature, Key: key,
		Message: "a canister signature of this canister cannot be a device key; add the device's own key"}
}

func errTooLarge(total int) error {
	return &Error{Code: ErrTooLarge, Length: uint64(total), Limit: MaxVariableBytes,
		Message: "Cumulative size of variable sized fields exceeds limit: length " + decimal(uint64(total)) +
			", limit " + decimal(MaxVariableBytes) + "."}
}

func errPhraseCredential() error {
	return &Error{Code: ErrPhraseCredential, Message: "Devices with key type seed_phrase must not have a credential id."}
}

func errCredentialExists(key []byte) error {
	return &Error{Code: ErrCredentialExists, Key: key,
		Message: "Another device of this anchor has this credential id: " + hexadecimal(key)}
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

func hexadecimal(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}
