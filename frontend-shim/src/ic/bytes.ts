// Helpers for byte arrays.

export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}

// compare orders byte strings as the network does: byte by byte, a prefix first.
export function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

export function utf8(text: string): Uint8Array;
export function utf8(bytes: Uint8Array): string;
export function utf8(value: string | Uint8Array): Uint8Array | string {
  return typeof value === "string" ? new TextEncoder().encode(value) : new TextDecoder("utf-8", { fatal: true }).decode(value);
}

export const hex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

export function unhex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

export const base64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));

// unbase64 reads padded base64 of the standard alphabet, and throws for anything else.
export function unbase64(text: string): Uint8Array {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) throw new TypeError("not base64");
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

export const base64url = (bytes: Uint8Array): string => base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

// leb is an unsigned LEB128 number.
export function leb(value: number | bigint): Uint8Array {
  let n = BigInt(value);
  const out: number[] = [];
  do {
    const b = Number(n & 127n);
    n >>= 7n;
    out.push(n > 0n ? b | 128 : b);
  } while (n > 0n);
  return Uint8Array.from(out);
}

// sleb is a signed LEB128 number.
export function sleb(value: number | bigint): Uint8Array {
  let n = BigInt(value);
  for (const out: number[] = []; ;) {
    const b = Number(n & 127n);
    n >>= 7n;
    if ((n === 0n && b < 64) || (n === -1n && b >= 64)) return Uint8Array.from([...out, b]);
    out.push(b | 128);
  }
}

// big is a number as big-endian bytes.
export function big(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * (size - 1 - i))) & 255n));
}
