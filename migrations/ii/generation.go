package ii

import "math/bits"

// A generation is what a type table can express. Internet Identity's records grew field by field, and every
// build writes the table of its own time:
//
//	from      layouts  a record                   new in it
//	2021-05   1        list of devices            public key, alias, credential id
//	2021      1        list of devices            optional purpose and key type (four cases)
//	2022-07   1, 3     list of devices            optional protection
//	2022-12   5, 6     record with the devices    purpose, key type and protection no longer optional
//	2023-02   6, 7     record with the devices    origin, last usage
//	2023-04   6, 7     record with the devices    metadata
//	2023-08   7, 8, 9  record with the devices    fifth case of key type: browser storage key
//	2025-10   9        record with the devices    time of creation of the anchor, AAGUID
//
// A build ignores fields that it does not know. A case of a variant that it does not know it cannot decode:
// up to 2023-08 one browser storage key makes the whole record unreadable (layouts 5 and 6), or makes every
// key type of it unknown (layouts 1 and 3). That is why a record is written with a table that the canister
// holds already, see [Image.encode].
type generation uint16

const (
	hasPurpose generation = 1 << iota
	hasKeyType
	hasProtection
	hasOrigin
	hasLastUsed
	hasMetadata
	hasBrowserKey
	hasAAGUID
	hasCreatedAt

	devicesOfLayout1 = hasPurpose | hasKeyType | hasProtection
	devicesOfLayout7 = devicesOfLayout1 | hasOrigin | hasLastUsed | hasMetadata
	devicesOfLayout8 = devicesOfLayout7 | hasBrowserKey
	allGenerations   = devicesOfLayout8 | hasAAGUID | hasCreatedAt
)

// leastOf is what every build that reads a layout knows. For layout 1 it is what its last builds know, which
// the earlier ones read as well: they ignore the optional fields.
func leastOf(layout uint8) generation {
	switch {
	case layout <= 6:
		return devicesOfLayout1
	case layout == 7:
		return devicesOfLayout7
	}
	return devicesOfLayout8
}

// newer tells whether g is the later of two generations: the one that has more.
func (g generation) newer(o generation) bool {
	return bits.OnesCount16(uint16(g)) > bits.OnesCount16(uint16(o))
}

// possible tells whether some build of a layout can have written a table of this generation. The layouts up
// to 6 were given up before there was a browser storage key, so a table of theirs with that case is not the
// old module's.
func (g generation) possible(layout uint8) bool { return layout >= 7 || g&hasBrowserKey == 0 }

// generation says what a shape can express.
func (s *shape) generation() generation {
	var g generation
	for _, f := range s.anchor {
		if f.kind == createdAt {
			g |= hasCreatedAt
		}
	}
	for _, f := range s.devices {
		switch f.kind {
		case purpose:
			g |= hasPurpose
		case keyType:
			g |= hasKeyType
			if f.has(browserStorageKey) {
				g |= hasBrowserKey
			}
		case protection:
			g |= hasProtection
		case origin:
			g |= hasOrigin
		case lastUsage:
			g |= hasLastUsed
		case metadata:
			g |= hasMetadata
		case aaguid:
			g |= hasAAGUID
		}
	}
	return g
}

// tableOf makes the shape of a generation as the builds of a layout write it: a list of devices with optional
// variants up to layout 3, then a record around it.
func tableOf(g generation, layout uint8) *shape {
	b := tableBuilder{}
	blob := b.add(opVec, opNat8)
	early := layout <= 3
	variant := func(cases map[uint64]uint8, but ...uint8) uint64 {
		v := b.variant(cases, but...)
		if early {
			v = b.add(opOpt, v)
		}
		return v
	}
	device := map[uint64]uint64{pubkeyField: blob, aliasField: opText, credentialField: b.add(opOpt, blob)}
	optional := func(bit generation, id uint64, t func() uint64) {
		if g&bit != 0 {
			device[id] = t()
		}
	}
	optional(hasPurpose, purposeField, func() uint64 { return variant(variants[purpose]) })
	optional(hasKeyType, keyTypeField, func() uint64 {
		if g&hasBrowserKey != 0 {
			return variant(variants[keyType])
		}
		return variant(variants[keyType], browserStorageKey)
	})
	optional(hasProtection, protectionField, func() uint64 { return variant(variants[protection]) })
	optional(hasOrigin, originField, func() uint64 { return b.add(opOpt, opText) })
	optional(hasLastUsed, lastUsedField, func() uint64 { return b.add(opOpt, opNat64) })
	optional(hasMetadata, metadataField, func() uint64 { return b.add(opOpt, b.metadata(blob)) })
	metadata := device[metadataField]
	optional(hasAAGUID, aaguidField, func() uint64 { return b.add(opOpt, blob) })
	list := b.add(opVec, b.record(device))
	if !early {
		anchor := map[uint64]uint64{devicesField: list}
		if g&hasCreatedAt != 0 {
			anchor[createdAtField] = b.add(opOpt, opNat64)
			if g&hasMetadata != 0 {
				anchor[metadataField] = metadata // of the anchor itself, which these builds have besides
			}
		}
		list = b.record(anchor)
	}
	s, ok := shapeOf(append(b.table(list), 0))
	if !ok {
		panic("ii: a table of our own making has no shape")
	}
	return s
}
