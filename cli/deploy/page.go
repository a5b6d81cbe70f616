package deploy

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"kedge/cli/session"
	"kedge/cli/ui"
)

// warnOfMissingPage says what people will find at the address.
func (a verbs) warnOfMissingPage(about about) {
	if !about.page {
		a.Warn("this module has no web page: only the command line can sign in; make build puts the page in where Node.js is installed")
	}
}

// Open returns kedge open.
func Open(app *session.App) *cobra.Command {
	a := verbs{app}
	cmd := &cobra.Command{
		Use:   "open",
		Short: "open the web page in a browser",
		Long: `Prints the address of the canister's web page and opens it in the browser: the
one that the environment variable BROWSER names, or the system's own. Passkeys
belong to that address, so use no other for the same canister. --qr shows the
address to a phone's camera in place of opening it here.`,
		Example: `  kedge open
  kedge open --qr
  kedge open --network ic --canister ID
  kedge open --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.open(cmd.Context()) },
	}
	a.QRFlag(cmd)
	return cmd
}

// open prints the address before it opens it: it is right even where there is no browser. With --json
// nothing is opened.
func (a verbs) open(ctx context.Context) error {
	canister, err := a.CanisterID()
	if err != nil {
		return err
	}
	network, err := a.OpenNetwork(ctx)
	if err != nil {
		return err
	}
	address := session.DefaultOrigin(network, canister) + "/"
	if err := a.Result(map[string]string{"url": address}, address); err != nil || a.JSON {
		return err
	}
	if a.QR {
		return a.ShowQR(address)
	}
	browser, err := a.browser()
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, browser[0], append(browser[1:], address)...).CombinedOutput(); err != nil {
		return ui.Hinted(fmt.Errorf("%s cannot open the page: %w\n%s", browser[0], err, strings.TrimSpace(string(out))),
			"open the address yourself")
	}
	return nil
}

// browser returns the command that opens an address.
func (a verbs) browser() ([]string, error) {
	candidates := [][]string{{"xdg-open"}, {"x-www-browser"}}
	switch runtime.GOOS {
	case "darwin":
		candidates = [][]string{{"open"}}
	case "windows":
		candidates = [][]string{{"rundll32", "url.dll,FileProtocolHandler"}}
	}
	if named := a.Getenv("BROWSER"); named != "" {
		candidates = [][]string{strings.Fields(named)}
	}
	for _, c := range candidates {
		if len(c) == 0 {
			continue
		}
		if _, err := exec.LookPath(c[0]); err == nil {
			return c, nil
		}
	}
	return nil, ui.Hinted(errors.New("there is no browser on this machine that can be started"), "open the address yourself, or set BROWSER")
}
