package wire_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kedge/candid/did"
	"kedge/candid/wire"
	"kedge/internal/vectors"
)

// TestOfficial runs the official Candid tests. A line of them is
//
//	assert VALUE [== VALUE | != VALUE | !:] : (TYPES) "description";
//
// where a value is a blob, which is decoded, or a text, which is parsed.
func TestOfficial(t *testing.T) {
	dir := vectors.Dir(t, "candid")
	for file, want := range map[string]int{
		"prim.test.did": 168, "construct.test.did": 164, "reference.test.did": 50, "subtypes.test.did": 58,
	} {
		t.Run(file, func(t *testing.T) {
			src, err := os.ReadFile(filepath.Join(dir, file))
			require.NoError(t, err)
			_, tests := parseTests(t, string(src))
			require.GreaterOrEqual(t, len(tests), want, "tests read from the file")
			for _, test := range tests {
				test.run(t)
			}
		})
	}
}

type officialTest struct {
	line        int
	left, right did.Token // Quoted; Doc is {"blob"} if it is one
	relation    string    // "", "==", "!=" or "!:"
	types       []did.Arg
	table       wire.Table
	args        []wire.Field
	about       string
}

func parseTests(t *testing.T, src string) (*did.File, []officialTest) {
	p := did.NewParser(src)
	file := &did.File{}
	var tests []officialTest
	for p.Err == nil && p.Tok.Kind != did.EOF {
		if p.Accept("type") {
			d := did.Definition{Name: p.Advance().Text}
			p.Expect("=")
			d.Type = p.Type()
			file.Types = append(file.Types, d)
			p.Expect(";")
			continue
		}
		test := officialTest{line: p.Tok.Line}
		p.Expect("assert")
		test.left = operand(p)
		switch {
		case p.Accept("=="):
			test.relation = "=="
			test.right = operand(p)
			p.Expect(":")
		case p.Accept("!="):
			test.relation = "!="
			test.right = operand(p)
			p.Expect(":")
		case p.Accept("!:"):
			test.relation = "!:"
		default:
			p.Expect(":")
		}
		c := did.NewCompiler(file)
		test.types = p.Tuple()
		test.args = c.Signature(test.types).Args
		test.table = c.Table
		if p.Tok.Kind == did.Quoted {
			test.about = p.Advance().Text
		}
		p.Expect(";")
		tests = append(tests, test)
	}
	require.NoError(t, p.Err)
	return file, tests
}

func operand(p *did.Parser) did.Token {
	blob := p.Accept("blob")
	t := p.Advance()
	t.Doc = nil
	if blob {
		t.Doc = []string{"blob"}
	}
	return t
}

func (o *officialTest) eval(v did.Token) (string, error) {
	decode := parseValues
	if v.Doc != nil {
		decode = func(src string, table wire.Table, args []wire.Field) ([]any, error) {
			return decodeAll([]byte(src), table, args)
		}
	}
	values, err := decode(v.Text, o.table, o.args)
	return showAll(values), err
}

func (o *officialTest) run(t *testing.T) {
	left, err := o.eval(o.left)
	if o.relation == "!:" {
		if err == nil {
			t.Errorf("line %d, %q: accepted as %s", o.line, o.about, left)
		}
		return
	}
	if err != nil {
		t.Errorf("line %d, %q: %v", o.line, o.about, err)
		return
	}
	if o.relation == "" {
		return
	}
	right, err := o.eval(o.right)
	if err != nil {
		t.Errorf("line %d, %q: right side: %v", o.line, o.about, err)
		return
	}
	if (left == right) != (o.relation == "==") {
		t.Errorf("line %d, %q: want %s %s %s", o.line, o.about, left, o.relation, right)
	}
}
