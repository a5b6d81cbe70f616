package key

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/cli/ui"
	"kedge/device"
	"kedge/internal/fileio"
)

// backupLimit bounds a metadata backup in bytes.
const backupLimit = 17 << 20

func readBackup(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the metadata backup: %w", err)
	}
	if info.Size() > backupLimit {
		return nil, fmt.Errorf("the file %q has %d bytes, that is no metadata backup", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the metadata backup: %w", err)
	}
	return data, nil
}

func (a verbs) backup() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup NAME FILE",
		Short: "write what the words do not bring back, such as labels, encrypted to the seed",
		Long: `Writes the records of the credentials (relying party, user, label, where it is used) to
FILE, an age file that the words of the seed open and nothing else. It has no private
keys, so it may be kept anywhere. Stored credentials are not in it; they are named.

Without it the words alone still bring every credential back, from the list of an
anchor or of another relying party; sign-in without a user name needs the records.`,
		Example: `  kedge key backup laptop laptop.kedge
  kedge key backup laptop /media/usb/laptop.kedge --json`,
		Args: ui.Args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := a.open(args[0])
			if err != nil {
				return err
			}
			file, leftOut, err := k.BackUpMetadata(a.Now())
			if err != nil {
				return err
			}
			if err := fileio.WriteFile(args[1], file, 0o600); err != nil {
				return fmt.Errorf("writing the metadata backup: %w", err)
			}
			for _, label := range leftOut {
				a.Warn("stored credential %q is not in the backup: its private key is in the key store alone", label)
			}
			n := k.Status().Credentials - len(leftOut)
			return a.Result(map[string]any{"name": args[0], "file": args[1], "credentials": n, "left_out": len(leftOut)},
				fmt.Sprintf("%s of security key %s in %s", ui.Count(n, "credential"), ui.Printable(args[0]), args[1]))
		},
	}
	return cmd
}

type metadataView struct {
	Made    time.Time `json:"made"`
	Added   []string  `json:"added"`
	Merged  []string  `json:"merged"`
	Same    []string  `json:"same"`
	Demoted []string  `json:"demoted"`
	Deleted []string  `json:"deleted"`
}

func viewMetadata(file []byte, r device.MetadataReport) *metadataView {
	if file == nil {
		return nil
	}
	return &metadataView{r.Made, list(r.Added), list(r.Merged), list(r.Same), list(r.Demoted), list(r.Deleted)}
}

// list makes JSON write an empty list as one.
func list(l []string) []string { return append([]string{}, l...) }

func metadataText(r device.MetadataReport, now time.Time) string {
	lines := []string{fmt.Sprintf("metadata backup of %s: %d credentials added, %d merged, %d the same", ui.When(r.Made, now), len(r.Added), len(r.Merged), len(r.Same))}
	for _, label := range r.Demoted {
		lines = append(lines, fmt.Sprintf("  %s is older than another one for the same user: kept, no longer discoverable", ui.Printable(label)))
	}
	for _, label := range r.Deleted {
		lines = append(lines, fmt.Sprintf("  %s was deleted here and stays so; --with-deleted brings it back", ui.Printable(label)))
	}
	return strings.Join(lines, "\n")
}

func (a verbs) mergeBackup(name string, file []byte, withDeleted bool) error {
	var report device.MetadataReport
	err := a.change(name, func(k *device.SecurityKey) (err error) {
		report, err = k.RestoreMetadata(file, withDeleted)
		return err
	})
	if err != nil {
		return err
	}
	return a.Result(struct {
		Name     string        `json:"name"`
		Metadata *metadataView `json:"metadata"`
	}{name, viewMetadata(file, report)}, metadataText(report, a.Now()))
}
