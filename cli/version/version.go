package version

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/provider"
	"kedge/cli/session"
	"kedge/cli/ui"
)

// moduleFile is what make build leaves.
const moduleFile = "build/kedge.wasm.gz"

// patience is how long the canister has to answer.
const patience = 5 * time.Second

// module is a module in a file.
type module struct {
	File string `json:"file"`
	Hash string `json:"module_hash"` // SHA-256 of the file, as the network shows it
}

// canister is what is known of the canister; Problem says why the rest is missing.
type canister struct {
	ID      string  `json:"id"`
	Network string  `json:"network"`
	Hash    string  `json:"module_hash,omitempty"`
	Layout  *uint16 `json:"layout,omitempty"` // of its stable memory
	Problem string  `json:"problem,omitempty"`
}

type view struct {
	Build
	Module   *module   `json:"module"`   // null if none is built in this folder
	Canister *canister `json:"canister"` // null if none is known, or with --offline
}

type verbs struct{ *session.App }

// Command returns kedge version, and gives the root its flag --version.
func Command(app *session.App) *cobra.Command {
	var offline bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "show the version of the program, of the module built here, and of the canister",
		Long: `Shows the version, commit and Go version of this program and the newest layout of
stable memory that it knows; the hash of the module that make build left in this
folder; and the hash and layout of the module that the canister runs. A canister
that is not known or does not answer within a few seconds is no failure: the
reason is shown in its place.

The hash is that of the file as it is installed, so sha256sum of the module shows
the same. kedge --version prints the first line alone and asks nobody.`,
		Example: `  kedge version
  kedge version --offline
  kedge version --network ic --canister rdmx6-jaaaa-aaaaa-aaadq-cai --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return verbs{app}.version(cmd.Context(), offline)
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "do not ask the network")
	return cmd
}

// Flag adds --version to the root command.
func Flag(root *cobra.Command) {
	line, err := json.Marshal(Current())
	if err != nil {
		panic(err) // strings and numbers
	}
	root.Version = Current().Line()
	root.SetVersionTemplate(`{{if eq (.Flag "json").Value.String "true"}}{{` + fmt.Sprintf("%q", line) + `}}{{else}}{{.Version}}{{end}}` + "\n")
}

func (a verbs) version(ctx context.Context, offline bool) error {
	v := view{Build: Current()}
	rows := [][]string{
		{"kedge", v.Version},
		{"go", v.Go + " " + v.Platform},
		{"layout", fmt.Sprintf("%d, the newest that this program writes", v.Layout)},
	}
	if c := v.commit(); c != "" {
		if v.Time != "" {
			c += ", " + v.Time
		}
		rows = append(rows[:1], append([][]string{{"commit", c[len("commit "):]}}, rows[1:]...)...)
	}
	var err error
	if v.Module, err = builtModule(); err != nil {
		return err
	}
	if v.Module != nil {
		rows = append(rows, []string{"module", v.Module.Hash, v.Module.File})
	}
	if !offline {
		if v.Canister = a.canister(ctx); v.Canister != nil {
			rows = append(rows, v.canisterRows()...)
		}
	}
	return a.Result(v, ui.Table(rows))
}

func (v view) canisterRows() [][]string {
	c := v.Canister
	text := strings.TrimPrefix(c.ID+" on "+c.Network, " ")
	rows := [][]string{{"canister", text}}
	if c.Hash != "" {
		same := ""
		if v.Module != nil {
			same = "another than the module in this folder"
			if v.Module.Hash == c.Hash {
				same = "the module in this folder"
			}
		}
		rows = append(rows, []string{"  module", c.Hash, same})
	}
	if c.Layout != nil {
		rows = append(rows, []string{"  layout", fmt.Sprint(*c.Layout)})
	}
	if c.Problem != "" {
		rows = append(rows, []string{"  problem", c.Problem})
	}
	return rows
}

// builtModule returns the module in the working folder, nil if there is none.
func builtModule() (*module, error) {
	data, err := os.ReadFile(filepath.Join(project.Root(), moduleFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the module: %w", err)
	}
	sum := sha256.Sum256(data)
	return &module{File: moduleFile, Hash: hex.EncodeToString(sum[:])}, nil
}

// canister asks the canister, nil if none is known.
func (a verbs) canister(ctx context.Context) *canister {
	a.NoQuestions = true
	id, err := a.CanisterID()
	switch {
	case errors.Is(err, session.ErrNoCanister):
		return nil
	case err != nil:
		return &canister{Network: a.NetworkName(), Problem: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := &canister{ID: id.Text(), Network: a.NetworkName()}
	network, err := a.OpenNetwork(ctx)
	if err != nil {
		c.Problem = err.Error()
		return c
	}
	p, err := provider.New(network, id, client.Anonymous())
	if err != nil {
		c.Problem = err.Error()
		return c
	}
	hash, err := p.Client.ModuleHash(ctx, id)
	switch {
	case err != nil:
		c.Problem = err.Error()
		return c
	case hash == nil:
		c.Problem = "the canister is empty"
		return c
	}
	c.Hash = hex.EncodeToString(hash)
	reply, err := p.Query(ctx, "stats", kedge.EncodeStatsArgs())
	stats, err := provider.Decoded("stats", reply, err, kedge.DecodeStatsResult)
	if err != nil {
		c.Problem = err.Error()
		return c
	}
	layout := uint16(stats.StorageLayoutVersion)
	c.Layout = &layout
	return c
}
