package wasm

import (
	"fmt"
	"strings"
)

func checkCustoms(m *Module, limits Limits) error {
	seen, size := map[string]bool{}, 0
	for _, c := range m.Customs {
		where := fmt.Sprintf("custom section %.200q", c.Name)
		name, _, err := MetadataName(c.Name)
		if err != nil {
			return &RuleError{where, err}
		}
		if name == "" {
			continue
		}
		if seen[name] {
			return rule(where, "Invalid custom section: name %s already exists", name)
		}
		seen[name] = true
		size += len(name) + len(c.Bytes)
		if size > limits.CustomSize {
			return rule(where, "Invalid custom sections: total size of the custom sections exceeds the maximum allowed: size %d bytes, allowed %d bytes", size, limits.CustomSize)
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
	visibility, name, _ := strings.Cut(section, " ")
	switch {
	case visibility == "icp:public" && name != "":
		return name, true, nil
	case visibility == "icp:private" && name != "":
		return name, false, nil
	case strings.HasPrefix(section, "icp:"):
		return "", false, fmt.Errorf(`not canister metadata: Invalid custom section: Custom section named %s has no public/private scope defined; want "icp:public NAME" or "icp:private NAME"`, section)
	}
	return "", false, nil
}
