package ii

import (
	"encoding/binary"
	"slices"
)

// tableBuilder makes a Candid type table. A reference below is the number of an entry, or the opcode of a
// primitive type as shape.go has it.
type tableBuilder struct{ entries [][]byte }

func (b *tableBuilder) append(entry []byte) uint64 {
	b.entries = append(b.entries, entry)
	return uint64(len(b.entries) - 1)
}

// add appends an entry of one element: opt or vec.
func (b *tableBuilder) add(op byte, elem uint64) uint64 {
	return b.append(binary.AppendUvarint([]byte{op}, elem))
}

// record appends a record of fields by id.
func (b *tableBuilder) record(fields map[uint64]uint64) uint64 { return b.fields(opRecord, fields) }

// variant appends a variant of cases without values, but for some of our numbers.
func (b *tableBuilder) variant(cases map[uint64]uint8, but ...uint8) uint64 {
	fields := map[uint64]uint64{}
	for id, number := range cases {
		if !slices.Contains(but, number) {
			fields[id] = opNull
		}
	}
	return b.fields(opVariantType, fields)
}

func (b *tableBuilder) fields(op byte, fields map[uint64]uint64) uint64 {
	ids := make([]uint64, 0, len(fields))
	for id := range fields {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	entry := binary.AppendUvarint([]byte{op}, uint64(len(ids)))
	for _, id := range ids {
		entry = binary.AppendUvarint(binary.AppendUvarint(entry, id), fields[id])
	}
	return b.append(entry)
}

// metadata appends the three entries of metadata, which refer to each other in a ring.
func (b *tableBuilder) metadata(blob uint64) uint64 {
	list := uint64(len(b.entries))
	b.add(opVec, list+1)
	b.record(map[uint64]uint64{0: opText, 1: list + 2})
	b.fields(opVariantType, map[uint64]uint64{metadataMapCase: list, metadataBytesCase: blob, metadataStringCase: opText})
	return list
}

// table returns the message up to the value of its one argument, which is of type arg.
func (b *tableBuilder) table(arg uint64) []byte {
	out := binary.AppendUvarint([]byte("DIDL"), uint64(len(b.entries)))
	for _, entry := range b.entries {
		out = append(out, entry...)
	}
	return binary.AppendUvarint(append(out, 1), arg)
}
