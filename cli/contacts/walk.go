package contacts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kedge/candid/kedge"
	"kedge/cli/recovery"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/ic/principal"
)

// settleIn notes that the new key is a device of the anchor, and goes through what to do next: with questions if
// somebody is there, else as a list of commands.
func (r *recoveryRun) settleIn(ctx context.Context) error {
	s := &session.Session{Provider: r.Provider, Anchor: r.anchor, Signer: session.Signer{Name: r.name, Key: r.passkey}}
	if err := r.Remember(s, r.name); err != nil {
		return err
	}
	pending := device.Use{Where: recovering(s.Where()), Anchor: r.anchor}
	if err := r.ChangeKeys(func(k *device.Keys) error { return k.Forget(r.name, pending) }); err != nil {
		return err
	}
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	interrupted := r.walk(ctx, s, info)
	if now, err := s.AnchorInfo(context.WithoutCancel(ctx), s.Anchor); err == nil {
		info = now
	}
	view := r.view(progress{})
	view.State, view.Next = "recovered", r.next(s, info)
	text := fmt.Sprintf("anchor %d is yours again: the key %q is a protected device of it", r.anchor, r.name)
	if len(view.Next) > 0 {
		text += "\nnext\n  " + strings.Join(view.Next, "\n  ")
	}
	return errors.Join(r.Result(view, text), interrupted)
}

// walk asks about the other devices and for a new phrase. It returns an error only if it was interrupted.
func (r *recoveryRun) walk(ctx context.Context, s *session.Session, info kedge.IdentityAnchorInfo) error {
	if r.Yes || r.JSON {
		return nil
	}
	t, err := r.OpenTerminalOnce()
	if err != nil {
		return nil
	}
	r.Note("anchor %d is yours again; now look at what else is on it", r.anchor)
	for _, d := range others(s, info) {
		label := session.Label(d.Alias, d.Pubkey)
		switch {
		case d.KeyType == kedge.KeyTypeSeedPhrase:
			continue // the new one takes its place
		case stays(d):
			r.Warn("%s is still protected, since it had not agreed to the contacts; it alone can remove itself", label)
			continue
		}
		answer, err := t.Line(fmt.Sprintf("%s, %s, %s\nis it yours and in your hands? type keep, or remove: ", label, session.Kind(d.KeyType), usage(d, r.Now())))
		if err != nil {
			return err
		}
		if strings.TrimSpace(answer) != "remove" {
			continue
		}
		if err := s.Remove(ctx, s.Anchor, d.Pubkey); err != nil {
			r.Warn("%s was not removed: %v", label, err)
			continue
		}
		r.Note("%s is removed", label)
		if d.SessionsUntil != nil && time.Unix(0, int64(*d.SessionsUntil)).After(r.Now()) {
			r.Warn("sessions that %s opened go on until %s", label, ui.WhenNanos(*d.SessionsUntil, r.Now()))
		}
	}
	answer, err := t.Line("make a new recovery phrase now? have paper and pen ready, then type yes: ")
	if err != nil || strings.TrimSpace(answer) != "yes" {
		return err
	}
	now, err := s.AnchorInfo(ctx, s.Anchor)
	if err == nil {
		_, err = recovery.Renew(ctx, r.App, s, now, "")
	}
	if err == nil {
		r.Note("anchor %d has a new recovery phrase, which is protected", r.anchor)
		return nil
	}
	if errors.Is(err, ui.ErrInterrupted) {
		return err
	}
	r.Warn("there is no new recovery phrase: %v", err)
	return nil
}

// others are the devices of the anchor beside the signer.
func others(s *session.Session, info kedge.IdentityAnchorInfo) (all []kedge.DeviceWithUsage) {
	for _, d := range info.Devices {
		if !bytes.Equal(d.Pubkey, s.Signer.Key.PublicKey()) {
			all = append(all, d)
		}
	}
	return all
}

// stays reports whether a device can be removed by itself alone.
func stays(d kedge.DeviceWithUsage) bool {
	return d.Protection == kedge.DeviceProtectionProtected && d.Proven != nil && *d.Proven
}

func usage(d kedge.DeviceWithUsage, now time.Time) string {
	added, used := "added at a time not known", "never used"
	if d.AddedAt != nil {
		added = "added " + ui.WhenNanos(*d.AddedAt, now)
	}
	if d.LastUsage != nil {
		used = "last used " + ui.WhenNanos(*d.LastUsage, now)
	}
	return added + ", " + used
}

// next are the commands for what is left to do.
func (r *recoveryRun) next(s *session.Session, info kedge.IdentityAnchorInfo) []string {
	who := fmt.Sprintf("--anchor %d --as %s", r.anchor, ui.Quoted(r.name))
	var phrase bool
	steps := []string{"kedge device list " + who}
	for _, d := range others(s, info) {
		switch {
		case d.KeyType == kedge.KeyTypeSeedPhrase && stays(d):
			phrase = true // a new one, or one that had not agreed
		case !stays(d) && d.KeyType != kedge.KeyTypeSeedPhrase:
			steps = append(steps, removal(d.Pubkey, who, d.Alias))
		}
	}
	if !phrase {
		replace := ""
		if recovery.HasPhrase(info) {
			replace = " --replace"
		}
		steps = append(steps, "kedge recovery phrase add"+replace+" "+who)
	}
	return append(steps, "kedge contacts set ANCHOR... "+who)
}

// removal is the command that removes a device, with what it is called behind it. A thief may have chosen that, and the
// shell of macOS takes no comments where a person types: a name that it would act on is in quotes.
func removal(key []byte, who, alias string) string {
	return fmt.Sprintf("kedge device remove %s %s   # %s, unless it is in your hands", principal.SelfAuthenticating(key), who, ui.Quoted(ui.Printable(alias)))
}
