package wire

// Subtype reports whether type a of table ta is a subtype of type b of table
// tb: whether every value of a may be decoded as b.
func Subtype(ta Table, a Ref, tb Table, b Ref) bool {
	c := comparison{steps: maxComparisons}
	return c.sub(ta, a, tb, b, false)
}

// subtype compares a type of the message with one of the receiver.
func (d *Decoder) subtype(w, want Ref) bool {
	budget := min(d.steps, maxComparisons)
	c := comparison{steps: budget}
	ok := c.sub(d.wire, w, d.want, want, false)
	d.steps -= budget - c.steps
	if c.steps < 0 {
		d.malformed("the types of the message take too much work to compare")
	}
	return ok
}

// maxComparisons bounds the pairs of types that one comparison looks at.
const maxComparisons = 100_000

// comparison holds the pairs of types under comparison. A pair met again is
// taken to hold, which is what a recursive type means. As the first pair that
// does not hold ends the whole comparison, no assumption outlives its reason.
type comparison struct {
	seen  map[pair]struct{}
	steps int
}

// pair is flipped when its first type is of the second table, as in the
// arguments of functions.
type pair struct {
	a, b    Ref
	flipped bool
}

func (c *comparison) sub(ta Table, a Ref, tb Table, b Ref, flipped bool) bool {
	if c.steps--; c.steps < 0 {
		return false
	}
	if a == Empty || b == Reserved {
		return true
	}
	if b < 0 {
		return a == b || a == Nat && b == Int ||
			b == Principal && a >= 0 && ta[a].Op == Service
	}
	if tb[b].Op == Opt { // whatever does not fit is null
		return true
	}
	if a < 0 || ta[a].Op != tb[b].Op || ta[a].Op == Future {
		return false
	}
	p := pair{a, b, flipped}
	if _, ok := c.seen[p]; ok {
		return true
	}
	if c.seen == nil {
		c.seen = make(map[pair]struct{})
	}
	c.seen[p] = struct{}{}

	ea, eb := &ta[a], &tb[b]
	switch ea.Op {
	case Vec:
		return c.sub(ta, ea.Elem, tb, eb.Elem, flipped)
	case Record:
		return c.subFields(ta, ea.Fields, tb, eb.Fields, flipped)
	case Variant:
		return c.subCases(ta, ea.Fields, tb, eb.Fields, flipped)
	case Func:
		na, nb := ea.Elem, eb.Elem
		return ea.Mode == eb.Mode &&
			c.subFields(tb, eb.Fields[:nb], ta, ea.Fields[:na], !flipped) &&
			c.subFields(ta, ea.Fields[na:], tb, eb.Fields[nb:], flipped)
	default:
		return c.subMethods(ta, ea.Fields, tb, eb.Fields, flipped)
	}
}

// subFields: a record may have more fields than its supertype, and may lack
// those that can be null.
func (c *comparison) subFields(ta Table, fa []Field, tb Table, fb []Field, flipped bool) bool {
	i := 0
	for _, f := range fb {
		for i < len(fa) && fa[i].ID < f.ID {
			i++
		}
		switch {
		case i < len(fa) && fa[i].ID == f.ID:
			if !c.sub(ta, fa[i].Type, tb, f.Type, flipped) {
				return false
			}
		case !tb.Nullable(f.Type):
			return false
		}
	}
	return true
}

// subCases: a variant may have fewer cases than its supertype.
func (c *comparison) subCases(ta Table, fa []Field, tb Table, fb []Field, flipped bool) bool {
	i := 0
	for _, f := range fa {
		for i < len(fb) && fb[i].ID < f.ID {
			i++
		}
		if i == len(fb) || fb[i].ID != f.ID || !c.sub(ta, f.Type, tb, fb[i].Type, flipped) {
			return false
		}
	}
	return true
}

// subMethods: a service may have more methods than its supertype.
func (c *comparison) subMethods(ta Table, fa []Field, tb Table, fb []Field, flipped bool) bool {
	i := 0
	for _, f := range fb {
		for i < len(fa) && fa[i].Name < f.Name {
			i++
		}
		if i == len(fa) || fa[i].Name != f.Name || !c.sub(ta, fa[i].Type, tb, f.Type, flipped) {
			return false
		}
	}
	return true
}

// Nullable reports whether a field or an argument of the type may be missing.
func (t Table) Nullable(r Ref) bool {
	return r == Null || r == Reserved || r >= 0 && t[r].Op == Opt
}
