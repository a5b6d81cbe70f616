package wasm

import (
	"errors"
	"fmt"
	"strings"
)

func checkCustoms(m *Module, limits Limits) error {
	seen, size := map[string]bool{}, 0
	for _, c := range m.Customs {
		where := fmt.Sprintf("custom section %.200q", c.Name)
		name, _, is, err := metadataName(c.Name)
		if err != nil {
			return &RuleError{Where: where, Err: err}
		}
		if !is {
			continue
		}
		if seen[name] {
			return rule(where, "Wasm module has an invalid custom section. Invalid custom section: name %s already exists", name)
		}
		seen[name] = true
		size += len(name) + len(c.Bytes)
		if size > limits.CustomSize {
			return rule(where, "Wasm module has an invalid custom section. Invalid custom sections: total size of the custom sections exceeds the maximum allowed: size %d bytes, allowed %d bytes", size, limits.CustomSize)
		}
		if len(seen) > limits.CustomSections {
			return rule(where, "Wasm module defined %d custom sections which exceeds the maximum number allowed %d.", len(seen), limits.CustomSections)
		}
	}
	return nil
}

// MetadataName splits the name of a custom section that is canister metadata: "icp:public NAME"
// or "icp:private NAME". The name is empty for any other section. It is an error if the section
// begins with "icp:" but says neither.
func MetadataName(section string) (name string, public bool, err error) {
	name, public, _, err = metadataName(section)
	return name, public, err
}

// metadataName also says whether the section is metadata at all: its name may be empty.
func metadataName(section string) (name string, public, is bool, err error) {
	if name, ok := strings.CutPrefix(section, "icp:public "); ok {
		return name, true, true, nil
	}
	if name, ok := strings.CutPrefix(section, "icp:private "); ok {
		return name, false, true, nil
	}
	switch {
	case section == "icp:public" || section == "icp:private":
		//lint:ignore ST1005 clients see production's wording
		return "", false, false, errors.New("Wasm module has an invalid custom section. 'icp:' section names must have a space after the public/private scope")
	case strings.HasPrefix(section, "icp:"):
		//lint:ignore ST1005 clients see production's wording
		return "", false, false, fmt.Errorf("Wasm module has an invalid custom section. Invalid custom section: Custom section '%s' has no public/private scope defined.", section)
	}
	return "", false, false, nil
}
