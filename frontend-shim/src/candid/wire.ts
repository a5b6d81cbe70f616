// Candid messages (https://github.com/dfinity/candid/blob/master/spec/Candid.md), driven by the descriptors
// that candid/tsgen writes. Func and service values are left out: Kedge has none.
import type { Method } from "../ic/agent.ts";
import { Principal } from "../ic/principal.ts";
import { concat, leb, sleb, utf8 } from "../ic/bytes.ts";

export { Principal };

// Type describes a Candid type whose values are T.
export interface Type<T> {
  // kind returns the type itself, where this one only names it.
  kind(): Kind<T>;
}

// Kind is a Type that is no mere name.
export interface Kind<T> extends Type<T> {
  readonly op: number;
  // entry writes the entry of the type table; primitives have none.
  entry?(table: TableWriter): Uint8Array;
  encode(value: T): Uint8Array;
  // decode reads a value whose type on the wire is w.
  decode(r: Reader, w: number): T;
  // absent is the value for a field that is missing; without it the field must be there.
  absent?: T;
}

export type { Method };

// CandidError says that a message is malformed or of another type than expected.
export class CandidError extends Error {}

const NULL = -1, NAT8 = -5, RESERVED = -16, EMPTY = -17, OPT = -18, VEC = -19, RECORD = -20, VARIANT = -21, SERVICE = -23, PRINCIPAL = -24;
const maxDepth = 100;
const maxItems = 1_000_000;

interface Entry { op: number; elem: number; fields: Array<[id: number, type: number]> }

class TableWriter {
  entries: Uint8Array[] = [];
  private places = new Map<Kind<unknown>, number>();

  ref(t: Type<any>): number {
    const kind = t.kind();
    if (!kind.entry) return kind.op;
    let place = this.places.get(kind);
    if (place === undefined) {
      place = this.entries.length;
      this.places.set(kind, place);
      this.entries.push(new Uint8Array());
      this.entries[place] = kind.entry(this);
    }
    return place;
  }
}

// Reader reads a message's values.
export class Reader {
  private at = 0;
  private items = 0;
  private depth = 0;
  table: Entry[] = [];

  constructor(private data: Uint8Array) {}

  get left(): number { return this.data.length - this.at; }

  // attempt runs read, or skips a value of the type w if its type on the wire does not fit.
  attempt<T>(w: number, read: () => T): T | null {
    const at = this.at, depth = this.depth;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      this.at = at;
      this.depth = depth;
      this.skip(w);
      return null;
    }
  }

  nest<T>(read: () => T): T {
    if (++this.depth > maxDepth) throw new CandidError("nested too deeply");
    const value = read();
    this.depth--;
    return value;
  }

  count(): number {
    const n = Number(this.leb());
    this.items += n;
    if (this.items > maxItems) throw new CandidError("too many values");
    return n;
  }

  byte(): number { return this.bytes(1)[0]!; }

  bytes(n: number): Uint8Array {
    if (n > this.left) throw new CandidError("the message ends early");
    this.at += n;
    return this.data.slice(this.at - n, this.at);
  }

  flag(): boolean {
    const b = this.byte();
    if (b > 1) throw new CandidError("neither 0 nor 1");
    return b === 1;
  }

  leb(): bigint {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const b = this.byte();
      value |= BigInt(b & 127) << shift;
      if (b < 128) return value;
    }
  }

  sleb(): bigint {
    for (let value = 0n, shift = 0n; ;) {
      const b = this.byte();
      value |= BigInt(b & 127) << shift;
      shift += 7n;
      if (b < 128) return b & 64 ? value - (1n << shift) : value;
    }
  }

  little(bytes: number): bigint {
    return this.bytes(bytes).reduceRight((sum, b) => (sum << 8n) | BigInt(b), 0n);
  }

  text(): string {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.bytes(Number(this.leb())));
  }

  entry(w: number): Entry | { op: number; elem: number; fields: [] } {
    return w < 0 ? { op: w, elem: 0, fields: [] } : this.table[w]!;
  }

  header(): number[] {
    if (utf8(this.bytes(4)) !== "DIDL") throw new CandidError("not a Candid message");
    for (let n = this.count(); n > 0; n--) {
      const e: Entry = { op: Number(this.sleb()), elem: 0, fields: [] };
      switch (e.op) {
        case OPT: case VEC:
          e.elem = Number(this.sleb());
          break;
        case RECORD: case VARIANT:
          for (let k = this.count(); k > 0; k--) e.fields.push([Number(this.leb()), Number(this.sleb())]);
          break;
        default:
          throw new CandidError(`unexpected type ${e.op}`);
      }
      this.table.push(e);
    }
    const refs: number[] = [];
    for (let n = this.count(); n > 0; n--) refs.push(Number(this.sleb()));
    for (const w of [...refs, ...this.table.flatMap((e) => [e.elem, ...e.fields.map((f) => f[1])])]) {
      if (w >= this.table.length || w < PRINCIPAL || (w <= OPT && w >= SERVICE)) throw new CandidError(`unknown type ${w}`);
    }
    return refs;
  }

  // skip passes over a value of the type w.
  skip(w: number): void {
    this.nest(() => {
      const e = this.entry(w);
      const fixed = fixedSizes[e.op];
      if (fixed !== undefined) return void this.bytes(fixed);
      switch (e.op) {
        case -3: return void this.leb();
        case -4: return void this.sleb();
        case -15: return void this.text();
        case PRINCIPAL: return void readPrincipal(this);
        case OPT: return this.flag() ? this.skip(e.elem) : undefined;
        case VEC:
          for (let n = this.count(); n > 0; n--) this.skip(e.elem);
          return;
        case RECORD:
          for (const [, type] of e.fields) this.skip(type);
          return;
        case VARIANT: return this.skip(this.choice(e)[1]);
        default: throw new CandidError(`cannot skip type ${e.op}`);
      }
    });
  }

  choice(e: Entry | { fields: [] }): [number, number] {
    const field = e.fields[Number(this.leb())];
    if (!field) throw new CandidError("no such case");
    return field;
  }
}

// Mismatch says that the type on the wire is no subtype of the expected one.
class Mismatch extends CandidError {}

const fixedSizes: Record<number, number> = {
  [NULL]: 0, [-2]: 1, [NAT8]: 1, [-6]: 2, [-7]: 4, [-8]: 8, [-9]: 1, [-10]: 2, [-11]: 4, [-12]: 8, [-13]: 4, [-14]: 8, [RESERVED]: 0,
};

function expect(r: Reader, w: number, op: number): Entry | { op: number; elem: number; fields: [] } {
  const e = r.entry(w);
  if (e.op !== op) throw new Mismatch(`type ${op} expected, got ${e.op}`);
  return e;
}

function kind<T>(k: Omit<Kind<T>, "kind">): Kind<T> {
  const out: Kind<T> = { ...k, kind: () => out };
  return out;
}

function primitive<T>(op: number, encode: (value: T) => Uint8Array, read: (r: Reader) => T): Kind<T> {
  return kind<T>({ op, encode, decode: (r, w) => (expect(r, w, op), read(r)) });
}

function fixed(op: number, size: number, signed: boolean): Kind<bigint> {
  const bits = BigInt(8 * size);
  const low = signed ? -(1n << (bits - 1n)) : 0n, high = low + (1n << bits);
  return primitive(op, (value) => {
    if (value < low || value >= high) throw new RangeError(`${value} is out of range`);
    return Uint8Array.from({ length: size }, (_, i) => Number((BigInt.asUintN(Number(bits), value) >> BigInt(8 * i)) & 255n));
  }, (r) => signed ? BigInt.asIntN(Number(bits), r.little(size)) : r.little(size));
}

function small(op: number, size: number, signed: boolean): Kind<number> {
  const wide = fixed(op, size, signed);
  return kind<number>({ op, encode: (value) => wide.encode(BigInt(value)), decode: (r, w) => Number(wide.decode(r, w)) });
}

function float(op: number, size: 4 | 8): Kind<number> {
  return primitive(op, (value) => {
    const view = new DataView(new ArrayBuffer(size));
    size === 4 ? view.setFloat32(0, value, true) : view.setFloat64(0, value, true);
    return new Uint8Array(view.buffer);
  }, (r) => {
    const view = new DataView(r.bytes(size).buffer);
    return size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
  });
}

function readPrincipal(r: Reader): Principal {
  if (!r.flag()) throw new CandidError("opaque principal");
  return new Principal(r.bytes(Number(r.leb())));
}

const nothing = new Uint8Array();
const sized = (bytes: Uint8Array) => concat(leb(bytes.length), bytes);

export const Null = /* @__PURE__ */ kind<null>({ op: NULL, absent: null, encode: () => nothing, decode: (r, w) => (expect(r, w, NULL), null) });
export const Reserved = /* @__PURE__ */ kind<null>({ op: RESERVED, absent: null, encode: () => nothing, decode: (r, w) => (r.skip(w), null) });
export const Empty = /* @__PURE__ */ kind<never>({
  op: EMPTY,
  encode: () => { throw new RangeError("empty has no value"); },
  decode: () => { throw new Mismatch("empty has no value"); },
});
export const Bool = /* @__PURE__ */ primitive<boolean>(-2, (value) => Uint8Array.of(value ? 1 : 0), (r) => r.flag());
export const Nat = /* @__PURE__ */ primitive<bigint>(-3, leb, (r) => r.leb());
export const Int = /* @__PURE__ */ kind<bigint>({
  op: -4, encode: sleb, decode: (r, w) => r.entry(w).op === -3 ? r.leb() : (expect(r, w, -4), r.sleb()),
});
export const Nat8 = /* @__PURE__ */ small(NAT8, 1, false);
export const Nat16 = /* @__PURE__ */ small(-6, 2, false);
export const Nat32 = /* @__PURE__ */ small(-7, 4, false);
export const Nat64 = /* @__PURE__ */ fixed(-8, 8, false);
export const Int8 = /* @__PURE__ */ small(-9, 1, true);
export const Int16 = /* @__PURE__ */ small(-10, 2, true);
export const Int32 = /* @__PURE__ */ small(-11, 4, true);
export const Int64 = /* @__PURE__ */ fixed(-12, 8, true);
export const Float32 = /* @__PURE__ */ float(-13, 4);
export const Float64 = /* @__PURE__ */ float(-14, 8);
export const Text = /* @__PURE__ */ primitive<string>(-15, (value) => sized(utf8(value)), (r) => r.text());
export const PrincipalType = /* @__PURE__ */ primitive<Principal>(PRINCIPAL, (value) => concat(Uint8Array.of(1), sized(value.bytes)), readPrincipal);

export const Blob = /* @__PURE__ */ kind<Uint8Array>({
  op: VEC,
  entry: (table) => concat(sleb(VEC), sleb(table.ref(Nat8))),
  encode: sized,
  decode: (r, w) => {
    expect(r, expect(r, w, VEC).elem, NAT8);
    return r.bytes(Number(r.leb()));
  },
});

// named gives a type a name; it may refer to itself.
export function named<T>(body: () => Type<T>): Type<T> {
  let resolved: Kind<T> | undefined;
  return { kind: () => (resolved ??= body().kind()) };
}

function optional<T, V>(elem: Type<T>, wrap: (value: T) => V, unwrap: (value: V) => T): Type<V | null> {
  return kind<V | null>({
    op: OPT,
    absent: null,
    entry: (table) => concat(sleb(OPT), sleb(table.ref(elem))),
    encode: (value) => value === null ? Uint8Array.of(0) : concat(Uint8Array.of(1), elem.kind().encode(unwrap(value))),
    decode: (r, w) => r.nest(() => {
      const e = r.entry(w), inner = elem.kind();
      const read = (type: number) => r.attempt<V>(type, () => wrap(inner.decode(r, type)));
      if (e.op === NULL || e.op === RESERVED) return null;
      if (e.op === OPT) return r.flag() ? read(e.elem) : null;
      if (inner.absent === undefined) return read(w); // a value where an opt is expected
      r.skip(w);
      return null;
    }),
  });
}

// opt is a value or null.
export const opt = <T>(elem: Type<T>): Type<T | null> => optional(elem, (value) => value, (value) => value);
// box is a value or null, where the value itself may be null.
export const box = <T>(elem: Type<T>): Type<[T] | null> => optional<T, [T]>(elem, (value) => [value], (value) => value[0]);

export function vec<T>(elem: Type<T>): Type<T[]> {
  return kind<T[]>({
    op: VEC,
    entry: (table) => concat(sleb(VEC), sleb(table.ref(elem))),
    encode: (values) => concat(leb(values.length), ...values.map((v) => elem.kind().encode(v))),
    decode: (r, w) => r.nest(() => {
      const e = expect(r, w, VEC), inner = elem.kind(), out: T[] = [];
      for (let n = r.count(); n > 0; n--) out.push(inner.decode(r, e.elem));
      return out;
    }),
  });
}

// fieldId is a field's number: that in _N_, or the hash of its name.
export function fieldId(name: string): number {
  const number = /^_(\d+)_$/.exec(name);
  return number ? Number(number[1]) : utf8(name).reduce((h, b) => (Math.imul(h, 223) + b) >>> 0, 0);
}

function entryOf(op: number, fields: Array<[number, Type<any>]>, table: TableWriter): Uint8Array {
  return concat(sleb(op), leb(fields.length), ...fields.map(([id, t]) => concat(leb(id), sleb(table.ref(t)))));
}

type Fields<T> = { [K in keyof T]-?: Type<T[K]> };

export function record<T extends object>(fields: Fields<T>): Type<T> {
  const sorted = (Object.entries(fields) as Array<[string, Type<unknown>]>).map(([name, type]) => ({ id: fieldId(name), name, type }))
    .sort((a, b) => a.id - b.id);
  return kind<T>({
    op: RECORD,
    entry: (table) => entryOf(RECORD, sorted.map((f) => [f.id, f.type]), table),
    encode: (value) => concat(...sorted.map((f) => f.type.kind().encode((value as Record<string, unknown>)[f.name]))),
    decode: (r, w) => r.nest(() => {
      const out: Record<string, unknown> = {};
      for (const [id, type] of expect(r, w, RECORD).fields) {
        const field = sorted.find((f) => f.id === id);
        if (field) out[field.name] = field.type.kind().decode(r, type);
        else r.skip(type);
      }
      for (const { name, type } of sorted) {
        if (name in out) continue;
        const absent = type.kind().absent;
        if (absent === undefined) throw new Mismatch(`field ${name} is missing`);
        out[name] = absent;
      }
      return out as T;
    }),
  });
}

export function tuple<T extends unknown[]>(...types: { [K in keyof T]: Type<T[K]> }): Type<T> {
  const fields = Object.fromEntries(types.map((t, i) => [`_${i}_`, t]));
  const inner = record(fields as Fields<Record<string, unknown>>).kind();
  return kind<T>({
    op: RECORD,
    entry: (table) => inner.entry!(table),
    encode: (value) => inner.encode(Object.fromEntries(value.map((v, i) => [`_${i}_`, v]))),
    decode: (r, w) => {
      const out = inner.decode(r, w);
      return types.map((_, i) => out[`_${i}_`]) as T;
    },
  });
}

export function variant<T extends { tag: string; value: unknown }>(cases: { [K in T["tag"]]: Type<Extract<T, { tag: K }>["value"]> }): Type<T> {
  const sorted = (Object.entries(cases) as Array<[string, Type<unknown>]>).map(([tag, type]) => ({ id: fieldId(tag), tag, type }))
    .sort((a, b) => a.id - b.id);
  return kind<T>({
    op: VARIANT,
    entry: (table) => entryOf(VARIANT, sorted.map((f) => [f.id, f.type]), table),
    encode: (value) => {
      const i = sorted.findIndex((c) => c.tag === value.tag);
      if (i < 0) throw new RangeError(`no case ${value.tag}`);
      return concat(leb(i), sorted[i]!.type.kind().encode(value.value));
    },
    decode: (r, w) => r.nest(() => {
      const [id, type] = r.choice(expect(r, w, VARIANT));
      const found = sorted.find((c) => c.id === id);
      if (!found) throw new Mismatch(`unknown case ${id}`);
      return { tag: found.tag, value: found.type.kind().decode(r, type) } as T;
    }),
  });
}

// enumeration is a variant whose cases hold nothing; its values are their names.
export function enumeration<T extends string>(...tags: T[]): Type<T> {
  const inner = variant(Object.fromEntries(tags.map((t) => [t, Null])) as any).kind();
  return kind<T>({
    op: VARIANT,
    entry: (table) => inner.entry!(table),
    encode: (tag) => inner.encode({ tag, value: null } as never),
    decode: (r, w) => (inner.decode(r, w) as { tag: string }).tag as T,
  });
}

// encode writes a message.
export function encode(types: Type<any>[], values: unknown[]): Uint8Array {
  const table = new TableWriter();
  const refs = types.map((t) => sleb(table.ref(t)));
  return concat(utf8("DIDL"), leb(table.entries.length), ...table.entries, leb(refs.length), ...refs,
    ...types.map((t, i) => t.kind().encode(values[i])));
}

// decode reads a message. It may hold more values than expected, and fewer where null stands for what is missing.
export function decode(types: Type<any>[], message: Uint8Array): unknown[] {
  const r = new Reader(message);
  const refs = r.header();
  const values = types.map((t, i) => {
    const k = t.kind(), w = refs[i];
    if (w !== undefined) return k.decode(r, w);
    if (k.absent === undefined) throw new CandidError(`value ${i} is missing`);
    return k.absent;
  });
  for (const w of refs.slice(types.length)) r.skip(w);
  if (r.left !== 0) throw new CandidError("the message is too long");
  return values;
}

export function method<A extends unknown[], R extends unknown[]>(name: string, query: boolean, args: () => unknown[], results: () => unknown[]): Method<A, R> {
  return {
    name, query,
    encode: (values) => encode(args() as Type<unknown>[], values),
    decode: (message) => decode(results() as Type<unknown>[], message) as R,
  };
}