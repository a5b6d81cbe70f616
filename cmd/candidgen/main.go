// Command candidgen writes types and codecs for an interface description, in Go or, with -ts, in TypeScript:
//
//	go run ./cmd/candidgen -pkg kedge -o candid/kedge/kedge_gen.go candid/kedge/kedge.did
//	go run ./cmd/candidgen -ts ./wire.ts -o frontend-shim/src/candid/kedge.gen.ts candid/kedge/kedge.did
//
// See packages gen and tsgen for what they make of which type.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"kedge/candid/did"
	"kedge/candid/gen"
	"kedge/candid/tsgen"
)

func main() {
	pkg := flag.String("pkg", "", "name of the Go package (default: the output's folder)")
	out := flag.String("o", "", "output file (default: standard output)")
	codec := flag.String("ts", "", "write TypeScript that imports the codec from this module, instead of Go")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: candidgen [-pkg name | -ts module] [-o file] file.did")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *pkg, *codec, *out); err != nil {
		fmt.Fprintln(os.Stderr, "candidgen:", err)
		os.Exit(1)
	}
}

func run(in, pkg, codec, out string) error {
	src, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	file, err := did.Parse(string(src))
	if err != nil {
		return fmt.Errorf("%s:%w", in, err)
	}
	if codec != "" {
		code, err := tsgen.Generate(file, filepath.Base(in), codec)
		if err != nil {
			return fmt.Errorf("%s: %w", in, err)
		}
		return write(out, []byte(code))
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
	return write(out, code)
}

// write writes to a file, or to standard output if it has no name.
func write(out string, code []byte) error {
	if out == "" {
		_, err := os.Stdout.Write(code)
		return err
	}
	return os.WriteFile(out, code, 0o644)
}
