// Command icbuild builds a Go package into a module for the Internet Computer.
//
//	go run kedge/cmd/icbuild -o FILE [-candid FILE] [-args TYPES] [-meta NAME=FILE]… [-embed FILE=FILE]… [-names] PACKAGE
//
// It runs go build for wasip1 with the toolchain that runs it, links the result (see package
// kedge/cdk/link), and compresses it if the name of the output ends in ".gz". The same sources and
// toolchain give the same bytes, in whatever directory. dfx and icp call it from their project files.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "icbuild:", err)
		}
		os.Exit(1)
	}
}

// run is main with its surroundings as arguments.
func run(args []string, stderr io.Writer) error {
	var b build
	flags := flag.NewFlagSet("icbuild", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: icbuild -o FILE [-candid FILE] [-args TYPES] [-meta NAME=FILE]… [-embed FILE=FILE]… [-names] PACKAGE")
		flags.PrintDefaults()
	}
	flags.StringVar(&b.output, "o", "", "write the module to `FILE`; compressed if it ends in .gz")
	flags.StringVar(&b.candid, "candid", "", "publish the interface in this .did `FILE` as candid:service")
	flags.StringVar(&b.args, "args", "", "publish these `TYPES` of the init arguments, as \"(opt nat)\", as candid:args")
	flags.BoolVar(&b.keepNames, "names", false, "keep the names of functions in the module, for debugging")
	flags.Func("meta", "publish a file: `NAME=FILE`, or private:NAME=FILE for controllers only; may be repeated", b.addMeta)
	flags.Func("embed", "build with another file in the place of one of the sources: `FILE=FILE`, as canister/page=build/page; may be repeated", b.addEmbed)
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() != 1:
		return fmt.Errorf("want one package after the options, got %d: %q", flags.NArg(), flags.Args())
	case b.output == "":
		return errors.New("no output: say where the module goes with -o FILE")
	}
	b.pkg = flags.Arg(0)
	return b.run()
}

// addMeta parses the value of -meta.
func (b *build) addMeta(value string) error {
	name, file, ok := strings.Cut(value, "=")
	name, private := strings.CutPrefix(name, "private:")
	if !ok || name == "" || file == "" {
		return fmt.Errorf("want NAME=FILE or private:NAME=FILE, got %q", value)
	}
	b.meta = append(b.meta, metaFile{name, file, private})
	return nil
}

// addEmbed parses the value of -embed.
func (b *build) addEmbed(value string) error {
	file, by, ok := strings.Cut(value, "=")
	if !ok || file == "" || by == "" {
		return fmt.Errorf("want FILE=FILE, got %q", value)
	}
	if b.embed == nil {
		b.embed = map[string]string{}
	}
	b.embed[file] = by
	return nil
}
