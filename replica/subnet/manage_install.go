package subnet

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"kedge/ic/management"
	"kedge/ic/principal"
	"kedge/replica/exec"
	"kedge/replica/reject"
	"kedge/wasm"
)

// Limits of the chunk store.
const (
	maxChunk  = 1 << 20
	maxChunks = 100
)

func installCode(m *managementCall, c *canister, a management.InstallArg) ([]byte, *reject.Error) {
	// The module outlives the message that it came in.
	return m.installMode(c, a.Mode, bytes.Clone(a.WasmModule), a.Arg, a.SenderCanisterVersion)
}

// installMode installs code in the way that a caller asked for.
func (m *managementCall) installMode(c *canister, mode management.InstallMode, code, arg []byte, version *uint64) ([]byte, *reject.Error) {
	req := &installation{Code: code, Arg: arg, Caller: m.req.Caller, By: m.by(version)}
	switch mode.Tag {
	case management.InstallModeTagReinstall:
		req.Mode = modeReinstall
	case management.InstallModeTagUpgrade:
		req.Mode = modeUpgrade
		if o := mode.Upgrade; o != nil {
			req.SkipPreUpgrade = o.SkipPreUpgrade != nil && *o.SkipPreUpgrade
			req.HeapChosen = o.WasmMemoryPersistence != nil
			req.KeepHeap = o.WasmMemoryPersistence != nil && *o.WasmMemoryPersistence == management.PersistenceKeep
		}
	}
	ended, err := m.install(m.ctx, c, req, m.req)
	if err != nil {
		return nil, err
	}
	m.pending = !ended
	return emptyReply, nil
}

func installChunkedCode(m *managementCall, c *canister, a management.InstallChunkedArg) ([]byte, *reject.Error) {
	store := c
	if a.StoreCanister != nil && *a.StoreCanister != c.ID {
		if store = m.state.Canisters[*a.StoreCanister]; store == nil {
			return nil, NotFound(*a.StoreCanister)
		}
		if m.req.Caller != store.ID {
			if err := byControllers.check(store, m.req); err != nil {
				return nil, err
			}
		}
	}
	if len(a.ChunkHashesList) > maxChunks {
		return nil, storeError("Canister has %d chunks, at most %d are allowed", len(a.ChunkHashesList), maxChunks)
	}
	code, missing := store.assemble(a.ChunkHashesList)
	if missing != nil {
		return nil, storeError("Chunk hash %x was not found", missing)
	}
	if hash := sha256.Sum256(code); !bytes.Equal(hash[:], a.WasmModuleHash) {
		return nil, storeError("Wasm module hash %x does not match given hash %x", hash, a.WasmModuleHash)
	}
	return m.installMode(c, a.Mode, code, a.Arg, a.SenderCanisterVersion)
}

// assemble joins chunks; missing is the hash of the first that is not there.
func (c *canister) assemble(list []management.ChunkHash) (code, missing []byte) {
	for _, part := range list {
		i := slices.IndexFunc(c.Chunks, func(s chunk) bool { return bytes.Equal(s.Hash[:], part.Hash) })
		if i < 0 {
			return nil, part.Hash
		}
		code = append(code, c.Chunks[i].Data...)
	}
	return code, nil
}

// Code returns the code that an ingress message would install, nil if it installs none.
func (n *Subnet) Code(in *Ingress) []byte {
	if in.Canister != principal.Management {
		return nil
	}
	switch in.Method {
	case "install_code":
		if a, err := management.DecodeInstallCodeArgs(in.Arg); err == nil {
			return a.WasmModule
		}
	case "install_chunked_code":
		a, err := management.DecodeInstallChunkedCodeArgs(in.Arg)
		if err != nil {
			return nil
		}
		store := a.TargetCanister
		if a.StoreCanister != nil {
			store = *a.StoreCanister
		}
		if c := n.state.Canisters[store]; c != nil {
			code, _ := c.assemble(a.ChunkHashesList)
			return code
		}
	}
	return nil
}

// uploadInstructions is what uploading a chunk costs.
const uploadInstructions = 200_000_000

func uploadChunk(m *managementCall, c *canister, a management.UploadChunkArg) ([]byte, *reject.Error) {
	if err := m.chargeInstructions(c, uploadInstructions, m.req.Caller); err != nil {
		return nil, storeError("%s", err.Message)
	}
	err := m.checkGrowth(c, maxChunk)
	if err != nil {
		return nil, err
	}
	if c.Chunks, err = addChunk(c.Chunks, a.Chunk); err != nil {
		return nil, err
	}
	hash := sha256.Sum256(a.Chunk)
	return management.EncodeUploadChunkResult(management.ChunkHash{Hash: hash[:]}), nil
}

// addChunk adds a chunk to a store that does not have it yet.
func addChunk(store []chunk, data []byte) ([]chunk, *reject.Error) {
	if len(data) > maxChunk {
		return store, storeError("Wasm chunk size %d exceeds the maximum chunk size of %d", len(data), maxChunk)
	}
	hash := sha256.Sum256(data)
	if slices.ContainsFunc(store, func(s chunk) bool { return s.Hash == hash }) {
		return store, nil
	}
	if len(store) >= maxChunks {
		return store, storeError("Wasm chunk store has already reached maximum capacity of %d bytes or the maximum number of entries, %d", maxChunk*maxChunks, maxChunks)
	}
	return append(store, chunk{hash, bytes.Clone(data)}), nil
}

func clearChunkStore(_ *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	c.Chunks = nil
	return emptyReply, nil
}

func storedChunks(_ *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	list := make([]management.ChunkHash, 0, len(c.Chunks))
	for i := range c.Chunks {
		list = append(list, management.ChunkHash{Hash: c.Chunks[i].Hash[:]})
	}
	return management.EncodeStoredChunksResult(list), nil
}

// snapshot is the state of a canister at one time.
type snapshot struct {
	ID            []byte
	Taken         uint64
	Version       uint64
	Size          uint64
	Code          []byte
	CodeHash      [32]byte
	Image         *exec.Image
	CertifiedData []byte
	Chunks        []chunk
	Timer         uint64 // zero if not set
	LowMemory     bool

	Uploaded    bool           // it came from outside
	GlobalTypes []wasm.ValType // of one that came from outside
}
