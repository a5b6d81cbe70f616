package deploy

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"kedge/candid/did"
	"kedge/cli/ui"
	"kedge/wasm"
)

const (
	serviceSection = "icp:public candid:service"
	// pageSection is the metadata in which the build writes the hash of the page, or noPage.
	pageSection = "icp:public kedge:page"
	noPage      = "none"
)

// maxModule bounds what a compressed module may be unpacked to, in bytes: the network takes less.
const maxModule = 200 << 20

// ReadModule reads a WebAssembly module, gzipped or not.
func ReadModule(path string) ([]byte, error) {
	module, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ui.Hinted(fmt.Errorf("there is no module %q", path), "make build makes %s", defaultModule)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the module: %w", err)
	}
	if !bytes.HasPrefix(module, []byte("\x00asm")) && !bytes.HasPrefix(module, []byte("\x1f\x8b\x08")) {
		return nil, fmt.Errorf("%q is neither a WebAssembly module nor a gzipped one", path)
	}
	return module, nil
}

// about is what a module says of itself in its metadata.
type about struct {
	service *did.File // nil if it says nothing that can be read
	page    bool
}

func aboutModule(module []byte) (a about, err error) {
	if r, err := gzip.NewReader(bytes.NewReader(module)); err == nil {
		if module, err = io.ReadAll(io.LimitReader(r, maxModule)); err != nil {
			return a, fmt.Errorf("the module is not whole: %w", err)
		}
	}
	m, err := wasm.Decode(module)
	if err != nil {
		return a, fmt.Errorf("the module is damaged: %w", err)
	}
	if page, ok := m.Custom(pageSection); ok {
		a.page = string(page) != noPage
	}
	if text, ok := m.Custom(serviceSection); ok {
		if file, err := did.Parse(string(text)); err == nil {
			a.service = file
		}
	}
	return a, nil
}

// marks are methods by which Kedge is known: no other identity provider has them all.
var marks = []string{"prepare_delegation", "protect", "guard_set", "migration_status"}

// missing returns the marks that an interface lacks.
func missing(service *did.File) []string {
	lacking := append([]string(nil), marks...)
	if service == nil {
		return lacking
	}
	for _, m := range service.Methods() {
		for i, mark := range lacking {
			if m.Name == mark {
				lacking = append(lacking[:i], lacking[i+1:]...)
				break
			}
		}
	}
	return lacking
}

// mustBeKedge refuses what is not Kedge by its metadata: over a canister with anchors, another module would be
// the end of them.
func mustBeKedge(path string, a about, force bool) error {
	lacking := missing(a.service)
	if len(lacking) == 0 || force {
		return nil
	}
	reason := "its metadata candid:service lacks " + strings.Join(lacking, ", ")
	if a.service == nil {
		reason = "it has no metadata candid:service"
	}
	return ui.Hinted(fmt.Errorf("%q is not a module of Kedge: %s", path, reason), "--force-module installs it all the same; for an old Internet Identity there is kedge migrate rollback")
}
