// The part of CBOR (RFC 8949) that the Internet Computer and COSE keys use. Maps are read as Map.
import { concat, utf8 } from "./bytes.ts";

export type Cbor = number | bigint | string | boolean | null | undefined | Uint8Array | Cbor[] | Map<Cbor, Cbor>;
// Writable values: objects become maps with text keys; members that are undefined are left out.
export type Writable = number | bigint | string | boolean | null | Uint8Array | Writable[] | { [key: string]: Writable | undefined };

function head(major: number, value: number | bigint): Uint8Array {
  const n = BigInt(value), m = major << 5;
  const size = n < 24n ? 0 : n < 0x100n ? 1 : n < 0x10000n ? 2 : n < 0x100000000n ? 4 : 8;
  if (size === 0) return Uint8Array.of(m | Number(n));
  return Uint8Array.from([m | (24 + Math.log2(size)), ...Array.from({ length: size }, (_, i) => Number((n >> BigInt(8 * (size - 1 - i))) & 255n))]);
}

export function encode(value: Writable): Uint8Array {
  switch (typeof value) {
    case "number":
    case "bigint":
      return value < 0 ? head(1, -1n - BigInt(value)) : head(0, value);
    case "string": {
      const bytes = utf8(value);
      return concat(head(3, bytes.length), bytes);
    }
    case "boolean":
      return Uint8Array.of(value ? 0xf5 : 0xf4);
  }
  if (value === null) return Uint8Array.of(0xf6);
  if (value instanceof Uint8Array) return concat(head(2, value.length), value);
  if (Array.isArray(value)) return concat(head(4, value.length), ...value.map(encode));
  const entries = Object.entries(value).filter((e): e is [string, Writable] => e[1] !== undefined);
  return concat(head(5, entries.length), ...entries.flatMap(([k, v]) => [encode(k), encode(v)]));
}

// selfDescribed is the value under the tag that says that it is CBOR.
export const selfDescribed = (value: Writable): Uint8Array => concat(Uint8Array.of(0xd9, 0xd9, 0xf7), encode(value));

// decodePrefix reads one item and says where it ends.
export function decodePrefix(data: Uint8Array, start = 0): [value: Cbor, end: number] {
  let at = start, depth = 0;
  const take = (n: number): Uint8Array => {
    if (n > data.length - at) throw new RangeError("CBOR ends early");
    at += n;
    return data.slice(at - n, at);
  };
  const number = (info: number): bigint => {
    if (info < 24) return BigInt(info);
    if (info > 27) throw new RangeError("unsupported CBOR");
    return take(1 << (info - 24)).reduce((n, b) => (n << 8n) | BigInt(b), 0n);
  };
  const small = (n: bigint): number | bigint => (n <= BigInt(Number.MAX_SAFE_INTEGER) && n >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(n) : n);
  const item = (): Cbor => {
    if (++depth > 64) throw new RangeError("CBOR is nested too deeply");
    const value = body();
    depth--;
    return value;
  };
  const body = (): Cbor => {
    const first = take(1)[0]!, major = first >> 5, info = first & 31;
    if (info === 31 && major >= 2 && major <= 5) return indefinite(major);
    if (major === 7) {
      if (first === 0xf4 || first === 0xf5) return first === 0xf5;
      if (first === 0xf6) return null;
      if (first === 0xf7) return undefined;
      throw new RangeError("unsupported CBOR");
    }
    const n = number(info);
    switch (major) {
      case 0: return small(n);
      case 1: return small(-1n - n);
      case 2: return take(Number(n));
      case 3: return utf8(take(Number(n)));
      case 4: {
        const out: Cbor[] = [];
        for (let i = 0n; i < n; i++) out.push(item());
        return out;
      }
      case 5: {
        const out = new Map<Cbor, Cbor>();
        for (let i = 0n; i < n; i++) out.set(item(), item());
        return out;
      }
      default: return item(); // a tag
    }
  };
  const indefinite = (major: number): Cbor => {
    const items: Cbor[] = [];
    while (data[at] !== 0xff) items.push(item());
    at++;
    switch (major) {
      case 2: return concat(...(items as Uint8Array[]));
      case 3: return items.join("");
      case 4: return items;
      default: return new Map(items.flatMap((v, i): Array<[Cbor, Cbor]> => (i % 2 ? [] : [[v, items[i + 1]]])));
    }
  };
  return [item(), at];
}

// decode reads one item that fills the data.
export function decode(data: Uint8Array): Cbor {
  const [value, end] = decodePrefix(data);
  if (end !== data.length) throw new RangeError("bytes after the CBOR item");
  return value;
}

// Typed access to what a map holds; each throws if it holds something else.
export function field(value: Cbor, key: string | number): Cbor {
  if (!(value instanceof Map)) throw new TypeError("a CBOR map expected");
  return value.get(key);
}

export function bytesOf(value: Cbor): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError("CBOR bytes expected");
  return value;
}
