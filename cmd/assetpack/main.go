// Command assetpack makes the pack of the web page that is built into the canister's module.
//
//	go run kedge/cmd/assetpack -o FILE FOLDER     of a built page (frontend-shim/dist)
//	go run kedge/cmd/assetpack -o FILE -missing   of a module without a page
//
// It says what is served: see package kedge/canister/assets/pack.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"kedge/canister/assets/pack"
	"kedge/internal/fileio"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "assetpack:", err)
		}
		os.Exit(1)
	}
}

// run is main with its surroundings as arguments.
func run(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("assetpack", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: assetpack -o FILE FOLDER\n       assetpack -o FILE -missing")
		flags.PrintDefaults()
	}
	output := flags.String("o", "", "write the pack to `FILE`")
	note := flags.String("note", "", "write the SHA-256 of the pack, or that there is no page, to `FILE`: icbuild -meta takes it into the module")
	missing := flags.Bool("missing", false, "make the pack of a module without a page")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *output == "" {
		return errors.New("no output: say where the pack goes with -o FILE")
	}
	var text string
	var err error
	switch {
	case *missing && flags.NArg() == 0:
		text, err = pack.Missing()
	case !*missing && flags.NArg() == 1:
		text, err = pack.Build(os.DirFS(flags.Arg(0)))
	default:
		return errors.New("want the folder of the built page, or -missing")
	}
	if err != nil {
		return err
	}
	if err := fileio.WriteFile(*output, []byte(text), 0o644); err != nil {
		return err
	}
	if *note == "" {
		return nil
	}
	about := "none"
	if !*missing {
		about = fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	}
	return fileio.WriteFile(*note, []byte(about), 0o644)
}
