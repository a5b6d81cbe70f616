package network

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/session"
	"kedge/cli/ui"
)

type networkView struct {
	URL     string `json:"url"`
	Health  string `json:"health"`
	Version string `json:"version,omitempty"`
	RootKey string `json:"root_key"`
	PID     int    `json:"pid,omitempty"`
}

func (a verbs) networkStatus() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "say whether the network answers, and with which root key",
		Long: `Asks the network for its health and its root key, and trusts nothing of it. For the
network in the background it also says which process runs it.`,
		Example: `  kedge network status
  kedge network status --network http://127.0.0.1:8000 --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.showNetwork(cmd.Context()) },
	}
}

func (a verbs) showNetwork(ctx context.Context) error {
	address, pid := a.NetworkName(), 0
	switch address {
	case session.Local:
		address = session.LocalURL()
		if state, err := project.LoadNetwork(); err == nil {
			pid = state.PID
		}
	case session.IC:
		address = client.MainnetURL
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ui.Usagef("network %q is neither a name nor a URL of the form http://host:port", address)
	}
	status, err := client.Ask(ctx, u)
	if err != nil {
		return err
	}
	view := networkView{URL: u.String(), Health: status.Health, Version: status.Version, RootKey: hex.EncodeToString(status.RootKey), PID: pid}
	return a.Result(view, fmt.Sprintf("%s is %s\nroot key %s", view.URL, view.Health, view.RootKey))
}
