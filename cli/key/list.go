package key

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/cli/ui"
	"kedge/device"
)

// keyView is a security key as commands print it: nothing of it is secret.
type keyView struct {
	Name        string           `json:"name"`
	Created     time.Time        `json:"created"`
	HasSeed     bool             `json:"has_seed"`
	Seed        string           `json:"seed,omitempty"` // kind
	Fingerprint string           `json:"fingerprint,omitempty"`
	Backup      backupView       `json:"backup"`
	Credentials []credentialView `json:"credentials"`
}

type backupView struct {
	State     string       `json:"state"` // none, exported, checked, finalized
	Sealed    bool         `json:"sealed"`
	Exports   []exportView `json:"exports"`
	Checked   *time.Time   `json:"checked,omitempty"`
	Finalized *time.Time   `json:"finalized,omitempty"`
	Restored  *time.Time   `json:"restored,omitempty"`
}

type exportView struct {
	At time.Time         `json:"at"`
	As device.ExportKind `json:"as"`
}

type credentialView struct {
	Label        string      `json:"label"`
	Kind         device.Kind `json:"kind"`
	CredentialID string      `json:"credential_id"`
	RelyingParty string      `json:"relying_party"`
	Origin       string      `json:"origin"`
	UserID       string      `json:"user_id,omitempty"`
	UserName     string      `json:"user_name,omitempty"`
	DisplayName  string      `json:"user_display_name,omitempty"`
	Algorithm    string      `json:"algorithm"`
	PublicKey    string      `json:"public_key"`
	DeviceBound  bool        `json:"device_bound"`
	Created      *time.Time  `json:"created,omitempty"`
	LastUsed     *time.Time  `json:"last_used,omitempty"`
	Copied       *time.Time  `json:"copied,omitempty"`
	Anchors      []keyUse    `json:"anchors"`
}

type keyUse struct {
	Where  string `json:"where"`
	Anchor uint64 `json:"anchor"`
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func viewBackup(s device.Status) backupView {
	v := backupView{
		State: "none", Sealed: s.Sealed(), Exports: []exportView{},
		Checked: optional(s.Checked), Finalized: optional(s.Finalized), Restored: optional(s.Restored),
	}
	for _, e := range s.Exports {
		v.Exports = append(v.Exports, exportView(e))
		if e.As != device.ExportCXF {
			v.State = "exported"
		}
	}
	if v.Checked != nil {
		v.State = "checked"
	}
	if v.Finalized != nil {
		v.State = "finalized"
	}
	return v
}

func viewCredential(c *device.Credential) credentialView {
	v := credentialView{
		Label: c.Label, Kind: c.Kind, CredentialID: hex.EncodeToString(c.CredentialID()), RelyingParty: c.RelyingParty(), Origin: c.Origin(),
		UserID: hex.EncodeToString(c.User.ID), UserName: c.User.Name, DisplayName: c.User.DisplayName, Algorithm: c.Algorithm().String(),
		PublicKey: hex.EncodeToString(c.PublicKey()), DeviceBound: c.DeviceBound(),
		Created: optional(c.Created), LastUsed: optional(c.LastUsed), Copied: optional(c.Copied), Anchors: []keyUse{},
	}
	for _, use := range c.Uses {
		v.Anchors = append(v.Anchors, keyUse(use))
	}
	return v
}

func viewKey(k *device.SecurityKey) keyView {
	v := keyView{
		Name: k.Name(), Created: k.Created(), HasSeed: k.HasSeed(), Seed: string(k.RootKind()), Backup: viewBackup(k.Status()),
		Credentials: []credentialView{},
	}
	if k.HasSeed() {
		v.Fingerprint = k.Fingerprint().String()
	}
	for _, c := range k.Credentials() {
		v.Credentials = append(v.Credentials, viewCredential(c))
	}
	return v
}

// anchors names the anchors of a key, each once.
func (v keyView) anchors() string {
	var list []uint64
	for _, c := range v.Credentials {
		for _, use := range c.Anchors {
			if !slices.Contains(list, use.Anchor) {
				list = append(list, use.Anchor)
			}
		}
	}
	if len(list) == 0 {
		return "none"
	}
	slices.Sort(list)
	return ui.Numbers(list)
}

func (a verbs) list() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list the security keys of the key store",
		Long: `Shows each key with the fingerprint of its seed, its credentials and how far its
backup has come. Nothing of it is secret.`,
		Example: `  kedge key list
  kedge key list --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			keys := new(device.Keys)
			// Nobody is asked for the passphrase of a store that is not there.
			exists, err := a.KeysExist()
			if err == nil && exists {
				keys, err = a.LoadKeys()
			}
			if err != nil {
				return err
			}
			views := []keyView{}
			rows := [][]string{{"NAME", "SEED", "BACKUP", "CREDENTIALS", "ANCHORS", "CREATED"}}
			for _, k := range keys.SecurityKeys() {
				v := viewKey(k)
				views = append(views, v)
				seed := v.Fingerprint
				if !v.HasSeed {
					seed = "none"
				}
				rows = append(rows, []string{ui.Printable(v.Name), seed, v.Backup.State, strconv.Itoa(len(v.Credentials)), v.anchors(), ui.When(v.Created, a.Now())})
			}
			if len(views) == 0 {
				return a.Result(views, "no security keys; kedge key init NAME makes one")
			}
			return a.Result(views, ui.Table(rows))
		},
	}
}

func (a verbs) show() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "show what is known of a security key, nothing of it secret",
		Long: `Shows the fingerprint of the seed, the backup, and each credential with the anchors
that it is a device of.`,
		Example: `  kedge key show laptop
  kedge key show laptop --json`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := a.load(args[0])
			if err != nil {
				return err
			}
			v := viewKey(k)
			text := ui.Table(append([][]string{
				{"name", ui.Printable(v.Name)},
				{"created", ui.When(v.Created, a.Now())},
			}, statusRows(k.Status(), a.Now())...))
			if len(v.Credentials) > 0 {
				text += "\n\n" + credentialTable(v.Credentials, a.Now())
			}
			return a.Result(v, text)
		},
	}
}

// statusView is how far a backup has come; that of kedge key show without the credentials.
type statusView struct {
	Name        string `json:"name"`
	HasSeed     bool   `json:"has_seed"`
	Fingerprint string `json:"fingerprint,omitempty"`
	backupView
}

func viewStatus(k *device.SecurityKey) statusView {
	v := viewKey(k)
	return statusView{v.Name, v.HasSeed, v.Fingerprint, v.Backup}
}

func (a verbs) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status [NAME]",
		Short: "say how far the backup of a security key, or of each, has come",
		Long: `A backup is exported, checked by typing it back, and finalized; this says which of
the steps are done and which one is next.`,
		Example: `  kedge key status
  kedge key status laptop --json`,
		Args: ui.Args(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.statusOfAll()
			}
			k, err := a.load(args[0])
			if err != nil {
				return err
			}
			return a.Result(viewStatus(k), ui.Table(statusRows(k.Status(), a.Now())))
		},
	}
}

func (a verbs) statusOfAll() error {
	keys := new(device.Keys)
	exists, err := a.KeysExist()
	if err == nil && exists {
		keys, err = a.LoadKeys()
	}
	if err != nil {
		return err
	}
	views := []statusView{}
	var texts []string
	for _, k := range keys.SecurityKeys() {
		views = append(views, viewStatus(k))
		texts = append(texts, ui.Table(append([][]string{{"key", ui.Printable(k.Name())}}, statusRows(k.Status(), a.Now())...)))
	}
	if len(views) == 0 {
		return a.Result(views, "no security keys; kedge key init NAME makes one")
	}
	return a.Result(views, strings.Join(texts, "\n\n"))
}

func statusRows(s device.Status, now time.Time) [][]string {
	if !s.HasSeed {
		return [][]string{
			{"seed", "none: no words bring back what this key holds"},
			{"backup", "none but the key store's own file"},
		}
	}
	seed := s.Fingerprint.String()
	switch s.Kind {
	case device.RootSecret:
		seed += ", a secret that shares give, without words"
	case device.RootPrime:
		seed += ", the application seed of a Passport Prime"
	}
	rows := [][]string{{"seed", seed}}
	exported := "never"
	if n := len(s.Exports); n > 0 {
		exported = fmt.Sprintf("%s, as %s", ui.When(s.Exports[n-1].At, now), s.Exports[n-1].As)
		if n > 1 {
			exported += fmt.Sprintf(", and %d more", n-1)
		}
	}
	rows = append(rows, []string{"exported", exported}, []string{"checked", orNever(s.Checked, now)}, []string{"finalized", orNever(s.Finalized, now)})
	if !s.Restored.IsZero() {
		rows = append(rows, []string{"restored", ui.When(s.Restored, now) + ": the seed may be elsewhere, too"})
	}
	if s.Stored > 0 {
		rows = append(rows, []string{"stored", fmt.Sprintf("%d of %d credentials, which the words do not bring back", s.Stored, s.Credentials)})
	}
	if s.Copied > 0 {
		rows = append(rows, []string{"copied", fmt.Sprintf("%d of %d credentials have left the key as private keys", s.Copied, s.Credentials)})
	}
	return append(rows, []string{"next", nextStep(s)})
}

// nextStep is what to do for the backup.
func nextStep(s device.Status) string {
	switch {
	case !s.Finalized.IsZero():
		return "nothing; kedge key drill rehearses"
	case !s.Checked.IsZero():
		return fmt.Sprintf("kedge key finalize %s", ui.Quoted(s.Name))
	case len(s.Exports) > 0:
		return fmt.Sprintf("kedge key check %s", ui.Quoted(s.Name))
	}
	return fmt.Sprintf("kedge key export %s", ui.Quoted(s.Name))
}

func orNever(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return ui.When(t, now)
}
