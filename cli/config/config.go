// Package config is kedge config: which settings hold, where each comes from, and changing those that are stored.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kedge/cli/client"
	"kedge/cli/session"
	"kedge/cli/settings"
	"kedge/cli/ui"
	"kedge/ic/principal"
)

type verbs struct{ *session.App }

// view is one setting as it holds now.
type view struct {
	Name   string `json:"name"`
	Value  string `json:"value"` // empty if it is not set
	Source string `json:"source"`
	File   string `json:"file,omitempty"` // that it is stored in
}

// Command returns kedge config.
func Command(app *session.App) *cobra.Command {
	a := verbs{app}
	cmd := ui.Group("config", "show and change the settings", a.show(), a.get(), a.set(), a.unset(), a.trust())
	cmd.Long = `Shows every setting, its value and where that comes from. A flag comes before the
environment, that before the project (.kedge/config.json in its folder), and that
before your own settings (config.json in the user's configuration folder).`
	cmd.Example = `  kedge config
  kedge config set anchor 10000
  kedge config set network https://testnet.example --project`
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return ui.UnknownCommand(cmd, args[0])
		}
		return a.list()
	}
	return cmd
}

func (a verbs) show() *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "show every setting and where it comes from",
		Long: `Shows every setting, its value and where that comes from: a flag, the environment,
the project, your own settings, or the default. kedge config alone does the same.`,
		Example: `  kedge config show
  KEDGE_ANCHOR=10000 kedge config show --json`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return a.list() },
	}
}

func (a verbs) get() *cobra.Command {
	return &cobra.Command{
		Use:   "get NAME",
		Short: "print the value of one setting",
		Long: `Prints the value of one setting as it holds now, wherever it comes from: an empty
line if it is not set. With --json it says where it comes from.`,
		Example: `  kedge config get anchor
  kedge config get network --json`,
		Args: ui.Args(cobra.ExactArgs(1)), ValidArgs: settings.Names(),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := named(args[0])
			if err != nil {
				return err
			}
			v := a.view(s)
			return a.Result(v, v.Value)
		},
	}
}

func (a verbs) set() *cobra.Command {
	var ofProject bool
	cmd := &cobra.Command{
		Use:   "set NAME VALUE",
		Short: "store a setting",
		Long: `Stores a setting for all commands to come: in your own settings, or with --project
in those of the project that the working folder is in, for everybody who works there.
A project may name network, canister and anchor, and nothing that decides about
your keys; what it names of others' networks is asked about the first time.`,
		Example: `  kedge config set anchor 10000
  kedge config set as laptop
  kedge config set canister rdmx6-jaaaa-aaaaa-aaadq-cai --project`,
		Args: ui.Args(cobra.ExactArgs(2)), ValidArgs: settings.Names(),
		RunE: func(_ *cobra.Command, args []string) error {
			value, err := check(args[0], args[1])
			if err != nil {
				return err
			}
			return a.change(args[0], value, ofProject)
		},
	}
	cmd.Flags().BoolVar(&ofProject, "project", false, "in the settings of the project")
	return cmd
}

func (a verbs) unset() *cobra.Command {
	var ofProject bool
	cmd := &cobra.Command{
		Use:   "unset NAME",
		Short: "take a stored setting out",
		Long: `Takes a setting out of your own settings, or with --project out of those of the
project. What was stored before in the other place, or the default, holds then.`,
		Example: `  kedge config unset anchor
  kedge config unset network --project`,
		Args: ui.Args(cobra.ExactArgs(1)), ValidArgs: settings.Names(),
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := named(args[0]); err != nil {
				return err
			}
			return a.change(args[0], "", ofProject)
		},
	}
	cmd.Flags().BoolVar(&ofProject, "project", false, "in the settings of the project")
	return cmd
}

func (a verbs) trust() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "accept the network and the canister that the project names",
		Long: `Shows the network and the canister that files of the project name, asks, and
remembers that you accept them. Commands ask the same the first time; where nobody
is there to ask they refuse, and this is how to say it beforehand. Networks on this
machine are not asked about.`,
		Example: `  kedge config trust
  kedge config trust --yes      # in a script that made the project itself`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := a.OpenNetwork(cmd.Context()); err != nil && !unreachable(err) {
				return err
			}
			known, err := a.FindCanister()
			if err != nil {
				return err
			}
			v := trusted{Network: a.NetworkName(), Canister: known.ID.Text()}
			return a.Result(v, session.CanisterAt(v.Canister, v.Network)+" is accepted for this project")
		},
	}
	a.YesFlag(cmd)
	return cmd
}

type trusted struct {
	Network  string `json:"network"`
	Canister string `json:"canister"`
}

func (a verbs) list() error {
	views := make([]view, len(settings.All))
	rows := [][]string{{"SETTING", "VALUE", "FROM"}}
	for i, s := range settings.All {
		v := a.view(s)
		views[i] = v
		from := v.Source
		switch v.Source {
		case settings.FromFlag:
			from = s.Flag
		case settings.FromEnvironment:
			from = s.Variable
		case settings.FromProject, settings.FromUser:
			from += ", " + v.File
		}
		value := v.Value
		if value == "" {
			value = "-"
		}
		if len(value) > 70 {
			value = value[:60] + "…"
		}
		rows = append(rows, []string{v.Name, ui.Printable(value), from})
	}
	return a.Result(views, ui.Table(rows))
}

// view looks a setting up as commands do.
func (a verbs) view(s settings.Setting) view {
	v := view{Name: s.Name}
	flag, otherwise := "", ""
	switch s.Name {
	case "network":
		flag, otherwise = a.NetworkFlag, session.Local
	case "canister":
		flag = a.CanisterFlag
	case "keys":
		flag = a.KeysFlag
		if path, err := a.KeysPath(); err == nil {
			otherwise = path
		}
	case "root-key":
		flag = a.RootKeyFlag
	}
	v.Value, v.Source, v.File = a.Value(flag, s.Variable, otherwise)
	return v
}

func (a verbs) change(name, value string, ofProject bool) error {
	open := settings.User
	if ofProject {
		open = settings.Project
	}
	f, err := open()
	if err != nil {
		return err
	}
	if err := f.Set(name, value); err != nil {
		return ui.Hinted(err, "kedge config set %s VALUE sets it for yourself alone", name)
	}
	v := view{Name: name, Value: value, Source: settings.FromUser, File: f.Path}
	if ofProject {
		v.Source = settings.FromProject
	}
	text := fmt.Sprintf("%s is %s, in %s", name, ui.Printable(value), f.Path)
	if value == "" {
		text = fmt.Sprintf("%s is not set any more in %s", name, f.Path)
	}
	return a.Result(v, text)
}

func named(name string) (settings.Setting, error) {
	s, ok := settings.Named(name)
	if !ok {
		return s, ui.Usagef("%q is no setting; there are %s", name, strings.Join(settings.Names(), ", "))
	}
	return s, nil
}

// check returns the value as it is stored, or says what is wrong with it.
func check(name, value string) (string, error) {
	if _, err := named(name); err != nil {
		return "", err
	}
	value = strings.TrimSpace(value)
	if value == "" {
		return "", ui.Usagef("an empty value: kedge config unset %s takes the setting out", name)
	}
	switch name {
	case "network":
		if u, err := url.Parse(value); !slices.Contains([]string{session.Local, session.IC}, value) &&
			(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return "", ui.Usagef("network %q is neither local nor ic nor a URL such as http://127.0.0.1:4943", value)
		}
	case "canister":
		if _, err := principal.Parse(value); err != nil {
			return "", ui.Usagef("canister id %q: %w", value, err)
		}
	case "anchor":
		if _, err := strconv.ParseUint(value, 10, 64); err != nil {
			return "", ui.Usagef("anchor %q is not a number", value)
		}
	case "plain":
		if value != ui.AnswerYes && value != ui.AnswerNo {
			return "", ui.Usagef("plain is %s or %s, not %q", ui.AnswerYes, ui.AnswerNo, value)
		}
	case "root-key":
		if _, err := client.ParseRootKey(value); err != nil {
			return "", ui.Usagef("root key: %w", err)
		}
	case "keys", "passphrase-file":
		path, err := filepath.Abs(value)
		if err != nil {
			return "", fmt.Errorf("finding the folder of %q: %w", value, err)
		}
		return path, nil
	}
	return value, nil
}

// unreachable reports whether a network did not answer, which does not matter for what is accepted.
func unreachable(err error) bool {
	var u *client.UnreachableError
	return errors.As(err, &u) || errors.Is(err, client.ErrNoRootKey)
}
