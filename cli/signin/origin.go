package signin

import (
	"github.com/spf13/cobra"

	"kedge/cli/ui"
	"kedge/internal/origin"
)

// frontend is an application as the user names it.
type frontend struct {
	exact bool // take the canister's domains as they are
}

func (f *frontend) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.exact, "exact-origin", false, "leave an origin under icp0.io or icp.net as it is; without it, it means the same name under ic0.app, as in Internet Identity")
}

// of returns the text that the principal at an application is derived from. Whatever is changed of what
// was typed is said, since another text is another principal.
func (f *frontend) of(u *ui.UI, text string) (string, error) {
	canonical, err := origin.Canonical(text)
	if err != nil {
		return "", ui.Usagef("origin: %w", err)
	}
	name := canonical
	if !f.exact {
		name = origin.Frontend(canonical)
	}
	switch {
	case name != canonical:
		u.Note("the principal at %s is the one of %s, as in Internet Identity; --exact-origin switches that off", canonical, name)
	case canonical != text:
		u.Note("the origin is %s", canonical)
	}
	return name, nil
}
