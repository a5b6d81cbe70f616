package sheet

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"kedge/cli/ui"
)

// Words is how many words a recovery phrase has, and so how many lines there are to write them.
const Words = 24

const withoutPhraseTitle = "If the phrase is lost, too"

// Text is the sheet for a terminal.
func (s Sheet) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Recovery sheet\n\n")
	rows := [][]string{{"Anchor number", fmt.Sprint(s.Anchor)}}
	for i, address := range s.Addresses {
		label := "Address of the page"
		if i > 0 {
			label = "The same, if that address is gone"
		}
		rows = append(rows, []string{label, address})
	}
	rows = append(rows, []string{"Canister", s.Canister}, []string{"As of", s.Date.Local().Format("2006-01-02")})
	b.WriteString(ui.Table(rows) + "\n\nDevices\n")
	rows = nil
	for _, d := range s.Devices {
		rows = append(rows, []string{"  " + d.Alias, d.Principal, d.Kind, d.note()})
	}
	b.WriteString(ui.Table(rows) + "\n")
	if s.Warning != "" {
		b.WriteString("\n" + s.Warning + "\n")
	}
	b.WriteString("\nIf everything is lost\n")
	for i, step := range s.Steps {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, step)
	}
	b.WriteString("\n" + withoutPhraseTitle + "\n")
	for i, step := range s.ContactSteps {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, step)
	}
	for _, way := range s.OtherWays {
		fmt.Fprintf(&b, "  %s\n", way)
	}
	b.WriteString("\nThe same with kedge on any machine\n  " + strings.Join(s.Commands, "\n  ") + "\n")
	return b.String()
}

func (d Device) note() string {
	if d.Protected {
		return "protected"
	}
	return ""
}

//go:embed sheet.html
var pageText string

var pageTemplate = template.Must(template.New("sheet").Parse(pageText))

// HTML writes the sheet as a page to print: one file, without a script and without anything from elsewhere.
func (s Sheet) HTML(to io.Writer) error {
	type address struct {
		Address string
		Code    template.HTML // made here, of squares alone
	}
	page := struct {
		Sheet
		Codes   []address
		Without string
		Numbers []int
	}{Sheet: s, Without: withoutPhraseTitle}
	for i := range Words {
		page.Numbers = append(page.Numbers, i+1)
	}
	for _, a := range s.Addresses {
		code, err := ui.NewQRCode(a)
		if err != nil {
			return err
		}
		page.Codes = append(page.Codes, address{a, template.HTML(code.SVG())}) //nolint:gosec // made of numbers
	}
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, page); err != nil {
		return fmt.Errorf("writing the sheet: %w", err)
	}
	_, err := out.WriteTo(to)
	return err
}
