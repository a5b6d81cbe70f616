package project

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kedge/ic/principal"
	"kedge/internal/fileio"
)

// Canisters that dfx and icp made are recorded in files of theirs:
//
//	.dfx/NETWORK/canister_ids.json    dfx, networks that do not last: { "kedge": { "local": "bkyz2-…" } }
//	canister_ids.json                 dfx, networks that last, in the same form
//	.icp/data/mappings/ENV.ids.json   icp, an environment on a network that it connects to: { "kedge": "bkyz2-…" }
//	.icp/cache/mappings/ENV.ids.json  icp, an environment on a network that it runs itself
//
// Which network an entry is about is in dfx.json, in icp.yaml, or in the record of the network that icp runs. An
// entry counts where that is the network that a command is for, and no other.

// CanisterName is what a canister is called in dfx.json and icp.yaml to be found.
const CanisterName = "kedge"

// Target is a network as commands name it.
type Target struct {
	Name string   // what --network says: local, ic or a URL
	URL  *url.URL // where it answers
}

// Known is a canister that a file of the project names.
type Known struct {
	ID   principal.Principal
	Tool string // kedge, dfx or icp
	File string // that names it
}

func (k Known) String() string { return fmt.Sprintf("%s (%s, from %s)", k.ID, k.File, k.Tool) }

// FindCanister returns what the files in a folder name for a network: the record of kedge deploy first, then
// those of dfx and of icp. None is an empty list.
func FindCanister(root string, target Target) ([]Known, error) {
	file, err := LoadCanisters()
	if err != nil {
		return nil, err
	}
	var found []Known
	if id, ok := file.ByNetwork[target.Name]; ok {
		found = append(found, Known{id, "kedge", CanistersPath()})
	}
	for _, tool := range []func(string, Target) ([]Known, error){findDFX, findICP} {
		list, err := tool(root, target)
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	return found, nil
}

// dfxDefault is where the network local of dfx answers where dfx.json does not say.
const dfxDefault = "127.0.0.1:4943"

// findDFX reads what dfx recorded.
func findDFX(root string, target Target) ([]Known, error) {
	var config struct {
		Networks map[string]struct {
			Bind      string   `json:"bind"`
			Providers []string `json:"providers"`
		} `json:"networks"`
	}
	if there, err := fileio.ReadJSON(filepath.Join(root, "dfx.json"), &config); err != nil || !there {
		return nil, err
	}
	addresses := map[string][]string{"local": {dfxDefault}, "ic": {"https://icp-api.io", "https://icp0.io", "https://ic0.app"}}
	for name, n := range config.Networks {
		if n.Bind != "" {
			addresses[name] = []string{n.Bind}
		} else if len(n.Providers) > 0 {
			addresses[name] = n.Providers
		}
	}
	var found []Known
	for _, name := range sorted(addresses) {
		if !slices.ContainsFunc(addresses[name], target.isAt) && (name != "ic" || target.Name != "ic") {
			continue
		}
		for _, path := range []string{filepath.Join(root, ".dfx", name, "canister_ids.json"), filepath.Join(root, "canister_ids.json")} {
			var ids map[string]map[string]string
			if there, err := fileio.ReadJSON(path, &ids); err != nil {
				return nil, err
			} else if text, ok := ids[CanisterName][name]; there && ok {
				if found, err = appendKnown(found, text, "dfx", path); err != nil {
					return nil, err
				}
			}
		}
	}
	return found, nil
}

// findICP reads what icp recorded.
func findICP(root string, target Target) ([]Known, error) {
	config := struct {
		Networks []struct {
			Name string `yaml:"name"`
			URL  string `yaml:"url"`
		} `yaml:"networks"`
		Environments []struct {
			Name    string `yaml:"name"`
			Network string `yaml:"network"`
		} `yaml:"environments"`
	}{}
	path := filepath.Join(root, "icp.yaml")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the project of icp: %w", err)
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return nil, nil // a part of it is in a form that icp alone knows; it names no canister here
	}
	// Two environments and networks are there without being named.
	networks, environments := map[string]string{"ic": "https://icp-api.io"}, map[string]string{"ic": "ic", "local": "local"}
	for _, n := range config.Networks {
		if n.URL != "" {
			networks[n.Name] = n.URL
		}
	}
	for _, e := range config.Environments {
		environments[e.Name] = e.Network
	}
	var found []Known
	for _, environment := range sorted(environments) {
		network := environments[environment]
		at, folder := networks[network], "data"
		if at == "" {
			if at, folder = managedNetwork(root, network), "cache"; at == "" {
				continue
			}
		}
		if !target.isAt(at) && (network != "ic" || target.Name != "ic") {
			continue
		}
		var ids map[string]string
		path := filepath.Join(root, ".icp", folder, "mappings", environment+".ids.json")
		if there, err := fileio.ReadJSON(path, &ids); err != nil {
			return nil, err
		} else if text, ok := ids[CanisterName]; there && ok {
			if found, err = appendKnown(found, text, "icp", path); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// managedNetwork returns where a network answers that icp runs itself; nothing if it runs none.
func managedNetwork(root, name string) string {
	var record struct {
		Gateway struct {
			Port uint16 `json:"port"`
			IP   string `json:"ip"`
		} `json:"gateway"`
	}
	there, err := fileio.ReadJSON(filepath.Join(root, ".icp", "cache", "networks", name, "descriptor.json"), &record)
	if err != nil || !there || record.Gateway.Port == 0 {
		return ""
	}
	return net.JoinHostPort(record.Gateway.IP, fmt.Sprint(record.Gateway.Port))
}

// isAt reports whether an address, with or without a scheme, is that of the target. All names of this machine
// are one.
func (t Target) isAt(address string) bool {
	if t.URL == nil {
		return false
	}
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	return err == nil && place(u) == place(t.URL)
}

func place(u *url.URL) string {
	host, port := u.Hostname(), u.Port()
	if ip := net.ParseIP(host); host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "this machine"
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return host + ":" + port
}

func appendKnown(found []Known, text, tool, path string) ([]Known, error) {
	id, err := principal.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: canister id %q: %w", path, text, err)
	}
	return append(found, Known{id, tool, path}), nil
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
