package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"kedge/cli/client"
	"kedge/ic/principal"
)

// The names that --network knows beside URLs.
const (
	networkLocal = "local"
	networkIC    = "ic"
)

// localPort is where kedge network start answers, as dfx's own network does.
const localPort = 4943

// networkName returns what --network says.
func (a *app) networkName() string {
	return a.setting(a.network, "KEDGE_NETWORK", networkLocal)
}

// openNetwork finds the network and the key that vouches for it.
func (a *app) openNetwork(ctx context.Context) (client.Network, error) {
	var key []byte
	if a.rootKey != "" {
		var err error
		if key, err = client.ParseRootKey(a.rootKey); err != nil {
			return client.Network{}, usagef("--root-key: %w", err)
		}
	}
	switch name := a.networkName(); name {
	case networkIC:
		if key != nil {
			return client.Network{}, usagef("--root-key does not go with --network ic, whose key is built in")
		}
		return client.Mainnet(), nil
	case networkLocal:
		return client.Open(ctx, localURL(), key)
	default:
		network, err := client.Open(ctx, name, key)
		var unreachable *client.UnreachableError
		if err != nil && !errors.As(err, &unreachable) && !errors.Is(err, client.ErrNoRootKey) {
			return client.Network{}, usagef("%w", err)
		}
		return network, err
	}
}

// localURL returns the URL of the network that runs here: the one left in the background from this
// folder, else the default port.
func localURL() string {
	if state, err := loadNetworkState(); err == nil {
		return state.URL
	}
	return fmt.Sprintf("http://%s", net.JoinHostPort("127.0.0.1", fmt.Sprint(localPort)))
}

// canisterID returns the canister that commands are for: the flag, the environment, or the one that
// was deployed from this folder.
func (a *app) canisterID() (principal.Principal, error) {
	if text := a.setting(a.canister, "KEDGE_CANISTER", ""); text != "" {
		id, err := principal.Parse(text)
		if err != nil {
			return principal.Principal{}, usagef("canister id %q: %w", text, err)
		}
		return id, nil
	}
	file, err := loadCanisters()
	if err != nil {
		return principal.Principal{}, err
	}
	id, ok := file.Canisters[a.networkName()]
	if !ok {
		return principal.Principal{}, hinted(fmt.Errorf("no canister is known for the network %q", a.networkName()),
			"kedge deploy makes one, --canister ID names one")
	}
	return id, nil
}

// defaultOrigin returns the origin of the canister's own page, which passkeys are made for.
func defaultOrigin(network client.Network, canister principal.Principal) string {
	if network.IsMainnet() {
		return fmt.Sprintf("https://%s.icp0.io", canister)
	}
	u := url.URL{Scheme: network.URL.Scheme, Host: canister.Text() + ".localhost"}
	if port := network.URL.Port(); port != "" {
		u.Host = net.JoinHostPort(u.Host, port)
	}
	return u.String()
}
