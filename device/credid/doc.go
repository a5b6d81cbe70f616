// Package credid makes and opens WebAuthn credential ids that carry what their key needs, so that a
// seed and the id, which the relying party keeps, give back the credential:
//
//   - SLIP-0022 (https://github.com/satoshilabs/slips), as Trezor has it: [Seal], [Open];
//   - the handles of Ledger's security key application (LedgerHQ/app-security-key): [OpenLedger];
//   - the U2F key handles of Trezor (trezor/trezor-firmware): [OpenTrezorU2F];
//   - the numbered keys of Foundation's Passport Prime (Foundation-Devices/KeyOS): [PrimeKey].
//
// Only SLIP-0022 ids are made for new credentials. The others are opened, for whoever has the words
// of a device that broke. Their layouts were read in the devices' public sources; there are no public
// vectors of a real Ledger or Passport Prime.
package credid
