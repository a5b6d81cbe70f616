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
	"strings"

	"kedge/candid/did"
	"kedge/candid/gen"
	"kedge/candid/tsgen"
)

func main() {
	pkg := flag.String("pkg", "", "name of the Go package (default: the output's folder)")
	out := flag.String("o", "", "output file (default: standard output)")
	codec := flag.String("ts", "", "write TypeScript that imports the codec from this module, instead of Go")
	functions := flag.String("functions", "", "which `KINDS` of functions to write for each method, separated by commas (default: all): "+strings.Join(gen.Functions, ","))
	peer := flag.String("peer", "", "write these `KINDS` of functions, which only tests need, into a test file beside the output")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: candidgen [-pkg name | -ts module] [-o file] file.did")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), options{*pkg, *codec, *out, kinds(*functions), kinds(*peer)}); err != nil {
		fmt.Fprintln(os.Stderr, "candidgen:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	pkg, codec, out string
	functions, peer []string
}

func run(in string, o options) error {
	src, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	file, err := did.Parse(string(src))
	if err != nil {
		return fmt.Errorf("%s:%w", in, err)
	}
	if o.codec != "" {
		code, err := tsgen.Generate(file, filepath.Base(in), o.codec)
		if err != nil {
			return fmt.Errorf("%s: %w", in, err)
		}
		return write(o.out, []byte(code))
	}
	if o.pkg == "" {
		abs, err := filepath.Abs(o.out)
		if err != nil {
			return err
		}
		o.pkg = filepath.Base(filepath.Dir(abs))
	}
	code, test, err := gen.GenerateWithPeer(file, o.pkg, filepath.Base(in), o.functions, o.peer)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	if test != nil {
		if err := write(strings.TrimSuffix(o.out, ".go")+"_test.go", test); err != nil {
			return err
		}
	}
	return write(o.out, code)
}

// kinds splits a list at its commas.
func kinds(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// write writes to a file, or to standard output if it has no name.
func write(out string, code []byte) error {
	if out == "" {
		_, err := os.Stdout.Write(code)
		return err
	}
	return os.WriteFile(out, code, 0o644)
}
