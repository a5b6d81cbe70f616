package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"kedge/cdk/link"
	"kedge/internal/fileio"
	"kedge/internal/gobuild"
)

// build is one invocation.
type build struct {
	pkg       string // as go build takes it
	output    string
	candid    string // file, or none
	args      string // Candid types, or none
	meta      []metaFile
	embed     map[string]string // files of the sources, and what is built in their place
	keepNames bool
}

type metaFile struct {
	name, file string
	private    bool
}

// run checks what is cheap to check first, then compiles, links and writes.
func (b *build) run() error {
	sections, err := b.sections()
	if err != nil {
		return err
	}
	if err := checkWritable(b.output); err != nil {
		return err
	}
	reactor, err := gobuild.Reactor("", b.pkg, b.embed)
	if err != nil {
		return err
	}
	module, err := link.Link(reactor, link.Options{Sections: sections, KeepNames: b.keepNames})
	if err != nil {
		return fmt.Errorf("package %s: %w", b.pkg, err)
	}
	if strings.HasSuffix(b.output, ".gz") {
		if module, err = compress(module); err != nil {
			return err
		}
	}
	if err := fileio.WriteFile(b.output, module, 0o644); err != nil {
		return fmt.Errorf("-o: %w", err)
	}
	return nil
}

// sections reads the metadata.
func (b *build) sections() ([]link.Section, error) {
	var sections []link.Section
	if b.candid != "" {
		did, err := os.ReadFile(b.candid)
		if err != nil {
			return nil, fmt.Errorf("-candid: %w", err)
		}
		if !utf8.Valid(did) {
			return nil, fmt.Errorf("-candid: %q is not text in UTF-8", b.candid)
		}
		sections = append(sections, link.Service(did))
	}
	if b.args != "" {
		if !strings.HasPrefix(b.args, "(") || !strings.HasSuffix(b.args, ")") {
			return nil, fmt.Errorf("-args: want Candid types in parentheses, as \"(opt nat)\", got %q", b.args)
		}
		sections = append(sections, link.InitArgs(b.args))
	}
	for _, m := range b.meta {
		content, err := os.ReadFile(m.file)
		if err != nil {
			return nil, fmt.Errorf("-meta %s: %w", m.name, err)
		}
		sections = append(sections, link.Section{Name: m.name, Private: m.private, Content: content})
	}
	return sections, nil
}

// compress makes a gzip file without time and name, which would differ from build to build.
func compress(module []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(module); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// checkWritable finds out before the work whether the output can be written.
func checkWritable(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("-o: %w", err)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("-o: %q is a directory", path)
	}
	probe, err := os.CreateTemp(dir, ".icbuild-*")
	if err != nil {
		return fmt.Errorf("-o: %w", err)
	}
	probe.Close()
	return os.Remove(probe.Name())
}
