// Principals and their text form (Interface Specification, "Principals").
import { sha224 } from "@noble/hashes/sha2.js";
import { concat, equal } from "./bytes.ts";

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

// Principal names a user or a canister.
export class Principal {
  constructor(readonly bytes: Uint8Array) {
    if (bytes.length > 29) throw new RangeError("a principal has at most 29 bytes");
  }

  static readonly anonymous = new Principal(Uint8Array.of(4));

  // ofKey is the principal of whoever holds the key with this DER encoding.
  static ofKey(der: Uint8Array): Principal {
    return new Principal(concat(sha224(der), Uint8Array.of(2)));
  }

  // parse reads the text form; it returns null for anything that is not exactly one.
  static parse(text: string): Principal | null {
    const out: number[] = [];
    let bits = 0, value = 0;
    for (const c of text.replaceAll("-", "")) {
      const digit = alphabet.indexOf(c);
      if (digit < 0) return null;
      value = ((value << 5) | digit) & 0xffff;
      bits += 5;
      if (bits >= 8) {
        bits -= 8;
        out.push((value >> bits) & 255);
      }
    }
    if (out.length < 4 || out.length > 33) return null;
    const principal = new Principal(Uint8Array.from(out.slice(4)));
    return principal.text() === text ? principal : null;
  }

  text(): string {
    const data = concat(crc32(this.bytes), this.bytes);
    let out = "", bits = 0, value = 0;
    for (const b of data) {
      value = ((value << 8) | b) & 0xffff;
      for (bits += 8; bits >= 5; bits -= 5) out += alphabet[(value >> (bits - 5)) & 31];
    }
    if (bits > 0) out += alphabet[(value << (5 - bits)) & 31];
    return out.match(/.{1,5}/g)!.join("-");
  }

  equals(other: Principal): boolean { return equal(this.bytes, other.bytes); }
}

function crc32(bytes: Uint8Array): Uint8Array {
  let crc = ~0;
  for (const b of bytes) {
    crc ^= b;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  const c = ~crc >>> 0;
  return Uint8Array.of(c >>> 24, c >>> 16, c >>> 8, c);
}
