package certified

import (
	"slices"

	"kedge/ic/hashtree"
	"kedge/ic/principal"
	"kedge/internal/minicbor"
)

// Canister is what the state tree tells about a canister. The slices are kept and must not be changed.
type Canister struct {
	Controllers   []principal.Principal
	ModuleHash    []byte // nil if no module is installed
	CertifiedData []byte // not in the tree without a module
	Metadata      []Metadata

	CreatedAt   uint64 // nanoseconds since 1970; not in the tree if zero
	InstalledAt uint64 // nanoseconds since 1970; not in the tree if zero
}

// Metadata is a custom section of a module, icp:public or icp:private.
type Metadata struct {
	Name   string // without its prefix, for instance "candid:service"
	Public bool
	Data   []byte
}

// ControlledBy tells whether the principal is a controller.
func (c *Canister) ControlledBy(p principal.Principal) bool { return slices.Contains(c.Controllers, p) }

// Section returns the metadata with the name.
func (c *Canister) Section(name string) (Metadata, bool) {
	for _, m := range c.Metadata {
		if m.Name == name {
			return m, true
		}
	}
	return Metadata{}, false
}

func (c *Canister) tree() hashtree.Map {
	m := set(hashtree.Map{}, "controllers", encodePrincipals(c.Controllers))
	if c.CreatedAt != 0 {
		m = set(m, "canister_creation_timestamp", hashtree.EncodeNat(c.CreatedAt))
	}
	if c.InstalledAt != 0 {
		m = set(m, "last_install_timestamp", hashtree.EncodeNat(c.InstalledAt))
	}
	if c.ModuleHash != nil {
		m = set(m, "certified_data", c.CertifiedData)
		m = set(m, "module_hash", c.ModuleHash)
	} else if c.Metadata == nil {
		return m
	}
	var sections hashtree.Map
	for _, s := range c.Metadata {
		sections = set(sections, s.Name, s.Data)
	}
	return m.With([]byte("metadata"), sections.Tree())
}

func set(m hashtree.Map, label string, value []byte) hashtree.Map {
	return m.With([]byte(label), hashtree.Leaf(value))
}

func encodePrincipals(list []principal.Principal) []byte {
	out := minicbor.AppendHead(minicbor.AppendSelfDescribed(nil), minicbor.Array, uint64(len(list)))
	for _, p := range list {
		out = minicbor.AppendBytes(out, p.Bytes())
	}
	return out
}
