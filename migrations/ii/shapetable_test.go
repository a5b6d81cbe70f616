package ii

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/migrations/ii/wire"
)

// parts are the types of a table in the making: those of a device, and of the record around the devices. Where
// anchor is nil there is no such record.
type parts struct {
	tableBuilder
	blob           uint64
	device, anchor map[uint64]uint64
}

func someParts() *parts {
	p := &parts{}
	p.blob = p.add(opVec, opNat8)
	p.device = map[uint64]uint64{aliasField: opText, pubkeyField: p.blob, credentialField: p.add(opOpt, p.blob)}
	return p
}

func (p *parts) opt(of uint64) uint64 { return p.add(opOpt, of) }

func (p *parts) message() []byte {
	list := p.add(opVec, p.record(p.device))
	if p.anchor != nil {
		if _, ok := p.anchor[devicesField]; !ok {
			p.anchor[devicesField] = list
		}
		list = p.record(p.anchor)
	}
	return p.table(list)
}

// metadataOf is the type of optional metadata. value makes the type of its values, in a map whose pairs have the number pair.
func (p *parts) metadataOf(value func(pair uint64) uint64) uint64 {
	list := uint64(len(p.entries))
	p.add(opVec, list+1)
	p.record(map[uint64]uint64{0: opText, 1: list + 2})
	at := len(p.entries)
	p.append(nil) // the value, whose types may need entries of their own
	ref := value(list + 1)
	p.entries[at] = p.entries[ref]
	return p.opt(list)
}

func TestTablesWithAShape(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(p *parts)
		devices []kind // in the order of the table
	}{
		{"the least", func(*parts) {}, []kind{alias, publicKey, credential}},
		{"a purpose of one case", func(p *parts) {
			p.device[purposeField] = p.fields(opVariantType, map[uint64]uint64{3461496: opNull})
		}, []kind{alias, publicKey, purpose, credential}},
		{"an AAGUID, and a time of creation", func(p *parts) {
			p.device[aaguidField], p.anchor = p.opt(p.blob), map[uint64]uint64{createdAtField: p.opt(opNat64)}
		}, []kind{alias, publicKey, aaguid, credential}},
		{"an optional field that is not ours", func(p *parts) { p.device[1] = p.opt(opText) }, []kind{foreign, alias, publicKey, credential}},
		{"a field of the anchor that is not ours, behind the devices", func(p *parts) {
			p.anchor = map[uint64]uint64{4000000000: p.opt(opText)}
		}, []kind{alias, publicKey, credential}},
		{"a map of texts", func(p *parts) {
			p.device[metadataField] = p.metadataOf(func(uint64) uint64 {
				return p.fields(opVariantType, map[uint64]uint64{metadataStringCase: opText})
			})
		}, []kind{alias, metadata, publicKey, credential}},
		{"64 types", func(p *parts) {
			for len(p.entries) < 62 {
				p.opt(opText)
			}
		}, []kind{alias, publicKey, credential}},
	} {
		p := someParts()
		c.change(p)
		message := p.message()
		s, ok := shapeOf(message)
		require.True(t, ok, c.name)
		require.Equal(t, message, s.table, c.name)
		var kinds []kind
		for _, f := range s.devices {
			kinds = append(kinds, f.kind)
		}
		require.Equal(t, c.devices, kinds, c.name)
		require.Equal(t, p.anchor == nil, s.anchor == nil, c.name)
	}
}

// Each table has one fault, for which its records are left to the decoder.
func TestTablesWithoutAShape(t *testing.T) {
	value := func(op byte, cases func(p *parts, pair uint64) map[uint64]uint64) func(p *parts) {
		return func(p *parts) {
			p.device[metadataField] = p.metadataOf(func(pair uint64) uint64 { return p.fields(op, cases(p, pair)) })
		}
	}
	texts := func(p *parts) uint64 { return p.fields(opVariantType, map[uint64]uint64{metadataStringCase: opText}) }
	for name, change := range map[string]func(p *parts){
		"no alias":                   func(p *parts) { delete(p.device, aliasField) },
		"no public key":              func(p *parts) { delete(p.device, pubkeyField) },
		"an alias of bytes":          func(p *parts) { p.device[aliasField] = p.blob },
		"a key of numbers":           func(p *parts) { p.device[pubkeyField] = p.add(opVec, opNat64) },
		"a purpose that is a record": func(p *parts) { p.device[purposeField] = p.record(map[uint64]uint64{3461496: opNull}) },
		"an optional alias":          func(p *parts) { p.device[aliasField] = p.opt(opText) },
		"an optional public key":     func(p *parts) { p.device[pubkeyField] = p.opt(p.blob) },
		"an alias that is a number":  func(p *parts) { p.device[aliasField] = opNat64 },
		"an origin of bytes":         func(p *parts) { p.device[originField] = p.opt(p.blob) },
		"a key that is a text":       func(p *parts) { p.device[pubkeyField] = opText },
		"an AAGUID of texts":         func(p *parts) { p.device[aaguidField] = p.opt(p.add(opVec, opText)) },
		"an AAGUID of one byte":      func(p *parts) { p.device[aaguidField] = p.opt(p.opt(opNat8)) },
		"a time that is a text":      func(p *parts) { p.device[lastUsedField] = p.opt(opText) },
		"a purpose that is a text":   func(p *parts) { p.device[purposeField] = p.opt(opText) },
		"a purpose that nobody knew": func(p *parts) { p.device[purposeField] = p.fields(opVariantType, map[uint64]uint64{5: opNull}) },
		"a purpose that nobody knew before one of ours": func(p *parts) {
			p.device[purposeField] = p.fields(opVariantType, map[uint64]uint64{5: opNull, 3461496: opNull})
		},
		"a purpose that nobody knew behind one of ours": func(p *parts) {
			p.device[purposeField] = p.fields(opVariantType, map[uint64]uint64{3461496: opNull, 4000000000: opNull})
		},
		"a purpose with a value": func(p *parts) {
			p.device[purposeField] = p.fields(opVariantType, map[uint64]uint64{3461496: opText})
		},
		"a field that is not ours and not optional": func(p *parts) { p.device[1] = opText },
		"a time of creation that is a text":         func(p *parts) { p.anchor = map[uint64]uint64{createdAtField: p.opt(opText)} },
		"no devices":                                func(p *parts) { p.anchor = map[uint64]uint64{devicesField: opText} },
		"optional devices": func(p *parts) {
			p.anchor = map[uint64]uint64{devicesField: p.opt(p.add(opVec, p.record(p.device)))}
		},
		"one device": func(p *parts) { p.anchor = map[uint64]uint64{devicesField: p.opt(p.record(p.device))} },
		"devices that are variants": func(p *parts) {
			p.anchor = map[uint64]uint64{devicesField: p.add(opVec, p.fields(opVariantType, p.device))}
		},
		"devices that are bytes": func(p *parts) { p.anchor = map[uint64]uint64{devicesField: p.blob} },
		"65 types": func(p *parts) {
			for len(p.entries) < 63 {
				p.opt(opText)
			}
		},
		"metadata that every device has": func(p *parts) { p.device[metadataField] = p.metadata(p.blob) },
		"metadata of one pair": func(p *parts) {
			p.device[metadataField] = p.opt(p.opt(p.record(map[uint64]uint64{0: opText, 1: texts(p)})))
		},
		"metadata of variants": func(p *parts) {
			p.device[metadataField] = p.opt(p.add(opVec, p.fields(opVariantType, map[uint64]uint64{0: opText, 1: texts(p)})))
		},
		"metadata of three": func(p *parts) {
			p.device[metadataField] = p.opt(p.add(opVec, p.record(map[uint64]uint64{0: opText, 1: texts(p), 2: opText})))
		},
		"metadata of numbered values": func(p *parts) {
			p.device[metadataField] = p.opt(p.add(opVec, p.record(map[uint64]uint64{0: opNat64, 1: texts(p)})))
		},
		"metadata without a value": func(p *parts) {
			p.device[metadataField] = p.opt(p.add(opVec, p.record(map[uint64]uint64{0: opText, 2: texts(p)})))
		},
		"metadata without a key": func(p *parts) {
			p.device[metadataField] = p.opt(p.add(opVec, p.record(map[uint64]uint64{1: texts(p)})))
		},
		"metadata with its key in another place": func(p *parts) {
			p.device[metadataField] = p.opt(p.add(opVec, p.record(map[uint64]uint64{1: opText, 2: texts(p)})))
		},
		"metadata with a case beside ours": value(opVariantType, func(*parts, uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataStringCase: opText, 5: opText}
		}),
		"a map of bytes":       value(opVariantType, func(p *parts, _ uint64) map[uint64]uint64 { return map[uint64]uint64{metadataMapCase: p.blob} }),
		"a map that is a text": value(opVariantType, func(*parts, uint64) map[uint64]uint64 { return map[uint64]uint64{metadataMapCase: opText} }),
		"bytes that are a map": value(opVariantType, func(p *parts, pair uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataBytesCase: p.add(opVec, pair)}
		}),
		"a text that is bytes": value(opVariantType, func(p *parts, _ uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataStringCase: p.blob}
		}),
		"metadata values that are records": value(opRecord, func(*parts, uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataStringCase: opText}
		}),
		"a map of texts alone": value(opVariantType, func(p *parts, _ uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataMapCase: p.add(opVec, opText)}
		}),
		"a map of one pair": value(opVariantType, func(p *parts, pair uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataMapCase: p.opt(pair)}
		}),
		"a map by another name": value(opVariantType, func(p *parts, pair uint64) map[uint64]uint64 {
			return map[uint64]uint64{7: p.add(opVec, pair)}
		}),
		"bytes that are texts": value(opVariantType, func(p *parts, _ uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataBytesCase: p.add(opVec, opText)}
		}),
		"one byte": value(opVariantType, func(p *parts, _ uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataBytesCase: p.opt(opNat8)}
		}),
		"bytes by another name": value(opVariantType, func(p *parts, _ uint64) map[uint64]uint64 { return map[uint64]uint64{7: p.blob} }),
		"a text that is a number": value(opVariantType, func(*parts, uint64) map[uint64]uint64 {
			return map[uint64]uint64{metadataStringCase: opNat64}
		}),
		"a text by another name": value(opVariantType, func(*parts, uint64) map[uint64]uint64 { return map[uint64]uint64{7: opText} }),
	} {
		p := someParts()
		change(p)
		_, ok := shapeOf(p.message())
		require.False(t, ok, name)
	}

	p := &parts{} // a list whose number is 0, so that an argument that is missing would be taken for it
	p.add(opVec, 1)
	p.record(map[uint64]uint64{aliasField: opText, pubkeyField: 2})
	p.add(opVec, opNat8)
	whole := p.table(0)
	whole = whole[:len(whole)-2]
	for tail, want := range map[string]bool{"\x01\x00": true, "\x02\x00": false, "\x01": false, "\x01\x03": false} {
		_, ok := shapeOf(append(bytes.Clone(whole), tail...))
		require.Equal(t, want, ok, "arguments %q", tail)
	}
	message := tableOf(allGenerations, 9).table
	for n := len("DIDL"); n < len(message); n++ {
		_, ok := shapeOf(message[:n])
		require.False(t, ok, "a table of which %d of %d bytes are left", n, len(message))
	}
}

// A table without a field that every device has is accepted while no device follows.
func TestNoShapeOfIncompleteTables(t *testing.T) {
	message := []byte("DIDL\x02\x6d\x01\x6c\x00\x01\x00\x00")
	devices, err := wire.DecodeAnyDevicesArgs(message)
	require.NoError(t, err)
	require.Empty(t, devices)
	_, ok := shapeOf(message)
	require.False(t, ok)
}
