package cli

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aviate-labs/agent-go/identity"
	"github.com/spf13/cobra"

	"kedge/cli/client"
	"kedge/internal/fileio"
)

// identityFlag adds the flag of commands that controllers run. Controlling the canister and having
// an anchor on it are different powers, so no device of the key store serves here.
func (a *app) identityFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.identity, "identity", "", "PEM file of the controller's key, as dfx and icp export it (default on this machine's networks: "+deployerPath()+", made if missing)")
}

func deployerPath() string { return filepath.Join(projectFolder, "deployer.pem") }

// controller returns the identity that deploys. A network on this machine gets a key of its own,
// unencrypted: what it controls can be made again at any time. Any other network takes --identity.
func (a *app) controller(network client.Network) (identity.Identity, error) {
	if a.identity != "" {
		return readIdentity(a.identity)
	}
	if !network.IsLocal() {
		return nil, hinted(fmt.Errorf("no identity is given that controls canisters at %s", network.URL),
			"--identity FILE.pem; icp identity export prints one")
	}
	id, err := readIdentity(deployerPath())
	if errors.Is(err, fs.ErrNotExist) {
		return a.newDeployer()
	}
	return id, err
}

func (a *app) newDeployer() (identity.Identity, error) {
	_, private, err := ed25519.GenerateKey(a.Random)
	if err != nil {
		return nil, fmt.Errorf("drawing the deployer's key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("encoding the deployer's key: %w", err)
	}
	if err := os.MkdirAll(projectFolder, 0o755); err != nil {
		return nil, fmt.Errorf("making the project folder: %w", err)
	}
	data := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := fileio.WriteFile(deployerPath(), data, 0o600); err != nil {
		return nil, fmt.Errorf("writing the deployer's key: %w", err)
	}
	return readIdentity(deployerPath())
}
