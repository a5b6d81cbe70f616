package deploy

import (
	"context"
	"errors"
	"fmt"

	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

// deployTarget returns the canister to install on: the one that is named or recorded, or a new one.
func (a verbs) deployTarget(ctx context.Context, c *client.Client, o *deployOptions) (principal.Principal, error) {
	specified := o.specified
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
		return a.create(ctx, c, o, &id)
	}
	if named != "" {
		id, err := a.CanisterID()
		if err != nil {
			return id, err
		}
		return id, a.mustExist(ctx, c, id)
	}
	found, err := project.FindCanister(project.Root(), a.Target())
	if err != nil {
		return principal.Principal{}, err
	}
	if !c.Network().IsLocal() && len(found) > 0 && (found[0].Tool == "kedge" || len(found) == 1) {
		if found[0].Tool != "kedge" {
			a.Note("canister %s", found[0])
		}
		// The folder may have come from others, and name a canister that is another one of the controller's.
		if err := a.AcceptCanister(found[0]); err != nil {
			return principal.Principal{}, err
		}
		return found[0].ID, a.mustExist(ctx, c, found[0].ID)
	}
	var id principal.Principal
	recorded := false
	for _, k := range found {
		if k.Tool == "kedge" {
			id, recorded = k.ID, true
		} else if !recorded {
			exists, err := c.Exists(ctx, k.ID)
			if err != nil {
				return id, err
			}
			if exists {
				a.Note("%s made canister %s here (%s); to upgrade that one, name it with --canister, and its controller with --identity", k.Tool, k.ID, k.File)
			}
		}
	}
	if !c.Network().IsLocal() {
		return id, ui.Hinted(fmt.Errorf("canisters are only created on this machine's networks, not at %s", c.Network().URL),
			"create one with icp canister create and name it with --canister ID")
	}
	if recorded {
		exists, err := c.Exists(ctx, id)
		if err != nil || exists {
			return id, err
		}
		a.Note("canister %s is gone, the network was started anew", id)
	}
	return a.create(ctx, c, o, nil)
}

// errDryRun says that a canister would be created.
var errDryRun = errors.New("a canister would be created")

func (a verbs) create(ctx context.Context, c *client.Client, o *deployOptions, id *principal.Principal) (principal.Principal, error) {
	if o.dryRun {
		return principal.Principal{}, errDryRun
	}
	return c.CreateCanister(ctx, id)
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
