package cli

import (
	"github.com/spf13/cobra"

	"kedge/candid/kedge"
)

func (a *app) principalCommand() *cobra.Command {
	var origin string
	cmd := &cobra.Command{
		Use:     "principal --origin ORIGIN",
		Short:   "show the principal that the anchor has at an application",
		Example: `  kedge principal --origin https://app.example`,
		Args:    argsError(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if origin == "" {
				return usagef("--origin says which application")
			}
			s, err := a.openSession(cmd.Context())
			if err != nil {
				return err
			}
			reply, err := s.query(cmd.Context(), "get_principal", kedge.EncodeGetPrincipalArgs(s.anchor, origin))
			p, err := decoded("get_principal", reply, err, kedge.DecodeGetPrincipalResult)
			if err != nil {
				return err
			}
			return a.result(map[string]any{"anchor": s.anchor, "origin": origin, "principal": p}, p.Text())
		},
	}
	cmd.Flags().StringVar(&origin, "origin", "", "origin of the application, such as https://app.example")
	a.signerFlags(cmd)
	return cmd
}
