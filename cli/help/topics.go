package help

import (
	"strings"

	"kedge/cli/ui"
)

// Topic is a page of help that is about no command.
type Topic struct {
	Name  string
	Short string
	Text  string
}

// Topics returns the pages in the order in which help lists them.
func Topics() []Topic {
	return []Topic{
		{"words", "what the words mean: anchor, device, protected, guard, release, …", wordsText(Glossary())},
		{"devices", "how to name a device, and who signs", devicesText},
		{"networks", "how to name a network and a canister, and what vouches for them", networksText},
		{"environment", "the environment variables", environmentText},
		{"exit-codes", "what the exit codes mean", "Exit codes:\n" + ui.ExitCodes},
		{"files", "which files there are, and which are secret", filesText},
		{"scripts", "how to use kedge in scripts: JSON, secrets, questions", scriptsText},
		{"security", "what is secret, what is asked for, and what is never printed", securityText},
	}
}

// Find returns the topic of that name.
func Find(name string) (Topic, bool) {
	for _, t := range Topics() {
		if strings.EqualFold(t.Name, name) {
			return t, true
		}
	}
	return Topic{}, false
}

const environmentText = `A flag goes before the environment, the environment before the settings of the
project, and those before your own: kedge config shows all of them.

  KEDGE_NETWORK     what --network is when it is not given
  KEDGE_ROOT_KEY    what --root-key is when it is not given
  KEDGE_CANISTER    what --canister is when it is not given
  KEDGE_KEYS        what --keys is when it is not given
  KEDGE_AS          what --as is when it is not given
  KEDGE_ANCHOR      what --anchor is when it is not given

  KEDGE_PASSPHRASE_FILE
                    a file whose first line is the passphrase of the key store
  KEDGE_NEW_PASSPHRASE_FILE
                    the same for a new passphrase: kedge key passphrase
  KEDGE_EXCHANGE_PASSPHRASE_FILE
                    the same for files in which credentials are exchanged

  KEDGE_PLAIN       yes has guided paths ask in lines in place of a form

  BROWSER           the program that kedge open starts
  TERM              dumb keeps escape sequences and forms off the terminal
  NO_COLOR          keeps colours off the terminal if it is not empty
  LC_ALL, LC_CTYPE, LANG
                    whether the terminal shows characters beyond ASCII`

const devicesText = `A command that is about a device takes any of these as DEVICE:

  laptop                 a name in the key store: that key and no other
  key/label              one credential of a security key that has several
  "Anna's phone"         an alias, what the anchor calls the device; whoever may
                         change the device can set it, so the key is shown and
                         asked about before it is granted anything
  phrase                 the recovery phrase
  wuphd-…-qae            a principal, in full
  302a3005…              a public key, DER in hexadecimal

The device that signs is the signer. --as names it: a name in the key store, or
phrase for the recovery phrase, whose words are asked for on the terminal.
Without --as it is the device in the key store that is known to belong to the
anchor; if there are several, kedge says which it took. It never chooses between
two anchors: --anchor says which one.

  kedge device list
  kedge device protect laptop --as laptop
  kedge guard on --as phrase --anchor 10000`

const networksText = `--network names the network:

  local                  the one that kedge network start left running from this
                         folder, else http://127.0.0.1:4943 (the default)
  ic                     the Internet Computer
  URL                    any other, such as http://127.0.0.1:8000

Every answer is checked against the network's root key. That of ic is built in.
A network on this machine is asked for its own. For a URL elsewhere --root-key
has to give it, because whoever answers there could give a false one.

--canister is the canister's id. Without it, it is the one that the settings
name (kedge config), or that kedge deploy, dfx or icp recorded for that network
in the project. What a project names for the first time is asked about.

  kedge network start --background
  kedge network status
  kedge anchor show 10000 --network ic --canister rdmx6-jaaaa-aaaaa-aaadq-cai`

const filesText = `In the user's configuration folder (~/.config on Linux):

  kedge/keys.age            the key store: secret, encrypted with its passphrase
  kedge/config.json         your settings: kedge config
  kedge/projects.json       what you have accepted of projects

In the user's cache folder (~/.cache on Linux), which may be deleted any time:

  kedge/modules             compiled modules of the local network

In the project: in the nearest folder, the working folder or one above it, that
has .kedge and is yours. It can all be made again, and git ignores it:

  .kedge/config.json        settings for everybody who works in the project
  .kedge/canisters.json     the canister's id on each network
  .kedge/network.json       address and process of the network in background
  .kedge/network.lock       held while a network runs from here
  .kedge/network            the state of that network
  .kedge/deployer.pem       secret: controls canisters on local networks
  .kedge/sessions           secret: the sessions that kedge login stored

Files with secrets are readable by their owner alone. A recovery phrase is in no
file unless --new-phrase-file asked for one.`

const scriptsText = `--json prints the result as one line of JSON on standard output, and a failure
as one line of JSON, the last on standard error:

  {"error":{"code":"self_only","message":"…","hint":"…","exit":4}}

"code" names the kind of failure, "exit" is the exit code of the process; both
stay as they are between versions. Notes and warnings on standard error begin
with "kedge:". kedge schema shows the shape of what each command prints, kedge
help exit-codes the exit codes.

Nothing is asked without a terminal: the command fails and says which flag or
variable would have answered.

  passphrase of the key store   KEDGE_PASSPHRASE_FILE
  recovery phrase               --phrase-file FILE
  new recovery phrase           --new-phrase-file FILE, which must not exist yet
  before something is deleted   --yes

Secrets are never taken as arguments, which other users of the machine can see.
Lengths of time are written 30d, 12h, 90m or 45s.

  kedge report --json
  kedge device list --json --as phrase --phrase-file words.txt`

const securityText = `Private keys derive from seeds in the key store, which is encrypted with its
passphrase. A recovery phrase is never stored: it is on paper, typed when it has
to sign, and shown once when it is made, on the terminal alone. Neither is ever
part of an argument, an error, a log, or the output of a command that was not
asked for it.

Protect something that is not on this machine: a recovery phrase on paper, or a
key elsewhere. Whoever copies the key store and learns its passphrase has every
key in it at once, so kedge report counts the keys of one file, and of one seed,
as one.

No command goes by an alias alone where it protects, grants or removes: aliases
are chosen by whoever added the device.

Sessions at applications outlive the removal of the device that opened them,
until they expire; kedge session-limit shortens them.

  kedge report
  kedge recovery phrase add
  kedge key export laptop`
