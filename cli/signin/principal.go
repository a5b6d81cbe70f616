package signin

import (
	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/provider"
	"kedge/cli/ui"
)

func (a verbs) principalCommand() *cobra.Command {
	var origin string
	var f frontend
	cmd := &cobra.Command{
		Use:   "principal --origin ORIGIN",
		Short: "show the principal that the anchor has at an application",
		Long: `Each application sees another principal of the same anchor, which depends on the
application's origin. This shows it without signing in.`,
		Example: `  kedge principal --origin https://app.example
  kedge principal --origin https://app.example --as phrase --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if origin == "" {
				return ui.Usagef("--origin says which application")
			}
			origin, err := f.of(a.UI, origin)
			if err != nil {
				return err
			}
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			reply, err := s.Query(cmd.Context(), "get_principal", kedge.EncodeGetPrincipalArgs(s.Anchor, origin))
			p, err := provider.Decoded("get_principal", reply, err, kedge.DecodeGetPrincipalResult)
			if err != nil {
				return err
			}
			return a.Result(map[string]any{"anchor": s.Anchor, "origin": origin, "principal": p}, p.Text())
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&origin, "origin", "", "origin of the application, such as https://app.example")
	a.SignerFlags(cmd)
	return cmd
}
