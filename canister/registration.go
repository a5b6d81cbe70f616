package main

import (
	"crypto/rand"
	"encoding/binary"

	"kedge/candid"
	"kedge/canister/identity"
	"kedge/cdk"
)

// draw fills b with random bytes; seed has run.
func draw(b []byte) {
	_, err := rand.Read(b)
	must(err)
}

func register() {
	data, answer, temporary, err := candid.DecodeRegisterArgs(cdk.Arg())
	must(err)
	if !admit(answer) {
		cdk.Reply(candid.EncodeRegisterResult(candid.RegisterResponse{Tag: candid.RegisterResponseTagBadChallenge}))
		return
	}
	lo, hi := kedge.store.Range()
	if lo+uint64(kedge.store.Count()) >= hi {
		cdk.Reply(candid.EncodeRegisterResult(candid.RegisterResponse{Tag: candid.RegisterResponseTagCanisterFull}))
		return
	}
	number, err := kedge.store.Allocate()
	must(err)
	a, err := identity.Register(call(), number, dataFrom(&data), temporary)
	must(err)
	save(a)
	cdk.Reply(candid.EncodeRegisterResult(candid.RegisterResponse{
		Tag:        candid.RegisterResponseTagRegistered,
		Registered: candid.RegisterResponseRegistered{UserNumber: number},
	}))
}

func enterDeviceRegistrationMode() {
	number, err := candid.DecodeEnterDeviceRegistrationModeArgs(cdk.Arg())
	must(err)
	var expires uint64
	classic(number, func(c *identity.Actor) (err error) {
		expires, err = c.EnterRegistration()
		return err
	})
	cdk.Reply(candid.EncodeEnterDeviceRegistrationModeResult(expires))
}

func exitDeviceRegistrationMode() {
	number, err := candid.DecodeExitDeviceRegistrationModeArgs(cdk.Arg())
	must(err)
	classic(number, func(c *identity.Actor) error { return c.ExitRegistration() })
	cdk.Reply(candid.EncodeExitDeviceRegistrationModeResult())
}

func addTentativeDevice() {
	number, data, err := candid.DecodeAddTentativeDeviceArgs(cdk.Arg())
	must(err)
	seed(func() {
		a, err := load(number)
		must(err)
		var random [4]byte
		draw(random[:])
		code := binary.BigEndian.Uint32(random[:]) % 1_000_000
		offer, err := a.OfferDevice(call(), dataFrom(&data), code)
		must(err)
		save(a)

		response := candid.AddTentativeDeviceResponse{}
		switch offer {
		case identity.OfferAccepted:
			response.Tag = candid.AddTentativeDeviceResponseTagAddedTentatively
			response.AddedTentatively.VerificationCode = sixDigits(code)
			response.AddedTentatively.DeviceRegistrationTimeout = a.Registration.ExpiresAt
		case identity.OfferModeOff:
			response.Tag = candid.AddTentativeDeviceResponseTagDeviceRegistrationModeOff
		case identity.OfferAnother:
			response.Tag = candid.AddTentativeDeviceResponseTagAnotherDeviceTentativelyAdded
		}
		cdk.Reply(candid.EncodeAddTentativeDeviceResult(response))
	})
}

func verifyTentativeDevice() {
	number, typed, err := candid.DecodeVerifyTentativeDeviceArgs(cdk.Arg())
	must(err)
	var answer identity.Verification
	var retries uint8
	classic(number, func(c *identity.Actor) (err error) {
		answer, retries, err = c.VerifyDevice(codeOf(typed))
		return err
	})
	response := candid.VerifyTentativeDeviceResponse{}
	switch answer {
	case identity.Verified:
		response.Tag = candid.VerifyTentativeDeviceResponseTagVerified
	case identity.WrongCode:
		response.Tag = candid.VerifyTentativeDeviceResponseTagWrongCode
		response.WrongCode.RetriesLeft = retries
	case identity.VerificationModeOff:
		response.Tag = candid.VerifyTentativeDeviceResponseTagDeviceRegistrationModeOff
	case identity.NothingToVerify:
		response.Tag = candid.VerifyTentativeDeviceResponseTagNoDeviceToVerify
	}
	cdk.Reply(candid.EncodeVerifyTentativeDeviceResult(response))
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
