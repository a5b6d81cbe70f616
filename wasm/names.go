package wasm

import (
	"fmt"
	"slices"
)

// Names are the debug names that the custom section "name" gives to the module and its functions.
type Names struct {
	Module    string
	Functions map[uint32]string // by index in the function index space
}

const (
	nameSection   = "name"
	subModule     = 0
	subFunctions  = 1
	maxNameLength = 1 << 20
)

// Names decodes the section "name". A module without one has no names. Names of locals and other
// things are skipped.
func (m *Module) Names() (Names, error) {
	n := Names{Functions: map[uint32]string{}}
	content, ok := m.Custom(nameSection)
	if !ok {
		return n, nil
	}
	c := cursor{data: content}
	for c.pos < len(c.data) {
		id := c.byte()
		sub := cursor{data: c.bytes(c.u32()), base: c.pos}
		if c.err != nil {
			break
		}
		switch id {
		case subModule:
			n.Module = sub.name()
		case subFunctions:
			for range sub.count(maxFunctions, "names") {
				index := sub.u32()
				name := sub.name()
				if sub.err != nil {
					break
				}
				n.Functions[index] = name
			}
		}
		if sub.err != nil {
			c.err = sub.err
			break
		}
	}
	if c.err != nil {
		return Names{Functions: map[uint32]string{}}, fmt.Errorf("custom section %q: %w", nameSection, c.err)
	}
	return n, nil
}

// SetNames replaces the section "name", or removes it if there is nothing to name.
func (m *Module) SetNames(n Names) {
	m.RemoveCustom(nameSection)
	if n.Module == "" && len(n.Functions) == 0 {
		return
	}
	var out []byte
	subsection := func(id byte, content []byte) {
		out = append(AppendULEB(append(out, id), uint64(len(content))), content...)
	}
	if n.Module != "" {
		subsection(subModule, appendName(nil, n.Module))
	}
	if len(n.Functions) > 0 {
		indices := make([]uint32, 0, len(n.Functions))
		for i := range n.Functions {
			indices = append(indices, i)
		}
		slices.Sort(indices)
		b := AppendULEB(nil, uint64(len(indices)))
		for _, i := range indices {
			b = appendName(AppendULEB(b, uint64(i)), n.Functions[i])
		}
		subsection(subFunctions, b)
	}
	m.Customs = append(m.Customs, Custom{Name: nameSection, Bytes: out})
}

// RemoveCustom removes every custom section with the name and reports whether there was one.
func (m *Module) RemoveCustom(name string) bool {
	n := len(m.Customs)
	m.Customs = slices.DeleteFunc(m.Customs, func(c Custom) bool { return c.Name == name })
	return len(m.Customs) < n
}

// functionNamer returns a function that describes functions for error messages, with the name
// that the name section or an export gives, decoded on first use.
func (m *Module) functionNamer() func(index uint32) string {
	var names map[uint32]string
	return func(index uint32) string {
		if names == nil {
			n, _ := m.Names() // a broken name section is no reason to hide the error at hand
			names = n.Functions
			for _, e := range m.Exports {
				if _, ok := names[e.Index]; !ok && e.Kind == KindFunction {
					names[e.Index] = e.Name
				}
			}
		}
		if name := names[index]; name != "" {
			return fmt.Sprintf("function %d (%.200q)", index, name)
		}
		return fmt.Sprintf("function %d", index)
	}
}
