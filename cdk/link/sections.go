package link

import (
	"fmt"
	"unicode/utf8"

	"kedge/wasm"
)

// Section is a metadata section: any client reads a public one from the state tree (path
// /canister/<id>/metadata/<name>), a private one is for the canister's controllers.
type Section struct {
	Name    string // "candid:service", …
	Private bool
	Content []byte
}

// Service returns the section with the canister's interface, the text of a .did file.
func Service(did []byte) Section { return Section{Name: "candid:service", Content: did} }

// InitArgs returns the section with the type of the argument of canister_init, as Candid text in
// parentheses: "(opt record { … })".
func InitArgs(args string) Section { return Section{Name: "candid:args", Content: []byte(args)} }

// sections drops all custom sections of the input but the names, and adds the metadata.
func (l *linker) sections(o Options) error {
	names, err := l.m.Names()
	if err != nil {
		return err
	}
	l.m.Customs = nil
	seen := map[string]bool{}
	for _, s := range o.Sections {
		switch {
		case s.Name == "" || !utf8.ValidString(s.Name):
			return fmt.Errorf("metadata section %q: a name is a text that is not empty", s.Name)
		case seen[s.Name]:
			return fmt.Errorf("metadata section %q is given twice", s.Name)
		}
		seen[s.Name] = true
		visibility := "icp:public "
		if s.Private {
			visibility = "icp:private "
		}
		l.m.Customs = append(l.m.Customs, wasm.Custom{Name: visibility + s.Name, Bytes: s.Content})
	}
	l.m.SetNames(names)
	return nil
}
