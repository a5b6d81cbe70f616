package key

import (
	"fmt"

	"github.com/spf13/cobra"

	"kedge/cli/ui"
	"kedge/device"
)

func (a verbs) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init NAME",
		Short: "make a security key with a new seed",
		Long: `Draws a seed of 24 words and keeps it in the key store under NAME. Nothing is shown:
kedge key export shows the words. They are not a recovery phrase of an anchor, and
should not become one: a seed that is both would be one factor.`,
		Example: `  kedge key init laptop
  kedge key init yubi-in-the-safe`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			root, err := device.NewRoot(a.Random)
			if err != nil {
				return err
			}
			var made *device.SecurityKey
			err = a.ChangeKeys(func(keys *device.Keys) (err error) {
				made, err = keys.AddKey(args[0], root, a.Now())
				return err
			})
			if err != nil {
				return err
			}
			return a.Result(viewKey(made), fmt.Sprintf("security key %s has the seed %s; next: kedge key export %s",
				ui.Printable(args[0]), made.Fingerprint(), ui.Quoted(args[0])))
		},
	}
}

func (a verbs) rename() *cobra.Command {
	return &cobra.Command{
		Use:   "rename NAME NEW",
		Short: "give a security key another name",
		Long:  "Changes the name in the key store. What an anchor calls its devices is changed with kedge device update.",
		Example: `  kedge key rename laptop old-laptop
  kedge key rename "laptop 2" laptop --json`,
		Args: ui.Args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.ChangeKeys(func(keys *device.Keys) error { return keys.RenameKey(args[0], args[1]) }); err != nil {
				return err
			}
			return a.Result(map[string]string{"name": args[1]}, fmt.Sprintf("security key %s is called %s now", ui.Printable(args[0]), ui.Printable(args[1])))
		},
	}
}

func (a verbs) remove() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "forget a security key with its seed and credentials",
		Long: `Removes the key from the key store for ever. The anchors that have its credentials
as devices still have them: remove them there first (kedge key lost NAME).`,
		Example: `  kedge key delete old-laptop
  kedge key delete old-laptop --yes`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := a.load(args[0])
			if err != nil {
				return err
			}
			if err := a.sure(yes, deleteQuestion(k)); err != nil {
				return err
			}
			if err := a.ChangeKeys(func(keys *device.Keys) error { return keys.Remove(args[0]) }); err != nil {
				return err
			}
			return a.Result(map[string]string{"deleted": args[0]}, fmt.Sprintf("security key %s is deleted", ui.Printable(args[0])))
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// deleteQuestion says what is lost with a key.
func deleteQuestion(k *device.SecurityKey) string {
	s, v := k.Status(), viewKey(k)
	text := fmt.Sprintf("Security key %s has %s, and anchors that have it as a device: %s.", ui.Printable(s.Name), ui.Count(s.Credentials, "credential"), v.anchors())
	switch {
	case s.Stored > 0:
		text += fmt.Sprintf(" Stored here alone, and lost for ever: %s.", ui.Count(s.Stored, "credential"))
	case s.HasSeed && s.Checked.IsZero():
		text += " Nobody has checked that its words are on paper; without them it is lost for ever."
	}
	return text + " Delete it?"
}
