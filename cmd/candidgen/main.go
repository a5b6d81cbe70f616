// Command gen writes Go types and codecs for an interface description:
//
//	go run ./candid/gen -pkg candid -o candid/kedge/kedge_gen.go candid/kedge/kedge.did
//
// See package golang for what it makes of which type.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"kedge/candid/did"
	"kedge/candid/gen"
)

func main() {
	pkg := flag.String("pkg", "", "name of the Go package (default: the output's folder)")
	out := flag.String("o", "", "output file (default: standard output)")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: gen [-pkg name] [-o file_gen.go] file.did")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *pkg, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(in, pkg, out string) error {
	src, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	file, err := did.Parse(string(src))
	if err != nil {
		return fmt.Errorf("%s:%w", in, err)
	}
	if pkg == "" {
		abs, err := filepath.Abs(out)
		if err != nil {
			return err
		}
		pkg = filepath.Base(filepath.Dir(abs))
	}
	code, err := gen.Generate(file, pkg, filepath.Base(in))
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	if out == "" {
		_, err = os.Stdout.Write(code)
		return err
	}
	return os.WriteFile(out, code, 0o644)
}
