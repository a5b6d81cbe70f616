package key

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
	"kedge/device/ctap"
)

// hand is a terminal whose person has one answer to every question.
type hand struct {
	ui.Terminal
	asked  []string
	yes    bool
	secret string
	err    error
}

func (h *hand) Press(_ context.Context, question string) (bool, error) {
	h.asked = append(h.asked, question)
	return h.yes, h.err
}

func (h *hand) SecretUntil(_ context.Context, question string) (string, error) {
	h.asked = append(h.asked, question)
	return h.secret, h.err
}

func newPlugged(t *testing.T, h *hand) (*plugged, *bytes.Buffer, *bool) {
	t.Helper()
	dir := t.TempDir()
	env := map[string]string{"KEDGE_KEYS": filepath.Join(dir, "keys.age"), "KEDGE_PASSPHRASE_FILE": filepath.Join(dir, "passphrase"), "XDG_RUNTIME_DIR": dir}
	require.NoError(t, os.WriteFile(env["KEDGE_PASSPHRASE_FILE"], []byte("a passphrase\n"), 0o600))
	var said bytes.Buffer
	unplugged := false
	app := &session.App{UI: &ui.UI{System: ui.System{
		Stderr: &said, Stdout: &said, Getenv: func(name string) string { return env[name] }, Now: time.Now, WorkFactor: 1,
	}}}
	store, err := app.Store()
	require.NoError(t, err)
	return &plugged{
		verbs: verbs{app}, name: "laptop", store: store, terminal: h, wait: 30 * time.Second, unplug: func() { unplugged = true },
	}, &said, &unplugged
}

func TestQuestions(t *testing.T) {
	for name, c := range map[string]struct {
		prompt ctap.Prompt
		want   string
	}{
		"register": {
			ctap.Prompt{Action: ctap.Register, RPID: "id.example", Users: []string{"anna"}, Replaces: "old\x07one", Verified: true},
			"\nREGISTER security key laptop\n  site  id.example\n  user  anna\n" +
				"  The stored credential \"old\\x07one\" is replaced, and its private key is nowhere else: it is lost for ever.\n" +
				"  It was verified that you are the owner.\nPress y to do it, n to refuse (30s): ",
		},
		"known": {
			ctap.Prompt{Action: ctap.Register, RPID: "id.example", Users: []string{""}, Known: true},
			"\nREGISTER security key laptop\n  site  id.example\n  user  without a name\n" +
				"  The site has this key already and will not register it twice.\nPress y to do it, n to refuse (30s): ",
		},
		// A Cyrillic а, a space of no width, a line of its own, an escape sequence, a byte that is no text.
		"sign in": {
			ctap.Prompt{Action: ctap.SignIn, RPID: "id\u200b.example", Users: []string{"anna\nPress y", "\x1b]0;x\x07", "a\xff", " bert"}},
			"\nSIGN IN with security key laptop\n  site  \"id\\u{200b}.example\"\n  user  \"anna\\nPress y\"\n  user  \"\\x1b]0;x\\x07\"\n" +
				"  user  \"a\\xff\"\n  user  \" bert\"\nPress y to do it, n to refuse (30s): ",
		},
		"select": {ctap.Prompt{Action: ctap.Select}, "\nA program asks: select this security key (laptop)?\nPress y to do it, n to refuse (30s): "},
		"reset": {
			ctap.Prompt{Action: ctap.Reset},
			"\nRESET security key laptop: every credential is forgotten, and the PIN. Stored credentials are lost for ever.\n" +
				"Press y to do it, n to refuse (30s): ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := &hand{yes: true}
			p, _, _ := newPlugged(t, h)
			require.NoError(t, p.present(t.Context(), c.prompt))
			require.Equal(t, []string{c.want}, h.asked)
		})
	}
	h := &hand{yes: true}
	p, _, _ := newPlugged(t, h)
	require.NoError(t, p.present(t.Context(), ctap.Prompt{Action: ctap.SignIn, RPID: strings.Repeat("x", 5000), Users: make([]string, 64)}))
	require.Less(t, len(h.asked[0]), 1000)
	require.Contains(t, h.asked[0], strings.Repeat("x", 200)+"… (cut off)\n")
	require.Contains(t, h.asked[0], "and 56 more\n")
}

func TestAnswers(t *testing.T) {
	gone := errors.New("the terminal is gone")
	for name, c := range map[string]struct {
		hand      hand
		present   error
		verify    error
		unplugged bool
	}{
		"yes":         {hand{yes: true, secret: "a passphrase"}, nil, nil, false},
		"no":          {hand{}, ctap.ErrDeclined, ctap.ErrDeclined, false},
		"wrong":       {hand{yes: true, secret: "a passphrase "}, nil, ctap.ErrNotVerified, false},
		"Ctrl-C":      {hand{err: ui.ErrInterrupted}, ctap.ErrDeclined, ctap.ErrDeclined, true},
		"nobody":      {hand{err: context.DeadlineExceeded}, context.DeadlineExceeded, context.DeadlineExceeded, false},
		"cancelled":   {hand{err: context.Canceled}, context.Canceled, context.Canceled, false},
		"no terminal": {hand{err: gone}, gone, gone, true},
	} {
		t.Run(name, func(t *testing.T) {
			p, said, unplugged := newPlugged(t, &c.hand)
			require.ErrorIs(t, p.present(t.Context(), ctap.Prompt{Action: ctap.SignIn}), c.present)
			require.ErrorIs(t, p.verify(t.Context(), ctap.Prompt{Action: ctap.Verify}), c.verify)
			require.Equal(t, c.unplugged, *unplugged)
			require.NotContains(t, said.String(), "a passphrase")
		})
	}
}

// A key that another process replaces, deletes or encrypts anew is not what was plugged in.
func TestKeyChangesWhilePluggedIn(t *testing.T) {
	p, _, _ := newPlugged(t, &hand{})
	now := time.Now()
	add := func(fill byte) {
		root, err := device.ParseRoot(device.RootSecret, bytes.Repeat([]byte{fill}, 32))
		require.NoError(t, err)
		require.NoError(t, p.store.Change(func(k *device.Keys) error {
			_ = k.Remove("laptop")
			_, err := k.AddKey("laptop", root, now)
			return err
		}))
	}
	add(1)
	k, err := p.Load()
	require.NoError(t, err)
	p.seed = k.Fingerprint()
	_, err = p.Load()
	require.NoError(t, err)

	add(2)
	_, err = p.Load()
	require.EqualError(t, err, `security key "laptop" has another seed since it was plugged in; plug it in again`)
	require.ErrorContains(t, p.Change(func(*device.SecurityKey) error { t.Error("changed"); return nil }), "has another seed")
	require.NoError(t, p.store.Change(func(k *device.Keys) error { return k.Remove("laptop") }))
	var missing *device.NotFoundError
	_, err = p.Load()
	require.ErrorAs(t, err, &missing)
}
