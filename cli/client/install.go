package client

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"kedge/ic/management"
	"kedge/ic/principal"
)

const (
	// messageRoom is how much of a module and its argument fits into one call: ingress messages have
	// at most 2 MiB, and a little is left for the envelope.
	messageRoom = 2<<20 - 64<<10

	// chunkSize is the largest chunk that the management canister takes.
	chunkSize = 1 << 20
)

// newcomer is where the creation of a canister is addressed to, as dfx does it: any canister id will
// do that the subnet is responsible for.
var newcomer = principal.Canister(1)

// CreateCanister makes an empty canister that the caller controls, with the id if one is given. Only
// networks for development offer it.
func (c *Client) CreateCanister(ctx context.Context, id *principal.Principal) (principal.Principal, error) {
	effective := newcomer
	if id != nil {
		effective = *id
	}
	arg := management.EncodeProvisionalCreateCanisterWithCyclesArgs(management.ProvisionalCreateArg{SpecifiedID: id})
	reply, err := c.CallFor(ctx, principal.Management, effective, "provisional_create_canister_with_cycles", arg)
	if err != nil {
		return principal.Principal{}, fmt.Errorf("creating a canister: %w", err)
	}
	result, err := management.DecodeProvisionalCreateCanisterWithCyclesResult(reply)
	if err != nil {
		return principal.Principal{}, fmt.Errorf("creating a canister: %w", err)
	}
	return result.CanisterID, nil
}

// Install installs a module on an empty canister, or upgrades one. A module that does not fit into
// one message goes in chunks.
func (c *Client) Install(ctx context.Context, canister principal.Principal, upgrade bool, module, arg []byte) error {
	u, err := c.Upload(ctx, canister, module, arg, func(done, total int) {})
	if err != nil {
		return err
	}
	return c.InstallUploaded(ctx, u, upgrade)
}

// Upload is a module with its argument, ready to be installed.
type Upload struct {
	canister    principal.Principal
	module, arg []byte
	chunks      []management.ChunkHash // in the canister's chunk store; none if everything fits into one message
}

// Upload sends a module that does not fit into one message to the canister's chunk store, which changes
// nothing of what the canister does. It tells progress how many of the chunks are there.
func (c *Client) Upload(ctx context.Context, canister principal.Principal, module, arg []byte, progress func(done, total int)) (*Upload, error) {
	u := &Upload{canister: canister, module: module, arg: arg}
	if len(module)+len(arg) <= messageRoom {
		return u, nil
	}
	if err := c.clearChunks(ctx, canister); err != nil {
		return nil, fmt.Errorf("clearing the chunk store: %w", err)
	}
	total := (len(module) + chunkSize - 1) / chunkSize
	for rest := module; len(rest) > 0; {
		progress(len(u.chunks), total)
		chunk := rest[:min(chunkSize, len(rest))]
		rest = rest[len(chunk):]
		if _, err := c.CallFor(ctx, principal.Management, canister, "upload_chunk",
			management.EncodeUploadChunkArgs(management.UploadChunkArg{CanisterID: canister, Chunk: chunk})); err != nil {
			return nil, fmt.Errorf("uploading the module: %w", err)
		}
		sum := sha256.Sum256(chunk)
		u.chunks = append(u.chunks, management.ChunkHash{Hash: sum[:]})
	}
	return u, nil
}

// ErrChunksLeft says that a module is installed, and that its chunks are still in the store, where they cost
// cycles.
var ErrChunksLeft = errors.New("the module is installed, but its chunks could not be cleared away")

// InstallUploaded installs or upgrades with what [Client.Upload] sent. The error wraps [ErrChunksLeft] if all
// that failed is clearing up.
func (c *Client) InstallUploaded(ctx context.Context, u *Upload, upgrade bool) error {
	mode := management.InstallMode{Tag: management.InstallModeTagInstall}
	if upgrade {
		mode.Tag = management.InstallModeTagUpgrade
	}
	method, arg := "install_code", []byte(nil)
	if u.chunks == nil {
		arg = management.EncodeInstallCodeArgs(management.InstallArg{Mode: mode, CanisterID: u.canister, WasmModule: u.module, Arg: u.arg})
	} else {
		sum := sha256.Sum256(u.module)
		method, arg = "install_chunked_code", management.EncodeInstallChunkedCodeArgs(management.InstallChunkedArg{
			Mode: mode, TargetCanister: u.canister, ChunkHashesList: u.chunks, WasmModuleHash: sum[:], Arg: u.arg,
		})
	}
	if err := retryInstall(ctx, retryPause, func() error {
		_, err := c.CallFor(ctx, principal.Management, u.canister, method, arg)
		return err
	}); err != nil {
		return err
	}
	return c.DropUpload(ctx, u)
}

// DropUpload clears the chunks away, if there are any: what is left in the store costs cycles as long as it is
// there.
func (c *Client) DropUpload(ctx context.Context, u *Upload) error {
	if u.chunks == nil {
		return nil
	}
	if err := c.clearChunks(ctx, u.canister); err != nil {
		return fmt.Errorf("%w: %w", ErrChunksLeft, err)
	}
	return nil
}

func (c *Client) clearChunks(ctx context.Context, canister principal.Principal) error {
	_, err := c.CallFor(ctx, principal.Management, canister, "clear_chunk_store",
		management.EncodeClearChunkStoreArgs(management.CanisterArg{CanisterID: canister}))
	return err
}

// A network refuses an installation for some rounds after an expensive one (IC0209): it is tried again.
const (
	rateLimited    = "IC0209"
	installRetries = 30
	retryPause     = time.Second
)

// retryInstall makes a call again, after a pause each time, as long as the network refuses it for its rate.
func retryInstall(ctx context.Context, pause time.Duration, call func() error) error {
	for retries := 0; ; retries++ {
		err := call()
		var reject *Reject
		if !errors.As(err, &reject) || reject.ErrorCode != rateLimited || retries == installRetries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
