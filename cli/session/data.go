package session

import (
	"kedge/candid/kedge"
	"kedge/device"
)

// PhraseAlias is what Internet Identity calls a recovery phrase among the devices.
const PhraseAlias = "Recovery phrase"

// PasskeyData returns the device record of a passkey.
func PasskeyData(alias string, p *device.Passkey) kedge.DeviceData {
	origin := p.Origin()
	return kedge.DeviceData{
		Pubkey: p.PublicKey(), Alias: alias, CredentialID: p.CredentialID(),
		Purpose: kedge.PurposeAuthentication, KeyType: kedge.KeyTypePlatform,
		Protection: kedge.DeviceProtectionUnprotected, Origin: &origin,
	}
}

// PhraseData returns the device record of a recovery phrase.
func PhraseData(p device.Phrase) kedge.DeviceData {
	return kedge.DeviceData{
		Pubkey: p.Key().PublicKey(), Alias: PhraseAlias,
		Purpose: kedge.PurposeRecovery, KeyType: kedge.KeyTypeSeedPhrase,
		Protection: kedge.DeviceProtectionUnprotected,
	}
}

// Classic returns the record of a device without its use, for update.
func Classic(d kedge.DeviceWithUsage) kedge.DeviceData {
	return kedge.DeviceData{
		Pubkey: d.Pubkey, Alias: d.Alias, CredentialID: d.CredentialID, Aaguid: d.Aaguid,
		Purpose: d.Purpose, KeyType: d.KeyType, Protection: d.Protection, Origin: d.Origin, Metadata: d.Metadata,
	}
}
