package gen

import (
	"fmt"
	"go/token"
	"strings"
	"unicode"

	"kedge/candid/did"
)

var initialisms = map[string]string{"id": "ID", "ids": "IDs", "url": "URL", "ttl": "TTL"}

// exported is a Candid name as an exported Go name: seed_phrase as SeedPhrase.
func exported(name string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if up, ok := initialisms[part]; ok {
			b.WriteString(up)
			continue
		}
		r := []rune(part)
		r[0] = unicode.ToUpper(r[0])
		b.WriteString(string(r))
	}
	s := b.String()
	if s == "" || !unicode.IsUpper([]rune(s)[0]) {
		s = "X" + s
	}
	return s
}

// unexported is a Candid name as the name of a Go parameter.
func unexported(name string) string {
	r := []rune(exported(name))
	for i := range r { // URLPath becomes urlPath
		if i > 0 && i+1 < len(r) && unicode.IsLower(r[i+1]) {
			break
		}
		if !unicode.IsUpper(r[i]) {
			break
		}
		r[i] = unicode.ToLower(r[i])
	}
	s := string(r)
	switch {
	case token.IsKeyword(s), s == "b", s == "d", s == "w", s == "data", s == "err", s == "ok", s == "types",
		s == "wire", s == "bignum", s == "principal", s == "big", s == "len":
		return s + "Arg"
	}
	return s
}

// fieldName is the Go name of a field or case.
func fieldName(f did.Field) string {
	if f.Name == "" {
		return fmt.Sprintf("F%d", f.ID)
	}
	return exported(f.Name)
}

// label is the Candid name of a field or case, for errors.
func label(f did.Field) string {
	if f.Name == "" {
		return fmt.Sprint(f.ID)
	}
	return f.Name
}

// params are names for arguments or results, each different.
func params(args []did.Arg, results bool) []string {
	names := make([]string, len(args))
	seen := map[string]bool{}
	for i, a := range args {
		name := fmt.Sprintf("arg%d", i)
		if results && len(args) == 1 {
			name = "result"
		} else if results {
			name = fmt.Sprintf("result%d", i)
		}
		if a.Name != "" {
			name = unexported(a.Name)
		} else if n, ok := withoutOpt(a.Type).(did.Name); ok {
			name = unexported(n.Name)
		}
		for base, k := name, 2; seen[name]; k++ {
			name = fmt.Sprint(base, k)
		}
		seen[name] = true
		names[i] = name
	}
	return names
}

func withoutOpt(t did.Type) did.Type {
	if o, ok := t.(did.Opt); ok {
		return o.Elem
	}
	return t
}
