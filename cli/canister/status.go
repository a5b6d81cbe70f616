package canister

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/ic/management"
	"kedge/ic/principal"
)

// statusView is the result of kedge canister status. Everybody may read the part down to controllers.
type statusView struct {
	Canister    principal.Principal   `json:"canister"`
	Network     string                `json:"network"`
	URL         string                `json:"url"`
	ModuleHash  string                `json:"module_hash,omitempty"` // none: the canister is empty
	Controllers []principal.Principal `json:"controllers"`

	Status         string   `json:"status,omitempty"`
	Version        uint64   `json:"canister_version,omitempty"`
	Cycles         *big.Int `json:"cycles,omitempty"`
	BurnedPerDay   *big.Int `json:"idle_cycles_burned_per_day,omitempty"`
	DaysLeft       *big.Int `json:"days_until_freezing,omitempty"`
	FreezingDays   *big.Int `json:"freezing_threshold_days,omitempty"`
	Memory         *big.Int `json:"memory_bytes,omitempty"`
	StableMemory   *big.Int `json:"stable_memory_bytes,omitempty"`
	HeapMemory     *big.Int `json:"wasm_memory_bytes,omitempty"`
	SnapshotMemory *big.Int `json:"snapshots_bytes,omitempty"`
	Logs           string   `json:"log_visibility,omitempty"`

	Anchors *uint64 `json:"anchors,omitempty"`
	First   *uint64 `json:"first_anchor,omitempty"`
	End     *uint64 `json:"end_of_anchors,omitempty"` // the number behind the last
	Layout  *uint8  `json:"storage_layout,omitempty"`
}

func (a verbs) status() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show whether it runs, its module, cycles, memory, controllers and anchors",
		Long: `Shows what the network says of the canister. Who is no controller sees the module
and the controllers, and what the canister tells everybody.`,
		Example: `  kedge canister status
  kedge canister status --network ic --canister ID --identity controller.pem --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.showStatus(cmd.Context()) },
	}
	a.IdentityFlag(cmd)
	return cmd
}

func (a verbs) showStatus(ctx context.Context) error {
	p, err := a.openOrNobody(ctx)
	if err != nil {
		return err
	}
	c := p.Client
	exists, err := c.Exists(ctx, p.Canister)
	if err != nil {
		return err
	}
	if !exists {
		return &client.Reject{Code: 3, ErrorCode: "IC0301", Message: fmt.Sprintf("there is no canister %s at %s", p.Canister, c.Network().URL)}
	}
	view := statusView{Canister: p.Canister, Network: c.Network().URL.String(), URL: session.DefaultOrigin(c.Network(), p.Canister)}
	hash, err := c.ModuleHash(ctx, p.Canister)
	if err != nil {
		return err
	}
	view.ModuleHash = hex.EncodeToString(hash)
	if view.Controllers, err = c.Controllers(ctx, p.Canister); err != nil {
		return err
	}
	if err := view.addStatus(ctx, p); err != nil {
		return err
	}
	if view.Status == "" {
		a.Note("%s is no controller, so the network tells it neither state nor cycles; --identity names another key", c.Sender())
	}
	view.addStats(ctx, p)
	return a.Result(view, view.text())
}

// openOrNobody opens the canister as its controller, or as nobody where there is no key of a controller: part
// of what the verbs show is public.
func (a verbs) openOrNobody(ctx context.Context) (*provider.Provider, error) {
	network, err := a.OpenNetwork(ctx)
	if err != nil {
		return nil, err
	}
	if a.IdentityFile == "" && !network.IsLocal() {
		return a.OpenProvider(ctx)
	}
	return a.open(ctx)
}

func (v *statusView) addStatus(ctx context.Context, p *provider.Provider) error {
	s, err := p.Client.Status(ctx, p.Canister)
	var reject *client.Reject
	if errors.As(err, &reject) && notController(reject) {
		return nil
	}
	if err != nil {
		return err
	}
	v.Status, v.Version = s.Status.String(), s.Version
	v.Cycles, v.BurnedPerDay = s.Cycles, s.IdleCyclesBurnedPerDay
	v.Memory, v.StableMemory, v.HeapMemory, v.SnapshotMemory = s.MemorySize, s.MemoryMetrics.StableMemorySize, s.MemoryMetrics.WasmMemorySize, s.MemoryMetrics.SnapshotsSize
	v.FreezingDays = new(big.Int).Div(s.Settings.FreezingThreshold, big.NewInt(24*3600))
	v.Logs = visibilityText(s.Settings.LogVisibility)
	if s.IdleCyclesBurnedPerDay.Sign() > 0 {
		days := new(big.Int).Div(s.Cycles, s.IdleCyclesBurnedPerDay)
		if v.DaysLeft = days.Sub(days, v.FreezingDays); days.Sign() < 0 {
			days.SetInt64(0)
		}
	}
	return nil
}

func visibilityText(v management.Visibility) string {
	if v.Tag == management.VisibilityTagAllowedViewers {
		var viewers []string
		for _, p := range v.AllowedViewers {
			viewers = append(viewers, p.Text())
		}
		return "controllers and " + strings.Join(viewers, " ")
	}
	return v.Tag.String()
}

// addStats adds what Kedge itself tells; another module, or one that is stopped, tells nothing.
func (v *statusView) addStats(ctx context.Context, p *provider.Provider) {
	reply, err := p.Query(ctx, "stats", kedge.EncodeStatsArgs())
	if err != nil {
		return
	}
	s, err := kedge.DecodeStatsResult(reply)
	if err != nil {
		return
	}
	v.Anchors, v.Layout = &s.UsersRegistered, &s.StorageLayoutVersion
	v.First, v.End = &s.AssignedUserNumberRange.F0, &s.AssignedUserNumberRange.F1
}

func (v *statusView) text() string {
	rows := [][]string{{"canister", v.Canister.Text()}, {"network", v.Network}, {"page", v.URL}}
	add := func(name, text string) { rows = append(rows, []string{name, text}) }
	if v.Status != "" {
		add("state", v.Status)
	}
	if v.ModuleHash == "" {
		add("module", "none: the canister is empty")
	} else {
		add("module", v.ModuleHash)
	}
	if v.Anchors != nil {
		add("anchors", fmt.Sprintf("%d of the range %d-%d", *v.Anchors, *v.First, *v.End))
		add("storage layout", fmt.Sprint(*v.Layout))
	}
	if v.Cycles != nil {
		left := ""
		if v.DaysLeft != nil {
			left = fmt.Sprintf(", frozen in %s days if nobody called", v.DaysLeft)
		}
		add("cycles", fmt.Sprintf("%s; %s a day for memory%s", cyclesText(v.Cycles), cyclesText(v.BurnedPerDay), left))
		add("freezing threshold", v.FreezingDays.String()+" days")
		add("memory", fmt.Sprintf("%s: stable %s, heap %s, snapshots %s", bytesText(v.Memory), bytesText(v.StableMemory), bytesText(v.HeapMemory), bytesText(v.SnapshotMemory)))
		add("logs seen by", v.Logs)
	}
	for i, p := range v.Controllers {
		name := ""
		if i == 0 {
			name = "controllers"
		}
		add(name, p.Text())
	}
	return ui.Table(rows)
}
