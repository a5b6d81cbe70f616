package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

// The names that --network knows beside URLs.
const (
	Local = "local"
	IC    = "ic"
)

// LocalPort is where kedge network start answers, as dfx's own network does.
const LocalPort = 4943

// NetworkName returns what --network says.
func (a *App) NetworkName() string {
	return a.Setting(a.NetworkFlag, "KEDGE_NETWORK", Local)
}

// OpenNetwork finds the network and the key that vouches for it.
func (a *App) OpenNetwork(ctx context.Context) (client.Network, error) {
	network, err := a.openNetwork(ctx)
	network.Now = a.Now
	return network, err
}

func (a *App) openNetwork(ctx context.Context) (client.Network, error) {
	var key []byte
	if digits := a.Setting(a.RootKeyFlag, "KEDGE_ROOT_KEY", ""); digits != "" {
		var err error
		if key, err = client.ParseRootKey(digits); err != nil {
			return client.Network{}, ui.Usagef("--root-key: %w", err)
		}
	}
	switch name := a.NetworkName(); name {
	case IC:
		if key != nil {
			return client.Network{}, ui.Usagef("--root-key does not go with --network ic, whose key is built in")
		}
		return client.Mainnet(), nil
	case Local:
		return client.Open(ctx, LocalURL(), key)
	default:
		network, err := client.Open(ctx, name, key)
		var unreachable *client.UnreachableError
		if err != nil && !errors.As(err, &unreachable) && !errors.Is(err, client.ErrNoRootKey) {
			return client.Network{}, ui.Usagef("%w", err)
		}
		return network, err
	}
}

// LocalURL returns the URL of the network that runs here: the one left in the background from this
// folder, else the default port.
func LocalURL() string {
	if state, err := project.LoadNetwork(); err == nil {
		return state.URL
	}
	return fmt.Sprintf("http://%s", net.JoinHostPort("127.0.0.1", fmt.Sprint(LocalPort)))
}

// ErrNoCanister says that no flag, environment or project names the canister.
var ErrNoCanister = errors.New("no canister is known")

// CanisterID returns the canister that commands are for: the flag, the environment, or the one that
// was deployed from this folder.
func (a *App) CanisterID() (principal.Principal, error) {
	if text := a.Setting(a.CanisterFlag, "KEDGE_CANISTER", ""); text != "" {
		id, err := principal.Parse(text)
		if err != nil {
			return principal.Principal{}, ui.Usagef("canister id %q: %w", text, err)
		}
		return id, nil
	}
	file, err := project.LoadCanisters()
	if err != nil {
		return principal.Principal{}, err
	}
	id, ok := file.ByNetwork[a.NetworkName()]
	if !ok {
		return principal.Principal{}, ui.Hinted(fmt.Errorf("%w for the network %q", ErrNoCanister, a.NetworkName()),
			"kedge deploy makes one, --canister ID names one")
	}
	return id, nil
}

// DefaultOrigin returns the origin of the canister's own page, which passkeys are made for.
func DefaultOrigin(network client.Network, canister principal.Principal) string {
	if network.IsMainnet() {
		return fmt.Sprintf("https://%s.icp0.io", canister)
	}
	u := url.URL{Scheme: network.URL.Scheme, Host: canister.Text() + ".localhost"}
	if port := network.URL.Port(); port != "" {
		u.Host = net.JoinHostPort(u.Host, port)
	}
	return u.String()
}
