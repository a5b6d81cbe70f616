// Package argument knows how the production replica prints the types of the arguments of management methods, which
// its refusals name.
package argument

import (
	_ "embed"
	"sync"

	"kedge/candid/did"
	"kedge/ic/management"
)

// elsewhere is the interface of management methods that production has and this network has not.
//
//go:embed elsewhere.did
var elsewhere string

var types = sync.OnceValue(func() map[string]string {
	texts := make(map[string]string)
	for _, text := range []string{management.Interface, elsewhere} {
		file, err := did.Parse(text)
		if err != nil {
			panic(err) // both are texts of this repository
		}
		for _, m := range file.Methods() {
			if f, ok := m.Type.(did.Func); ok && len(f.Args) > 0 {
				texts[m.Name] = file.TypeText(f.Args[0].Type)
			}
		}
	}
	return texts
})

// Type returns the type of a method's argument, see [did.File.TypeText]. It is empty for a method that the interface
// does not have, or that takes no argument.
func Type(method string) string { return types()[method] }
