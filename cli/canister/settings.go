package canister

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kedge/cli/ui"
	"kedge/ic/management"
	"kedge/ic/principal"
)

type settingsView struct {
	Canister        principal.Principal   `json:"canister"`
	Controllers     []principal.Principal `json:"controllers"`
	FreezingS       *big.Int              `json:"freezing_threshold_s"`
	LogVisibility   string                `json:"log_visibility"`
	WasmMemoryLimit *big.Int              `json:"wasm_memory_limit_bytes"`
	ReservedLimit   *big.Int              `json:"reserved_cycles_limit"`
}

type settingsOptions struct {
	add, remove    []string
	freezing, logs string
}

func (a verbs) settings() *cobra.Command {
	var o settingsOptions
	cmd := &cobra.Command{
		Use:   "settings",
		Short: "show or change what the network keeps about the canister: controllers, freezing threshold, logs",
		Long: `Without flags, shows the settings that the network keeps; those of Kedge itself are
set with kedge deploy. Whoever removes the last key that he holds from the
controllers can never upgrade again, so that is asked about.`,
		Example: `  kedge canister settings
  kedge canister settings --add-controller PRINCIPAL
  kedge canister settings --freezing-threshold 90d --log-visibility public`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.changeSettings(cmd.Context(), o) },
	}
	cmd.Flags().StringArrayVar(&o.add, "add-controller", nil, "principal that may upgrade the canister from now on; may be given several times")
	cmd.Flags().StringArrayVar(&o.remove, "remove-controller", nil, "principal that may no longer; may be given several times")
	cmd.Flags().StringVar(&o.freezing, "freezing-threshold", "", "time for which cycles are held back, such as 90d, so that memory stays paid for")
	cmd.Flags().StringVar(&o.logs, "log-visibility", "", "controllers or public: who may read the logs")
	a.YesFlag(cmd)
	a.IdentityFlag(cmd)
	return cmd
}

func (a verbs) changeSettings(ctx context.Context, o settingsOptions) error {
	wanted, err := o.parse()
	if err != nil {
		return err
	}
	p, err := a.open(ctx)
	if err != nil {
		return err
	}
	s, err := p.Client.Status(ctx, p.Canister)
	if err != nil {
		return err
	}
	if len(o.add)+len(o.remove) > 0 {
		if wanted.Controllers, err = o.controllers(s.Settings.Controllers); err != nil {
			return err
		}
		if !slices.Contains(wanted.Controllers, p.Client.Sender()) {
			if err := a.Confirm(fmt.Sprintf("%s, which signs this, is no controller of canister %s afterwards", p.Client.Sender(), p.Canister)); err != nil {
				return err
			}
		}
	}
	if wanted.Controllers != nil || wanted.FreezingThreshold != nil || wanted.LogVisibility != nil {
		if err := p.Client.UpdateSettings(ctx, p.Canister, wanted); err != nil {
			return err
		}
		s.Settings = applied(s.Settings, wanted)
	}
	view := settingsView{
		Canister: p.Canister, Controllers: s.Settings.Controllers, FreezingS: s.Settings.FreezingThreshold,
		LogVisibility: visibilityText(s.Settings.LogVisibility), WasmMemoryLimit: s.Settings.WasmMemoryLimit, ReservedLimit: s.Settings.ReservedCyclesLimit,
	}
	return a.Result(view, view.text())
}

// applied are the settings as they are after a change, which the caller may no longer be allowed to read.
func applied(s management.DefiniteSettings, wanted management.Settings) management.DefiniteSettings {
	if wanted.Controllers != nil {
		s.Controllers = wanted.Controllers
	}
	if wanted.FreezingThreshold != nil {
		s.FreezingThreshold = *wanted.FreezingThreshold
	}
	if wanted.LogVisibility != nil {
		s.LogVisibility = *wanted.LogVisibility
	}
	return s
}

func (o settingsOptions) parse() (s management.Settings, err error) {
	if o.freezing != "" {
		span, err := ui.ParseSpan(o.freezing)
		if err != nil {
			return s, ui.Usagef("--freezing-threshold: %w", err)
		}
		if span < 24*time.Hour {
			return s, ui.Usagef("--freezing-threshold %s is less than a day: a canister that runs out of cycles loses everything", o.freezing)
		}
		seconds := big.NewInt(int64(span / time.Second))
		s.FreezingThreshold = &seconds
	}
	switch o.logs {
	case "":
	case "controllers":
		s.LogVisibility = &management.Visibility{Tag: management.VisibilityTagControllers}
	case "public":
		s.LogVisibility = &management.Visibility{Tag: management.VisibilityTagPublic}
	default:
		return s, ui.Usagef("--log-visibility %q is neither controllers nor public", o.logs)
	}
	_, err = o.controllers(nil)
	return s, err
}

// controllers applies the flags to a list; nil checks their form alone.
func (o settingsOptions) controllers(old []principal.Principal) ([]principal.Principal, error) {
	list := slices.Clone(old)
	for _, text := range o.add {
		p, err := principal.Parse(text)
		if err != nil {
			return nil, ui.Usagef("--add-controller %q: %w", text, err)
		}
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	for _, text := range o.remove {
		p, err := principal.Parse(text)
		if err != nil {
			return nil, ui.Usagef("--remove-controller %q: %w", text, err)
		}
		i := slices.Index(list, p)
		if i < 0 && old != nil {
			return nil, ui.Hinted(fmt.Errorf("%s is no controller", p), "kedge canister settings shows them")
		}
		if i >= 0 {
			list = slices.Delete(list, i, i+1)
		}
	}
	if old != nil && len(list) == 0 {
		return nil, ui.Usagef("the canister would have no controller: nobody could ever upgrade it, or give it cycles' settings back")
	}
	return list, nil
}

func (v settingsView) text() string {
	rows := [][]string{{"canister", v.Canister.Text()}}
	for i, p := range v.Controllers {
		name := ""
		if i == 0 {
			name = "controllers"
		}
		rows = append(rows, []string{name, p.Text()})
	}
	days := new(big.Int).Div(v.FreezingS, big.NewInt(24*3600))
	rows = append(rows, []string{"freezing threshold", days.String() + " days"}, []string{"logs seen by", v.LogVisibility},
		[]string{"heap limit", bytesText(v.WasmMemoryLimit)})
	return ui.Table(rows)
}
