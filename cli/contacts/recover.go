package contacts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/devices"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/sixwords"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/ic/principal"
)

const recoverLong = `For whoever has lost every device and the recovery phrase of an anchor that has
recovery contacts. It makes a new key in the key store of this machine, shows the
principal of the key and its six words, and says what to tell the contacts.

The same command goes on later: it shows how far the recovery is, and completes
it when enough contacts have approved the key and the delay has passed. With
--wait it stays until then; Ctrl-C leaves it, and nothing is lost.

Afterwards the key is a protected device of the anchor, the devices that had
agreed are released, and the command goes through what to do next: which devices
to remove, and a new recovery phrase.

Until then any call of a protected device of the anchor is a veto. So do not sign
with one, if you find it again, unless you want to end the recovery.`

// recovering is where the key store notes a key that is to become a device of an anchor. It is no place of a
// provider, so that no command signs with the key meanwhile.
func recovering(where string) string { return where + "/recovering" }

// recoveryRun is one run of kedge recover.
type recoveryRun struct {
	verbs
	*provider.Provider // called by the new key
	anchor             uint64
	name               string // of the key in the key store
	alias              string
	passkey            *device.Passkey
}

// recoverView is the result of kedge recover.
type recoverView struct {
	Anchor    uint64              `json:"anchor"`
	Device    string              `json:"device"` // in the key store
	Principal principal.Principal `json:"principal"`
	Words     []string            `json:"words"`
	State     string              `json:"state"` // asking, waiting or recovered
	Approvals uint8               `json:"approvals"`
	// CompletesInS is null while too few contacts approve the key, and afterwards.
	CompletesInS *uint64  `json:"completes_in_s"`
	Next         []string `json:"next"` // commands to go on with
}

func (a verbs) recoverCommand() *cobra.Command {
	var n devices.NewDevice
	var wait bool
	cmd := &cobra.Command{
		Use:   "recover",
		Short: "bring back an anchor of which everything is lost, by its recovery contacts",
		Long:  recoverLong,
		Example: `  kedge recover --anchor 10000
  kedge recover --anchor 10000 --wait`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.recover(cmd.Context(), n, wait) },
	}
	cmd.Flags().StringVar(&n.Name, "device", "", "name of the new key in the key store (default: recovered-NUMBER)")
	cmd.Flags().BoolVar(&wait, "wait", false, "stay until the recovery can be completed")
	n.Flags(cmd)
	a.YesFlag(cmd)
	a.QRFlag(cmd)
	a.AnchorOption(cmd, "number of the lost anchor")
	return cmd
}

func (a verbs) recover(ctx context.Context, n devices.NewDevice, wait bool) error {
	if !a.AnchorGiven {
		return ui.Usagef("which anchor? --anchor NUMBER says it; whoever was a contact of yours knows the number")
	}
	if err := checkNew(n); err != nil {
		return err
	}
	nobody, err := a.OpenProvider(ctx)
	if err != nil {
		return err
	}
	if wait {
		if _, err := a.OpenKeys(); err != nil { // an agent that holds the keys may end before the wait does
			return err
		}
	}
	r, err := a.openRecovery(ctx, nobody, n)
	if err != nil {
		return err
	}
	p, err := r.progress(ctx)
	if err != nil {
		return err
	}
	if wait && !p.ready() {
		a.Note("%s", strings.ReplaceAll(r.instructions(p), "\n", "\nkedge: "))
		if p, err = r.wait(ctx, p); err != nil {
			a.Note("hint: nothing is lost; kedge recover --anchor %d goes on later", r.anchor)
			return err
		}
	}
	if !p.ready() {
		if err := a.Result(r.view(p), r.instructions(p)); err != nil {
			return err
		}
		return a.ShowQR(r.principal().Text())
	}
	if !p.recovered {
		data := session.PasskeyData(r.alias, r.passkey)
		if err := r.ContactsComplete(ctx, r.anchor, data); err != nil {
			return ui.Hinted(err, "kedge recover --anchor %d says how far the recovery is", r.anchor)
		}
	}
	return r.settleIn(ctx)
}

// What the canister takes of a device's alias and origin, in bytes.
const (
	maxAlias  = 64
	maxOrigin = 100
)

// checkNew refuses now what the canister would refuse at the end, when the delay has passed.
func checkNew(n devices.NewDevice) error {
	if n.Name != "" {
		if err := device.CheckName(n.Name); err != nil {
			return ui.Usagef("%w", err)
		}
	}
	switch {
	case strings.Contains(n.Name, "/"):
		return ui.Usagef("--device %q: a key to recover with is kept in the key store, so its name has no slash", n.Name)
	case len(n.Alias) > maxAlias:
		return ui.Usagef("--alias has %d bytes, and %d are allowed", len(n.Alias), maxAlias)
	case len(n.Origin) > maxOrigin:
		return ui.Usagef("--origin has %d bytes, and %d are allowed", len(n.Origin), maxOrigin)
	}
	return nil
}

// openRecovery returns the recovery that is under way with a key of this key store, or makes a key for one.
func (a verbs) openRecovery(ctx context.Context, nobody *provider.Provider, n devices.NewDevice) (*recoveryRun, error) {
	r := &recoveryRun{verbs: a, anchor: a.AnchorNumber}
	found, err := nobody.Lookup(ctx, r.anchor)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ui.Hinted(fmt.Errorf("there is no anchor %d here", r.anchor), "ask your contacts for the number; --canister and --network say where the anchor is")
	}
	keys, err := a.LoadKeys()
	if err != nil {
		return nil, err
	}
	pending := device.Use{Where: recovering(nobody.Where()), Anchor: r.anchor}
	for _, stored := range keys.All() {
		if slices.Contains(stored.Uses, device.Use{Where: nobody.Where(), Anchor: r.anchor}) {
			if n.Name == "" && protectedOn(found, stored.Passkey) {
				return nil, ui.Hinted(fmt.Errorf("device %q of this key store is a protected device of anchor %d, so there is nothing to recover", stored.Name, r.anchor),
					"kedge device list --as %s shows the anchor; --device NAME recovers with a new key all the same", ui.Quoted(stored.Name))
			}
			a.Note("hint: device %q of this key store belongs to anchor %d; if it still signs, kedge device list --as %s may be all you need", stored.Name, r.anchor, ui.Quoted(stored.Name))
		}
		if slices.Contains(stored.Uses, pending) && (n.Name == "" || n.Name == stored.Name) {
			r.name, r.passkey = stored.Name, stored.Passkey
		}
	}
	if r.passkey == nil {
		if n.Name == "" {
			n.Name = fmt.Sprintf("recovered-%d", r.anchor)
		}
		if _, err := keys.Key(n.Name); err == nil {
			return nil, ui.Hinted(&device.ExistsError{Name: n.Name}, "--device names another key to make")
		}
		if r.passkey, err = n.Make(a.App, nobody); err != nil {
			return nil, err
		}
		r.name = n.Name
		if err := a.ChangeKeys(func(k *device.Keys) error { return k.Note(r.name, pending) }); err != nil {
			return nil, err
		}
	}
	if r.alias = n.Alias; r.alias == "" {
		r.alias = r.name
	}
	r.Provider, err = a.Delegated(nobody, r.passkey)
	return r, err
}

// progress is how far a new key has come.
type progress struct {
	approvals uint8
	left      *uint64 // seconds of service time; nil while too few approve
	recovered bool    // it is a protected device already
}

func (p progress) ready() bool { return p.recovered || p.left != nil && *p.left == 0 }

// progress asks the canister. A key that is a protected device already has completed, though the answer may have
// been lost.
func (r *recoveryRun) progress(ctx context.Context) (progress, error) {
	status, err := r.ContactStatus(ctx, r.anchor, nil)
	var refused *provider.RefusedError
	if errors.As(err, &refused) && refused.Coded && refused.Code == kedge.ErrorCodeNotApproved {
		found, err := r.Lookup(ctx, r.anchor)
		return progress{recovered: protectedOn(found, r.passkey)}, err
	}
	if err != nil || len(status.Approvals) == 0 {
		return progress{}, err
	}
	return progress{approvals: status.Approvals[0].Count, left: status.Approvals[0].CompletesInS}, nil
}

// protectedOn reports whether a key is a device that is protected and has itself signed.
func protectedOn(devices []kedge.LookupDevice, key *device.Passkey) bool {
	return slices.ContainsFunc(devices, func(d kedge.LookupDevice) bool {
		return bytes.Equal(d.Pubkey, key.PublicKey()) && d.Protection == kedge.DeviceProtectionProtected && d.Proven != nil && *d.Proven
	})
}

func (r *recoveryRun) principal() principal.Principal {
	return principal.SelfAuthenticating(r.passkey.PublicKey())
}

func (r *recoveryRun) view(p progress) recoverView {
	v := recoverView{
		Anchor: r.anchor, Device: r.name, Principal: r.principal(), Words: sixwords.Of(r.anchor, r.principal()), State: "asking",
		Approvals: p.approvals, CompletesInS: p.left, Next: []string{fmt.Sprintf("kedge recover --anchor %d", r.anchor)},
	}
	if p.left != nil {
		v.State = "waiting"
	}
	return v
}

// instructions say how far the recovery is and what to tell the contacts.
func (r *recoveryRun) instructions(p progress) string {
	v := r.view(p)
	text := fmt.Sprintf(`anchor %d, to be recovered with the new key %q of this key store
  its principal  %s
  its six words  %s

%s
`, v.Anchor, v.Device, v.Principal, strings.Join(v.Words, " "), p.text())
	if p.left == nil {
		text += fmt.Sprintf(`
1. send each recovery contact the number %d and the principal; anybody may read them
2. call each, so that they hear your voice, and say the six words; never write them
3. they type the words: kedge contact approve %d %s
4. when enough have approved, the delay begins; on this machine, later:
   kedge recover --anchor %d
`, v.Anchor, v.Anchor, v.Principal, v.Anchor)
	} else {
		text += fmt.Sprintf("\nwhen that time is over, on this machine: kedge recover --anchor %d\n", v.Anchor)
	}
	return text + "\nany call of a protected device of the anchor before that ends the recovery"
}

func (p progress) text() string {
	switch {
	case p.left != nil:
		return fmt.Sprintf("approved by %s; %s of service time are left", ui.Count(int(p.approvals), "contact"), ui.Remaining(*p.left))
	case p.approvals > 0:
		return fmt.Sprintf("approved by %s, which is not enough yet", ui.Count(int(p.approvals), "contact"))
	}
	return "approved by no contact yet"
}

// How often a recovery that is waited for is looked at. A network on this machine may move time faster.
const (
	lookHere = time.Second
	lookFar  = 30 * time.Second
)

// wait returns when the recovery can be completed. It says what changes, on a terminal with a bar of the service
// time that is left.
func (r *recoveryRun) wait(ctx context.Context, p progress) (progress, error) {
	every := lookFar
	if ip := net.ParseIP(r.Client.Network().URL.Hostname()); ip != nil && ip.IsLoopback() {
		every = lookHere
	}
	bar := r.NewBar()
	defer bar.Clear()
	var longest uint64
	unreachable := false
	for timer := time.NewTimer(0); ; timer.Reset(every) {
		select {
		case <-ctx.Done():
			timer.Stop()
			return p, ctx.Err()
		case <-timer.C:
		}
		now, err := r.progress(ctx)
		var away *client.UnreachableError
		var clock *client.ClockError // after a machine slept within a request
		switch {
		case errors.As(err, &away), errors.As(err, &clock):
			if !unreachable {
				bar.Clear()
				r.Warn("%v; going on as soon as it is there", err)
			}
			unreachable = true
			continue
		case err != nil:
			return p, err
		}
		unreachable = false
		if now.approvals != p.approvals || (now.left == nil) != (p.left == nil) {
			bar.Clear()
			r.changed(p, now)
			longest = 0
		}
		if p = now; p.ready() {
			return p, nil
		}
		if p.left != nil {
			longest = max(longest, *p.left)
			bar.ShowText(longest-*p.left, longest, ui.Remaining(*p.left)+" of service time left")
		}
	}
}

// changed says what has become of the approvals.
func (r *recoveryRun) changed(before, now progress) {
	if now.recovered || now.approvals >= before.approvals {
		r.Note("%s", now.text())
		return
	}
	r.Warn("%s: contacts have withdrawn, or a protected device of the anchor has signed a call, which vetoes", now.text())
	if now.approvals == 0 {
		r.Note("hint: after a veto only a protected device names contacts again, with kedge contacts set; if it was a thief's, your contacts cannot help")
	}
}
