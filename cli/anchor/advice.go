package anchor

import (
	"bytes"
	"context"
	"fmt"

	"kedge/candid/kedge"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

// steps says how to take a step on one anchor with this program.
type steps struct {
	unproven  string // how --as names a marked device that has not signed here, empty if there is none
	protected string // the same for a protected one
	everyday  string // what names an own device that could ask for a release
	page      bool   // whether the canister has a web page
}

func newSteps(info kedge.IdentityAnchorInfo, own session.OwnKeys, page bool) steps {
	s := steps{page: page}
	for _, d := range info.Devices {
		marked, proven := d.Protection == kedge.DeviceProtectionProtected, d.Proven != nil && *d.Proven
		name := own.Name(d.Pubkey)
		if name == "" && d.KeyType == kedge.KeyTypeSeedPhrase {
			name = device.ReservedName
		}
		switch {
		case marked && proven && s.protected == "":
			s.protected = name
		case marked && !proven && s.unproven == "":
			if s.unproven = name; name == "" {
				s.unproven = elsewhere
			}
		case !marked && s.everyday == "" && name != device.ReservedName:
			s.everyday = name
		}
	}
	return s
}

// elsewhere stands for a device that this machine cannot sign with.
const elsewhere = "\x00"

func as(name string) string {
	if name == "" || name == elsewhere {
		return " --as DEVICE"
	}
	return " --as " + ui.Quoted(name)
}

// text says how to take a step.
func (s steps) text(step kedge.Advice) string {
	switch step {
	case kedge.AdviceProveDevice:
		switch s.unproven {
		case device.ReservedName:
			return "type the recovery phrase once: kedge anchor show --as phrase"
		case elsewhere:
			return "sign in once with the protected device, where it is"
		}
		return "sign with the protected device once: kedge anchor show" + as(s.unproven)
	case kedge.AdviceProtectPhrase:
		return "protect the recovery phrase: kedge device protect phrase --as phrase"
	case kedge.AdviceConsentToRelease:
		asker := "DEVICE"
		if s.everyday != "" {
			asker = ui.Quoted(s.everyday)
		}
		return "agree to a timed release: kedge release consent --asker " + asker + as(s.protected)
	case kedge.AdviceAddPhrase:
		text := "make a recovery phrase: kedge recovery phrase add"
		if s.protected != "" {
			text += as(s.protected)
		}
		return text
	case kedge.AdviceAddHardwareKey:
		if s.page {
			return "add a security key of another make, keep it elsewhere, protect it: on the web page, which kedge open shows"
		}
		return "add a security key of another make, keep it elsewhere, protect it; this canister has no web page to do that on, so take its public key to kedge device add NAME --public-key HEX"
	case kedge.AdviceNameContacts:
		return "name people who would know your voice as recovery contacts: kedge contacts set ANCHOR..." + as(s.protected)
	case kedge.AdviceAgreeToContacts:
		return "let every other protected device agree to the recovery contacts: kedge contacts agree --as DEVICE"
	case kedge.AdviceHaveContactsAccept:
		return "have your recovery contacts accept, with the number of your anchor: kedge contact accept; kedge contacts show says who has"
	}
	return fmt.Sprintf("a step that this kedge does not know: %s", step)
}

// hasPage asks the canister for its web page. A canister that does not answer has none.
func (a verbs) hasPage(ctx context.Context, s *session.Session) bool {
	reply, err := s.Query(ctx, "http_request", kedge.EncodeHttpRequestArgs(kedge.HttpRequest{Method: "GET", URL: "/"}))
	if err != nil {
		return false
	}
	response, err := kedge.DecodeHttpRequestResult(reply)
	return err == nil && response.StatusCode == 200 && bytes.Contains(bytes.ToLower(response.Body), []byte("<!doctype html"))
}
