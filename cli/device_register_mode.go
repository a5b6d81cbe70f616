package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/device"
)

func (a *app) deviceRegisterMode() *cobra.Command {
	cmd := a.group("register-mode", "let another device ask to be added",
		a.registerModeOn(), a.registerModeOff(), a.registerModeOffer(), a.registerModeVerify())
	cmd.Long = `To add a device whose key is on another machine: open registration mode here, offer
the new device there, and confirm here the code that it shows.`
	cmd.Example = `  kedge device register-mode on
  kedge device register-mode offer phone --anchor 10000     # on the other machine
  kedge device register-mode verify 123456
  kedge device register-mode off`
	return cmd
}

func (a *app) registerModeOn() *cobra.Command {
	cmd := &cobra.Command{
		Use: "on", Short: "open registration mode", Args: argsError(cobra.NoArgs),
		Example: `  kedge device register-mode on`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.openSession(cmd.Context())
			if err != nil {
				return err
			}
			reply, err := s.call(cmd.Context(), "enter_device_registration_mode", kedge.EncodeEnterDeviceRegistrationModeArgs(s.anchor))
			until, err := decoded("enter_device_registration_mode", reply, err, kedge.DecodeEnterDeviceRegistrationModeResult)
			if err != nil {
				return err
			}
			return a.result(map[string]any{"anchor": s.anchor, "until": at(until)},
				fmt.Sprintf("registration mode of anchor %d is open until %s", s.anchor, at(until)))
		},
	}
	a.signerFlags(cmd)
	return cmd
}

func (a *app) registerModeOff() *cobra.Command {
	cmd := &cobra.Command{
		Use: "off", Short: "close registration mode and forget the device that was offered", Args: argsError(cobra.NoArgs),
		Example: `  kedge device register-mode off`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.openSession(cmd.Context())
			if err != nil {
				return err
			}
			if _, err := s.call(cmd.Context(), "exit_device_registration_mode", kedge.EncodeExitDeviceRegistrationModeArgs(s.anchor)); err != nil {
				return err
			}
			return a.result(map[string]any{"anchor": s.anchor}, fmt.Sprintf("registration mode of anchor %d is closed", s.anchor))
		},
	}
	a.signerFlags(cmd)
	return cmd
}

func (a *app) registerModeOffer() *cobra.Command {
	var n newDevice
	var anchor uint64
	cmd := &cobra.Command{
		Use: "offer NAME", Short: "make a passkey here and offer it to an anchor in registration mode", Args: argsError(cobra.ExactArgs(1)),
		Example: `  kedge device register-mode offer phone --anchor 10000`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if n.name = args[0]; !cmd.Flags().Changed("anchor") {
				return usagef("--anchor says which anchor the device is offered to")
			}
			return a.offerDevice(cmd.Context(), n, anchor)
		},
	}
	n.flags(cmd)
	cmd.Flags().Uint64Var(&anchor, "anchor", 0, "number of the anchor")
	return cmd
}

func (a *app) offerDevice(ctx context.Context, n newDevice, anchor uint64) error {
	if err := device.CheckName(n.name); err != nil {
		return usagef("%w", err)
	}
	nobody, err := a.openProvider(ctx)
	if err != nil {
		return err
	}
	passkey, err := n.make(a, nobody)
	if err != nil {
		return err
	}
	p, err := a.delegated(nobody, passkey)
	if err != nil {
		return err
	}
	reply, err := p.call(ctx, "add_tentative_device", kedge.EncodeAddTentativeDeviceArgs(anchor, passkeyData(n.alias, passkey)))
	response, err := decoded("add_tentative_device", reply, err, kedge.DecodeAddTentativeDeviceResult)
	if err != nil {
		return n.discard(a, err)
	}
	switch response.Tag {
	case kedge.AddTentativeDeviceResponseTagDeviceRegistrationModeOff:
		return n.discard(a, hinted(&refusedError{fmt.Sprintf("anchor %d is not in registration mode", anchor)},
			"kedge device register-mode on, on a machine that has a device of the anchor"))
	case kedge.AddTentativeDeviceResponseTagAnotherDeviceTentativelyAdded:
		return n.discard(a, hinted(&refusedError{fmt.Sprintf("another device was offered to anchor %d first", anchor)},
			"verify or close on the other machine, then open registration mode again"))
	}
	if err := a.remember(&session{provider: p, anchor: anchor}, n.name); err != nil {
		return err
	}
	code := response.AddedTentatively.VerificationCode
	return a.result(map[string]any{"anchor": anchor, "device": n.name, "verification_code": code, "until": at(response.AddedTentatively.DeviceRegistrationTimeout)},
		fmt.Sprintf("code %s; on the other machine: kedge device register-mode verify %s", printable(code), printable(code)))
}

func (a *app) registerModeVerify() *cobra.Command {
	cmd := &cobra.Command{
		Use: "verify CODE", Short: "add the device that was offered and shows this code", Args: argsError(cobra.ExactArgs(1)),
		Example: `  kedge device register-mode verify 123456`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.openSession(cmd.Context())
			if err != nil {
				return err
			}
			reply, err := s.call(cmd.Context(), "verify_tentative_device", kedge.EncodeVerifyTentativeDeviceArgs(s.anchor, args[0]))
			response, err := decoded("verify_tentative_device", reply, err, kedge.DecodeVerifyTentativeDeviceResult)
			if err != nil {
				return err
			}
			switch response.Tag {
			case kedge.VerifyTentativeDeviceResponseTagVerified:
				return a.result(map[string]any{"anchor": s.anchor}, fmt.Sprintf("the device was added to anchor %d", s.anchor))
			case kedge.VerifyTentativeDeviceResponseTagWrongCode:
				return &refusedError{fmt.Sprintf("code %q is wrong, %d attempts are left", args[0], response.WrongCode.RetriesLeft)}
			case kedge.VerifyTentativeDeviceResponseTagNoDeviceToVerify:
				return hinted(&refusedError{"no device has been offered"}, "kedge device register-mode offer NAME --anchor %d, on the other machine", s.anchor)
			}
			return hinted(&refusedError{fmt.Sprintf("anchor %d is not in registration mode", s.anchor)}, "kedge device register-mode on")
		},
	}
	a.signerFlags(cmd)
	return cmd
}
