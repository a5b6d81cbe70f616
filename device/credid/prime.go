package credid

import (
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
)

// PrimeSeedSize is the size in bytes of the application seed of a Passport Prime.
const PrimeSeedSize = 32

// PrimeKey returns the P-256 key pair number (slot, index) of a Passport Prime's security key application
// (Foundation-Devices/KeyOS, os/fido/src/implementation.rs):
//
//	HMAC-SHA256( key "m/83696968’/1179473391’/SLOT/INDEX", application seed )
//
// The quotes are U+2019, as they are there. How the application seed comes from the words of the device
// is not public. The values have not been compared with a device.
func PrimeKey(appSeed []byte, slot, index uint32) (crypto.Signer, error) {
	if len(appSeed) != PrimeSeedSize {
		return nil, fmt.Errorf("the application seed of a Passport Prime has %d bytes, this one has %d", PrimeSeedSize, len(appSeed))
	}
	mac := hmac.New(sha256.New, fmt.Appendf(nil, "m/83696968\u2019/1179473391\u2019/%d/%d", slot, index))
	mac.Write(appSeed)
	key, err := scalarKey(mac.Sum(nil), ES256)
	if err != nil {
		return nil, errors.New("the device has no key of this number")
	}
	return key, nil
}
