package wasm

// This file decodes what modules consist of mostly: segments and code.

func decodeElement(c *cursor) Element {
	flags := c.u32()
	if c.err == nil && flags > 7 {
		c.failf("unknown element segment flags %d", flags)
	}
	e := Element{Type: FuncRef}
	switch {
	case flags&1 == 0:
		if flags&2 != 0 {
			e.Table = c.u32()
		}
		e.Offset = decodeExpr(c)
	case flags&2 == 0:
		e.Mode = Passive
	default:
		e.Mode = Declared
	}
	if flags&3 != 0 { // all but the two short active forms name the kind or type
		if flags&4 != 0 {
			e.Type = c.valType()
		} else if kind := c.byte(); c.err == nil && kind != 0 {
			c.failf("unknown element kind 0x%02x", kind)
		}
	}
	if flags&4 != 0 {
		e.Exprs = vector(c, maxElements, "elements", decodeExpr)
		if e.Exprs == nil {
			e.Exprs = [][]byte{}
		}
	} else {
		e.Funcs = vector(c, maxElements, "elements", (*cursor).u32)
	}
	return e
}

func decodeData(c *cursor) Data {
	d := Data{Pos: c.base + c.pos}
	switch flags := c.u32(); {
	case c.err != nil:
	case flags == 0 || flags == 2:
		if flags == 2 {
			d.Memory = c.u32()
		}
		d.Offset = decodeExpr(c)
	case flags == 1:
		d.Mode = Passive
	default:
		c.failf("unknown data segment flags %d", flags)
	}
	d.Bytes = c.bytes(c.u32())
	return d
}

func (d *decoder) decodeCode(c *cursor) {
	d.code = true
	n := c.count(maxFunctions, "function bodies")
	if c.err != nil {
		return
	}
	if n != len(d.m.Functions) {
		c.failf("%d function bodies for %d declared functions", n, len(d.m.Functions))
		return
	}
	for i := range n {
		f := &d.m.Functions[i]
		size := c.u32()
		if c.err == nil && size > maxBody {
			c.failf("body %d has %d bytes, at most %d are allowed", i, size, maxBody)
		}
		body := c.bytes(size)
		if c.err != nil {
			return
		}
		b := cursor{data: body, base: c.base + c.pos - len(body)}
		total := uint64(0)
		f.Locals = vector(&b, maxLocals, "groups of locals", func(b *cursor) Locals {
			l := Locals{Count: b.u32(), Type: b.valType()}
			if total += uint64(l.Count); b.err == nil && total > maxLocals {
				b.failf("function %d of the code section has %d locals, at most %d are allowed", i, total, maxLocals)
			}
			return l
		})
		f.Body = body[b.pos:len(body):len(body)]
		f.Offset = b.base + b.pos
		if b.err == nil && (len(f.Body) == 0 || f.Body[len(f.Body)-1] != byte(OpEnd)) {
			b.failf("body %d does not close with end", i)
		}
		if b.err != nil {
			c.err = b.err
			return
		}
	}
}
