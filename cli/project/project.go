// Package project keeps what commands in one working folder share, in .kedge. None of it is worth
// more than the local network: all of it can be made again.
//
//	.kedge/canisters.json   canister ids by network, for the default of --canister:
//	                        { "version": 1, "canisters": { "local": "bkyz2-…", "http://…": "…" } }
//	.kedge/network.json     the network that kedge network start --background left running
//	.kedge/network          the state of that network
//	.kedge/deployer.pem     the key that controls canisters on this machine's networks
//	.kedge/sessions         sessions that kedge login stored
//	.kedge/.gitignore       keeps all of it out of git
package project

import (
	"fmt"
	"os"
)

// Make makes the project folder, and sees to it that git ignores it: sessions and the deployer's key
// are in there.
func Make() error {
	if err := Check(); err != nil {
		return err
	}
	if err := os.MkdirAll(Folder(), 0o755); err != nil {
		return fmt.Errorf("making the project folder: %w", err)
	}
	return ignoreFile()
}
