package subnet

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strings"

	"kedge/ic/management"
	"kedge/replica/exec"
	"kedge/replica/reject"
	"kedge/wasm"
)

// Snapshots that leave the network and come back, piece by piece.

// Limits of transfers.
const (
	maxSlice     = 2_000_000 // bytes of a piece that is read
	maxHeapBytes = 4 << 30
	maxGlobals   = 1_000
)

// shot finds a snapshot.
func (c *canister) shot(id []byte) (*snapshot, *reject.Error) {
	at := c.findSnapshot(id)
	if at < 0 {
		return nil, noSnapshot(c.ID, id)
	}
	return c.Snapshots[at], nil
}

func readSnapshotMetadata(m *managementCall, c *canister, a management.SnapshotArg) ([]byte, *reject.Error) {
	s, err := c.shot(a.SnapshotID)
	if err != nil {
		return nil, err
	}
	out := management.SnapshotMetadata{
		Source:           management.SnapshotSource{Tag: management.SnapshotSourceTagTakenFromCanister},
		TakenAtTimestamp: s.Taken, CanisterVersion: s.Version, CertifiedData: s.CertifiedData,
		WasmModuleSize: uint64(len(s.Code)), WasmMemorySize: uint64(len(s.Image.Heap)), StableMemorySize: s.Image.Stable.Size(),
		GlobalTimer: &management.TimerState{Tag: management.TimerStateTagInactive},
	}
	if s.Uploaded {
		out.Source.Tag = management.SnapshotSourceTagMetadataUpload
	}
	if s.Timer != 0 {
		out.GlobalTimer = &management.TimerState{Tag: management.TimerStateTagActive, Active: s.Timer}
	}
	hook := management.LowMemoryStateConditionNotSatisfied
	if s.LowMemory {
		hook = management.LowMemoryStateExecuted
	}
	out.OnLowWasmMemoryHookStatus = &hook
	for i := range s.Chunks {
		out.WasmChunkStore = append(out.WasmChunkStore, management.ChunkHash{Hash: s.Chunks[i].Hash[:]})
	}
	types := s.GlobalTypes
	if !s.Uploaded {
		module, failure := m.acquireModule(m.ctx, s.CodeHash, s.Code)
		if failure != nil {
			return nil, exec.InvalidWasm(c.ID, failure)
		}
		types = module.GlobalTypes()
		m.releaseModule(m.ctx, module)
	}
	out.Globals = decodeGlobals(types, s.Image.Globals)
	return management.EncodeReadCanisterSnapshotMetadataResult(out), nil
}

// decodeGlobals gives the words of an image their types.
func decodeGlobals(types []wasm.ValType, words []uint64) (out []management.GlobalValue) {
	for _, t := range types {
		var v management.GlobalValue
		switch t {
		case wasm.I32:
			v = management.GlobalValue{Tag: management.GlobalValueTagI32, I32: int32(uint32(words[0]))}
		case wasm.I64:
			v = management.GlobalValue{Tag: management.GlobalValueTagI64, I64: int64(words[0])}
		case wasm.F32:
			v = management.GlobalValue{Tag: management.GlobalValueTagF32, F32: math.Float32frombits(uint32(words[0]))}
		case wasm.F64:
			v = management.GlobalValue{Tag: management.GlobalValueTagF64, F64: math.Float64frombits(words[0])}
		default:
			high := new(big.Int).SetUint64(words[1])
			v = management.GlobalValue{Tag: management.GlobalValueTagV128, V128: high.Lsh(high, 64).Or(high, nat(words[0]))}
			words = words[1:]
		}
		out, words = append(out, v), words[1:]
	}
	return out
}

// encodeGlobals is the inverse of decodeGlobals.
func encodeGlobals(values []management.GlobalValue) (types []wasm.ValType, words []uint64) {
	for _, v := range values {
		switch v.Tag {
		case management.GlobalValueTagI32:
			types, words = append(types, wasm.I32), append(words, uint64(uint32(v.I32)))
		case management.GlobalValueTagI64:
			types, words = append(types, wasm.I64), append(words, uint64(v.I64))
		case management.GlobalValueTagF32:
			types, words = append(types, wasm.F32), append(words, uint64(math.Float32bits(v.F32)))
		case management.GlobalValueTagF64:
			types, words = append(types, wasm.F64), append(words, math.Float64bits(v.F64))
		default:
			var raw [16]byte
			new(big.Int).And(v.V128, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))).FillBytes(raw[:])
			types = append(types, wasm.V128)
			words = append(words, binary.BigEndian.Uint64(raw[8:]), binary.BigEndian.Uint64(raw[:8]))
		}
	}
	return types, words
}

// outOfSlice is the refusal of a piece that does not lie inside what it is a piece of.
func outOfSlice(offset, size uint64) *reject.Error {
	return invalid("Invalid subslice into wasm module / main memory / stable memory: offset: %d, size: %d", offset, size)
}

func readSnapshotData(m *managementCall, c *canister, a management.ReadSnapshotDataArg) ([]byte, *reject.Error) {
	s, err := c.shot(a.SnapshotID)
	if err != nil {
		return nil, err
	}
	for _, part := range []management.Slice{a.Kind.WasmModule, a.Kind.WasmMemory, a.Kind.StableMemory} {
		if part.Size > maxSlice {
			return nil, invalid("Requested slice too large: %d > %d", part.Size, maxSlice)
		}
	}
	size := a.Kind.WasmModule.Size + a.Kind.WasmMemory.Size + a.Kind.StableMemory.Size // all but one are zero
	if a.Kind.Tag == management.SnapshotPartTagWasmChunk {
		size = maxChunk
	}
	if err := m.chargeInstructions(c, transferInstructions+size, m.req.Caller); err != nil {
		return nil, cannotManage(err.Message)
	}
	var data []byte
	switch a.Kind.Tag {
	case management.SnapshotPartTagWasmModule:
		data, err = slice(s.Code, a.Kind.WasmModule)
	case management.SnapshotPartTagWasmMemory:
		data, err = slice(s.Image.Heap, a.Kind.WasmMemory)
	case management.SnapshotPartTagStableMemory:
		part := a.Kind.StableMemory
		data = make([]byte, part.Size)
		if !s.Image.Stable.ReadAt(data, part.Offset) {
			err = outOfSlice(part.Offset, part.Size)
		}
	default:
		for i := range s.Chunks {
			if bytes.Equal(s.Chunks[i].Hash[:], a.Kind.WasmChunk.Hash) {
				return management.EncodeReadCanisterSnapshotDataResult(management.SnapshotData{Chunk: s.Chunks[i].Data}), nil
			}
		}
		if len(a.Kind.WasmChunk.Hash) != sha256.Size {
			return nil, storeError("Bytes %s are not a valid WasmChunkHash.", hexList(a.Kind.WasmChunk.Hash))
		}
		return nil, storeError("WasmChunkHash %s not found.", hexList(a.Kind.WasmChunk.Hash))
	}
	if err != nil {
		return nil, err
	}
	return management.EncodeReadCanisterSnapshotDataResult(management.SnapshotData{Chunk: data}), nil
}

// hexList writes bytes as production's source shows them: hexadecimal numbers of two digits in brackets.
func hexList(raw []byte) string {
	return "[" + strings.ReplaceAll(fmt.Sprintf("% x", raw), " ", ", ") + "]"
}

func slice(whole []byte, part management.Slice) ([]byte, *reject.Error) {
	length := uint64(len(whole))
	if part.Size > length || part.Offset > length-part.Size {
		return nil, outOfSlice(part.Offset, part.Size)
	}
	return whole[part.Offset : part.Offset+part.Size], nil
}

// globalBytes is what a global counts for in the size of an uploaded snapshot.
const globalBytes = 32

// metadataProblem says what is wrong with the metadata of a snapshot, by production's name for it; empty if nothing is.
func metadataProblem(a *management.UploadSnapshotMetadataArg) string {
	switch {
	case a.WasmModuleSize == 0:
		return "WasmModuleEmpty"
	case a.WasmModuleSize > exec.MaxModule:
		return "WasmModuleTooLarge"
	case a.WasmMemorySize%exec.WasmPage != 0:
		return "WasmMemoryNotPageAligned"
	case a.WasmMemorySize > maxHeapBytes:
		return "WasmMemoryTooLarge"
	case a.StableMemorySize%exec.WasmPage != 0:
		return "StableMemoryNotPageAligned"
	case a.StableMemorySize > exec.MaxStablePages*exec.WasmPage:
		return "StableMemoryTooLarge"
	case len(a.Globals) > maxGlobals:
		return "ExportedGlobalsTooLarge"
	case len(a.CertifiedData) > sha256.Size:
		return "CertifiedDataTooLarge"
	}
	return ""
}

// uploadSnapshotMetadata makes a snapshot of zeros, to be filled by uploadSnapshotData.
func uploadSnapshotMetadata(m *managementCall, c *canister, a management.UploadSnapshotMetadataArg) ([]byte, *reject.Error) {
	if problem := metadataProblem(&a); problem != "" {
		return nil, invalid("Snapshot Metadata contains invalid data: %s", problem)
	}
	if err := m.mayKeepSnapshot(c, a.ReplaceSnapshot); err != nil {
		return nil, err
	}
	size := a.WasmModuleSize + a.WasmMemorySize + a.StableMemorySize + uint64(len(a.CertifiedData)) + globalBytes*uint64(len(a.Globals))
	if err := m.chargeChange(c, change64{grow: size, shrink: c.replacedSize(a.ReplaceSnapshot)}, snapshotInstructions+size, m.req.Caller); err != nil {
		return nil, err
	}
	stable := exec.NewStable()
	stable.Grow(a.StableMemorySize / exec.WasmPage)
	types, words := encodeGlobals(a.Globals)
	s := &snapshot{Taken: m.state.Time, Version: c.Version, Uploaded: true, GlobalTypes: types, CertifiedData: bytes.Clone(a.CertifiedData),
		Code:  make([]byte, a.WasmModuleSize),
		Image: &exec.Image{Heap: make([]byte, a.WasmMemorySize), Globals: words, Stable: stable},
		Size:  size,
	}
	if t := a.GlobalTimer; t != nil && t.Tag == management.TimerStateTagActive {
		s.Timer = t.Active
	}
	if h := a.OnLowWasmMemoryHookStatus; h != nil {
		s.LowMemory = *h == management.LowMemoryStateExecuted
	}
	m.keepSnapshot(c, s, a.ReplaceSnapshot)
	return management.EncodeUploadCanisterSnapshotMetadataResult(management.UploadedSnapshot{SnapshotID: s.ID}), nil
}

// mayKeepSnapshot refuses one snapshot more, or in place of another if one is named.
func (m *managementCall) mayKeepSnapshot(c *canister, replace []byte) *reject.Error {
	switch {
	case replace != nil && c.findSnapshot(replace) < 0:
		return noSnapshot(c.ID, replace)
	case replace == nil && len(c.Snapshots) >= maxSnapshots:
		return tooManySnapshots(c)
	}
	return nil
}

// keepSnapshot adds a snapshot to those of a canister, in place of another if one is named.
func (m *managementCall) keepSnapshot(c *canister, s *snapshot, replace []byte) {
	at := -1
	if replace != nil {
		at = c.findSnapshot(replace)
	}
	s.ID = append(binary.BigEndian.AppendUint64(nil, c.NextShot), c.ID.Bytes()...)
	c.NextShot++
	kept := c.Snapshots[:0:0]
	for i, other := range c.Snapshots {
		if i != at {
			kept = append(kept, other)
		}
	}
	c.Snapshots = append(kept, s)
}

func uploadSnapshotData(m *managementCall, c *canister, a management.UploadSnapshotDataArg) ([]byte, *reject.Error) {
	s, err := c.shot(a.SnapshotID)
	if err != nil {
		return nil, err
	}
	if !s.Uploaded {
		return nil, reject.New(reject.SnapshotImmutable, "Only canister snapshots created by metadata upload can be mutated.")
	}
	work := uint64(len(a.Chunk))
	if a.Kind.Tag == management.SnapshotPlaceTagWasmChunk {
		work = uploadInstructions
	}
	if err := m.chargeInstructions(c, work, m.req.Caller); err != nil {
		return nil, cannotManage(err.Message)
	}
	switch a.Kind.Tag {
	case management.SnapshotPlaceTagWasmModule:
		if err = fill(s.Code, a.Kind.WasmModule.Offset, a.Chunk); err == nil {
			s.CodeHash = sha256.Sum256(s.Code)
		}
	case management.SnapshotPlaceTagWasmMemory:
		err = fill(s.Image.Heap, a.Kind.WasmMemory.Offset, a.Chunk)
	case management.SnapshotPlaceTagStableMemory:
		if offset := a.Kind.StableMemory.Offset; !s.Image.Stable.WriteAt(a.Chunk, offset) {
			err = outOfSlice(offset, uint64(len(a.Chunk)))
		}
	default:
		return emptyReply, m.addSnapshotChunk(c, s, a.Chunk)
	}
	if err != nil {
		return nil, err
	}
	return emptyReply, nil
}

// addSnapshotChunk adds a chunk to a snapshot, which grows by it.
func (m *managementCall) addSnapshotChunk(c *canister, s *snapshot, data []byte) *reject.Error {
	store, err := addChunk(s.Chunks, data)
	if err != nil || len(store) == len(s.Chunks) {
		return err
	}
	if err := m.checkChange(c, change64{grow: maxChunk}); err != nil {
		return err
	}
	s.Chunks = store
	s.Size += maxChunk
	return nil
}

// fill copies a piece to its place.
func fill(whole []byte, offset uint64, piece []byte) *reject.Error {
	length, size := uint64(len(whole)), uint64(len(piece))
	if size > length || offset > length-size {
		return outOfSlice(offset, size)
	}
	copy(whole[offset:], piece)
	return nil
}
