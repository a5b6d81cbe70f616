package wasm

// This file decodes what modules consist of mostly: segments and code.

func (d *decoder) decodeElement(c *cursor) Element {
	start := c.pos
	flags := c.u32()
	if c.err == nil && flags > 7 {
		c.failf("unknown element segment flags %d", flags)
	}
	e := Element{Type: FuncRef}
	offset := 0
	switch {
	case flags&1 == 0:
		if flags&2 != 0 {
			e.Table = c.u32()
		}
		offset = c.pos
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
	if e.Mode == Active {
		d.needTable(c, start, e)
		d.checkExpr(c, offset, e.Offset, I32)
	}
	if flags&4 != 0 {
		e.Exprs = vector(c, maxElements, "elements", func(c *cursor) []byte { return d.decodeTypedExpr(c, e.Type) })
		if e.Exprs == nil {
			e.Exprs = [][]byte{}
		}
	} else {
		e.Funcs = vector(c, maxElements, "elements", func(c *cursor) uint32 {
			at := c.pos
			f := c.u32()
			d.needFunction(c, at, f)
			return f
		})
	}
	return e
}

func (d *decoder) decodeData(c *cursor) Data {
	start, s := c.pos, Data{}
	switch flags := c.u32(); {
	case c.err != nil:
	case flags == 0 || flags == 2:
		if flags == 2 {
			s.Memory = c.u32()
		}
		s.Offset = d.decodeOffset(c)
	case flags == 1:
		s.Mode = Passive
	default:
		c.failf("unknown data segment flags %d", flags)
	}
	s.Bytes = c.bytes(c.u32())
	if s.Mode == Active {
		d.needMemory(c, start, s.Memory)
	}
	return s
}

func (d *decoder) decodeCode(c *cursor) {
	d.code = true
	n := c.count(maxFunctions, "function bodies")
	if c.err != nil {
		return
	}
	if n != len(d.m.Functions) {
		c.failAs(0, "function and code section have inconsistent lengths", "%d function bodies for %d declared functions", n, len(d.m.Functions))
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
			b.failAs(len(body), "control frames remain at end of function: END opcode expected", "body %d does not close with end", i)
		}
		if b.err != nil {
			c.err = b.err
			return
		}
	}
}
