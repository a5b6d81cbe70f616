// Package status is kedge status: where a person is, on ten lines, and the next thing to do.
package status

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/settings"
	"kedge/cli/ui"
	"kedge/device"
)

type verbs struct{ *session.App }

// view is the result. What is not known is absent, and problem says why.
type view struct {
	Network   networkView  `json:"network"`
	Canister  canisterView `json:"canister"`
	KeyStore  storeView    `json:"key_store"`
	Signer    string       `json:"signer,omitempty"`
	Anchor    *uint64      `json:"anchor,omitempty"`
	Guard     *bool        `json:"guard,omitempty"`
	Protected []string     `json:"protected,omitempty"` // devices, by what the key store calls them or their kind
	Devices   int          `json:"devices,omitempty"`
	Pending   []string     `json:"pending,omitempty"`
	Problem   string       `json:"problem,omitempty"`
	Next      string       `json:"next"` // a command or a sentence

	whoSigns, whichAnchor string
}

type networkView struct {
	Name    string `json:"name"`
	From    string `json:"from"`
	URL     string `json:"url,omitempty"`
	Answers bool   `json:"answers"`
	Problem string `json:"problem,omitempty"`
}

type canisterView struct {
	ID      string `json:"id,omitempty"`
	File    string `json:"file,omitempty"` // that names it
	Module  string `json:"module_hash,omitempty"`
	Layout  uint16 `json:"layout,omitempty"`
	Problem string `json:"problem,omitempty"`
}

type storeView struct {
	Path  string     `json:"path"`
	State string     `json:"state"` // none, locked, unlocked, passphrase file, or unreadable
	Until *time.Time `json:"unlocked_until,omitempty"`
}

// patience is how long the network may take for all that is asked of it.
const patience = 5 * time.Second

// Command returns kedge status.
func Command(app *session.App) *cobra.Command {
	a := verbs{app}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show where you are, and the next thing to do",
		Long: `Shows the network and whether it answers, the canister and what it runs, the key
store, which device signs, the anchor, its guard, what is protected, what is pending,
and the one next step. It asks for nothing and changes nothing: a key store that is
locked is shown as locked (kedge key unlock), and what only its devices may know is
then left out. kedge alone does the same.`,
		Example: `  kedge status
  kedge status --json
  kedge status --network ic --canister rdmx6-jaaaa-aaaaa-aaadq-cai --anchor 10000`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.show(cmd.Context()) },
	}
	cmd.Flags().StringVar(&a.As, "as", "", "device that signs: a name in the key store")
	a.AnchorOption(cmd, "number of the anchor (default: the one that the signer belongs to)")
	return cmd
}

// Show shows the status, for kedge alone.
func Show(ctx context.Context, app *session.App) error { return verbs{app}.show(ctx) }

func (a verbs) show(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a.NoQuestions = true
	v := &view{}
	p := a.target(ctx, v)
	if err := a.store(v); err != nil {
		return err
	}
	if p != nil {
		a.anchor(ctx, p, v)
	}
	if v.Next == "" {
		v.Next = "kedge report says which disasters the anchor would survive"
	}
	return a.Result(v, v.text(a.Now()))
}

// target looks at the network and the canister, and returns the canister if it can be asked.
func (a verbs) target(ctx context.Context, v *view) *provider.Provider {
	name, source, _ := a.Value(a.NetworkFlag, "KEDGE_NETWORK", session.Local)
	v.Network = networkView{Name: name, From: source}
	if u := a.Target().URL; u != nil {
		v.Network.URL = u.String()
	}
	network, err := a.OpenNetwork(ctx)
	if err != nil {
		v.Network.Problem = err.Error()
		var silent *client.UnreachableError
		if !errors.As(err, &silent) {
			v.Problem = err.Error()
		}
		v.Next = "the network has to answer first: --network says which one"
		if name == session.Local {
			v.Next = "kedge network start --background"
		}
	} else {
		v.Network.Answers = true
	}
	known, err := a.FindCanister()
	if err != nil {
		v.Canister.Problem = err.Error()
		if v.Next == "" {
			v.Next = "kedge deploy makes a canister, --canister ID names one"
		}
		return nil
	}
	v.Canister.ID, v.Canister.File = known.ID.Text(), known.File
	if !v.Network.Answers {
		return nil
	}
	p, err := provider.New(network, known.ID, client.Anonymous())
	if err != nil {
		v.Canister.Problem = err.Error()
		return nil
	}
	if hash, err := p.Client.ModuleHash(ctx, known.ID); err == nil {
		v.Canister.Module = hex.EncodeToString(hash)
	}
	reply, err := p.Query(ctx, "stats", kedge.EncodeStatsArgs())
	stats, err := provider.Decoded("stats", reply, err, kedge.DecodeStatsResult)
	if err != nil {
		v.Canister.Problem = err.Error()
		v.Next = "kedge deploy"
		if hint := a.StaleHint(err, ""); hint != "" {
			v.Next = hint
		}
		return nil
	}
	v.Canister.Layout = uint16(stats.StorageLayoutVersion)
	return p
}

// store looks at the key store without opening it.
func (a verbs) store(v *view) error {
	path, err := a.KeysPath()
	if err != nil {
		return err
	}
	v.KeyStore = storeView{Path: path, State: "locked"}
	exists, err := a.KeysExist()
	switch agent, ok := a.AgentStatus(); {
	case err != nil:
		v.KeyStore.State, v.Problem = "unreadable", err.Error()
	case !exists:
		v.KeyStore.State = "none"
	case a.PassphraseFile() != "":
		v.KeyStore.State = "passphrase file"
	case ok:
		v.KeyStore.State, v.KeyStore.Until = "unlocked", &agent.Ends
	}
	return nil
}

// anchor looks at the anchor: with the keys if they are at hand, else as anybody may.
func (a verbs) anchor(ctx context.Context, p *provider.Provider, v *view) {
	wanted := a.Setting(a.As, "KEDGE_AS", "")
	atHand := v.KeyStore.State == "unlocked" || v.KeyStore.State == "passphrase file"
	switch {
	case wanted == device.ReservedName:
		v.whoSigns = "the recovery phrase, which is asked for"
	case v.KeyStore.State == "none":
		v.whoSigns = "nothing yet: there is no key store"
		v.Next = "kedge anchor create --device laptop makes an anchor; kedge recover brings one back"
	case !atHand:
		v.whoSigns = "known when the key store is unlocked"
		if wanted != "" {
			v.whoSigns = ui.Printable(wanted) + ", when the key store is unlocked"
		}
		v.Next = "kedge key unlock"
	default:
		if a.signed(ctx, v) {
			return
		}
	}
	if !a.AnchorGiven {
		v.whichAnchor = "not known"
		return
	}
	n := a.AnchorNumber
	v.Anchor = &n
	a.devices(ctx, p, v, session.OwnKeys{})
}

// signed asks as a device of the anchor. It reports whether that could be done.
func (a verbs) signed(ctx context.Context, v *view) bool {
	s, err := a.OpenSession(ctx)
	if err != nil {
		v.Problem = err.Error()
		v.Next = "kedge key list shows the keys; kedge anchor create makes an anchor"
		var hinted *ui.Error
		if errors.As(err, &hinted) && hinted.Hint != "" {
			v.Next = hinted.Hint
		}
		return false
	}
	v.Signer = s.Signer.Name
	v.whoSigns = s.Signer.String()
	v.Anchor = &s.Anchor
	own, err := a.OwnKeys(s)
	if err != nil {
		v.Problem = err.Error()
	}
	a.devices(ctx, s.Provider, v, own)
	o, err := a.Overview(ctx, s)
	if err != nil {
		v.Problem = err.Error()
		return true
	}
	v.Guard, v.Pending = o.Guard, o.Pending
	if len(v.Pending) > 0 {
		v.Next = "kedge release status"
	}
	return true
}

// devices reads what anybody may know of the anchor.
func (a verbs) devices(ctx context.Context, p *provider.Provider, v *view, own session.OwnKeys) {
	devices, err := p.Lookup(ctx, *v.Anchor)
	if err != nil {
		v.Problem = err.Error()
		return
	}
	v.Devices = len(devices)
	for _, d := range devices {
		if d.Protection != kedge.DeviceProtectionProtected {
			continue
		}
		name := ui.Printable(own.Name(d.Pubkey))
		if own.Name(d.Pubkey) == "" {
			name = session.Kind(d.KeyType)
		}
		if d.Proven != nil && !*d.Proven {
			name += " (has not signed here yet)"
		}
		v.Protected = append(v.Protected, name)
	}
	switch {
	case v.Devices == 0:
		v.Problem = fmt.Sprintf("anchor %d is not there", *v.Anchor)
		v.Next = "kedge anchor create --device laptop"
	case v.Next != "":
	case len(v.Protected) == 0:
		v.Next = "protect something that a thief of a device cannot reach: kedge recovery phrase add, or kedge device protect DEVICE"
	}
}

func (v *view) text(now time.Time) string {
	rows := [][]string{{"network", v.network()}, {"canister", v.canister()}, {"key store", v.store(now)}}
	add := func(name, text string) {
		if text != "" {
			rows = append(rows, []string{name, text})
		}
	}
	add("signs", v.whoSigns)
	if v.Anchor != nil {
		add("anchor", fmt.Sprintf("%d, %s", *v.Anchor, count(v.Devices, "device")))
		guard := "not known: only its devices may ask"
		if v.Guard != nil {
			guard = map[bool]string{true: "on", false: "off"}[*v.Guard]
		}
		add("guard", guard)
		protected := "nothing"
		if len(v.Protected) > 0 {
			protected = strings.Join(v.Protected, ", ")
		}
		add("protected", protected)
	} else {
		add("anchor", v.whichAnchor)
	}
	if v.Guard != nil && len(v.Pending) == 0 {
		add("pending", "nothing")
	}
	add("pending", strings.Join(v.Pending, "; "))
	add("problem", v.Problem)
	add("next", v.Next)
	return ui.Table(rows)
}

func (v *view) network() string {
	text := v.Network.Name
	if v.Network.URL != "" && v.Network.URL != v.Network.Name {
		text += " (" + v.Network.URL + ")"
	}
	if v.Network.From != settings.FromDefault {
		text += ", from the " + v.Network.From
	}
	if v.Network.Answers {
		return text + ", answers"
	}
	return text + ", does not answer"
}

func (v *view) canister() string {
	c := v.Canister
	switch {
	case c.ID == "":
		return "none known here"
	case c.Problem != "":
		return c.ID + ", cannot be used: " + c.Problem
	case c.Module == "":
		return c.ID
	}
	return fmt.Sprintf("%s, module %s, layout %d", c.ID, c.Module[:12], c.Layout)
}

func (v *view) store(now time.Time) string {
	text := v.KeyStore.Path + ", "
	switch {
	case v.KeyStore.State == "none":
		return text + "not made yet"
	case v.KeyStore.Until != nil:
		return text + "unlocked until " + ui.When(*v.KeyStore.Until, now)
	case v.KeyStore.State == "passphrase file":
		return text + "its passphrase is in a file"
	}
	return text + v.KeyStore.State
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
