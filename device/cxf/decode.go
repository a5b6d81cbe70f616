package cxf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
)

// File is what a file holds.
type File struct {
	Exporter Exporter
	Passkeys []Passkey
	// Skipped names, for people, each credential of another type and each member that is not known here. None of
	// them was read.
	Skipped []string
}

// Decode reads a file. Either all its passkeys are read or the error names the one that could not be.
func Decode(data []byte) (File, error) {
	if len(data) > limit {
		return File{}, fmt.Errorf("the exchange file has %d bytes, the limit is %d", len(data), limit)
	}
	var h header
	var f File
	if err := f.decode("file", data, &h); err != nil {
		return File{}, err
	}
	if h.Version.Major != major {
		return File{}, fmt.Errorf("the exchange file has version %d.%d, this program reads 1.x", h.Version.Major, h.Version.Minor)
	}
	f.Exporter = Exporter{h.ExporterRPID, h.ExporterDisplayName}
	for _, a := range h.Accounts {
		for _, i := range a.Items {
			if err := f.item(i); err != nil {
				return File{}, err
			}
		}
	}
	return f, nil
}

func (f *File) item(i item) error {
	for n, raw := range i.Credentials {
		where := fmt.Sprintf("item %q, credential %d", i.Title, n+1)
		var kind struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(raw, &kind); err != nil {
			return fmt.Errorf("%s: %w", where, jsonError(err))
		}
		if kind.Type != "passkey" {
			f.Skipped = append(f.Skipped, fmt.Sprintf("%s: type %q is not taken", where, kind.Type))
			continue
		}
		var j passkey
		if err := f.decode(where, raw, &j); err != nil {
			return err
		}
		p, err := j.passkey()
		if err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		p.Title = i.Title
		if i.CreationAt != nil && *i.CreationAt > 0 && *i.CreationAt < 1<<40 {
			p.Created = time.Unix(*i.CreationAt, 0).UTC()
		}
		if slices.ContainsFunc(f.Passkeys, func(o Passkey) bool { return bytes.Equal(o.CredentialID, p.CredentialID) }) {
			return fmt.Errorf("%s: the same credential id is in the file twice", where)
		}
		f.Passkeys = append(f.Passkeys, p)
	}
	return nil
}

func (j passkey) passkey() (Passkey, error) {
	p := Passkey{CredentialID: j.CredentialID, RPID: j.RPID, UserName: j.Username, UserDisplayName: j.UserDisplayName, UserHandle: j.UserHandle}
	switch {
	case len(j.CredentialID) == 0 || len(j.CredentialID) > 1023:
		return p, fmt.Errorf("credential id of %d bytes, they have 1 to 1023", len(j.CredentialID))
	case j.RPID == "":
		return p, errors.New("it has no relying party id")
	case len(j.UserHandle) > 64:
		return p, fmt.Errorf("user handle of %d bytes, the limit is 64", len(j.UserHandle))
	}
	var err error
	if p.Key, err = parseKey(j.Key); err != nil {
		return p, err
	}
	if j.Extensions == nil || j.Extensions.HMAC == nil {
		return p, nil
	}
	h := j.Extensions.HMAC
	if h.Algorithm != hmacAlgorithm || len(h.WithUV) != 32 || len(h.WithoutUV) != 32 {
		return p, errors.New("its hmacCredentials are not two secrets of 32 bytes for " + hmacAlgorithm)
	}
	p.HMACWithUV, p.HMACWithoutUV = h.WithUV, h.WithoutUV
	return p, nil
}

// decode reads one value and notes the members that the type does not have.
func (f *File) decode(where string, raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", where, jsonError(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%s: something follows the JSON", where)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return fmt.Errorf("%s: %w", where, jsonError(err))
	}
	f.unknown(where, tree, reflect.TypeOf(into).Elem())
	return nil
}

func (f *File) unknown(where string, tree any, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch value := tree.(type) {
	case []any:
		if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
			for _, v := range value {
				f.unknown(where, v, t.Elem())
			}
		}
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return
		}
		known := map[string]reflect.Type{}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			known[name] = t.Field(i).Type
		}
		names := make([]string, 0, len(value))
		for name := range value {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if field, ok := known[name]; ok {
				f.unknown(where, value[name], field)
			} else {
				f.Skipped = append(f.Skipped, fmt.Sprintf("%s: member %q is not known", where, name))
			}
		}
	}
}

// jsonError keeps what encoding/json shows of a value, which may be a private key, out of an error.
func jsonError(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("member %q has a value of the wrong type", wrong.Field)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("not JSON, at byte %d", syntax.Offset)
	}
	return err
}
