package canister

import (
	"crypto/rand"
	"encoding/binary"

	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/cdk"
)

// draw fills b with random bytes; seed has run.
func draw(b []byte) {
	_, err := rand.Read(b)
	must(err)
}

func register() {
	data, answer, temporary, err := kedge.DecodeRegisterArgs(cdk.Arg())
	must(err)
	if !admit(answer) {
		cdk.Reply(kedge.EncodeRegisterResult(kedge.RegisterResponse{Tag: kedge.RegisterResponseTagBadChallenge}))
		return
	}
	lo, hi := state.store.Range()
	if lo+uint64(state.store.Count()) >= hi {
		cdk.Reply(kedge.EncodeRegisterResult(kedge.RegisterResponse{Tag: kedge.RegisterResponseTagCanisterFull}))
		return
	}
	number, err := state.store.Allocate()
	must(err)
	device := dataFrom(&data)
	must(identity.CheckKey(&device))
	a, err := identity.Register(call(), number, device, temporary)
	must(err)
	save(a)
	cdk.Reply(kedge.EncodeRegisterResult(kedge.RegisterResponse{
		Tag:        kedge.RegisterResponseTagRegistered,
		Registered: kedge.RegisterResponseRegistered{UserNumber: number},
	}))
}

func enterDeviceRegistrationMode() {
	number, err := kedge.DecodeEnterDeviceRegistrationModeArgs(cdk.Arg())
	must(err)
	var expires uint64
	classic(number, func(c *identity.Actor) (err error) {
		expires, err = c.EnterRegistration()
		return err
	})
	cdk.Reply(kedge.EncodeEnterDeviceRegistrationModeResult(expires))
}

func exitDeviceRegistrationMode() {
	number, err := kedge.DecodeExitDeviceRegistrationModeArgs(cdk.Arg())
	must(err)
	classic(number, func(c *identity.Actor) error { return c.ExitRegistration() })
	cdk.Reply(kedge.EncodeExitDeviceRegistrationModeResult())
}

func addTentativeDevice() {
	number, data, err := kedge.DecodeAddTentativeDeviceArgs(cdk.Arg())
	must(err)
	seed(func() {
		a, err := load(number)
		must(err)
		var random [4]byte
		draw(random[:])
		code := binary.BigEndian.Uint32(random[:]) % 1_000_000
		device := dataFrom(&data)
		offer, err := a.OfferDevice(call(), device, code)
		must(err)
		if offer == identity.OfferAccepted {
			must(identity.CheckKey(&device))
		}
		save(a)

		response := kedge.AddTentativeDeviceResponse{}
		switch offer {
		case identity.OfferAccepted:
			response.Tag = kedge.AddTentativeDeviceResponseTagAddedTentatively
			response.AddedTentatively.VerificationCode = sixDigits(code)
			response.AddedTentatively.DeviceRegistrationTimeout = a.Registration.ExpiresAt
		case identity.OfferModeOff:
			response.Tag = kedge.AddTentativeDeviceResponseTagDeviceRegistrationModeOff
		case identity.OfferAnother:
			response.Tag = kedge.AddTentativeDeviceResponseTagAnotherDeviceTentativelyAdded
		}
		cdk.Reply(kedge.EncodeAddTentativeDeviceResult(response))
	})
}

func verifyTentativeDevice() {
	number, typed, err := kedge.DecodeVerifyTentativeDeviceArgs(cdk.Arg())
	must(err)
	var answer identity.Verification
	var retries uint8
	classic(number, func(c *identity.Actor) (err error) {
		answer, retries, err = c.VerifyDevice(codeOf(typed))
		return err
	})
	response := kedge.VerifyTentativeDeviceResponse{}
	switch answer {
	case identity.Verified:
		response.Tag = kedge.VerifyTentativeDeviceResponseTagVerified
	case identity.WrongCode:
		response.Tag = kedge.VerifyTentativeDeviceResponseTagWrongCode
		response.WrongCode.RetriesLeft = retries
	case identity.VerificationModeOff:
		response.Tag = kedge.VerifyTentativeDeviceResponseTagDeviceRegistrationModeOff
	case identity.NothingToVerify:
		response.Tag = kedge.VerifyTentativeDeviceResponseTagNoDeviceToVerify
	}
	cdk.Reply(kedge.EncodeVerifyTentativeDeviceResult(response))
}

// sixDigits writes a verification code with its leading zeros.
func sixDigits(code uint32) string {
	var b [6]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + code%10)
		code /= 10
	}
	return string(b[:])
}

// noCode is a verification code that is never drawn.
const noCode = 1_000_000

// codeOf reads a typed verification code. What is not six digits is a wrong code.
func codeOf(typed string) uint32 {
	if len(typed) != 6 {
		return noCode
	}
	var code uint32
	for i := range len(typed) {
		digit := typed[i] - '0'
		if digit > 9 {
			return noCode
		}
		code = code*10 + uint32(digit)
	}
	return code
}
