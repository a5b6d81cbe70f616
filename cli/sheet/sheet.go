// Package sheet is kedge sheet: a page to print with what one needs when everything is lost, and without
// anything secret.
package sheet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

type verbs struct{ *session.App }

// Command returns kedge sheet.
func Command(app *session.App) *cobra.Command {
	a := verbs{app}
	var addresses []string
	var format string
	cmd := &cobra.Command{
		Use:   "sheet",
		Short: "print a recovery sheet: what one needs when everything is lost",
		Long: `Writes a page to print: the number of the anchor, the canister and its addresses
with a QR code each, the devices, and what to do when everything is lost. The words
of the recovery phrase are not on it: there are 24 lines to write them by hand, for
whoever wants them there. Reading the anchor is a sign of life of the signer.

On a terminal it is shown as text, elsewhere as HTML; --format chooses. --address
names other addresses of the page, such as its own domain.`,
		Example: `  kedge sheet > sheet.html
  kedge sheet --address https://id.example --as laptop > sheet.html
  kedge sheet --format text --qr`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format == "" {
				if format = "html"; a.OnTerminal() {
					format = "text"
				}
			}
			if format != "html" && format != "text" {
				return ui.Usagef("--format %q is neither html nor text", format)
			}
			return a.sheet(cmd.Context(), addresses, format)
		},
	}
	ui.OriginsVar(cmd, &addresses, "address", "another address of the page, such as https://id.example; may be given several times")
	cmd.Flags().StringVar(&format, "format", "", "html or text (default: text on a terminal, else html)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"html", "text"}, cobra.ShellCompDirectiveNoFileComp))
	a.QRFlag(cmd)
	a.SignerFlags(cmd)
	return cmd
}

// Sheet is what the page says.
type Sheet struct {
	Anchor    uint64    `json:"anchor"`
	Addresses []string  `json:"addresses"`
	Canister  string    `json:"canister"`
	Network   string    `json:"network"`
	Date      time.Time `json:"date"`
	Devices   []Device  `json:"devices"`
	Warning   string    `json:"warning,omitempty"` // why the sheet would not bring the anchor back
	Steps     []string  `json:"steps"`             // on the page
	Commands  []string  `json:"commands"`          // the same by command
	Contacts  int       `json:"contacts"`          // how many recovery contacts there are; who they are is not for paper
	Releases  bool      `json:"timed_release"`     // whether a protected device consented to its release

	ContactSteps []string `json:"contact_steps"` // on the page, where the phrase is lost, too; none without contacts
	OtherWays    []string `json:"other_ways"`    // what else there is then, or is not
}

// Device is a device on the sheet.
type Device struct {
	Alias     string `json:"alias"`
	Principal string `json:"principal"` // its beginning and end
	Kind      string `json:"kind"`
	Protected bool   `json:"protected"`
}

// Steps are what to do with the words when everything is lost. The web page's sheet says the same.
var Steps = []string{
	"Open one of the addresses above in any browser. Check the address.",
	"Choose “Sign in with a recovery phrase” and type the 24 words.",
	"Add a passkey on a new device, and remove those that you lost.",
	"If somebody may have read the words, replace the phrase.",
}

// ContactSteps are what to do where the words are lost, too, and the anchor has recovery contacts; {threshold},
// {count} and {delay} stand for the anchor's rule. The web page's sheet says the same.
var ContactSteps = []string{
	"Open one of the addresses above in any browser, choose “I have lost everything”, and make a new key. It stays in that browser.",
	"Send each of your recovery contacts the number of your anchor and the new key. Call them and say its six words; never write those.",
	"Each of them signs in to an own anchor, chooses “Be somebody's contact”, and types the six words.",
	"Once {threshold} of {count} {threshold|one:has|other:have} approved, {delay} must pass without a sign of life of a protected device. Then take the anchor back in the same browser.",
}

// What else is said of an anchor whose phrase is lost. The web page's sheet says the same.
const (
	NoContacts = "No recovery contacts are named. While you can still sign in, name some: on the account page under “Recovery contacts”, or with kedge contacts set."
	Released   = "A protected device has agreed to its timed release: a device that it named can ask for that, and waits."
	Nothing    = "As it is, nothing brings the anchor back without the phrase or a protected device. Keep this sheet and the words apart."
)

// days writes a delay of so many seconds for paper: in days if it is whole days, as it is where a page set it.
func days(seconds uint64) string {
	const day = 24 * 60 * 60
	if n := seconds / day; n > 1 && seconds%day == 0 {
		return fmt.Sprintf("%d days", n)
	}
	return ui.Seconds(seconds)
}

// withoutPhrase says what to do where the words are lost, too.
func withoutPhrase(contacts *kedge.Contacts, released bool) (steps, ways []string) {
	steps, ways = []string{}, []string{}
	if contacts != nil {
		have := "have"
		if contacts.Threshold == 1 {
			have = "has"
		}
		rule := strings.NewReplacer("{threshold|one:has|other:have}", have, "{threshold}", fmt.Sprint(contacts.Threshold),
			"{count}", fmt.Sprint(len(contacts.Contacts)), "{delay}", days(contacts.DelayS))
		for _, step := range ContactSteps {
			steps = append(steps, rule.Replace(step))
		}
	} else {
		ways = append(ways, NoContacts)
	}
	if released {
		ways = append(ways, Released)
	}
	if contacts == nil && !released {
		ways = append(ways, Nothing)
	}
	return steps, ways
}

func (a verbs) sheet(ctx context.Context, addresses []string, format string) error {
	s, err := a.OpenSession(ctx)
	if err != nil {
		return err
	}
	info, err := s.AnchorInfo(ctx, s.Anchor)
	if err != nil {
		return err
	}
	page := a.page(s.Anchor, s.Canister, s.Provider.Client.Network(), addresses, info, a.Now())
	if a.JSON {
		return a.Result(page, "")
	}
	if format == "html" {
		return page.HTML(a.Stdout)
	}
	if err := a.Result(page, page.Text()); err != nil {
		return err
	}
	return a.ShowQR(page.Addresses[0])
}

// page fills the sheet.
func (a verbs) page(anchor uint64, canister principal.Principal, network client.Network, addresses []string, info kedge.IdentityAnchorInfo, now time.Time) Sheet {
	p := Sheet{
		Anchor: anchor, Canister: canister.Text(), Network: network.URL.String(), Date: now.UTC().Truncate(time.Second),
		Devices: []Device{}, Steps: Steps,
	}
	name := network.URL.String()
	if network.IsMainnet() {
		name = session.IC
	}
	for _, address := range append(slices.Clone(addresses), session.DefaultOrigin(network, canister)) {
		if !slices.Contains(p.Addresses, address) {
			p.Addresses = append(p.Addresses, address)
		}
	}
	phrase, protected := false, false
	for _, d := range info.Devices {
		own := Device{
			Alias: ui.Printable(d.Alias), Principal: ui.ShortPrincipal(principal.SelfAuthenticating(d.Pubkey)),
			Kind: session.Kind(d.KeyType), Protected: d.Protection == kedge.DeviceProtectionProtected,
		}
		p.Devices = append(p.Devices, own)
		phrase = phrase || d.KeyType == kedge.KeyTypeSeedPhrase
		protected = protected || d.KeyType == kedge.KeyTypeSeedPhrase && own.Protected
		p.Releases = p.Releases || d.Release != nil
	}
	switch {
	case !phrase:
		p.Warning = "This anchor has no recovery phrase, so this sheet does not bring it back. Make one: kedge recovery phrase add."
	case !protected:
		p.Warning = "The recovery phrase of this anchor is not protected: whoever has another device can remove it. Protect it: kedge device protect phrase --as phrase."
	}
	if info.Contacts != nil {
		p.Contacts = len(info.Contacts.Contacts)
	}
	p.ContactSteps, p.OtherWays = withoutPhrase(info.Contacts, p.Releases)
	signer := fmt.Sprintf("--as phrase --anchor %d --network %s --canister %s", anchor, name, canister)
	p.Commands = []string{"kedge device list " + signer, "kedge device add NAME " + signer, "kedge recovery phrase add --replace " + signer}
	if p.Contacts > 0 {
		p.Commands = append(p.Commands, fmt.Sprintf("kedge recover --anchor %d --network %s --canister %s", anchor, name, canister))
	}
	return p
}
