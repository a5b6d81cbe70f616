package devices

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"kedge/cli/ui"

	"github.com/spf13/cobra"
)

// keyView is a passkey of the key store as commands print it.
type keyView struct {
	Name         string    `json:"name"`
	Origin       string    `json:"origin"`
	DeviceBound  bool      `json:"device_bound"`
	Created      time.Time `json:"created"`
	PublicKey    string    `json:"public_key"`
	CredentialID string    `json:"credential_id"`
	Anchors      []keyUse  `json:"anchors"`
}

type keyUse struct {
	Where  string `json:"where"`
	Anchor uint64 `json:"anchor"`
}

func (a verbs) deviceList() *cobra.Command {
	var keysOnly bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the devices of the anchor, or the passkeys of the key store",
		Long: `Lists the devices of the signer's anchor with all that it knows of them: protection and
when it lapses, whether the device has signed here itself (proven), sessions, consents to a
release, attestations; and the guard, the demand for device-bound passkeys and the session limit of
the anchor. With --json it is a list of devices; kedge anchor show --json has the settings, too.`,
		Example: `  kedge device list
  kedge device list --as phrase --json
  kedge device list --keys-only          # what the key store has, without any network`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if keysOnly {
				return a.listKeys()
			}
			return a.listDevices(cmd)
		},
	}
	cmd.Flags().BoolVar(&keysOnly, "keys-only", false, "list the key store's passkeys, public parts only")
	a.SignerFlags(cmd)
	return cmd
}

func (a verbs) listDevices(cmd *cobra.Command) error {
	s, err := a.OpenSession(cmd.Context())
	if err != nil {
		return err
	}
	settings, views, err := ReadAll(cmd.Context(), a.App, s)
	if err != nil {
		return err
	}
	return a.Result(views, Table(views, a.Now())+"\n\n"+settings.Text(a.Now()))
}

func (a verbs) listKeys() error {
	keys, err := a.LoadKeys()
	if err != nil {
		return err
	}
	views := []keyView{}
	rows := [][]string{{"NAME", "ORIGIN", "ANCHORS", "CREATED"}}
	for _, stored := range keys.All() {
		v := keyView{
			Name: stored.Name, Origin: stored.Passkey.Origin(), DeviceBound: stored.Passkey.DeviceBound(), Created: stored.Created,
			PublicKey:    hex.EncodeToString(stored.Passkey.PublicKey()),
			CredentialID: hex.EncodeToString(stored.Passkey.CredentialID()), Anchors: []keyUse{},
		}
		anchors := ""
		for _, use := range stored.Uses {
			v.Anchors = append(v.Anchors, keyUse(use))
			if anchors != "" {
				anchors += ", "
			}
			anchors += strconv.FormatUint(use.Anchor, 10) + " at " + use.Where
		}
		if anchors == "" {
			anchors = "none"
		}
		views = append(views, v)
		rows = append(rows, []string{ui.Printable(v.Name), v.Origin, anchors, ui.When(v.Created, a.Now())})
	}
	if len(views) == 0 {
		path, err := a.KeysPath()
		if err != nil {
			return err
		}
		return a.Result(views, fmt.Sprintf("no passkeys in %s", path))
	}
	return a.Result(views, ui.Table(rows))
}
