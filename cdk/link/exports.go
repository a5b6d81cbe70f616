package link

import (
	"fmt"
	"slices"
	"strings"

	"kedge/wasm"
)

// methodKinds are the prefixes of public methods. The network separates the name of the method by
// a space, which //go:wasmexport cannot write; Go code writes two underscores.
var methodKinds = []string{"canister_update", "canister_query", "canister_composite_query"}

// networkName returns the name under which the network wants an export. Only the two underscores
// behind the kind become a space: the name of a method may have others.
func networkName(export string) string {
	for _, kind := range methodKinds {
		if method, ok := strings.CutPrefix(export, kind+"__"); ok {
			return kind + " " + method
		}
	}
	return export
}

// nameExports renames the entry points and hides what is none of the network's business: the
// initialiser, which the start section names, and the callbacks, which the table has. Other
// exports stay as they are.
func (l *linker) nameExports() error {
	hidden := append(l.callbacks, "_initialize")
	l.m.Exports = slices.DeleteFunc(l.m.Exports, func(e wasm.Export) bool {
		return e.Kind == wasm.KindFunction && slices.Contains(hidden, e.Name)
	})
	origin := map[string]string{} // Go's name of each export by what must be unique
	entries := 0
	for i := range l.m.Exports {
		e := &l.m.Exports[i]
		goName := e.Name
		e.Name = networkName(goName)
		if strings.HasPrefix(e.Name, "canister_") {
			entries++
		}
		unique := e.Name
		if kind, method, ok := strings.Cut(e.Name, " "); ok && slices.Contains(methodKinds, kind) {
			if method == "" {
				return fmt.Errorf("the export %q has no method name", goName)
			}
			unique = "canister method " + method // whatever its kind
		}
		if first, ok := origin[unique]; ok {
			return fmt.Errorf("the exports %q and %q are both the %s", first, goName, unique)
		}
		origin[unique] = goName
	}
	if entries == 0 {
		return fmt.Errorf("the package exports no entry point of a canister: write a function with, for example, //go:wasmexport canister_update__greet")
	}
	return nil
}
