// Package compat compares two versions of a Candid interface and says what a client of the old one would notice
// of the new one. It is stricter than subtyping, which takes every type for a subtype of an opt: a field that a
// result no longer has is told even where a client would read null.
package compat

import (
	"fmt"
	"strconv"
	"strings"

	"kedge/candid/did"
	"kedge/candid/wire"
)

// Change is a difference of one method, or of the constructor's argument.
type Change struct {
	Method string `json:"method"` // empty for the constructor
	What   string `json:"what"`
	// Narrows says that a client of the old interface misses something: a method, a field of a result, a value
	// that was accepted, or the meaning of what it sends or reads.
	Narrows bool `json:"narrows"`
}

func (c Change) String() string {
	if c.Method == "" {
		return "init argument: " + c.What
	}
	return c.Method + ": " + c.What
}

// Compare returns the changes from the old interface to the new one, by method.
func Compare(old, now *did.File) []Change {
	changes := []Change{}
	after := map[string]did.Method{}
	for _, m := range now.Methods() {
		after[m.Name] = m
	}
	before := map[string]bool{}
	for _, m := range old.Methods() {
		before[m.Name] = true
		n, there := after[m.Name]
		if !there {
			changes = append(changes, Change{m.Name, "removed", true})
			continue
		}
		w := walk{old: old, now: now, method: m.Name}
		w.function(m.Type.(did.Func), n.Type.(did.Func))
		changes = append(changes, w.changes...)
	}
	for _, m := range now.Methods() {
		if !before[m.Name] {
			changes = append(changes, Change{m.Name, "new", false})
		}
	}
	w := walk{old: old, now: now}
	w.tuple(old.Init, now.Init, "argument", argument)
	return append(changes, w.changes...)
}

// position says who writes a value: the client an argument, the canister a result.
type position bool

const (
	argument position = false
	result   position = true
)

type walk struct {
	old, now *did.File
	method   string
	changes  []Change
	seen     map[string]bool // pairs of names, so that recursive types end
	optional int             // opts around the value: a client reads null where it does not understand
}

func (w *walk) add(narrows bool, format string, args ...any) {
	w.changes = append(w.changes, Change{w.method, fmt.Sprintf(format, args...), narrows})
}

func (w *walk) function(old, now did.Func) {
	if old.Mode != now.Mode {
		w.add(true, "was %s, is %s", modeText(old.Mode), modeText(now.Mode))
	}
	w.tuple(old.Args, now.Args, "argument", argument)
	w.tuple(old.Results, now.Results, "result", result)
}

func modeText(m wire.Mode) string {
	switch {
	case m&wire.Query != 0:
		return "a query"
	case m&wire.CompositeQuery != 0:
		return "a composite query"
	case m&wire.Oneway != 0:
		return "oneway"
	}
	return "an update"
}

func (w *walk) tuple(old, now []did.Arg, what string, p position) {
	for i := range max(len(old), len(now)) {
		path := what
		if max(len(old), len(now)) > 1 {
			path += " " + strconv.Itoa(i+1)
		}
		switch {
		case i >= len(now):
			w.add(true, "%s removed", path)
		case i >= len(old):
			w.add(p == argument && !nullable(w.now.Resolve(now[i].Type)), "%s new", path)
		default:
			w.value(path, old[i].Type, now[i].Type, p)
		}
	}
}

func nullable(t did.Type) bool {
	switch t := t.(type) {
	case did.Opt:
		return true
	case did.Primitive:
		return wire.Ref(t) == wire.Null || wire.Ref(t) == wire.Reserved
	}
	return false
}

func (w *walk) value(path string, old, now did.Type, p position) {
	oldName, named := old.(did.Name)
	if nowName, both := now.(did.Name); named && both {
		pair := fmt.Sprint(oldName.Name, " ", nowName.Name, " ", p, w.optional > 0)
		if w.seen[pair] {
			return
		}
		if w.seen == nil {
			w.seen = map[string]bool{}
		}
		w.seen[pair] = true
	}
	was, is := w.old.Resolve(old), w.now.Resolve(now)
	switch a := was.(type) {
	case did.Opt:
		if b, ok := is.(did.Opt); ok {
			w.optional++
			w.value(path, a.Elem, b.Elem, p)
			w.optional--
			return
		}
	case did.Vec:
		if b, ok := is.(did.Vec); ok {
			w.value(path+"[]", a.Elem, b.Elem, p)
			return
		}
	case did.Record:
		if b, ok := is.(did.Record); ok {
			w.fields(path, a.Fields, b.Fields, p)
			return
		}
	case did.Variant:
		if b, ok := is.(did.Variant); ok {
			w.cases(path, a.Fields, b.Fields, p)
			return
		}
	}
	if kind(old, w.old) != kind(now, w.now) {
		w.add(!w.compatible(old, now, p), "%s: was %s, is %s", path, kind(old, w.old), kind(now, w.now))
	} else if !w.compatible(old, now, p) {
		w.add(true, "%s: another %s", path, kind(old, w.old))
	}
}

// compatible asks Candid's subtyping, which is right for what no walk goes into, but for what becomes an opt: there
// the value itself must fit, or the receiver would read null.
func (w *walk) compatible(old, now did.Type, p position) bool {
	from, fromFile, to, toFile := old, w.old, now, w.now
	if p == result {
		from, fromFile, to, toFile = to, toFile, from, fromFile
	}
	if s := fromFile.Resolve(from); s != did.Primitive(wire.Null) {
		if _, both := s.(did.Opt); !both {
			if o, ok := toFile.Resolve(to).(did.Opt); ok {
				to = o.Elem
			}
		}
	}
	a, b := did.NewCompiler(fromFile), did.NewCompiler(toFile)
	x, y := a.Ref(from), b.Ref(to)
	return wire.Subtype(a.Table, x, b.Table, y)
}

func (w *walk) fields(path string, old, now []did.Field, p position) {
	after := byID(now)
	for _, f := range old {
		n, there := after[f.ID]
		if !there {
			w.add(true, "%s removed", join(path, f))
			continue
		}
		w.value(join(path, f), f.Type, n.Type, p)
	}
	before := byID(old)
	for _, f := range now {
		if _, there := before[f.ID]; !there {
			w.add(p == argument && !nullable(w.now.Resolve(f.Type)), "%s new", join(path, f))
		}
	}
}

func (w *walk) cases(path string, old, now []did.Field, p position) {
	after := byID(now)
	for _, f := range old {
		n, there := after[f.ID]
		if !there {
			w.add(p == argument, "case %s removed", join(path, f))
			continue
		}
		w.value(join(path, f), f.Type, n.Type, p)
	}
	before := byID(old)
	for _, f := range now {
		if _, there := before[f.ID]; !there {
			w.add(p == result && w.optional == 0, "case %s new", join(path, f))
		}
	}
}

func byID(fields []did.Field) map[uint32]did.Field {
	m := make(map[uint32]did.Field, len(fields))
	for _, f := range fields {
		m[f.ID] = f
	}
	return m
}

func join(path string, f did.Field) string {
	name := f.Name
	if name == "" {
		name = strconv.FormatUint(uint64(f.ID), 10)
	}
	return path + "." + name
}

// deepest is how many opts and vecs the name of a type shows; recursive ones have no end.
const deepest = 4

// kind names a type shortly.
func kind(t did.Type, f *did.File) string {
	var name strings.Builder
	for range deepest {
		switch r := f.Resolve(t).(type) {
		case did.Primitive:
			if text, ok := primitives[wire.Ref(r)]; ok {
				return name.String() + text
			}
			return name.String() + "type " + strconv.Itoa(int(r))
		case did.Opt:
			name.WriteString("opt ")
			t = r.Elem
		case did.Vec:
			name.WriteString("vec ")
			t = r.Elem
		default:
			return name.String() + strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", r), "did."))
		}
	}
	return name.String() + "…"
}

var primitives = map[wire.Ref]string{
	wire.Null: "null", wire.Bool: "bool", wire.Nat: "nat", wire.Int: "int",
	wire.Nat8: "nat8", wire.Nat16: "nat16", wire.Nat32: "nat32", wire.Nat64: "nat64",
	wire.Int8: "int8", wire.Int16: "int16", wire.Int32: "int32", wire.Int64: "int64",
	wire.Float32: "float32", wire.Float64: "float64", wire.Text: "text",
	wire.Reserved: "reserved", wire.Empty: "empty", wire.Principal: "principal",
}
