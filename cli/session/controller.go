package session

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/aviate-labs/agent-go/identity"
	"github.com/spf13/cobra"

	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/ui"
	"kedge/internal/fileio"
)

// IdentityFlag adds the flag of commands that controllers run. Controlling the canister and having
// an anchor on it are different powers, so no device of the key store serves here.
func (a *App) IdentityFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.IdentityFile, "identity", "", "PEM file of the controller's key, as dfx and icp export it (default on this machine's networks: .kedge/deployer.pem of the project, made if missing)")
}

func DeployerPath() string { return filepath.Join(project.Folder(), "deployer.pem") }

// Controller returns the identity that deploys. A network on this machine gets a key of its own,
// unencrypted: what it controls can be made again at any time. Any other network takes --identity.
func (a *App) Controller(network client.Network) (identity.Identity, error) {
	if a.IdentityFile != "" {
		return ReadIdentity(a.IdentityFile)
	}
	if !network.IsLocal() {
		return nil, ui.Hinted(fmt.Errorf("no identity is given that controls canisters at %s", network.URL),
			"--identity FILE.pem; icp identity export prints one")
	}
	id, err := ReadIdentity(DeployerPath())
	if errors.Is(err, fs.ErrNotExist) {
		return a.newDeployer()
	}
	if info, statErr := os.Stat(DeployerPath()); statErr == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		// A checkout of git has this mode, a key that was made here has not.
		a.Warn("%s can be read by others (mode %#o): if it came with the folder, somebody else has the key that controls what you deploy here; remove it and kedge makes a new one, or chmod 600 it if it is yours",
			DeployerPath(), info.Mode().Perm())
	}
	return id, err
}

func (a *App) newDeployer() (identity.Identity, error) {
	_, private, err := ed25519.GenerateKey(a.Random)
	if err != nil {
		return nil, fmt.Errorf("drawing the deployer's key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("encoding the deployer's key: %w", err)
	}
	if err := project.Make(); err != nil {
		return nil, err
	}
	data := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := fileio.WriteFile(DeployerPath(), data, 0o600); err != nil {
		return nil, fmt.Errorf("writing the deployer's key: %w", err)
	}
	return ReadIdentity(DeployerPath())
}
