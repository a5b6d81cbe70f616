package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"sort"
	"strings"
)

// mutant is one change of the policy.
type mutant struct {
	number int
	file   string // base name
	line   int
	where  string // function
	text   string // source of what is changed
	kind   string

	dirPrefix string // of the key
	nth       int    // among those of the same key, from 1
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d %s: %s: %s", m.file, m.line, m.where, m.kind, m.text)
}

// mutator rewrites the files of one package and collects the mutants.
type mutator struct {
	dir     string
	mutants []mutant
	next    int // last number given
}

// edit is text that goes into a source file at an offset, in place of drop bytes. At one offset, what
// closes an expression goes before what opens one; the inner closes first, the outer opens first.
type edit struct {
	at, drop int
	closing  bool
	depth    int
	text     string
}

// file is a source file in the making.
type file struct {
	*mutator
	name     string
	fset     *token.FileSet
	source   string
	edits    []edit
	function string
	depth    int
}

// rewrite returns the source of a file with every mutant in it, asleep.
func (m *mutator) rewrite(path, source string) (string, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, path, source, parser.ParseComments)
	if err != nil {
		return "", err
	}
	f := &file{mutator: m, name: filepath.Base(path), fset: fset, source: source}
	for _, decl := range tree.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
			f.function = fn.Name.Name
			ast.Walk(f, fn.Body)
		}
	}
	return f.apply(), nil
}

// Visit implements ast.Visitor. What mutates an expression walks on inside it by itself.
func (f *file) Visit(node ast.Node) ast.Visitor {
	switch n := node.(type) {
	case *ast.IfStmt:
		f.walkIf(n.Init)
		f.condition(n.Cond)
		ast.Walk(f, n.Body)
		f.walkIf(n.Else)
		return nil
	case *ast.ForStmt:
		f.walkIf(n.Init)
		if n.Cond != nil {
			f.condition(n.Cond)
		}
		// The post statement stays: without it the loop would not end.
		ast.Walk(f, n.Body)
		return nil
	case *ast.SwitchStmt:
		f.walkIf(n.Init)
		if n.Tag != nil {
			ast.Walk(f, n.Body)
			return nil
		}
		for _, clause := range n.Body.List {
			clause := clause.(*ast.CaseClause)
			for _, e := range clause.List {
				f.condition(e)
			}
			for _, s := range clause.Body {
				ast.Walk(f, s)
			}
		}
		return nil
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			f.statement(n)
		}
	case *ast.ExprStmt:
		if !panics(n) { // a function that ends with a panic would lack a return without it
			f.statement(n)
		}
	case *ast.IncDecStmt:
		f.statement(n)
	case ast.Expr:
		if boolean(n) {
			f.condition(n)
			return nil
		}
	}
	return f
}

func panics(s *ast.ExprStmt) bool {
	call, ok := s.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	name, ok := call.Fun.(*ast.Ident)
	return ok && name.Name == "panic"
}

func (f *file) walkIf(n ast.Node) {
	if n == nil || n == ast.Stmt(nil) {
		return
	}
	switch n := n.(type) { // of an if, for or switch, where no statement can be left out
	case *ast.AssignStmt:
		for _, e := range n.Rhs {
			ast.Walk(f, e)
		}
	case *ast.IncDecStmt, *ast.ExprStmt:
	default:
		ast.Walk(f, n)
	}
}

// boolean reports whether an expression is a condition by its form alone.
func boolean(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return boolean(e.X)
	case *ast.UnaryExpr:
		return e.Op == token.NOT
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LAND, token.LOR, token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
			return true
		}
	}
	return false
}

// condition makes the mutants of a boolean expression and of its parts.
func (f *file) condition(e ast.Expr) {
	n := f.number(e, "negated", "taken for true", "taken for false")
	f.open(e.Pos(), fmt.Sprintf("mutateBool(%d, ", n))
	f.depth++
	f.inside(e)
	f.depth--
	f.close(e.End(), ")")
}

var exchanged = map[token.Token]struct{ call, kind string }{
	token.LAND: {"mutateAnd", "&& for ||"},
	token.LOR:  {"mutateOr", "|| for &&"},
	token.LSS:  {"mutateLess", "< for <="},
	token.LEQ:  {"mutateLessEqual", "<= for <"},
	token.GTR:  {"mutateMore", "> for >="},
	token.GEQ:  {"mutateMoreEqual", ">= for >"},
}

func (f *file) inside(e ast.Expr) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		f.inside(e.X)
		return
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			f.inside(e.X) // its negation is that of the whole
			return
		}
	case *ast.BinaryExpr:
		change, ok := exchanged[e.Op]
		if !ok {
			break
		}
		n := f.number(e, "exchanged: "+change.kind)
		f.open(e.Pos(), fmt.Sprintf("%s(%d, ", change.call, n))
		f.depth++
		if e.Op == token.LAND || e.Op == token.LOR {
			f.condition(e.X)
			f.replace(e.OpPos, f.offset(e.Y.Pos())-f.offset(e.OpPos), ", func() bool { return ")
			f.condition(e.Y)
			f.close(e.End(), "}")
		} else {
			ast.Walk(f, e.X)
			f.replace(e.OpPos, len(e.Op.String()), ", ")
			ast.Walk(f, e.Y)
		}
		f.depth--
		f.close(e.End(), ")")
		return
	}
	for _, child := range children(e) {
		ast.Walk(f, child)
	}
}

// children are the expressions right below e.
func children(e ast.Expr) (out []ast.Node) {
	ast.Inspect(e, func(n ast.Node) bool {
		if n == nil || n == ast.Node(e) {
			return n != nil
		}
		out = append(out, n)
		return false
	})
	return out
}

func (f *file) statement(s ast.Stmt) {
	n := f.number(s, "left out")
	depth := f.depth
	f.depth = -1 // around every expression of the statement
	f.open(s.Pos(), fmt.Sprintf("if !mutateDrop(%d) { ", n))
	f.close(s.End(), " }")
	f.depth = depth
}

// number gives a mutant for each kind, with numbers in a row, and returns the first.
func (f *file) number(n ast.Node, kinds ...string) int {
	first := f.next + 1
	for _, kind := range kinds {
		f.next++
		f.mutants = append(f.mutants, mutant{
			number: f.next, file: f.name, line: f.fset.Position(n.Pos()).Line, where: f.function, kind: kind,
			text: strings.Join(strings.Fields(f.source[f.offset(n.Pos()):f.offset(n.End())]), " "),
		})
	}
	return first
}

func (f *file) offset(p token.Pos) int { return f.fset.Position(p).Offset }

func (f *file) open(p token.Pos, text string) {
	f.edits = append(f.edits, edit{at: f.offset(p), depth: f.depth, text: text})
}

func (f *file) close(p token.Pos, text string) {
	f.edits = append(f.edits, edit{at: f.offset(p), closing: true, depth: f.depth, text: text})
}

func (f *file) replace(p token.Pos, drop int, text string) {
	f.edits = append(f.edits, edit{at: f.offset(p), drop: drop, depth: f.depth, text: text})
}

func (f *file) apply() string {
	sort.SliceStable(f.edits, func(i, j int) bool {
		a, b := f.edits[i], f.edits[j]
		switch {
		case a.at != b.at:
			return a.at < b.at
		case a.closing != b.closing:
			return a.closing
		case a.closing:
			return a.depth > b.depth
		}
		return a.depth < b.depth
	})
	var out strings.Builder
	at := 0
	for _, e := range f.edits {
		out.WriteString(f.source[at:e.at])
		out.WriteString(e.text)
		at = e.at + e.drop
	}
	out.WriteString(f.source[at:])
	return out.String()
}
