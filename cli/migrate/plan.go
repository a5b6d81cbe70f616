package migrate

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kedge/canister/storage"
	"kedge/cli/ui"
	"kedge/migrations/ii"
)

type planView struct {
	Layout            uint8            `json:"layout"`
	Form              string           `json:"form"`
	Anchors           uint64           `json:"anchors"`
	First             uint64           `json:"first"`
	End               uint64           `json:"end"` // not included
	SaltSet           bool             `json:"salt_set"`
	StateBytes        int              `json:"state_bytes"`
	Devices           uint64           `json:"devices"`
	Phrases           uint64           `json:"phrases"`
	Protected         uint64           `json:"protected"`
	Proven            uint64           `json:"proven"`
	KnowsProtection   bool             `json:"knows_protection"`
	Mapped            uint64           `json:"anchors_in_memory_16"`
	NamedAlone        uint64           `json:"anchors_with_names_alone"`
	FirstNamedAlone   []uint64         `json:"first_with_names_alone"`
	WithoutDevices    uint64           `json:"anchors_without_devices"`
	BytesLargest      int              `json:"largest_record_bytes"`
	Oddities          []oddityView     `json:"oddities"`
	Unreadable        []unreadableView `json:"unreadable"`
	UnreadableAnchors uint64           `json:"unreadable_anchors"`
	Action            string           `json:"action"`
}

type oddityView struct {
	Oddity  string   `json:"oddity"`
	Anchors uint64   `json:"anchors"`
	First   []uint64 `json:"first"`
}

type unreadableView struct {
	Anchor uint64 `json:"anchor"`
	Error  string `json:"error"`
}

func (a verbs) migratePlan() *cobra.Command {
	return &cobra.Command{
		Use:   "plan IMAGE",
		Short: "read a memory image of Internet Identity and say what a migration would do",
		Long: `A dry run on a file: stable memory as a snapshot of the canister has it, plain or
gzipped. No network is needed and nothing is written.`,
		Example: `  kedge migrate plan stable_memory.bin
  kedge migrate plan stable_memory.bin.gz --json`,
		Args: ui.Args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			done := a.Working("reading the memory image")
			defer done()
			memory, last, err := readImage(args[0])
			if err != nil {
				return err
			}
			report, err := ii.Plan(memory)
			if last < storage.PageSize && !errors.Is(err, ii.ErrNotII) {
				return fmt.Errorf("the memory image %q is not whole: its last page has %d of %d bytes; take the backup again", args[0], last, storage.PageSize)
			}
			if err != nil {
				return fmt.Errorf("the image %q cannot be migrated: %w", args[0], err)
			}
			view := viewPlan(report)
			done()
			return a.Result(view, planText(view))
		},
	}
}

// readImage reads a memory image page by page, so that the empty ones of a large image take no
// space. It returns how many bytes the last page has in the file, where the others have 64 KiB.
func readImage(path string) (memory *storage.RAM, last int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the memory image: %w", err)
	}
	defer func() { _ = f.Close() }()
	buffered := bufio.NewReaderSize(f, storage.PageSize)
	var in io.Reader = buffered
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, 0, fmt.Errorf("the memory image %q is not whole: %w", path, err)
		}
		in = unzipped
	}
	memory, last = storage.NewRAM(0), storage.PageSize
	page, empty := make([]byte, storage.PageSize), make([]byte, storage.PageSize)
	for number := uint64(0); ; number++ {
		n, err := fill(in, page)
		if n > 0 {
			last = n
			if err := memory.Grow(1); err != nil {
				return nil, 0, fmt.Errorf("the memory image %q: %w", path, err)
			}
			if string(page[:n]) != string(empty[:n]) {
				if err := memory.WriteAt(page[:n], number*storage.PageSize); err != nil {
					return nil, 0, fmt.Errorf("the memory image %q: %w", path, err)
				}
			}
		}
		switch {
		case err == io.EOF:
			return memory, last, nil
		case err != nil:
			return nil, 0, fmt.Errorf("the memory image %q is not whole: %w", path, err)
		}
	}
}

// fill reads until the page is full or the input ends, which is io.EOF. io.ReadFull would say of an
// image with half a page at its end what gzip says of a file that is cut off.
func fill(in io.Reader, page []byte) (n int, err error) {
	for n < len(page) && err == nil {
		var more int
		more, err = in.Read(page[n:])
		n += more
	}
	return n, err
}

func viewPlan(r *ii.Report) planView {
	view := planView{
		Layout: r.Layout, Form: r.Form, Anchors: r.Anchors, First: r.Lo, End: r.Hi, SaltSet: r.SaltSet, StateBytes: r.StateBytes,
		Devices: r.Devices, Phrases: r.Phrases, Protected: r.Protected, Proven: r.Proven, KnowsProtection: r.KnowsProtection,
		WithoutDevices: r.WithoutDevices, BytesLargest: r.BytesLargest,
		Mapped: r.Mapped, NamedAlone: r.NamedAlone, FirstNamedAlone: append([]uint64{}, r.FirstNamedAlone...), Oddities: []oddityView{},
		Unreadable: []unreadableView{}, UnreadableAnchors: r.UnreadableAnchors, Action: r.Action,
	}
	for _, o := range r.Oddities {
		view.Oddities = append(view.Oddities, oddityView{fmt.Sprint(o.Oddity), o.Anchors, o.First})
	}
	for _, u := range r.Unreadable {
		view.Unreadable = append(view.Unreadable, unreadableView(u))
	}
	return view
}

func planText(v planView) string {
	var b strings.Builder
	salt := map[bool]string{true: "set", false: "not set yet"}
	fmt.Fprintf(&b, "Internet Identity, layout %d: %s\n", v.Layout, v.Form)
	fmt.Fprintf(&b, "%s of the range [%d, %d), salt %s, largest record %d bytes\n", ui.Count(v.Anchors, "anchor"), v.First, v.End, salt[v.SaltSet], v.BytesLargest)
	fmt.Fprintf(&b, "%s, %s among them, %d protected, %d proven by a last usage\n", ui.Count(v.Devices, "device"), ui.Count(v.Phrases, "recovery phrase"), v.Protected, v.Proven)
	if v.Mapped > 0 {
		fmt.Fprintf(&b, "%d anchors stand in virtual memory 16 as well, with the same devices; it stays as it is, for the way back\n", v.Mapped)
	}
	if v.NamedAlone > 0 {
		fmt.Fprintf(&b, "%d anchors have a name or OpenID credentials there and no device, first %s\n", v.NamedAlone, ui.Numbers(v.FirstNamedAlone))
	}
	if v.WithoutDevices > 0 {
		fmt.Fprintf(&b, "%d anchors have no device key; finalising then takes --anchors-without-devices\n", v.WithoutDevices)
	}
	for _, o := range v.Oddities {
		fmt.Fprintf(&b, "odd: %s: %d anchors, first %s\n", o.Oddity, o.Anchors, ui.Numbers(o.First))
	}
	for _, u := range v.Unreadable {
		fmt.Fprintf(&b, "unreadable: anchor %d: %s\n", u.Anchor, u.Error)
	}
	if rest := more(len(v.Unreadable), v.UnreadableAnchors); rest != "" {
		fmt.Fprintf(&b, "unreadable: %s\n", rest[len(", and "):])
	}
	fmt.Fprintf(&b, "\nwould %s\n", v.Action)
	return b.String()
}
