package recovery

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kedge/candid/kedge"
	"kedge/cli/client"
	"kedge/cli/session"
	"kedge/cli/ui"
	"kedge/device"
)

// Phrase is a new recovery phrase as commands print it: never its words.
type Phrase struct {
	PublicKey string `json:"public_key"`
	Protected bool   `json:"protected"`
	File      string `json:"file,omitempty"` // with --new-phrase-file
}

func (a verbs) recoveryPhraseAdd() *cobra.Command {
	var newFile string
	var replace bool
	cmd := &cobra.Command{
		Use:   "add",
		Short: "make a recovery phrase, have it typed back, and protect it by itself",
		Long: `Makes 24 words, shows them on the terminal alone, has them typed back, adds them to
the anchor of the signer as its recovery phrase, and at once has the phrase
itself sign its protection. Afterwards nobody removes or changes the phrase but
whoever has the words. Whether the anchor has room for a phrase, and whether the signer
may protect it, is checked before any word is shown.

--replace puts the new phrase in the place of the present one. If that one is
protected, it has to sign: --as phrase.`,
		Example: `  kedge recovery phrase add
  kedge recovery phrase add --replace --as phrase
  kedge recovery phrase add --new-phrase-file words.txt   # for scripts`,
		Args: ui.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.OpenSession(cmd.Context())
			if err != nil {
				return err
			}
			info, err := s.AnchorInfo(cmd.Context(), s.Anchor)
			if err != nil {
				return err
			}
			old, grant, err := checkSlot(s, info, replace)
			if err != nil {
				return err
			}
			view, err := addPhrase(cmd.Context(), a.App, s, old, grant, newFile)
			if err != nil {
				return err
			}
			return a.Result(view, fmt.Sprintf("anchor %d has a protected recovery phrase", s.Anchor))
		},
	}
	cmd.Flags().StringVar(&newFile, "new-phrase-file", "", "write the new words to this new file in place of the terminal")
	cmd.Flags().BoolVar(&replace, "replace", false, "put the new phrase in the place of the present one")
	a.SignerFlags(cmd)
	return cmd
}

// AddFirst makes a phrase for an anchor that has no other device than the session's signer, which is not
// protected. The words go to the terminal, or to a file if one is named.
func AddFirst(ctx context.Context, a *session.App, s *session.Session, file string) (*Phrase, error) {
	return addPhrase(ctx, a, s, nil, false, file)
}

// addPhrase makes a phrase and sees that its owner has it, adds it to the anchor as the session's signer, or
// puts it in the place of the device old, and has it protect itself; with grant, the signer protects it by that
// call, and the phrase signs one to prove that it can.
func addPhrase(ctx context.Context, a *session.App, s *session.Session, old []byte, grant bool, file string) (*Phrase, error) {
	phrase, err := device.NewPhrase(a.Random)
	if err != nil {
		return nil, err
	}
	if file != "" {
		if err := session.WritePhraseFile(file, phrase); err != nil {
			return nil, err
		}
	} else if err := teach(a, phrase); err != nil {
		return nil, err
	}
	data := session.PhraseData(phrase)
	if grant {
		data.Protection = kedge.DeviceProtectionProtected
	}
	if old != nil {
		err = s.Replace(ctx, s.Anchor, old, data)
	} else {
		err = s.Add(ctx, s.Anchor, data)
	}
	if err != nil {
		return nil, errors.Join(err, discardPhraseFile(file, err))
	}
	// From here on the phrase is a device like any other, which whoever holds another device could
	// remove; its own call ends that.
	itself, err := a.Delegated(s.Provider, phrase.Key())
	if err != nil {
		return nil, err
	}
	if err := itself.Protect(ctx, s.Anchor, data.Pubkey); err != nil {
		return nil, ui.Hinted(fmt.Errorf("the phrase was added to anchor %d but is not protected: %w", s.Anchor, err),
			"kedge device protect phrase --as phrase --anchor %d", s.Anchor)
	}
	return &Phrase{PublicKey: hex.EncodeToString(data.Pubkey), Protected: true, File: file}, nil
}

// discardPhraseFile removes the words of a phrase that the canister refused.
func discardPhraseFile(file string, cause error) error {
	var reject *client.Reject
	if file == "" || !errors.As(cause, &reject) {
		return nil
	}
	return os.Remove(file)
}

// teachAttempts is how often a person may type the words back.
const teachAttempts = 3

// teach shows the words on the terminal and has them typed back. A phrase that was copied wrongly is
// found now, and not on the day that it is needed.
func teach(a *session.App, phrase device.Phrase) error {
	t, err := a.Ask()
	if err != nil {
		return ui.Hinted(err, "--new-phrase-file FILE writes the words to a file, for scripts")
	}
	if err := t.Show(func(width int) string { return phraseSheet(phrase.Words(), width) }); err != nil {
		return err
	}
	for range teachAttempts {
		typed, err := t.Words("type the words, from the paper: ", session.WholePhrase)
		if err != nil {
			return err
		}
		again, err := device.ParsePhrase(typed)
		if err == nil && again.Equal(phrase) {
			return nil
		}
		if err == nil {
			err = errors.New("that is another recovery phrase")
		}
		a.Explain(err)
		a.Warn("%v", err)
	}
	return ui.Secretf("start again and write the words down once more", "the recovery phrase was not typed back correctly, and nothing was added")
}

// phraseSheet lays the words out for copying, with their numbers: as many in a row as fit, at most four.
func phraseSheet(words []string, width int) string {
	const cell = 15 // two blanks, the number, a blank, and the longest word with two behind it
	columns := min(4, max(1, width/cell))
	var b strings.Builder
	b.WriteString("your recovery phrase; write it on paper, it is not shown again\n\n")
	for i, w := range words {
		fmt.Fprintf(&b, "  %2d %-10s", i+1, w)
		if i%columns == columns-1 || i == len(words)-1 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
