package classic

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/tests/harness"
)

// wrongFor is a verification code that is not the right one.
func wrongFor(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestRegistrationMode(t *testing.T) {
	laptop, phone := harness.NewDevice("laptop"), harness.NewDevice("phone")
	stranger := harness.NewDevice("stranger")
	const (
		off      = kedge.AddTentativeDeviceResponseTagDeviceRegistrationModeOff
		taken    = kedge.AddTentativeDeviceResponseTagAddedTentatively
		another  = kedge.AddTentativeDeviceResponseTagAnotherDeviceTentativelyAdded
		verified = kedge.VerifyTentativeDeviceResponseTagVerified
		wrong    = kedge.VerifyTentativeDeviceResponseTagWrongCode
		ended    = kedge.VerifyTentativeDeviceResponseTagDeviceRegistrationModeOff
		nothing  = kedge.VerifyTentativeDeviceResponseTagNoDeviceToVerify
	)
	open := harness.Open(t, nil)
	run := func(name string, test func(h *harness.Harness, anchor uint64)) {
		t.Run(name, func(t *testing.T) {
			h := open.For(t)
			test(h, h.Register(laptop))
		})
	}
	enter := func(h *harness.Harness, anchor uint64, as *harness.Device) uint64 {
		h.Helper()
		expiration, err := h.EnterMode(anchor, as)
		require.NoError(h, err)
		return expiration
	}
	offer := func(h *harness.Harness, anchor uint64, d *harness.Device) kedge.AddTentativeDeviceResponse {
		h.Helper()
		response, err := h.Offer(anchor, d, d)
		require.NoError(h, err)
		return response
	}
	verify := func(h *harness.Harness, anchor uint64, as *harness.Device, code string) kedge.VerifyTentativeDeviceResponse {
		h.Helper()
		response, err := h.Verify(anchor, as, code)
		require.NoError(h, err)
		return response
	}

	run("can_enter_device_registration_mode", func(h *harness.Harness, anchor uint64) {
		before := h.Now()
		expiration := enter(h, anchor, laptop)
		require.InDelta(h, 15*time.Minute, time.Duration(expiration-before), float64(time.Millisecond))
		require.Equal(h, expiration, h.Info(anchor, laptop).DeviceRegistration.Expiration)
		h.Pass(time.Minute)
		require.Equal(h, expiration, enter(h, anchor, laptop), "entering again does not prolong it")
	})

	run("can_register_remote_device", func(h *harness.Harness, anchor uint64) {
		expiration := enter(h, anchor, laptop)
		response := offer(h, anchor, phone)
		require.Equal(h, taken, response.Tag)
		require.Equal(h, expiration, response.AddedTentatively.DeviceRegistrationTimeout)
		require.Regexp(h, `^\d{6}$`, response.AddedTentatively.VerificationCode)
		h.RequireTrap(harness.Stranger(phone.Principal()), second(h.TryInfo(anchor, phone)))

		require.Equal(h, verified, verify(h, anchor, laptop, response.AddedTentatively.VerificationCode).Tag)
		info := h.Info(anchor, phone)
		require.Equal(h, []string{string(laptop.Key()), string(phone.Key())}, keys(info))
		require.Nil(h, info.DeviceRegistration)
		require.Equal(h, off, offer(h, anchor, stranger).Tag, "the mode has ended")
	})

	run("anchor_info_should_return_tentative_device", func(h *harness.Harness, anchor uint64) {
		enter(h, anchor, laptop)
		require.Nil(h, h.Info(anchor, laptop).DeviceRegistration.TentativeDevice)
		offer(h, anchor, passkey("key"))
		require.Equal(h, passkey("key").Data, *h.Info(anchor, laptop).DeviceRegistration.TentativeDevice)
		require.Equal(h, another, offer(h, anchor, phone).Tag, "there is one place")
	})

	run("reject_tentative_device_if_not_in_registration_mode", func(h *harness.Harness, anchor uint64) {
		require.Equal(h, off, offer(h, anchor, phone).Tag)
		enter(h, anchor, laptop)
		require.NoError(h, h.ExitMode(anchor, laptop))
		require.Equal(h, off, offer(h, anchor, phone).Tag)
		require.NoError(h, h.ExitMode(anchor, laptop), "closing what is closed is no error")
		require.Nil(h, h.Info(anchor, laptop).DeviceRegistration)
	})

	run("reject_tentative_device_if_registration_mode_is_expired", func(h *harness.Harness, anchor uint64) {
		expiration := enter(h, anchor, laptop)
		require.NoError(h, h.Net.SetTime(h.Context(), time.Unix(0, int64(expiration)-1000)))
		require.NotNil(h, h.Info(anchor, laptop).DeviceRegistration)
		code := offer(h, anchor, phone).AddedTentatively.VerificationCode
		require.NoError(h, h.Net.SetTime(h.Context(), time.Unix(0, int64(expiration))))
		require.Equal(h, off, offer(h, anchor, phone).Tag)
		require.Equal(h, ended, verify(h, anchor, laptop, code).Tag)
		require.Nil(h, h.Info(anchor, laptop).DeviceRegistration)
		require.Less(h, expiration, enter(h, anchor, laptop))
	})

	run("reject_verification_with_wrong_code", func(h *harness.Harness, anchor uint64) {
		enter(h, anchor, laptop)
		code := offer(h, anchor, phone).AddedTentatively.VerificationCode
		for left := 2; left >= 0; left-- {
			response := verify(h, anchor, laptop, wrongFor(code))
			require.Equal(h, wrong, response.Tag)
			require.Equal(h, uint8(left), response.WrongCode.RetriesLeft)
		}
		require.Equal(h, ended, verify(h, anchor, laptop, code).Tag, "the third wrong code ends the mode")
		require.Equal(h, off, offer(h, anchor, phone).Tag)
	})

	run("can_verify_remote_device_after_failed_attempt", func(h *harness.Harness, anchor uint64) {
		enter(h, anchor, laptop)
		code := offer(h, anchor, phone).AddedTentatively.VerificationCode
		for _, typed := range []string{"", code + "0"} { // what is no code at all is a wrong one
			require.Equal(h, wrong, verify(h, anchor, laptop, typed).Tag)
		}
		require.Equal(h, verified, verify(h, anchor, laptop, code).Tag)
	})

	run("reject_verification_without_tentative_device", func(h *harness.Harness, anchor uint64) {
		require.Equal(h, ended, verify(h, anchor, laptop, "123456").Tag)
		enter(h, anchor, laptop)
		require.Equal(h, nothing, verify(h, anchor, laptop, "123456").Tag)
		require.NotNil(h, h.Info(anchor, laptop).DeviceRegistration, "the mode stays, as since July 2025")
		require.Equal(h, taken, offer(h, anchor, phone).Tag)
	})

	run("should_check_tentative_device_when_offered", func(h *harness.Harness, anchor uint64) {
		enter(h, anchor, laptop)
		_, err := h.Offer(anchor, stranger, laptop)
		h.RequireTrap(fmt.Sprintf("failed to add device: Device with key %x already exists on this anchor.", laptop.Key()), err)
		_, err = h.Offer(anchor, stranger, phone.Renamed(string(make([]byte, 65))))
		h.RequireTrap("failed to add device: alias limit exceeded: length 65, limit 64", err)
		_, err = h.Offer(anchor, stranger, phone.Marked())
		h.RequireTrap("failed to add device: a tentative device cannot be protected; offer it unprotected and protect it once it is verified", err)
		require.Equal(h, taken, offer(h, anchor, phone).Tag, "what was refused took no place")
	})

	run("should_check_tentative_device_when_verified", func(h *harness.Harness, anchor uint64) {
		enter(h, anchor, laptop)
		code := offer(h, anchor, harness.NewPhrase("phrase")).AddedTentatively.VerificationCode
		require.NoError(h, h.Add(anchor, laptop, harness.NewPhrase("faster")))
		_, err := h.Verify(anchor, laptop, code)
		h.RequireTrap("failed to add device: There is already a recovery phrase and only one is allowed.", err)
		require.NotNil(h, h.Info(anchor, laptop).DeviceRegistration.TentativeDevice, "the trap leaves the mode open")
		require.NoError(h, h.Remove(anchor, laptop, harness.NewPhrase("faster")))
		require.Equal(h, verified, verify(h, anchor, laptop, code).Tag)
	})

	run("should_be_finished_by_its_opener", func(h *harness.Harness, anchor uint64) {
		require.NoError(h, h.Add(anchor, laptop, phone))
		enter(h, anchor, laptop)
		text := "registration mode was opened by another device; only that one, or a protected device, may finish or close it"
		h.RequireTrap(text, h.ExitMode(anchor, phone))
		_, err := h.Verify(anchor, phone, "123456")
		h.RequireTrap(text, err)
		require.NoError(h, h.Protect(anchor, phone, phone))
		require.NoError(h, h.ExitMode(anchor, phone), "or by a protected device")
	})

	run("should_survive_upgrades", func(h *harness.Harness, anchor uint64) {
		expiration := enter(h, anchor, laptop)
		code := offer(h, anchor, phone).AddedTentatively.VerificationCode
		h.Upgrade()
		require.Equal(h, expiration, h.Info(anchor, laptop).DeviceRegistration.Expiration)
		require.Equal(h, verified, verify(h, anchor, laptop, code).Tag)
	})

	run("should_update_last_usage_on_tentative_device_registration", func(h *harness.Harness, anchor uint64) {
		enter(h, anchor, laptop)
		code := offer(h, anchor, phone).AddedTentatively.VerificationCode
		h.Pass(time.Second)
		now := h.Now()
		require.Equal(h, verified, verify(h, anchor, laptop, code).Tag)
		devices := h.Lookup(anchor)
		require.Equal(h, laptop.Key(), devices[0].Pubkey)
		info := h.Info(anchor, phone)
		require.GreaterOrEqual(h, *info.Devices[0].LastUsage, now)
	})
}
