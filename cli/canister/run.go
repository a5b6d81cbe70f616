package canister

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/cli/client"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

type stateView struct {
	Canister principal.Principal `json:"canister"`
	Status   string              `json:"status"`
}

func (a verbs) start() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "start",
		Short: "start the canister after it was stopped",
		Long: `Starts a canister that was stopped, by kedge canister stop, by another program, or
by an upgrade that was cut off. One that runs is left as it is.`,
		Example: `  kedge canister start
  kedge canister start --network ic --canister ID --identity controller.pem`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			if err := p.Client.StartCanister(cmd.Context(), p.Canister); err != nil {
				return err
			}
			return a.Result(stateView{p.Canister, "running"}, fmt.Sprintf("canister %s runs", p.Canister))
		},
	}
	a.IdentityFlag(cmd)
	return cmd
}

func (a verbs) stop() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stop",
		Short: "stop the canister: nobody can sign in until it is started again",
		Long: `Stops the canister: calls under way are answered, and no others taken. Delays of
releases and recoveries do not run on while it is stopped.`,
		Example: `  kedge canister stop
  kedge canister stop --yes --identity controller.pem`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.Confirm(fmt.Sprintf("nobody can sign in while canister %s is stopped", p.Canister)); err != nil {
				return err
			}
			done := a.Working("stopping the canister: calls under way are answered first")
			err = p.Client.StopCanister(cmd.Context(), p.Canister)
			done()
			if err != nil {
				return err
			}
			return a.Result(stateView{p.Canister, "stopped"}, fmt.Sprintf("canister %s is stopped; kedge canister start ends that", p.Canister))
		},
	}
	a.YesFlag(cmd)
	a.IdentityFlag(cmd)
	return cmd
}

type toppedUp struct {
	Canister principal.Principal `json:"canister"`
	Added    string              `json:"added"`
	Cycles   string              `json:"cycles,omitempty"`
}

func (a verbs) topUp() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "top-up CYCLES",
		Short: "give the canister cycles, on a network for development",
		Long: `Networks for development, such as that of kedge network start, give cycles out of
nothing. On the Internet Computer cycles are bought: icp cycles mint makes them of
ICP, and icp canister top-up gives them to the canister. kedge keeps neither ICP
nor cycles, so it cannot do that for you.`,
		Example: `  kedge canister top-up 2t
  kedge canister top-up 500_000_000_000 --json`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return a.addCycles(cmd.Context(), args[0]) },
	}
	a.IdentityFlag(cmd)
	return cmd
}

func (a verbs) addCycles(ctx context.Context, text string) error {
	amount, err := parseCycles(text)
	if err != nil {
		return err
	}
	network, err := a.OpenNetwork(ctx)
	if err != nil {
		return err
	}
	canister, err := a.CanisterID()
	if err != nil {
		return err
	}
	elsewhere := fmt.Sprintf("icp canister top-up %s gives it cycles of an identity that has some; icp cycles mint makes them of ICP", canister)
	if network.IsMainnet() {
		return ui.Hinted(errors.New("cycles on the Internet Computer come from the cycles ledger, and kedge has no account there"), "%s", elsewhere)
	}
	p, err := a.open(ctx)
	if err != nil {
		return err
	}
	if err := p.Client.TopUp(ctx, p.Canister, amount); err != nil {
		var reject *client.Reject
		if errors.As(err, &reject) && reject.ErrorCode != "IC0301" {
			return ui.Hinted(fmt.Errorf("this network gives no cycles out of nothing: %w", err), "%s", elsewhere)
		}
		return err
	}
	view := toppedUp{Canister: p.Canister, Added: amount.String()}
	result := fmt.Sprintf("canister %s got %s cycles", p.Canister, cyclesText(amount))
	if s, err := p.Client.Status(ctx, p.Canister); err == nil {
		view.Cycles = s.Cycles.String()
		result += fmt.Sprintf(" and has %s", cyclesText(s.Cycles))
	}
	return a.Result(view, result)
}
