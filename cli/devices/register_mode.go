package devices

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/ic/principal"
)

func (a verbs) deviceRegisterMode() *cobra.Command {
	cmd := ui.Group("register-mode", "let another device ask to be added",
		a.registerModeOn(), a.registerModeOff(), a.registerModeOffer(), a.registerModeVerify())
	cmd.Long = `To add a device whose key is on another machine: open registration mode here, offer
the new device there, and confirm here the code that it shows.`
	cmd.Example = `  kedge device register-mode on
  kedge device register-mode offer phone --anchor 10000     # on the other machine
  kedge device register-mode verify 123456
  kedge device register-mode off`
	return cmd
}

func (a verbs) registerModeOn() *cobra.Command {
	cmd := &cobra.Command{
		Use: "on", Short: "open registration mode",
		Long: `Opens registration mode for 15 minutes. Meanwhile anybody who knows the number may
offer one device, and nothing is added before its code is confirmed here with kedge
device register-mode verify. Any device of the anchor opens it; with the guard on,
only a protected one.`, Args: ui.Args(cobra.NoArgs),
		Example: `  kedge device register-mode on
  kedge device register-mode on --as laptop --anchor 10000 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			reply, err := s.Call(cmd.Context(), "enter_device_registration_mode", kedge.EncodeEnterDeviceRegistrationModeArgs(s.Anchor))
			until, err := provider.Decoded("enter_device_registration_mode", reply, err, kedge.DecodeEnterDeviceRegistrationModeResult)
			if err != nil {
				return err
			}
			return a.Result(map[string]any{"anchor": s.Anchor, "until": ui.Time(until)},
				fmt.Sprintf("registration mode of anchor %d is open until %s", s.Anchor, ui.WhenNanos(until, a.Now())))
		},
	}
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) registerModeOff() *cobra.Command {
	cmd := &cobra.Command{
		Use: "off", Short: "close registration mode and forget the device that was offered",
		Long: `The device that opened registration mode closes it, or a protected one. Without this
it closes by itself after 15 minutes.`, Args: ui.Args(cobra.NoArgs),
		Example: `  kedge device register-mode off
  kedge device register-mode off --as phrase`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			if _, err := s.Call(cmd.Context(), "exit_device_registration_mode", kedge.EncodeExitDeviceRegistrationModeArgs(s.Anchor)); err != nil {
				return err
			}
			return a.Result(map[string]any{"anchor": s.Anchor}, fmt.Sprintf("registration mode of anchor %d is closed", s.Anchor))
		},
	}
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) registerModeOffer() *cobra.Command {
	var n NewDevice
	var anchor uint64
	cmd := &cobra.Command{
		Use: "offer NAME", Short: "make a passkey here and offer it to an anchor in registration mode",
		Long: `Makes a passkey in this machine's key store and offers it. Type the code that this
prints where registration mode was opened: kedge device register-mode verify.`, Args: ui.Args(cobra.ExactArgs(1)),
		Example: `  kedge device register-mode offer phone --anchor 10000
  kedge device register-mode offer phone --alias "Anna's phone" --anchor 10000 --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if n.Name = args[0]; !cmd.Flags().Changed("anchor") {
				return ui.Usagef("--anchor says which anchor the device is offered to")
			}
			return a.offerDevice(cmd.Context(), n, anchor)
		},
	}
	n.Flags(cmd)
	cmd.Flags().Uint64Var(&anchor, "anchor", 0, "number of the anchor")
	return cmd
}

func (a verbs) offerDevice(ctx context.Context, n NewDevice, anchor uint64) error {
	if err := device.CheckName(n.Name); err != nil {
		return ui.Usagef("%w", err)
	}
	nobody, err := a.OpenProvider(ctx)
	if err != nil {
		return err
	}
	n.Anchor = &anchor
	if n.Present, err = present(ctx, nobody, anchor); err != nil {
		return err
	}
	passkey, err := n.Make(a.App, nobody)
	if err != nil {
		return err
	}
	p, err := a.Delegated(nobody, passkey)
	if err != nil {
		return n.Undo(a.App, err)
	}
	reply, err := p.Call(ctx, "add_tentative_device", kedge.EncodeAddTentativeDeviceArgs(anchor, session.PasskeyData(n.Alias, passkey)))
	response, err := provider.Decoded("add_tentative_device", reply, err, kedge.DecodeAddTentativeDeviceResult)
	if err != nil {
		return n.Discard(a.App, err)
	}
	switch response.Tag {
	case kedge.AddTentativeDeviceResponseTagDeviceRegistrationModeOff:
		return n.Discard(a.App, ui.Hinted(provider.Refused("anchor %d is not in registration mode", anchor),
			"kedge device register-mode on, on a machine that has a device of the anchor"))
	case kedge.AddTentativeDeviceResponseTagAnotherDeviceTentativelyAdded:
		return n.Discard(a.App, ui.Hinted(provider.Refused("another device was offered to anchor %d first", anchor),
			"verify or close on the other machine, then open registration mode again"))
	}
	if err := a.Remember(&session.Session{Provider: p, Anchor: anchor}, n.Name); err != nil {
		return err
	}
	code := response.AddedTentatively.VerificationCode
	return a.Result(map[string]any{"anchor": anchor, "device": n.Name, "verification_code": code, "until": ui.Time(response.AddedTentatively.DeviceRegistrationTimeout)},
		fmt.Sprintf("code %s; on the other machine: kedge device register-mode verify %s", ui.Printable(code), ui.Quoted(ui.Printable(code))))
}

func (a verbs) registerModeVerify() *cobra.Command {
	cmd := &cobra.Command{
		Use: "verify CODE", Short: "add the device that was offered and shows this code",
		Long: `Confirms the code that the other machine shows, and so adds the device that it offered.
Compare the code with that screen: whoever knows the number may have offered another
device. After three wrong codes the offer is forgotten.`, Args: ui.Args(cobra.ExactArgs(1)),
		Example: `  kedge device register-mode verify 123456
  kedge device register-mode verify 123456 --as laptop --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			info, err := s.AnchorInfo(cmd.Context(), s.Anchor)
			if err != nil {
				return err
			}
			reply, err := s.Call(cmd.Context(), "verify_tentative_device", kedge.EncodeVerifyTentativeDeviceArgs(s.Anchor, args[0]))
			response, err := provider.Decoded("verify_tentative_device", reply, err, kedge.DecodeVerifyTentativeDeviceResult)
			if err != nil {
				return err
			}
			switch response.Tag {
			case kedge.VerifyTentativeDeviceResponseTagVerified:
				added, label := map[string]any{"anchor": s.Anchor}, "the device"
				if r := info.DeviceRegistration; r != nil && r.TentativeDevice != nil {
					d := *r.TentativeDevice
					added["alias"], added["principal"] = d.Alias, principal.SelfAuthenticating(d.Pubkey).Text()
					label = session.Label(d.Alias, d.Pubkey)
				}
				return a.Result(added, fmt.Sprintf("added %s to anchor %d", label, s.Anchor))
			case kedge.VerifyTentativeDeviceResponseTagWrongCode:
				return provider.Refused("code %q is wrong, %d attempts are left", args[0], response.WrongCode.RetriesLeft)
			case kedge.VerifyTentativeDeviceResponseTagNoDeviceToVerify:
				return ui.Hinted(provider.Refused("no device has been offered"), "kedge device register-mode offer NAME --anchor %d, on the other machine", s.Anchor)
			}
			return ui.Hinted(provider.Refused("anchor %d is not in registration mode", s.Anchor), "kedge device register-mode on")
		},
	}
	a.SignerFlags(cmd)
	return cmd
}
