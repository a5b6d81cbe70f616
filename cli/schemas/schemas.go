// Package schemas describes what each command prints with --json, in JSON Schema (draft 2020-12): one file for
// each command, named after it, so that key-credentials-list.json is about kedge key credentials list.
//
// How to add the schema of a new command:
//
//  1. Write kedge-command.json beside this file, named as above without "kedge-". Begin with a title (what the
//     result is, in a sentence), then the type. Every object says "additionalProperties": false and lists in
//     "required" the properties that are always there; a property that may be missing (omitempty) is not
//     required, and one that may be null has the type ["string", "null"].
//  2. What several commands print is in defs.json, and is meant by {"$ref": "#/$defs/device"}.
//  3. Properties of one kind are written alike: times in RFC 3339 ({"$ref": "#/$defs/time"}), lengths of time in
//     seconds with the ending _s, keys and hashes in hexadecimal.
//  4. Run go test ./cli -run Schema. Every script of cli/testdata and cli/testdata/whole that runs the command
//     is then held to the schema: a result that does not fit makes the script fail.
//  5. A command whose output is never JSON (a program that runs until it is ended, a file format of others) has a
//     schema with "not": {} and a title that says so.
//
// Properties may be added to a result; they are not renamed, and their types do not change.
package schemas

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed *.json
var files embed.FS

// The names of the files that are about no command.
const (
	Error = "error" // what a command prints on standard error when it fails
	defs  = "defs"
)

// Name returns the name of the schema of a command, from its path such as "kedge key list".
func Name(commandPath string) string {
	if commandPath == "kedge" {
		return "kedge"
	}
	return strings.ReplaceAll(strings.TrimPrefix(commandPath, "kedge "), " ", "-")
}

// Names returns the names of all schemas, in order.
func Names() []string {
	list, err := fs.Glob(files, "*.json")
	if err != nil {
		panic("schemas: " + err.Error()) // a constant pattern
	}
	names := []string{}
	for _, file := range list {
		if name := strings.TrimSuffix(path.Base(file), ".json"); name != defs {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Of returns the schema of that name as one document that stands alone: the definitions that it uses are in it.
// The error wraps [fs.ErrNotExist] if there is none.
func Of(name string) ([]byte, error) {
	document, err := read(name)
	if err != nil {
		return nil, err
	}
	shared, err := read(defs)
	if err != nil {
		return nil, err
	}
	all, _ := shared["$defs"].(map[string]any)
	used := map[string]any{}
	own, _ := document["$defs"].(map[string]any)
	for name, def := range own {
		used[name] = def
	}
	if err := collect(document, all, used); err != nil {
		return nil, fmt.Errorf("schema %s: %w", name, err)
	}
	if len(used) > 0 {
		document["$defs"] = used
	}
	document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	return json.MarshalIndent(document, "", "  ")
}

func read(name string) (map[string]any, error) {
	data, err := files.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("reading the schema %q: %w", name, err)
	}
	var document map[string]any
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("the schema %q is damaged: %w", name, err)
	}
	return document, nil
}

// collect adds to used the definitions that a part of a schema refers to, and those that these refer to.
func collect(part any, all, used map[string]any) error {
	switch part := part.(type) {
	case []any:
		for _, item := range part {
			if err := collect(item, all, used); err != nil {
				return err
			}
		}
	case map[string]any:
		if ref, ok := part["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, "#/$defs/")
			if _, done := used[name]; !done {
				def, known := all[name]
				if !known {
					return fmt.Errorf("there is no definition %q", ref)
				}
				used[name] = def
				if err := collect(def, all, used); err != nil {
					return err
				}
			}
		}
		for _, item := range part {
			if err := collect(item, all, used); err != nil {
				return err
			}
		}
	}
	return nil
}
