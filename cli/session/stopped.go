package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kedge/cli/client"
	"kedge/cli/ui"
	"kedge/ic/management"
	"kedge/ic/principal"
)

// startTime is how long a canister may take to be started again, which is tried even when the command was
// interrupted.
const startTime = time.Minute

// WhileStopped stops a canister, works, and starts it again, whatever has happened, Ctrl-C included. One that
// was not running before is said to be; it is started, too, unless asFound leaves it as it was.
func (a *App) WhileStopped(ctx context.Context, c *client.Client, canister principal.Principal, asFound bool, work func() error) error {
	status, err := c.Status(ctx, canister)
	if err != nil {
		return err
	}
	if status.Status != management.RunStateRunning {
		then := "it is started afterwards"
		if asFound {
			then = "and stays so"
		}
		a.Note("canister %s is %s; %s", canister, status.Status, then)
	}
	if status.Status != management.RunStateStopped {
		done := a.Working("stopping the canister: calls under way are answered first")
		err = c.StopCanister(ctx, canister)
		done()
		if err != nil {
			err = fmt.Errorf("cannot stop canister %s: %w", canister, err)
		}
	}
	if err == nil {
		err = work()
	}
	if asFound && status.Status != management.RunStateRunning {
		return err
	}
	return errors.Join(err, a.StartCanister(ctx, c, canister))
}

// StartCanister starts a canister, even when the command was interrupted.
func (a *App) StartCanister(ctx context.Context, c *client.Client, canister principal.Principal) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTime)
	defer cancel()
	done := a.Working("starting the canister")
	defer done()
	if err := c.StartCanister(ctx, canister); err != nil {
		return ui.Hinted(fmt.Errorf("canister %s is stopped and could not be started: %w", canister, err), "kedge canister start")
	}
	return nil
}
