// Command demo plays Kedge's main story on a network of its own: register, add a recovery phrase and protect
// it, be refused with the everyday passkey, upgrade the canister, and remove the phrase with the phrase
// itself. It types the commands that a person would type. `make demo` runs it.
package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/term"
)

func main() {
	module, err := filepath.Abs(filepath.Join("build", "kedge.wasm.gz"))
	if err == nil {
		err = runSession(os.Stdout, module, stay)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

// stay keeps the network until a person has seen the page. Without one the demo ends at once.
func stay() {
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stdout.Fd())) {
		return
	}
	fmt.Fprint(os.Stderr, "It is there until you press Enter. ")
	// A closed terminal ends the demo too.
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}
