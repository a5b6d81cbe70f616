package complete

import (
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kedge/cli/client"
	"kedge/cli/project"
	"kedge/cli/session"
	"kedge/device"
	"kedge/ic/principal"
)

// known is what is known without a passphrase, a network or a question.
type known struct{ *session.App }

// networks returns the names of networks, and those that a canister was recorded for here.
func (k known) networks() []string {
	list := []string{session.Local + "\tthe network on this machine", session.IC + "\tthe Internet Computer"}
	return k.with(list, slices.Sorted(maps.Keys(k.recorded())), "a canister was deployed there from this folder", "KEDGE_NETWORK")
}

// canisters returns the ids that are recorded here.
func (k known) canisters() []string {
	var list []string
	ids := k.recorded()
	for _, network := range slices.Sorted(maps.Keys(ids)) {
		list = k.with(list, []string{ids[network].Text()}, "on "+network)
	}
	return k.with(list, nil, "", "KEDGE_CANISTER")
}

// anchors returns the numbers that settings name, and those that the keys of an unlocked store belong to.
func (k known) anchors() []string {
	var list []string
	for _, stored := range k.unlocked() {
		for _, use := range stored.Uses {
			list = k.with(list, []string{strconv.FormatUint(use.Anchor, 10)}, "of "+stored.Name)
		}
	}
	return k.with(list, nil, "", "KEDGE_ANCHOR")
}

// signers returns what --as takes, and what names a device: the phrase, and the keys of an unlocked store.
func (k known) signers() []string {
	list := []string{device.ReservedName + "\tthe recovery phrase"}
	for _, stored := range k.unlocked() {
		list = k.with(list, []string{stored.Name}, "in the key store")
	}
	return k.with(list, nil, "", "KEDGE_AS")
}

// securityKeys returns the names of the security keys of an unlocked store.
func (k known) securityKeys() (names []string) {
	if keys, ok := k.UnlockedKeys(); ok {
		for _, key := range keys.SecurityKeys() {
			names = append(names, key.Name())
		}
	}
	return names
}

// labels returns the labels of the credentials of a security key of an unlocked store.
func (k known) labels(name string) (labels []string) {
	keys, ok := k.UnlockedKeys()
	if !ok {
		return nil
	}
	if key, err := keys.Key(name); err == nil {
		for _, c := range key.Credentials() {
			labels = append(labels, c.Label)
		}
	}
	return labels
}

// unlocked returns the passkeys of the store if an agent holds it; nobody is asked for anything.
func (k known) unlocked() []device.StoredPasskey {
	if keys, ok := k.UnlockedKeys(); ok {
		return keys.All()
	}
	return nil
}

// origins returns the canister's own page on the networks that are recorded, and the origins of the sessions
// that are stored here.
func (k known) origins() []string {
	var list []string
	for network, id := range k.recorded() {
		address := network
		switch network {
		case session.Local:
			address = session.LocalURL()
		case session.IC:
			list = append(list, session.DefaultOrigin(client.Mainnet(), id)+"\tthe canister's own page")
			continue
		}
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			list = append(list, session.DefaultOrigin(client.Network{URL: u}, id)+"\tthe canister's own page")
		}
	}
	slices.Sort(list)
	return k.with(list, sessionOrigins(), "a session is stored")
}

// sessionOrigins returns the hosts of the sessions that kedge login stored here. The file's name is made
// of the origin; only that of an https origin without a port is the host itself.
func sessionOrigins() (origins []string) {
	found, err := filepath.Glob(filepath.Join(project.Folder(), "sessions", "*.json"))
	if err != nil {
		return nil
	}
	for _, file := range found {
		host := strings.TrimSuffix(filepath.Base(file), ".json")
		if !strings.Contains(host, "_") && strings.Contains(host, ".") {
			origins = append(origins, "https://"+host)
		}
	}
	return origins
}

// recorded returns the canisters that files of this folder name, as kedge deploy, dfx and icp write them, by
// network; a damaged file names none.
func (k known) recorded() map[string]principal.Principal {
	ids := map[string]principal.Principal{}
	if file, err := project.LoadCanisters(); err == nil {
		maps.Copy(ids, file.ByNetwork)
	}
	for _, name := range []string{session.Local, session.IC, k.NetworkName()} {
		if _, has := ids[name]; has {
			continue
		}
		there := session.App{UI: k.UI, NetworkFlag: name}
		if found, err := project.FindCanister(project.Root(), there.Target()); err == nil && len(found) > 0 {
			ids[name] = found[0].ID
		}
	}
	return ids
}

// with adds to a list what is not in it yet: more, with a description, and what settings say, which
// are named by their environment variables.
func (k known) with(list, more []string, about string, variables ...string) []string {
	has := func(value string) bool {
		return slices.ContainsFunc(list, func(entry string) bool {
			word, _, _ := strings.Cut(entry, "\t")
			return word == value
		})
	}
	for _, m := range more {
		if !has(m) {
			list = append(list, m+"\t"+about)
		}
	}
	for _, v := range variables {
		if value, source, _ := k.Value("", v, ""); value != "" && !has(value) {
			list = append(list, value+"\tset by the "+source)
		}
	}
	return list
}
