package help

import "github.com/spf13/cobra"

// The groups of commands, by who uses them.
const (
	People     = "people"
	Operators  = "operators"
	Developers = "developers"
	About      = "about"
)

// groups says who uses a command. A test requires an entry for each.
var groups = map[string]string{
	"anchor": People, "attest": People, "contact": People, "contacts": People, "recover": People, "device": People, "device-bound": People, "guard": People, "history": People,
	"key": People, "lookup": People, "open": People, "recovery": People, "release": People, "report": People,
	"session-limit": People, "sheet": People, "status": People, "setup": People, "guide": People, "whoami": People,

	"canister": Operators, "deploy": Operators, "fsck": Operators, "migrate": Operators,

	"login": Developers, "network": Developers, "principal": Developers, "schema": Developers,

	"config": About, "help": About, "version": About, "completion": About,
}

// otherWords are what people call a command who know another program.
var otherWords = map[string][]string{
	"kedge contact withdraw":        {"resign", "revoke", "decline"},
	"kedge contacts end":            {"remove", "delete", "clear", "rm"},
	"kedge contacts set":            {"add", "name", "new"},
	"kedge contacts show":           {"list", "status", "ls"},
	"kedge recover":                 {"restore", "rescue"},
	"kedge anchor create":           {"register", "new", "signup", "init"},
	"kedge anchor show":             {"info", "describe"},
	"kedge device add":              {"enroll", "new"},
	"kedge device list":             {"devices", "ls"},
	"kedge device remove":           {"delete", "rm", "revoke"},
	"kedge device update":           {"rename", "edit"},
	"kedge deploy":                  {"install", "upgrade"},
	"kedge key":                     {"keys", "fido", "piv"},
	"kedge key init":                {"generate", "keygen"},
	"kedge key list":                {"ls"},
	"kedge key delete":              {"rm", "remove"},
	"kedge login":                   {"signin", "sign-in", "auth"},
	"kedge network start":           {"up", "run"},
	"kedge network stop":            {"down"},
	"kedge recovery phrase add":     {"words", "mnemonic", "seed"},
	"kedge setup":                   {"wizard", "quickstart"},
	"kedge sheet":                   {"print", "card", "kit"},
	"kedge report":                  {"health", "doctor"},
	"kedge session-limit":           {"timeout"},
	"kedge version":                 {"about"},
	"kedge migrate plan":            {"import"},
	"kedge device register-mode on": {"pair"},
}

func suggest(root *cobra.Command) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		c.SuggestFor = append(c.SuggestFor, otherWords[c.CommandPath()]...)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
}
