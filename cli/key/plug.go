package key

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kedge/cli/ui"
	"kedge/device"
	"kedge/device/ctap"
)

// plugFlags are the flags of kedge key plug.
type plugFlags struct {
	socket    string
	uhid      bool
	printRule bool
	verify    bool
	wait      time.Duration
}

func (a verbs) plug() *cobra.Command {
	var f plugFlags
	cmd := &cobra.Command{
		Use:   "plug NAME",
		Short: "plug a security key in, so that browsers and other programs sign in with it",
		Long: `Opens the key store and is that security key, as if it were plugged into USB, until
Ctrl-C. It speaks CTAP 2.1. Each registration and each sign-in is shown on this
terminal, with the site and the user that it is for, and waits there for y, or n, for
30 seconds. Nothing else lets a program use the key. Credentials that sites make are
in the key store at once.

On Linux the key is a device that every browser of this machine sees (--uhid), if
this user may write /dev/uhid: the rule that --print-udev-rule prints allows it to who
sits at the machine. Elsewhere the key is a Unix socket for programs of the same user
(--socket), which carries packets of 64 bytes (CTAPHID). kedge refuses to run as
root.

A PIN is set by the browser or another program. Three wrong PINs block it until the
key is plugged in again, eight for ever. With --verify, sites that want to know that it
is you have this terminal ask for the passphrase of the key store; the PIN, if there is
one, works beside it. A reset is possible in the first ten seconds.`,
		Example: `  kedge key plug laptop
  kedge key plug laptop --socket /run/user/1000/kedge/laptop.sock
  kedge key plug laptop --verify
  kedge key plug --print-udev-rule | sudo tee /etc/udev/rules.d/70-kedge-uhid.rules`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.printRule {
				return ui.Args(cobra.NoArgs)(cmd, args)
			}
			return ui.Args(cobra.ExactArgs(1))(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.printRule {
				return a.Result(map[string]string{"udev_rule": ctap.UdevRule}, ctap.UdevRule)
			}
			return a.runPlug(cmd.Context(), args[0], f)
		},
	}
	cmd.Flags().StringVar(&f.socket, "socket", "", "path of a Unix socket (default kedge/NAME.sock in XDG_RUNTIME_DIR where /dev/uhid cannot be written)")
	cmd.Flags().BoolVar(&f.uhid, "uhid", false, "be a device of this machine, by "+ctap.UHIDPath)
	cmd.Flags().BoolVar(&f.printRule, "print-udev-rule", false, "print the rule that lets who sits at the machine use "+ctap.UHIDPath+", and end")
	cmd.Flags().BoolVar(&f.verify, "verify", false, "verify the owner by the passphrase of the key store, typed here, where a site asks for that")
	cmd.Flags().DurationVar(&f.wait, "wait", ctap.PresenceWindow, "how long a question waits for a key press, 1s to 5m")
	return cmd
}

func (a verbs) runPlug(ctx context.Context, name string, f plugFlags) error {
	if f.wait < time.Second || f.wait > 5*time.Minute {
		return ui.Usagef("--wait %s is not between 1s and 5m", f.wait)
	}
	if a.userID() == 0 {
		return ui.Hinted(errors.New("a security key is not plugged in as root: every program that root runs could use it, and files that root makes in the key store's folder lock its owner out"),
			"the user whose key store it is runs this; kedge key plug --print-udev-rule prints what gives that user %s", ctap.UHIDPath)
	}
	where, err := a.sockets(name, f)
	if err != nil {
		return err
	}
	defer where.close()
	terminal, err := a.keypad()
	if err != nil {
		return err
	}
	store, err := a.Store()
	if err != nil {
		return err
	}
	p := &plugged{verbs: a, name: name, store: store, terminal: terminal, wait: f.wait}
	k, err := p.Load()
	if err != nil {
		return err
	}
	p.seed = k.Fingerprint()
	if !k.HasSeed() {
		a.Warn("security key %s has no seed: it signs in with what is stored in it, and sites cannot register it", ui.Printable(name))
	}
	ctx, p.unplug = context.WithCancel(ctx)
	defer p.unplug()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	options := ctap.Options{Store: p, Presence: p.present, Report: p.report, Random: a.Random, Now: a.Now, Window: f.wait}
	if f.verify {
		options.Verify = p.verify
	}
	authenticator, err := ctap.New(options)
	if err != nil {
		return err
	}
	hid := ctap.NewHID(authenticator)
	hid.Wink = func() { a.Note("a program asks which key this is: it is %s", ui.Printable(name)) }
	err = where.serve(ctx, hid, name, k, func() error {
		view := plugView{Name: name, Socket: where.socket, UHID: where.device != nil}
		return a.Result(view, fmt.Sprintf("security key %s is plugged in: %s; Ctrl-C unplugs it", ui.Printable(name), where))
	})
	hid.Close() // a question that is open ends, and gives the terminal back
	if err != nil {
		return err
	}
	a.Note("security key %s is unplugged", ui.Printable(name))
	return nil
}

// plugView is what kedge key plug says once clients can connect.
type plugView struct {
	Name   string `json:"name"`
	Socket string `json:"socket,omitempty"`
	UHID   bool   `json:"uhid"`
}

func (a verbs) userID() int {
	if a.UserID != nil {
		return a.UserID()
	}
	return os.Getuid()
}

// keypad returns the terminal that asks for key presses.
func (a verbs) keypad() (ui.Keypad, error) {
	t, err := a.OpenTerminalOnce()
	if err != nil {
		return nil, ui.Secretf("", "a security key asks on a terminal before it signs: %w", err)
	}
	if k, ok := t.(ui.Keypad); ok {
		return k, nil
	}
	return nil, ui.Secretf("", "this terminal cannot wait for a key press: %w", ui.ErrNoTerminal)
}

// ports are the ways in.
type ports struct {
	device *os.File // /dev/uhid, nil for none
	socket string   // empty for none
}

// sockets finds out where the key is plugged in.
func (a verbs) sockets(name string, f plugFlags) (*ports, error) {
	var p ports
	var err error
	if f.uhid || f.socket == "" {
		p.device, err = os.OpenFile(ctap.UHIDPath, os.O_RDWR, 0)
		if err != nil && f.uhid {
			return nil, ui.Hinted(fmt.Errorf("this user cannot be a device of the machine: %w\n%s", err, ctap.UdevRule),
				"root puts this rule into the file that it names, once; --socket PATH needs no rule")
		}
	}
	if p.socket = f.socket; p.socket == "" && p.device == nil {
		runtime := a.Getenv("XDG_RUNTIME_DIR")
		if runtime == "" {
			return nil, ui.Hinted(fmt.Errorf("%s cannot be used (%w), and there is no folder for a socket: XDG_RUNTIME_DIR is not set", ctap.UHIDPath, err),
				"--socket PATH names one; kedge key plug --print-udev-rule prints what gives %s to this user", ctap.UHIDPath)
		}
		p.socket = filepath.Join(runtime, "kedge", url.PathEscape(name)+".sock")
		a.Note("browsers do not see the key, since %s cannot be used; kedge key plug --print-udev-rule prints what allows it", ctap.UHIDPath)
	}
	if p.socket != "" {
		if p.socket, err = filepath.Abs(p.socket); err != nil {
			return nil, fmt.Errorf("finding the path of the socket: %w", err)
		}
	}
	return &p, nil
}

func (p *ports) close() {
	if p.device != nil {
		_ = p.device.Close()
	}
}

// String says where the key is.
func (p *ports) String() string {
	var all []string
	if p.device != nil {
		all = append(all, "browsers of this machine see it")
	}
	if p.socket != "" {
		all = append(all, "socket "+p.socket)
	}
	return strings.Join(all, ", ")
}

// serve carries packets until the context ends. ready is called once all clients can connect.
func (p *ports) serve(ctx context.Context, hid *ctap.HID, name string, k *device.SecurityKey, ready func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running []func(func()) error
	if p.device != nil {
		running = append(running, func(ready func()) error {
			return ctap.ServeUHID(ctx, hid, p.device, "Kedge security key "+name, k.Fingerprint().String(), ready)
		})
	}
	if p.socket != "" {
		makePrivate()
		running = append(running, func(ready func()) error { return ctap.ServeSocket(ctx, hid, p.socket, ready) })
	}
	started, ended := make(chan struct{}, len(running)), make(chan error, len(running))
	for _, run := range running {
		go func() { ended <- run(func() { started <- struct{}{} }) }()
	}
	var failed error
	for waiting, left := len(running), len(running); left > 0; {
		select {
		case <-started:
			if waiting--; waiting == 0 {
				if err := ready(); err != nil {
					failed = err
					cancel()
				}
			}
		case err := <-ended:
			left--
			failed = errors.Join(failed, err)
			cancel() // a key that is half plugged in would only confuse
		}
	}
	return failed
}
