package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

type whoamiView struct {
	Principal principal.Principal `json:"principal"`
	Device    string              `json:"device,omitempty"`
	Expires   string              `json:"expires,omitempty"`
	Canister  string              `json:"canister,omitempty"` // that answered
}

func (a verbs) whoamiCommand() *cobra.Command {
	var login, canister string
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "show the principal of the signer, or of a stored session",
		Long: `Shows the principal that calls of the signer come from. With --session it is that of
a session that kedge login stored. With --at, a canister is asked: its query
method whoami is called, and what it answers is shown.`,
		Example: `  kedge whoami --as phrase
  kedge whoami --anchor 10000
  kedge whoami --session .kedge/sessions/app.example.json
  kedge whoami --session .kedge/sessions/app.example.json --at bkyz2-fmaaa-aaaaa-qaaaq-cai`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.whoami(cmd.Context(), login, canister) },
	}
	cmd.Flags().StringVar(&login, "session", "", "delegation that kedge login stored; its key is beside it, with the ending .pem")
	cmd.Flags().StringVar(&canister, "at", "", "id of a canister with the query method whoami")
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) whoami(ctx context.Context, login, canister string) error {
	if login == "" {
		nobody, err := a.OpenProvider(ctx)
		if err != nil {
			return err
		}
		who, err := a.ChooseSigner(nobody.Where())
		if err != nil {
			return err
		}
		p, err := nobody.As(who.Key)
		if err != nil {
			return err
		}
		return a.answerWhoami(ctx, p.Client, whoamiView{Principal: p.Client.Sender(), Device: who.Name}, canister)
	}
	if a.As != "" || a.PhraseFile != "" || a.AnchorFlag {
		return ui.Usagef("--session names the signer; leave --as, --phrase-file and --anchor out")
	}
	network, err := a.OpenNetwork(ctx)
	if err != nil {
		return err
	}
	stored, expires, err := loadLogin(login)
	if err != nil {
		return err
	}
	c, err := client.New(network, stored)
	if err != nil {
		return err
	}
	return a.answerWhoami(ctx, c, whoamiView{Principal: c.Sender(), Expires: expires}, canister)
}

func (a verbs) answerWhoami(ctx context.Context, c *client.Client, view whoamiView, canister string) error {
	if canister != "" {
		id, err := principal.Parse(canister)
		if err != nil {
			return ui.Usagef("canister id %q: %w", canister, err)
		}
		// whoami takes nothing, as lookup_caller does, and answers with a principal, as get_principal does.
		reply, err := c.Query(ctx, id, "whoami", kedge.EncodeWhoamiArgs())
		if view.Principal, err = provider.Decoded("whoami", reply, err, kedge.DecodeGetPrincipalResult); err != nil {
			return err
		}
		view.Canister = id.Text()
	}
	return a.Result(view, view.Principal.Text())
}

// loadLogin reads a session that login stored.
func loadLogin(path string) (login client.Session, expires string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return login, "", fmt.Errorf("reading the session: %w", err)
	}
	var chain client.Chain
	if err := json.Unmarshal(data, &chain); err != nil {
		return login, "", fmt.Errorf("%q is not a delegation: %w", path, err)
	}
	if len(chain.Delegations) == 0 {
		return login, "", fmt.Errorf("%q has no delegation in it", path)
	}
	key, err := session.ReadIdentity(strings.TrimSuffix(path, ".json") + ".pem")
	if errors.Is(err, os.ErrNotExist) {
		return login, "", ui.Hinted(err, "kedge login stores the session key beside the delegation; with --session-key it is elsewhere")
	}
	if err != nil {
		return login, "", err
	}
	last := chain.Delegations[len(chain.Delegations)-1].Delegation
	if !bytes.Equal(last.PublicKey, key.PublicKey()) {
		return login, "", ui.Hinted(fmt.Errorf("the delegation in %q is for another key than the one beside it", path), "kedge login ORIGIN makes a new session")
	}
	return client.Delegated(key, chain), ui.Time(last.Expiration), nil
}
