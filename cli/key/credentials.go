package key

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kedge/cli/ui"
	"kedge/device"
	"kedge/device/credid"
)

func (a verbs) credentials() *cobra.Command {
	return ui.Group("credentials", "list, add, rename and delete the credentials of a security key",
		a.credentialsList(), a.credentialsAdd(), a.credentialsRename(), a.credentialsDelete())
}

// selectRecord returns the credential of a key that has a record under a label or an id.
func selectRecord(k *device.SecurityKey, text string) (*device.Credential, error) {
	for _, c := range k.Credentials() {
		if c.Label == text || hex.EncodeToString(c.CredentialID()) == text {
			return c, nil
		}
	}
	return nil, ui.Hinted(fmt.Errorf("security key %q has no credential %q", k.Name(), text), "kedge key credentials list %s shows them", ui.Quoted(k.Name()))
}

func credentialTable(views []credentialView, now time.Time) string {
	rows := [][]string{{"LABEL", "KIND", "RELYING PARTY", "USER", "ALGORITHM", "ANCHORS", "LAST USED"}}
	for _, v := range views {
		user := v.UserName
		if user == "" {
			user = v.DisplayName
		}
		if user == "" {
			user = "-"
		} else {
			user = ui.Printable(user)
		}
		kind := string(v.Kind)
		if v.Copied != nil {
			kind += ", copied"
		}
		anchors := "none"
		if len(v.Anchors) > 0 {
			anchors = keyView{Credentials: []credentialView{v}}.anchors()
		}
		used := "-"
		if v.LastUsed != nil {
			used = ui.When(*v.LastUsed, now)
		}
		rows = append(rows, []string{ui.Printable(v.Label), kind, v.RelyingParty, user, v.Algorithm, anchors, used})
	}
	return ui.Table(rows)
}

func (a verbs) credentialsList() *cobra.Command {
	var rpID string
	cmd := &cobra.Command{
		Use:   "list NAME",
		Short: "list the credentials that a security key has records of",
		Long: `Lists what the key store has records of. Credentials that are derived from the seed
and that nothing was recorded of are not here; kedge key find finds them.`,
		Example: `  kedge key credentials list laptop
  kedge key credentials list laptop --relying-party id.example --json`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := a.load(args[0])
			if err != nil {
				return err
			}
			views := viewKey(k).Credentials
			if rpID != "" {
				views = slices.DeleteFunc(views, func(v credentialView) bool { return v.RelyingParty != rpID })
			}
			if len(views) == 0 {
				return a.Result(views, "no credentials")
			}
			return a.Result(views, credentialTable(views, a.Now()))
		},
	}
	cmd.Flags().StringVar(&rpID, "relying-party", "", "only those of this relying party, such as id.example")
	return cmd
}

func (a verbs) credentialsAdd() *cobra.Command {
	var label, origin, user string
	var notDiscoverable, ed25519 bool
	cmd := &cobra.Command{
		Use:   "add NAME [ID]",
		Short: "take in a credential by its id, or make a new one for a site",
		Long: `With ID, the hexadecimal credential id that a relying party or an anchor lists, it takes
in the credential that this seed made: the id carries all that is needed. So a list of
ids is a backup, a Trezor's included. With --origin it makes a new credential, for a
tool that registers it elsewhere; kedge device add makes one and adds it to an anchor.`,
		Example: `  kedge key credentials add laptop f1d0020013e65c86…
  kedge key credentials add laptop --origin https://id.example --user anna --label work`,
		Args: ui.Args(cobra.RangeArgs(1, 2)),
		RunE: func(_ *cobra.Command, args []string) error {
			var c *device.Credential
			change := func(k *device.SecurityKey) (err error) {
				id, err := hex.DecodeString(args[1])
				if err != nil || len(id) == 0 {
					return ui.Usagef("%q is not a credential id in hexadecimal", args[1])
				}
				c, err = k.AddID(id, label)
				if errors.Is(err, credid.ErrForeign) {
					return ui.Hinted(fmt.Errorf("the id was not made by security key %q: another key made it, or it is cut off", args[0]),
						"kedge key find says which keys of an anchor are whose")
				}
				return err
			}
			if (len(args) == 2) == (origin != "") {
				return ui.Usagef("give either ID or --origin")
			}
			if origin == "" && (user != "" || notDiscoverable || ed25519) {
				return ui.Usagef("--user, --not-discoverable and --ed25519 go with --origin")
			}
			if origin != "" {
				change = func(k *device.SecurityKey) (err error) {
					c, err = a.newCredential(k, origin, user, label, notDiscoverable, ed25519)
					return err
				}
			}
			if err := a.change(args[0], change); err != nil {
				return err
			}
			return a.Result(viewCredential(c), fmt.Sprintf("security key %s has the credential %s for %s", ui.Printable(args[0]), ui.Printable(c.Label), c.RelyingParty()))
		},
	}
	cmd.Flags().StringVar(&label, "label", "", "label of the credential (default: its relying party)")
	ui.OriginVar(cmd, &origin, "origin", "web origin that a new credential is for, such as https://id.example")
	cmd.Flags().StringVar(&user, "user", "", "user name of a new credential")
	cmd.Flags().BoolVar(&notDiscoverable, "not-discoverable", false, "make one that is used only with its id")
	cmd.Flags().BoolVar(&ed25519, "ed25519", false, "make one that signs with Ed25519 in place of P-256")
	return cmd
}

func (a verbs) newCredential(k *device.SecurityKey, origin, user, label string, notDiscoverable, ed25519 bool) (*device.Credential, error) {
	rpID, err := device.RelyingParty(origin)
	if err != nil {
		return nil, ui.Usagef("%w", err)
	}
	userID, err := device.NewUserID(a.Random)
	if err != nil {
		return nil, err
	}
	r := device.CreateRequest{
		Kind: device.Discoverable, RPID: rpID, Origin: origin, User: device.User{ID: userID, Name: user}, Label: label, HMACSecret: true,
	}
	if ed25519 {
		r.Algorithm = credid.EdDSA
	}
	if notDiscoverable {
		r.Kind = device.NotDiscoverable
	}
	c, err := k.Create(r, a.Random, a.Now())
	if err == nil && notDiscoverable {
		err = k.Keep(c, label)
	}
	return c, err
}

func (a verbs) credentialsRename() *cobra.Command {
	return &cobra.Command{
		Use:   "rename NAME LABEL NEW",
		Short: "give a credential another label",
		Long: `The label is the name in the key store and on the screen of this machine. Relying
parties do not see it.`,
		Example: `  kedge key credentials rename laptop id.example work
  kedge key credentials rename laptop work "work, old"`,
		Args: ui.Args(cobra.ExactArgs(3)),
		RunE: func(_ *cobra.Command, args []string) error {
			err := a.change(args[0], func(k *device.SecurityKey) error {
				c, err := selectRecord(k, args[1])
				if err != nil {
					return err
				}
				return k.Relabel(c.CredentialID(), args[2])
			})
			if err != nil {
				return err
			}
			return a.Result(map[string]string{"label": args[2]}, fmt.Sprintf("credential %s is called %s now", ui.Printable(args[1]), ui.Printable(args[2])))
		},
	}
}

func (a verbs) credentialsDelete() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete NAME LABEL",
		Short: "forget a credential",
		Long: `A derived credential comes back only if its id is taken in again (kedge key
credentials add); the key refuses the id until then. A stored one is lost for ever.`,
		Example: `  kedge key credentials delete laptop work
  kedge key credentials delete laptop work --yes`,
		Args: ui.Args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := a.load(args[0])
			if err != nil {
				return err
			}
			c, err := selectRecord(k, args[1])
			if err != nil {
				return err
			}
			question := fmt.Sprintf("Credential %s is used on anchors: %s.", ui.Printable(c.Title()), keyView{Credentials: []credentialView{viewCredential(c)}}.anchors())
			if c.Kind == device.Stored {
				question += " Its private key is stored here alone, and lost for ever."
			}
			if err := a.sure(yes, question+" Delete it?"); err != nil {
				return err
			}
			if err := a.change(args[0], func(k *device.SecurityKey) error { return k.Delete(c.CredentialID()) }); err != nil {
				return err
			}
			return a.Result(map[string]any{"deleted": c.Label, "at": a.Now().UTC().Truncate(time.Second)}, fmt.Sprintf("credential %s is deleted", ui.Printable(c.Label)))
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}
