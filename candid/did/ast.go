package did

import "kedge/candid/wire"

// File is an interface description.
type File struct {
	// Types are the definitions in their order.
	Types []Definition
	// Init are the arguments of the service's constructor.
	Init []Arg
	// Service is the service's type, a Service or a Name; nil if there is none.
	Service Type
}

// Definition gives a type a name.
type Definition struct {
	Name string
	Type Type
	Doc  []string
	at   Token
}

// Type is one of Primitive, Name, Opt, Vec, Record, Variant, Func and Service.
type Type interface{ isType() }

type (
	// Primitive is a type without parts.
	Primitive wire.Ref
	// Name stands for the definition of that name.
	Name struct {
		Name string
		at   Token
	}
	// Opt is a value or null.
	Opt struct{ Elem Type }
	// Vec is a sequence; blob is one of nat8.
	Vec struct{ Elem Type }
	// Record is a tuple of fields, by ascending id.
	Record struct{ Fields []Field }
	// Variant is one of several cases, by ascending id.
	Variant struct{ Fields []Field }
	// Func is a reference to a method, or the type of one.
	Func struct {
		Args, Results []Arg
		Mode          wire.Mode
	}
	// Service is a reference to a canister, or the type of one.
	Service struct{ Methods []Method }
)

func (Primitive) isType() {}
func (Name) isType()      {}
func (Opt) isType()       {}
func (Vec) isType()       {}
func (Record) isType()    {}
func (Variant) isType()   {}
func (Func) isType()      {}
func (Service) isType()   {}

// Field is a field of a record or a case of a variant.
type Field struct {
	ID    uint32
	Place int    // in the source, counted from 0
	Name  string // empty if only a number is given
	Type  Type
	Doc   []string
}

// Arg is an argument or a result; its name is for people only.
type Arg struct {
	Name string
	Type Type
}

// Method is a method of a service; its type is a Func or the Name of one.
type Method struct {
	Name string
	Type Type
	Doc  []string
}

// Written returns the fields in the order of the source.
func Written(fields []Field) []Field {
	out := make([]Field, len(fields))
	for _, f := range fields {
		out[f.Place] = f
	}
	return out
}

// Lookup returns the definition of a name, or nil.
func (f *File) Lookup(name string) *Definition {
	for i := range f.Types {
		if f.Types[i].Name == name {
			return &f.Types[i]
		}
	}
	return nil
}

// Resolve follows names until something else is found.
func (f *File) Resolve(t Type) Type {
	for {
		n, ok := t.(Name)
		if !ok {
			return t
		}
		t = f.Lookup(n.Name).Type
	}
}

// Methods returns the methods of the service by name, their types resolved.
func (f *File) Methods() []Method {
	if f.Service == nil {
		return nil
	}
	s := f.Resolve(f.Service).(Service)
	methods := append([]Method(nil), s.Methods...)
	for i := range methods {
		methods[i].Type = f.Resolve(methods[i].Type)
	}
	return methods
}
