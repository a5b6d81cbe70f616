// Command gentraps writes the table of package traps as a module for the web page.
package main

import (
	"fmt"
	"os"

	"kedge/candid/traps"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gentraps FILE")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], []byte(traps.TypeScript()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "gentraps:", err)
		os.Exit(1)
	}
}
