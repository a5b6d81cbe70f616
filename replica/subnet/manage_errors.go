package subnet

import (
	"encoding/binary"
	"fmt"
	"strings"

	"kedge/ic/principal"
	"kedge/replica/cycles"
	"kedge/replica/reject"
)

// Refusals by the management canister, with the advice that the production replica adds to them.

// advised adds to a refusal what to do, and the section of the execution errors page that says more.
func advised(e *reject.Error, advice, section string) *reject.Error {
	return reject.New(e.Code, "%s\n%s See documentation: https://internetcomputer.org/docs/current/references/execution-errors#%s",
		e.Message, advice, section)
}

// hinted is advised for the few refusals to which production writes the section alone, without its page.
func hinted(e *reject.Error, advice, section string) *reject.Error {
	return reject.New(e.Code, "%s\n%s See documentation: %s", e.Message, advice, section)
}

func notEmpty(c *canister) *reject.Error {
	return advised(reject.New(reject.NonEmpty,
		"Canister %s cannot be installed because the canister is not empty. Try installing with mode='reinstall' instead.", c.ID),
		"Check that you want to overwrite the canister and, if so, use mode='reinstall'.", "canister-not-empty")
}

// cannotPayInstallation is the refusal of an installation that the canister cannot pay for in advance.
func cannotPayInstallation(reason string) *reject.Error {
	return advised(reject.New(reject.OutOfCycles, "Canister installation failed with `%s`.", reason),
		"Top up the canister with more cycles.", "install-code-not-enough-cycles")
}

// rateLimited is the refusal of an installation soon after one that was expensive.
func rateLimited(c *canister) *reject.Error {
	return advised(reject.New(reject.InstallCodeRateLimited,
		"Canister %s is rate limited because it executed too many instructions in the previous install_code messages. Please retry installation after several minutes.", c.ID),
		"Retry the installation at a later time.", "install-code-rate-limited")
}

func notStoppedForDeletion(c *canister) *reject.Error {
	return advised(reject.New(reject.NotStopped, "Canister %s must be stopped before it is deleted.", c.ID),
		"Stop the canister before deleting it.", "delete-canister-not-stopped")
}

func deletesItself(c *canister) *reject.Error {
	return advised(reject.New(reject.InvalidController, "Canister %s cannot delete itself.", c.ID),
		"Delete the canister from one of its other controllers.", "delete-canister-self")
}

// storeError is a refusal by the chunk store.
func storeError(format string, args ...any) *reject.Error {
	return advised(reject.New(reject.ContractViolation, "Error from Wasm chunk store: %s.", fmt.Sprintf(format, args...)),
		"Use the `stored_chunks` API to check which hashes are present or top up the canister if it is low on cycles.", "wasm-chunk-store-error")
}

func noSnapshot(canister principal.Principal, id []byte) *reject.Error {
	return advised(reject.New(reject.SnapshotNotFound, "Could not find the snapshot ID %s for canister %s.", snapshotName(id), canister),
		"Use the `list_canister_snapshot` API to see which snapshots are present.", "canister-snapshot-not-found")
}

func tooManySnapshots(c *canister) *reject.Error {
	return hinted(reject.New(reject.CanisterRejectedMessage, "Canister %s has reached the maximum number of snapshots allowed: %d.", c.ID, maxSnapshots),
		"Consider deleting an unnecessary snapshot of the specified canister before creating a new one.", "canister-snapshot-limit-exceeded")
}

// cannotGrow is the refusal of memory that the balance could not carry.
func cannotGrow(bytes uint64, missing cycles.Amount) *reject.Error {
	return advised(reject.New(reject.InsufficientCyclesInMemoryGrow,
		"Canister cannot grow memory by %d bytes due to insufficient cycles. At least %s additional cycles are required.",
		bytes, grouped(missing)), "Top up the canister with more cycles.", "insufficient-cycles-in-memory-grow-1")
}

// cannotManage is the refusal of work of the management canister that the canister cannot pay for.
func cannotManage(reason string) *reject.Error {
	return hinted(reject.New(reject.OutOfCycles, "Canister management operation failed with: `%s`", reason),
		"Try sending more cycles with the request.", "not-enough-cycles")
}

// notController is the refusal of who does not control a canister.
func notController(c *canister, who principal.Principal) *reject.Error {
	var list []string
	for _, controller := range c.Settings.Controllers {
		list = append(list, controller.String())
	}
	return advised(reject.New(reject.InvalidController,
		"Only the controllers of the canister %s can control it.\nCanister's controllers: %s\nSender's ID: %s", c.ID, strings.Join(list, " "), who),
		"Execute this call from a controller of the target canister or add the current caller as a controller.", "invalid-controller")
}

// notSnapshotsController is the refusal of who would load a snapshot of a canister that somebody else controls.
func notSnapshotsController(c *canister, id []byte, who principal.Principal) *reject.Error {
	return hinted(reject.New(reject.CanisterRejectedMessage,
		"Only a controller of the canister that snapshot %s belongs to can load it on canister %s. Sender: %s.", snapshotName(id), c.ID, who),
		"Make sure you are a controller of the canister that the snapshot belongs to.", "canister-snapshot-not-controller")
}

// outOfRange is the refusal of a setting.
func outOfRange(format string, args ...any) *reject.Error {
	return reject.New(reject.ContractViolation, format, args...)
}

// snapshotName is a snapshot's id as production writes it: the canister that it was taken of and its number.
func snapshotName(id []byte) string {
	if owner, ok := snapshotOwner(id); ok {
		return fmt.Sprintf("%s-%d", owner, binary.BigEndian.Uint64(id))
	}
	return fmt.Sprintf("%x", id)
}

// snapshotOwner is the canister that the id of a snapshot names; ok is false if it is no such id.
func snapshotOwner(id []byte) (owner principal.Principal, ok bool) {
	if len(id) <= 8 {
		return owner, false
	}
	owner, err := principal.FromBytes(id[8:])
	return owner, err == nil
}
