package iitest

// Generation is a time of Internet Identity: how its builds read and write a record. The later one is the greater.
type Generation int

// The generations, named by the month of the first build.
const (
	From2021May Generation = iota // public key, alias, credential id
	From2021Nov                   // purpose and key type, optional
	From2022Jul                   // protection, optional
	From2022Dec                   // a record around the devices; purpose, key type and protection not optional
	From2023Feb                   // origin, last usage
	From2023Apr                   // metadata
	From2023Aug                   // browser storage key, the fifth case of key type
	From2025Oct                   // AAGUID, time of creation of the anchor
)

// Generations are those whose builds run on a layout.
func Generations(layout uint8) []Generation {
	switch layout {
	case 1:
		return []Generation{From2021May, From2021Nov, From2022Jul}
	case 3:
		return []Generation{From2022Jul}
	case 5:
		return []Generation{From2022Dec}
	case 6:
		return []Generation{From2022Dec, From2023Feb, From2023Apr}
	case 7:
		return []Generation{From2023Apr, From2023Aug}
	case 8:
		return []Generation{From2023Aug}
	}
	return []Generation{From2023Aug, From2025Oct}
}

// KnowsProtection tells whether the builds enforce the protection of recovery phrases.
func (g Generation) KnowsProtection() bool { return g >= From2022Jul }

// knows tells whether a record has what came with a generation.
func (g Generation) keyTypes() []string {
	names := []string{"unknown", "platform", "cross_platform", "seed_phrase"}
	if g >= From2023Aug {
		names = append(names, "browser_storage_key")
	}
	return names
}

func metadataType() *typ {
	list := &typ{op: vec}
	value := &typ{op: variant, fields: []member{{id("map"), list}, {id("string"), prim(text)}, {id("bytes"), blobType()}}}
	list.elem = &typ{op: record, fields: []member{{0, prim(text)}, {1, value.sorted()}}}
	return list
}

// recordType is the type that the builds of a generation decode a record as, and encode it with.
func (g Generation) recordType() *typ {
	device := &typ{op: record, fields: []member{
		{id("pubkey"), blobType()}, {id("alias"), prim(text)}, {id("credential_id"), optOf(blobType())},
	}}
	add := func(since Generation, name string, t *typ) {
		if g >= since {
			device.fields = append(device.fields, member{id(name), t})
		}
	}
	plain := func(t *typ) *typ { // optional in the lists of devices, plain in the records around them
		if g < From2022Dec {
			return optOf(t)
		}
		return t
	}
	add(From2021Nov, "purpose", plain(cases("authentication", "recovery")))
	add(From2021Nov, "key_type", plain(cases(g.keyTypes()...)))
	add(From2022Jul, "protection", plain(cases("protected", "unprotected")))
	add(From2023Feb, "origin", optOf(prim(text)))
	add(From2023Feb, "last_usage_timestamp", optOf(prim(nat64)))
	add(From2023Apr, "metadata", optOf(metadataType()))
	add(From2025Oct, "aaguid", optOf(blobType()))
	list := vecOf(device.sorted())
	if g < From2022Dec {
		return list
	}
	anchor := &typ{op: record, fields: []member{{id("devices"), list}}}
	if g >= From2025Oct {
		anchor.fields = append(anchor.fields, member{id("created_at"), optOf(prim(nat64))}, member{id("metadata"), optOf(metadataType())})
	}
	return anchor.sorted()
}

// Device is a device as the stand-in's methods take and return it. What a generation does not know is absent.
type Device struct {
	Key, Alias string
	Credential []byte // nil for none
	Purpose    string
	KeyType    string
	Protected  bool
	Origin     *string
	LastUsed   *uint64
	Metadata   any // as it was decoded, nil for none
	AAGUID     []byte
}

func orNil[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

func blobOrNil(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

// Encode writes a record as the builds of a generation do.
func (g Generation) Encode(devices []Device) []byte {
	list := []any{}
	for _, d := range devices {
		purpose, kind, protection := d.Purpose, d.KeyType, "unprotected"
		if purpose == "" {
			purpose = "authentication"
		}
		if kind == "" {
			kind = "unknown"
		}
		if d.Protected {
			protection = "protected"
		}
		list = append(list, fields{
			id("pubkey"): []byte(d.Key), id("alias"): d.Alias, id("credential_id"): blobOrNil(d.Credential),
			id("purpose"): chosen{id(purpose), nil}, id("key_type"): chosen{id(kind), nil}, id("protection"): chosen{id(protection), nil},
			id("origin"): orNil(d.Origin), id("last_usage_timestamp"): orNil(d.LastUsed), id("metadata"): d.Metadata, id("aaguid"): blobOrNil(d.AAGUID),
		})
	}
	if g < From2022Dec {
		return encode(g.recordType(), list)
	}
	return encode(g.recordType(), fields{id("devices"): list})
}

// Decode reads a record as the builds of a generation do. The error is theirs: such a build answers lookup
// with nothing and traps in all other calls about the anchor.
func (g Generation) Decode(b []byte) ([]Device, error) {
	v, err := decode(b, g.recordType())
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		list = v.(fields)[id("devices")].([]any)
	}
	devices := []Device{}
	for _, e := range list {
		f := e.(fields)
		d := Device{
			Key: string(f[id("pubkey")].([]byte)), Alias: f[id("alias")].(string), Purpose: "authentication", KeyType: "unknown",
		}
		name := func(field string, into *string, names ...string) {
			if c, ok := f[id(field)].(chosen); ok {
				for _, n := range names {
					if id(n) == c.id {
						*into = n
					}
				}
			}
		}
		protection := ""
		name("purpose", &d.Purpose, "authentication", "recovery")
		name("key_type", &d.KeyType, g.keyTypes()...)
		name("protection", &protection, "protected", "unprotected")
		d.Protected = protection == "protected"
		d.Credential, _ = f[id("credential_id")].([]byte)
		d.AAGUID, _ = f[id("aaguid")].([]byte)
		if s, ok := f[id("origin")].(string); ok {
			d.Origin = &s
		}
		if n, ok := f[id("last_usage_timestamp")].(uint64); ok {
			d.LastUsed = &n
		}
		d.Metadata = f[id("metadata")]
		devices = append(devices, d)
	}
	return devices, nil
}
