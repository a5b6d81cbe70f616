package harness

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/kedge"
	"kedge/ic/principal"
)

// For is the harness for a subtest, which fails in the place of the test that opened it.
func (h *Harness) For(tb testing.TB) *Harness {
	other := *h
	other.TB = tb
	return &other
}

// Now is the network's time in ns since 1970.
func (h *Harness) Now() uint64 { return uint64(h.Net.Time().UnixNano()) }

var trapText = regexp.MustCompile("(?s)Canister called `ic0\\.trap` with message: '(.*?)'(?:\\.?\n.*)?$")

// RequireTrap requires that the canister trapped with exactly this text.
func (h *Harness) RequireTrap(text string, err error) {
	h.Helper()
	require.Error(h, err, "expected the trap %q", text)
	m := trapText.FindStringSubmatch(err.Error())
	require.NotNil(h, m, "no trap: %v", err)
	require.Equal(h, text, m[1])
}

// Stranger is what a method that takes a device of the anchor says to somebody else.
func Stranger(p principal.Principal) string { return p.Text() + " could not be authenticated." }

// UpgradeWith upgrades the canister to the same module, with settings.
func (h *Harness) UpgradeWith(init *kedge.KedgeInit) error {
	return h.Net.Upgrade(h.Context(), h.Operator, h.Canister, Module(h), kedge.EncodeInitArgs(init))
}

// TryRegister registers d as the sender says, and may be refused.
func (h *Harness) TryRegister(sender principal.Principal, d *Device, answer kedge.ChallengeResult, temporary *principal.Principal) (kedge.RegisterResponse, error) {
	reply, err := h.Call(sender, "register", kedge.EncodeRegisterArgs(d.Data, answer, temporary))
	if err != nil {
		return kedge.RegisterResponse{}, err
	}
	return kedge.DecodeRegisterResult(reply)
}

// RegisterFor makes an anchor whose first device is d, and for which key acts for ten minutes.
func (h *Harness) RegisterFor(d, key *Device) uint64 {
	h.Helper()
	temporary := key.Principal()
	response, err := h.TryRegister(d.Principal(), d, kedge.ChallengeResult{}, &temporary)
	require.NoError(h, err)
	require.Equal(h, kedge.RegisterResponseTagRegistered, response.Tag)
	return response.Registered.UserNumber
}

// Challenge asks for a captcha.
func (h *Harness) Challenge() kedge.Challenge {
	h.Helper()
	reply, err := h.Call(principal.Anonymous, "create_challenge", kedge.EncodeCreateChallengeArgs())
	require.NoError(h, err)
	challenge, err := kedge.DecodeCreateChallengeResult(reply)
	require.NoError(h, err)
	return challenge
}

// Salt draws the salt.
func (h *Harness) Salt() {
	h.Helper()
	_, err := h.Call(principal.Anonymous, "init_salt", kedge.EncodeInitSaltArgs())
	require.NoError(h, err)
}

// EnterMode is as opening registration mode; the answer is when it ends.
func (h *Harness) EnterMode(anchor uint64, as *Device) (uint64, error) {
	reply, err := h.Call(as.Principal(), "enter_device_registration_mode", kedge.EncodeEnterDeviceRegistrationModeArgs(anchor))
	if err != nil {
		return 0, err
	}
	return kedge.DecodeEnterDeviceRegistrationModeResult(reply)
}

// ExitMode is as closing registration mode.
func (h *Harness) ExitMode(anchor uint64, as *Device) error {
	_, err := h.Call(as.Principal(), "exit_device_registration_mode", kedge.EncodeExitDeviceRegistrationModeArgs(anchor))
	return err
}

// Offer is as offering d in registration mode.
func (h *Harness) Offer(anchor uint64, as, d *Device) (kedge.AddTentativeDeviceResponse, error) {
	reply, err := h.Call(as.Principal(), "add_tentative_device", kedge.EncodeAddTentativeDeviceArgs(anchor, d.Data))
	if err != nil {
		return kedge.AddTentativeDeviceResponse{}, err
	}
	return kedge.DecodeAddTentativeDeviceResult(reply)
}

// Verify is as typing the code of the device that was offered.
func (h *Harness) Verify(anchor uint64, as *Device, code string) (kedge.VerifyTentativeDeviceResponse, error) {
	reply, err := h.Call(as.Principal(), "verify_tentative_device", kedge.EncodeVerifyTentativeDeviceArgs(anchor, code))
	if err != nil {
		return kedge.VerifyTentativeDeviceResponse{}, err
	}
	return kedge.DecodeVerifyTentativeDeviceResult(reply)
}

// Prepare is as preparing a delegation to the session key; ttl is in ns.
func (h *Harness) Prepare(anchor uint64, as *Device, frontend string, session []byte, ttl *uint64) (user []byte, expiration uint64, err error) {
	reply, err := h.Call(as.Principal(), "prepare_delegation", kedge.EncodePrepareDelegationArgs(anchor, frontend, session, ttl))
	if err != nil {
		return nil, 0, err
	}
	return kedge.DecodePrepareDelegationResult(reply)
}

// Delegation is as fetching a delegation.
func (h *Harness) Delegation(anchor uint64, as *Device, frontend string, session []byte, expiration uint64) (kedge.GetDelegationResponse, error) {
	reply, err := h.Query(as.Principal(), "get_delegation", kedge.EncodeGetDelegationArgs(anchor, frontend, session, expiration))
	if err != nil {
		return kedge.GetDelegationResponse{}, err
	}
	return kedge.DecodeGetDelegationResult(reply)
}

// PrincipalAt is as asking who the anchor is at a frontend.
func (h *Harness) PrincipalAt(anchor uint64, as *Device, frontend string) (principal.Principal, error) {
	reply, err := h.Query(as.Principal(), "get_principal", kedge.EncodeGetPrincipalArgs(anchor, frontend))
	if err != nil {
		return principal.Principal{}, err
	}
	return kedge.DecodeGetPrincipalResult(reply)
}

// Credentials are the keys with which one can sign in to the anchor.
func (h *Harness) Credentials(anchor uint64) kedge.AnchorCredentials {
	h.Helper()
	reply, err := h.Query(principal.Anonymous, "get_anchor_credentials", kedge.EncodeGetAnchorCredentialsArgs(anchor))
	require.NoError(h, err)
	credentials, err := kedge.DecodeGetAnchorCredentialsResult(reply)
	require.NoError(h, err)
	return credentials
}

// Config is what is set, the range of anchors included.
func (h *Harness) Config() kedge.KedgeInit {
	h.Helper()
	reply, err := h.Query(principal.Anonymous, "config", kedge.EncodeConfigArgs())
	require.NoError(h, err)
	config, err := kedge.DecodeConfigResult(reply)
	require.NoError(h, err)
	return config
}

// Stats are the public figures.
func (h *Harness) Stats() kedge.InternetIdentityStats {
	h.Helper()
	reply, err := h.Query(principal.Anonymous, "stats", kedge.EncodeStatsArgs())
	require.NoError(h, err)
	stats, err := kedge.DecodeStatsResult(reply)
	require.NoError(h, err)
	return stats
}

// Get is what the canister answers to a gateway.
func (h *Harness) Get(method, url string) kedge.HttpResponse {
	h.Helper()
	reply, err := h.Query(principal.Anonymous, "http_request", kedge.EncodeHttpRequestArgs(kedge.HttpRequest{Method: method, URL: url}))
	require.NoError(h, err)
	response, err := kedge.DecodeHttpRequestResult(reply)
	require.NoError(h, err)
	return response
}

// Metric is a figure of /metrics, without its prefix internet_identity_.
func (h *Harness) Metric(name string) uint64 {
	h.Helper()
	for line := range strings.Lines(string(h.Get("GET", "/metrics").Body)) {
		fields := strings.Fields(line)
		if fields[0] == "internet_identity_"+name {
			value, err := strconv.ParseUint(fields[1], 10, 64)
			require.NoError(h, err)
			return value
		}
	}
	require.FailNow(h, "no metric "+name)
	return 0
}
