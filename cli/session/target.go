package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/settings"
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
	network.Waiting = func() func() { return a.Working("waiting for the network") }
	return network, err
}

func (a *App) openNetwork(ctx context.Context) (client.Network, error) {
	if err := a.acceptNetwork(); err != nil {
		return client.Network{}, err
	}
	var key []byte
	if digits := a.Setting(a.RootKeyFlag, "KEDGE_ROOT_KEY", ""); digits != "" {
		var err error
		if key, err = client.ParseRootKey(digits); err != nil {
			return client.Network{}, ui.Usagef("--root-key: %w", err)
		}
	}
	defer a.Working("looking for the network")()
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

// CanisterID returns the canister that commands are for: the flag, the environment, or the one that a file of
// this folder names, as kedge deploy, dfx and icp write them.
func (a *App) CanisterID() (principal.Principal, error) {
	known, err := a.FindCanister()
	return known.ID, err
}

// FindCanister is CanisterID with where the id comes from, which is kept for [App.StaleHint].
func (a *App) FindCanister() (project.Known, error) {
	if text, source, file := a.Value(a.CanisterFlag, "KEDGE_CANISTER", ""); text != "" {
		id, err := principal.Parse(text)
		if err != nil {
			return project.Known{}, ui.Usagef("canister id %q: %w", text, err)
		}
		known := project.Known{ID: id}
		if source == settings.FromProject {
			known.Tool, known.File = "kedge", file
		}
		return known, a.AcceptCanister(known)
	}
	found, err := project.FindCanister(project.Root(), a.Target())
	if err != nil {
		return project.Known{}, err
	}
	if len(found) == 0 {
		return project.Known{}, ui.Hinted(fmt.Errorf("%w for the network %q", ErrNoCanister, a.NetworkName()),
			"kedge deploy makes one, --canister ID names one; for one that dfx made elsewhere, KEDGE_CANISTER=$(dfx canister id kedge)")
	}
	if first := found[0]; first.Tool != "kedge" {
		for _, other := range found[1:] {
			if other.ID != first.ID {
				return project.Known{}, ui.Hinted(fmt.Errorf("two canisters are known for the network %q: %s and %s", a.NetworkName(), first, other),
					"--canister ID says which")
			}
		}
	}
	a.canister = found[0]
	return found[0], a.AcceptCanister(found[0])
}

// Target is the network that commands are for, as far as that is known without asking it.
func (a *App) Target() project.Target {
	name := a.NetworkName()
	address := name
	switch name {
	case Local:
		address = LocalURL()
	case IC:
		address = client.MainnetURL
	}
	u, err := url.Parse(address)
	if err != nil {
		u = nil
	}
	return project.Target{Name: name, URL: u}
}

// StaleHint explains an error about a canister that is not on the network, where a file of the project named
// it: a network that was started anew has none of the canisters that it had.
func (a *App) StaleHint(err error, otherwise string) string {
	var reject *client.Reject
	if a.canister.File == "" || !errors.As(err, &reject) || reject.ErrorCode != "IC0301" {
		return otherwise
	}
	again := "kedge deploy makes a new one"
	if a.canister.Tool != "kedge" {
		again = a.canister.Tool + " deploy, or kedge deploy, makes a new one"
	}
	return fmt.Sprintf("the id is from %s, written before the network was started anew (--clean, kedge network reset, another state folder); %s", a.canister.File, again)
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
