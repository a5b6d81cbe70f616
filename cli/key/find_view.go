package key

import (
	"encoding/hex"
	"fmt"
	"strings"

	"kedge/cli/ui"
	"kedge/device"
	"kedge/ic/principal"
)

func viewListed(l device.Listed) foundView {
	return foundView{PublicKey: hex.EncodeToString(l.PublicKey), CredentialID: hex.EncodeToString(l.CredentialID)}
}

// fill puts a report into the form of JSON.
func (v findView) fill(list []device.Listed, roots []device.Root, names []string, r device.FindReport) findView {
	for _, m := range r.Matches {
		f := viewListed(list[m.Listed])
		f.Key, f.Kind, f.Path = names[m.Root], string(m.Kind), m.Path
		f.Fingerprint = roots[m.Root].Fingerprint().String()
		v.Matched = append(v.Matched, f)
	}
	for _, i := range r.Unmatched {
		v.Unmatched = append(v.Unmatched, viewListed(list[i]))
	}
	for _, same := range r.Twice {
		var keys []string
		for _, i := range same {
			keys = append(keys, hex.EncodeToString(list[i].PublicKey))
		}
		v.Twice = append(v.Twice, keys)
	}
	return v
}

// text puts a report into words.
func (v findView) text(list []device.Listed, roots []device.Root, names []string, r device.FindReport) string {
	short := func(i int) string { return ui.ShortPrincipal(principal.SelfAuthenticating(list[i].PublicKey)) }
	rows := [][]string{{"DEVICE", "KIND", "SEED", "FOUND AS"}}
	for _, m := range r.Matches {
		seed := names[m.Root]
		if seed == "" {
			seed = "typed, " + roots[m.Root].Fingerprint().String()
		}
		rows = append(rows, []string{short(m.Listed), string(m.Kind), seed, m.Path})
	}
	for _, i := range r.Unmatched {
		rows = append(rows, []string{short(i), ui.Spaced(list[i].Name), "none of these", "-"})
	}
	lines := []string{ui.Table(rows), "", fmt.Sprintf("%d of %d devices of anchor %d are given by these seeds; %d keys were derived", len(list)-len(r.Unmatched), len(list), v.Anchor, r.Derived)}
	for _, same := range r.Twice {
		var of []string
		for _, i := range same {
			of = append(of, short(i))
		}
		lines = append(lines, "the same key is listed more than once: "+strings.Join(of, ", "))
	}
	if r.Cut {
		lines = append(lines, "the search ended at --limit, so there may be more")
	}
	for _, m := range r.Matches {
		switch {
		case m.Kind == device.RecoveryPhraseKey && names[m.Root] != "":
			lines = append(lines, fmt.Sprintf("the words of %s are also the recovery phrase of the anchor: one seed is one factor, so give the anchor another phrase", ui.Printable(names[m.Root])))
		case m.Kind == device.RecoveryPhraseKey:
			lines = append(lines, fmt.Sprintf("the words are the recovery phrase of the anchor: kedge device list --as phrase --anchor %d", v.Anchor))
		case m.Kind == device.Named && names[m.Root] != "":
			lines = append(lines, fmt.Sprintf("it signs with --as %s", ui.Quoted(names[m.Root]+"/"+m.Selector())))
		}
	}
	if v.Saved != "" {
		lines = append(lines, fmt.Sprintf("kept as security key %s; kedge key show %s", ui.Printable(v.Saved), ui.Quoted(v.Saved)))
	}
	return strings.Join(lines, "\n")
}
