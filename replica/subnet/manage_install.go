package subnet

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

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
	req := m.installation(a.Mode, a.Arg, a.SenderCanisterVersion)
	req.Code = bytes.Clone(a.WasmModule) // it outlives the message that it came in
	return m.begin(c, req)
}

// installation is the request to install code in the way that a caller asked for; the code is still to be given.
func (m *managementCall) installation(mode management.InstallMode, arg []byte, version *uint64) *installation {
	req := &installation{Arg: arg, Caller: m.req.Caller, By: m.by(version)}
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
	return req
}

// begin begins an installation.
func (m *managementCall) begin(c *canister, req *installation) ([]byte, *reject.Error) {
	ended, err := m.install(m.ctx, c, req, m.req)
	if err != nil {
		return nil, err
	}
	m.pending = !ended
	return emptyReply, nil
}

func installChunkedCode(m *managementCall, c *canister, a management.InstallChunkedArg) ([]byte, *reject.Error) {
	if len(a.ChunkHashesList) > maxChunks {
		return nil, reject.New(reject.ContractViolation, "InstallChunkedCode Error: chunk_hashes_list length %d exceeds the maximum of %d chunks",
			len(a.ChunkHashesList), maxChunks)
	}
	store := c
	if a.StoreCanister != nil && *a.StoreCanister != c.ID {
		if store = m.state.Canisters[*a.StoreCanister]; store == nil {
			return nil, reject.New(reject.CanisterNotFound, "InstallChunkedCode Error: Store canister %s was not found on subnet %s of target canister %s",
				*a.StoreCanister, m.config.ID, c.ID)
		}
	}
	if m.req.Caller != store.ID && !store.isController(m.req.Caller) {
		return nil, notController(store, m.req.Caller)
	}
	if len(a.WasmModuleHash) != sha256.Size {
		return nil, reject.New(reject.ContractViolation, "Invalid wasm hash %s", byteList(a.WasmModuleHash))
	}
	req := m.installation(a.Mode, a.Arg, a.SenderCanisterVersion)
	req.Assembly = uint64(len(a.ChunkHashesList)) * maxChunk
	var problem *reject.Error
	if req.Code, problem = store.assemble(a.ChunkHashesList); problem != nil {
		req.Unassembled = problem
	} else if hash := sha256.Sum256(req.Code); !bytes.Equal(hash[:], a.WasmModuleHash) {
		req.Unassembled = storeError("Wasm module hash %s does not match given hash WasmHash(%s)", byteList(hash[:]), byteList(a.WasmModuleHash))
	}
	return m.begin(c, req)
}

// byteList writes bytes as production's source shows them: decimal numbers in brackets.
func byteList(raw []byte) string {
	return strings.ReplaceAll(fmt.Sprint(raw), " ", ", ")
}

// assemble joins chunks.
func (c *canister) assemble(list []management.ChunkHash) (code []byte, err *reject.Error) {
	for _, part := range list {
		if len(part.Hash) != sha256.Size {
			return nil, storeError("Chunk hash is invalid. The length is not 32")
		}
		i := slices.IndexFunc(c.Chunks, func(s chunk) bool { return bytes.Equal(s.Hash[:], part.Hash) })
		if i < 0 {
			return nil, storeError("Chunk hash %s was not found", byteList(part.Hash))
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
		return nil, storeError("Error charging for 'upload_chunk': %s", err.Message)
	}
	hash := sha256.Sum256(a.Chunk)
	store, err := addChunk(c.Chunks, a.Chunk)
	if err != nil {
		return nil, err
	}
	if len(store) > len(c.Chunks) {
		if err := m.checkChange(c, change64{grow: maxChunk}); err != nil {
			return nil, err
		}
	}
	c.Chunks = store
	return management.EncodeUploadChunkResult(management.ChunkHash{Hash: hash[:]}), nil
}

// addChunk adds a chunk to a store that does not have it yet. The store is ordered by the chunks' hashes.
func addChunk(store []chunk, data []byte) ([]chunk, *reject.Error) {
	hash := sha256.Sum256(data)
	switch {
	case slices.ContainsFunc(store, func(c chunk) bool { return c.Hash == hash }):
		return store, nil
	case len(data) > maxChunk:
		return nil, storeError("Wasm chunk size %d exceeds the maximum chunk size of %d", len(data), maxChunk)
	case len(store) >= maxChunks:
		return nil, storeError("Wasm chunk store has already reached maximum capacity of %d bytes or the maximum number of entries, %d", maxChunk*maxChunks, maxChunks)
	}
	more := append(slices.Clone(store), chunk{hash, bytes.Clone(data)})
	slices.SortFunc(more, func(a, b chunk) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	return more, nil
}

func clearChunkStore(m *managementCall, c *canister, _ management.CanisterArg) ([]byte, *reject.Error) {
	if err := m.checkChange(c, change64{shrink: c.memory().chunks}); err != nil {
		return nil, err
	}
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
