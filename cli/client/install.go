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
	mode := management.InstallMode{Tag: management.InstallModeTagInstall}
	if upgrade {
		mode.Tag = management.InstallModeTagUpgrade
	}
	if len(module)+len(arg) > messageRoom {
		return c.installChunked(ctx, canister, mode, module, arg)
	}
	arg = management.EncodeInstallCodeArgs(management.InstallArg{Mode: mode, CanisterID: canister, WasmModule: module, Arg: arg})
	return retryInstall(ctx, retryPause, func() error {
		_, err := c.CallFor(ctx, principal.Management, canister, "install_code", arg)
		return err
	})
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

func (c *Client) installChunked(ctx context.Context, canister principal.Principal, mode management.InstallMode, module, arg []byte) error {
	clearStore := func() error {
		_, err := c.CallFor(ctx, principal.Management, canister, "clear_chunk_store",
			management.EncodeClearChunkStoreArgs(management.CanisterArg{CanisterID: canister}))
		return err
	}
	if err := clearStore(); err != nil {
		return fmt.Errorf("clearing the chunk store: %w", err)
	}
	var hashes []management.ChunkHash
	for rest := module; len(rest) > 0; {
		chunk := rest[:min(chunkSize, len(rest))]
		rest = rest[len(chunk):]
		if _, err := c.CallFor(ctx, principal.Management, canister, "upload_chunk",
			management.EncodeUploadChunkArgs(management.UploadChunkArg{CanisterID: canister, Chunk: chunk})); err != nil {
			return fmt.Errorf("uploading the module: %w", err)
		}
		sum := sha256.Sum256(chunk)
		hashes = append(hashes, management.ChunkHash{Hash: sum[:]})
	}
	sum := sha256.Sum256(module)
	arg = management.EncodeInstallChunkedCodeArgs(management.InstallChunkedArg{
		Mode: mode, TargetCanister: canister, ChunkHashesList: hashes, WasmModuleHash: sum[:], Arg: arg,
	})
	if err := retryInstall(ctx, retryPause, func() error {
		_, err := c.CallFor(ctx, principal.Management, canister, "install_chunked_code", arg)
		return err
	}); err != nil {
		return err
	}
	// What is left in the store costs cycles as long as it is there.
	if err := clearStore(); err != nil {
		return fmt.Errorf("the module is installed, but its chunks could not be cleared away: %w", err)
	}
	return nil
}
