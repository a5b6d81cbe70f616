// Command demo plays Kedge's main story on a network of its own: register, add a recovery phrase and protect
// it, be refused with the everyday passkey, upgrade the canister, and remove the phrase with the phrase
// itself. It types the commands that a person would type. `make demo` runs it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	module, err := filepath.Abs(filepath.Join("build", "kedge.wasm.gz"))
	if err == nil {
		err = runSession(os.Stdout, module)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}
