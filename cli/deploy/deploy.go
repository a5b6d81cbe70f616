// Package deploy is kedge deploy: it creates, installs and upgrades the canister.
package deploy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/ic/principal"
)

// defaultModule is what make build leaves.
const defaultModule = "build/kedge.wasm.gz"

type verbs struct{ *session.App }

// Command returns kedge deploy.
func Command(app *session.App) *cobra.Command { return verbs{app}.deployCommand() }

type deployed struct {
	Canister   principal.Principal `json:"canister"`
	Network    string              `json:"network"`
	Mode       string              `json:"mode"` // install or upgrade
	ModuleHash string              `json:"module_hash"`
	URL        string              `json:"url"`
}

func (a verbs) deployCommand() *cobra.Command {
	var o deployOptions
	cmd := &cobra.Command{
		Use:   "deploy [MODULE]",
		Short: "create the canister if need be, and install or upgrade it",
		Long: `Installs the module (` + defaultModule + ` unless another is named) on the canister
that was deployed from this folder before, or that --canister names: an empty
canister is installed, another upgraded with its anchors kept. On a network that
runs on this machine a canister is created if there is none.

The canister's id is kept in .kedge/canisters.json. A reinstallation, which
erases every anchor, is not offered.`,
		Example: `  kedge deploy
  kedge deploy build/kedge.wasm.gz --network local --json
  kedge deploy --specified-id rdmx6-jaaaa-aaaaa-aaadq-cai
  kedge deploy --origin https://id.example --origin https://login.example
  kedge deploy --network ic --canister ID --identity controller.pem`,
		Args: ui.Args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.module = defaultModule; len(args) == 1 {
				o.module = args[0]
			}
			return a.deploy(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.specified, "specified-id", "", "id that a new canister gets, on networks that let one choose")
	cmd.Flags().StringVar(&o.argument, "arg", "", "argument of installation or upgrade, Candid in hexadecimal, in place of what the flags say")
	cmd.Flags().StringArrayVar(&o.origins, "origin", nil, "web origin whose passkeys may attest; may be given several times (default on installation: the canister's own page; on upgrade: as before)")
	a.IdentityFlag(cmd)
	return cmd
}

type deployOptions struct {
	module, specified, argument string
	origins                     []string
}

func (a verbs) deploy(ctx context.Context, o deployOptions) error {
	module, err := ReadModule(o.module)
	if err != nil {
		return err
	}
	if o.argument != "" && len(o.origins) > 0 {
		return ui.Usagef("--arg and --origin exclude each other")
	}
	given, err := hex.DecodeString(o.argument)
	if err != nil || o.argument != "" && !bytes.HasPrefix(given, []byte("DIDL")) {
		return ui.Usagef("--arg is not Candid in hexadecimal")
	}
	network, err := a.OpenNetwork(ctx)
	if err != nil {
		return err
	}
	id, err := a.Controller(network)
	if err != nil {
		return err
	}
	c, err := client.New(network, client.Session{Identity: id})
	if err != nil {
		return err
	}
	canister, err := a.deployTarget(ctx, c, o.specified)
	if err != nil {
		return err
	}
	before, err := c.ModuleHash(ctx, canister)
	if err != nil {
		return err
	}
	mode := "install"
	if before != nil {
		mode = "upgrade"
	} else if len(o.origins) == 0 {
		o.origins = []string{session.DefaultOrigin(network, canister)}
	}
	arg := given
	if o.argument == "" {
		if arg, err = initArgument(o.origins); err != nil {
			return err
		}
	}
	if err := c.Install(ctx, canister, mode == "upgrade", module, arg); err != nil {
		return fmt.Errorf("cannot %s canister %s: %w", mode, canister, err)
	}
	if err := ConfirmModule(ctx, c, canister, module); err != nil {
		return err
	}
	if mode == "install" {
		if err := initSalt(ctx, c, canister); err != nil {
			return err
		}
	}
	if err := project.RecordCanister(a.NetworkName(), canister); err != nil {
		return err
	}
	a.warnOfMissingPage(module)
	sum := sha256.Sum256(module)
	return a.Result(deployed{
		Canister: canister, Network: network.URL.String(), Mode: mode,
		ModuleHash: hex.EncodeToString(sum[:]), URL: session.DefaultOrigin(network, canister),
	}, fmt.Sprintf("%s of canister %s\n%s", map[string]string{"install": "installation", "upgrade": "upgrade"}[mode], canister, session.DefaultOrigin(network, canister)))
}

// initArgument names the origins and relying parties of passkeys that attest; without any, every setting
// stays as it is.
func initArgument(origins []string) ([]byte, error) {
	if len(origins) == 0 {
		return kedge.EncodeInitArgs(nil), nil
	}
	var parties []string
	for _, origin := range origins {
		party, err := device.RelyingParty(origin)
		if err != nil {
			return nil, ui.Usagef("--origin: %w", err)
		}
		if !slices.Contains(parties, party) {
			parties = append(parties, party)
		}
	}
	return kedge.EncodeInitArgs(&kedge.KedgeInit{RelatedOrigins: origins, RelyingParties: parties}), nil
}

// ReadModule reads a WebAssembly module, gzipped or not.
func ReadModule(path string) ([]byte, error) {
	module, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ui.Hinted(fmt.Errorf("there is no module %q", path), "make build makes %s", defaultModule)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the module: %w", err)
	}
	if !bytes.HasPrefix(module, []byte("\x00asm")) && !bytes.HasPrefix(module, []byte("\x1f\x8b\x08")) {
		return nil, fmt.Errorf("%q is neither a WebAssembly module nor a gzipped one", path)
	}
	return module, nil
}

// deployTarget returns the canister to install on: the one that is named or recorded, or a new one.
func (a verbs) deployTarget(ctx context.Context, c *client.Client, specified string) (principal.Principal, error) {
	named := a.Setting(a.CanisterFlag, "KEDGE_CANISTER", "")
	if specified != "" {
		if named != "" {
			return principal.Principal{}, ui.Usagef("--specified-id is about a new canister and --canister about an old one")
		}
		id, err := principal.Parse(specified)
		if err != nil {
			return principal.Principal{}, ui.Usagef("canister id %q: %w", specified, err)
		}
		exists, err := c.Exists(ctx, id)
		if err != nil || exists {
			return id, err
		}
		return c.CreateCanister(ctx, &id)
	}
	if named != "" {
		id, err := a.CanisterID()
		if err != nil {
			return id, err
		}
		return id, a.mustExist(ctx, c, id)
	}
	file, err := project.LoadCanisters()
	if err != nil {
		return principal.Principal{}, err
	}
	id, recorded := file.ByNetwork[a.NetworkName()]
	if !c.Network().IsLocal() {
		if !recorded {
			return id, ui.Hinted(fmt.Errorf("canisters are only created on this machine's networks, not at %s", c.Network().URL),
				"create one with icp canister create and name it with --canister ID")
		}
		return id, a.mustExist(ctx, c, id)
	}
	if recorded {
		exists, err := c.Exists(ctx, id)
		if err != nil || exists {
			return id, err
		}
		a.Note("canister %s is gone, the network was started anew", id)
	}
	return c.CreateCanister(ctx, nil)
}

func (a verbs) mustExist(ctx context.Context, c *client.Client, id principal.Principal) error {
	exists, err := c.Exists(ctx, id)
	if err != nil {
		return err
	}
	if !exists {
		return &client.Reject{Code: 3, ErrorCode: "IC0301", Message: fmt.Sprintf("there is no canister %s at %s", id, c.Network().URL)}
	}
	return nil
}

// ConfirmModule reads the certified hash of what the canister runs now.
func ConfirmModule(ctx context.Context, c *client.Client, canister principal.Principal, module []byte) error {
	hash, err := c.ModuleHash(ctx, canister)
	if err != nil {
		return fmt.Errorf("the module was installed, but its hash cannot be read: %w", err)
	}
	if sum := sha256.Sum256(module); !bytes.Equal(hash, sum[:]) {
		return fmt.Errorf("canister %s runs module %x and not %x; somebody else installed at the same time", canister, hash, sum)
	}
	return nil
}

// initSalt has a new canister draw the secret from which users' keys are made. Whoever comes first
// draws it, and any draw is as good; so being second is no failure.
func initSalt(ctx context.Context, c *client.Client, canister principal.Principal) error {
	_, err := c.Call(ctx, canister, "init_salt", kedge.EncodeInitSaltArgs())
	var reject *client.Reject
	if errors.As(err, &reject) {
		if text, trapped := reject.Trap(); trapped && text == "Salt already set" {
			return nil
		}
	}
	if err != nil {
		return ui.Hinted(fmt.Errorf("the canister is installed but has no salt yet: %w", err), "kedge deploy again")
	}
	return nil
}
