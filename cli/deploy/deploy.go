// Package deploy is kedge deploy: it creates, installs and upgrades the canister.
package deploy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"kedge/candid/compat"
	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/session"
	"kedge/cli/settings"
	"kedge/cli/ui"
	"kedge/ic/management"
	"kedge/ic/principal"
)

// defaultModule is what make build leaves.
const defaultModule = "build/kedge.wasm.gz"

type verbs struct{ *session.App }

// Command returns kedge deploy.
func Command(app *session.App) *cobra.Command { return verbs{app}.deployCommand() }

// deployed is the result of kedge deploy.
type deployed struct {
	Canister   principal.Principal `json:"canister"`
	Network    string              `json:"network"`
	Mode       string              `json:"mode"` // install or upgrade
	ModuleHash string              `json:"module_hash"`
	URL        string              `json:"url"`
	DryRun     bool                `json:"dry_run,omitempty"`
	Settings   []change            `json:"settings"`  // what an upgrade changes of them
	Interface  []compat.Change     `json:"interface"` // what an upgrade changes of it
	Snapshot   string              `json:"snapshot,omitempty"`
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

Before an upgrade it shows what changes of the settings and of the interface, and
asks where something is removed or narrowed. Then it stops the canister, takes a
snapshot, upgrades, starts it again and asks it something. If the upgrade fails
the canister runs on with its old module. If the new module does not answer, and
no call has changed anything since, the snapshot is loaded again; if calls may
have, going back would undo them, so it asks.

The canister's id is kept in .kedge/canisters.json, the snapshot until the next
deployment. A reinstallation, which erases every anchor, is not offered.
docs/operating.md is the operator's page.`,
		Example: `  kedge deploy
  kedge deploy build/kedge.wasm.gz --network local --json
  kedge deploy --dry-run
  kedge deploy --origin https://id.example --origin https://login.example
  kedge deploy --register-every 10s --register-burst 20000 --captcha on
  kedge deploy --network ic --canister ID --identity controller.pem`,
		Args: ui.Args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.module = filepath.Join(project.Root(), defaultModule); len(args) == 1 {
				o.module = args[0]
			}
			return a.deploy(cmd.Context(), &o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.specified, "specified-id", "", "id that a new canister gets, on networks that let one choose")
	o.settings.add(cmd)
	flags.StringVar(&o.argumentHex, "arg", "", "argument of installation or upgrade, Candid in hexadecimal, in place of what the flags say")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what an upgrade would change, and do nothing")
	flags.BoolVar(&o.noSnapshot, "no-snapshot", false, "take no snapshot before an upgrade: there is no way back then")
	flags.BoolVar(&o.force, "force-module", false, "install a module that is not Kedge by its metadata")
	a.YesFlag(cmd)
	a.IdentityFlag(cmd)
	return cmd
}

type deployOptions struct {
	module, specified, argumentHex string
	settings                       settingFlags
	dryRun, noSnapshot, force      bool

	argument []byte // of --arg
}

// check refuses what makes no sense, before anything is asked of a network.
func (o *deployOptions) check() error {
	if flag := o.settings.given(); flag != "" && o.argumentHex != "" {
		return ui.Usagef("--arg and --%s exclude each other", flag)
	}
	var err error
	o.argument, err = hex.DecodeString(o.argumentHex)
	if err != nil || o.argumentHex != "" && !bytes.HasPrefix(o.argument, []byte("DIDL")) {
		return ui.Usagef("--arg is not Candid in hexadecimal")
	}
	return o.settings.check()
}

func (a verbs) deploy(ctx context.Context, o *deployOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	module, err := ReadModule(o.module)
	if err != nil {
		return err
	}
	about, err := aboutModule(module)
	if err != nil {
		return fmt.Errorf("%q: %w", o.module, err)
	}
	if err := mustBeKedge(o.module, about, o.force); err != nil {
		return err
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
	canister, err := a.deployTarget(ctx, c, o)
	if errors.Is(err, errDryRun) {
		return a.Result(map[string]any{"mode": "install", "network": network.URL.String(), "dry_run": true}, "a new canister would be created and installed; nothing was done")
	}
	if err != nil {
		return err
	}
	d := &deployment{verbs: a, c: c, canister: canister, module: module, about: about, options: o}
	if d.before, err = c.Status(ctx, canister); err != nil {
		return fmt.Errorf("cannot deploy to canister %s: %w", canister, err)
	}
	if d.before.ModuleHash == nil {
		err = d.install(ctx)
	} else {
		err = d.upgrade(ctx)
	}
	if err != nil {
		return err
	}
	if !o.dryRun {
		if err := settings.Accept(session.CanisterAt(canister.Text(), a.NetworkName())); err != nil {
			return err
		}
		if err := project.RecordCanister(a.NetworkName(), canister); err != nil {
			return err
		}
		a.warnOfMissingPage(about)
	}
	return a.Result(d.result(), d.text())
}

// deployment is one run of kedge deploy on one canister.
type deployment struct {
	verbs
	c        *client.Client
	canister principal.Principal
	module   []byte
	about    about
	options  *deployOptions
	before   management.Status

	mode     string
	settings []change
	changes  []compat.Change
	snapshot []byte
}

func (d *deployment) result() deployed {
	sum := sha256.Sum256(d.module)
	r := deployed{
		Canister: d.canister, Network: d.c.Network().URL.String(), Mode: d.mode,
		ModuleHash: hex.EncodeToString(sum[:]), URL: session.DefaultOrigin(d.c.Network(), d.canister),
		DryRun: d.options.dryRun, Settings: d.settings, Interface: d.changes, Snapshot: hex.EncodeToString(d.snapshot),
	}
	if r.Settings == nil {
		r.Settings = []change{}
	}
	if r.Interface == nil {
		r.Interface = []compat.Change{}
	}
	return r
}

func (d *deployment) text() string {
	name := map[string]string{"install": "installation", "upgrade": "upgrade"}[d.mode]
	if d.options.dryRun {
		return fmt.Sprintf("%s of canister %s: nothing was done", name, d.canister)
	}
	return fmt.Sprintf("%s of canister %s\n%s", name, d.canister, session.DefaultOrigin(d.c.Network(), d.canister))
}

// install installs on an empty canister. What the flags leave out has the canister's defaults, but for the
// origin: the canister does not know the port of a network on this machine.
func (d *deployment) install(ctx context.Context) error {
	d.mode = "install"
	arg, err := d.options.settings.argument(&kedge.KedgeInit{})
	if err != nil {
		return err
	}
	if arg == nil {
		arg = new(kedge.KedgeInit)
	}
	if arg.RelatedOrigins == nil {
		own := session.DefaultOrigin(d.c.Network(), d.canister)
		party, err := relyingParties([]string{own})
		if err != nil {
			return err
		}
		arg.RelatedOrigins = []string{own}
		if arg.RelyingParties == nil {
			arg.RelyingParties = party
		}
	}
	if d.options.dryRun {
		return nil
	}
	if err := d.run(ctx, d.argument(arg), d.installEmpty); err != nil {
		return err
	}
	if err := d.startAgain(ctx); err != nil {
		return err
	}
	if len(missing(d.about.service)) == 0 {
		return initSalt(ctx, d.c, d.canister)
	}
	return nil
}

// argument is the init argument as it is sent.
func (d *deployment) argument(arg *kedge.KedgeInit) []byte {
	if d.options.argumentHex != "" {
		return d.options.argument
	}
	return kedge.EncodeInitArgs(arg)
}

// run uploads the module and has it installed; what is left of the upload when that fails is cleared away.
func (d *deployment) run(ctx context.Context, arg []byte, install func(context.Context, *client.Upload) error) error {
	done := d.Working("uploading the module, %d KiB", len(d.module)>>10)
	u, err := d.c.Upload(ctx, d.canister, d.module, arg, func(int, int) {})
	done()
	if err != nil {
		return fmt.Errorf("cannot %s canister %s: %w", d.mode, d.canister, err)
	}
	return install(ctx, u)
}

// installedAllTheSame reports whether the new module runs although the answer of the installation was lost.
func (d *deployment) installedAllTheSame(ctx context.Context, failure error) bool {
	var reject *client.Reject
	if errors.As(failure, &reject) || ctx.Err() != nil {
		return false
	}
	sum := sha256.Sum256(d.module)
	hash, err := d.c.ModuleHash(ctx, d.canister)
	if err != nil || !bytes.Equal(hash, sum[:]) || bytes.Equal(hash, d.before.ModuleHash) {
		return false
	}
	d.Warn("the answer of the installation was lost (%v), but the canister runs the new module", failure)
	return true
}

// installEmpty installs on an empty canister, and clears up if that fails.
func (d *deployment) installEmpty(ctx context.Context, u *client.Upload) error {
	err := d.installModule(ctx, u)
	if err != nil {
		d.dropUpload(ctx, u)
	}
	return err
}

func (d *deployment) installModule(ctx context.Context, u *client.Upload) error {
	done := d.Working("installing the module")
	err := d.c.InstallUploaded(ctx, u, d.mode == "upgrade")
	done()
	if errors.Is(err, client.ErrChunksLeft) {
		d.Warn("%v", err)
	} else if err != nil && !d.installedAllTheSame(ctx, err) {
		return fmt.Errorf("cannot %s canister %s: %w", d.mode, d.canister, err)
	}
	return ConfirmModule(ctx, d.c, d.canister, d.module)
}

func (d *deployment) dropUpload(ctx context.Context, u *client.Upload) {
	ctx, cancel := cleanUp(ctx)
	defer cancel()
	if err := d.c.DropUpload(ctx, u); err != nil {
		d.Warn("the chunks of the module could not be cleared away: %v", err)
	}
}

// startAgain starts a canister that somebody had stopped.
func (d *deployment) startAgain(ctx context.Context) error {
	if d.before.Status == management.RunStateRunning {
		return nil
	}
	d.Note("canister %s was %s; it is started", d.canister, d.before.Status)
	return d.c.StartCanister(ctx, d.canister)
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
