package wasm

// Size are the static numbers of a module that the Internet Computer charges for or reports.
type Size struct {
	Functions    int // defined in the module
	Instructions int // of all bodies; compiling costs 6,000 instructions for each
	CodeSection  int // bytes
	DataSegments int
	DataBytes    int
	MetadataSize int // bytes of names and contents of the icp: custom sections
	Largest      FunctionFigures
}

// FunctionFigures describe one function.
type FunctionFigures struct {
	Index        uint32 // in the function index space
	Instructions int
	Complexity   int
}

// Size counts the module. It returns an error if a body is malformed.
func (m *Module) Size() (Size, error) {
	f := Size{Functions: len(m.Functions), CodeSection: m.codeSize(), DataSegments: len(m.Data)}
	weights := complexityOf()
	imported := m.Imported(KindFunction)
	for i := range m.Functions {
		one := FunctionFigures{Index: uint32(imported + i)}
		in := m.Functions[i].Walk()
		for in.Next() {
			one.Instructions++
			one.Complexity += int(weights[in.Op.Index()])
		}
		if err := in.Err(); err != nil {
			return Size{}, rule(m.functionNamer()(one.Index), "%w", err)
		}
		f.Instructions += one.Instructions
		if one.Complexity > f.Largest.Complexity {
			f.Largest = one
		}
	}
	for i := range m.Data {
		f.DataBytes += len(m.Data[i].Bytes)
	}
	for _, c := range m.Customs {
		if name, _, err := MetadataName(c.Name); err == nil && name != "" {
			f.MetadataSize += len(name) + len(c.Bytes)
		}
	}
	return f, nil
}
