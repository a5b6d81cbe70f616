// Six words for a new key of an anchor, which the owner says and a contact types: the first 66 bits, 11 each, of the
// SHA-256 over a domain, the anchor's number and the key's principal, as kedge.did says.
import { sha256 } from "@noble/hashes/sha2.js";
import { big, concat, utf8 } from "../ic/bytes.ts";
import type { Principal } from "../ic/principal.ts";
import { complete, split, words } from "../phrase/phrase.ts";

const domain = "kedge contacts", count = 6, bitsPerWord = 11n;

export function sixWords(anchor: bigint, key: Principal): string[] {
  const hash = sha256(concat(Uint8Array.of(domain.length), utf8(domain), big(anchor, 8), Uint8Array.of(key.bytes.length), key.bytes));
  const bits = hash.reduce((n, byte) => (n << 8n) | BigInt(byte), 0n);
  return Array.from({ length: count }, (_, i) => words[Number((bits >> (256n - bitsPerWord * BigInt(i + 1))) & 2047n)]!);
}

// heard tells whether what was typed, in any case and with any separators, are the six words of the key.
export function heard(typed: string, anchor: bigint, key: Principal): boolean {
  const said = split(typed).map(complete), right = sixWords(anchor, key);
  return said.length === count && said.every((w, i) => w === right[i]);
}
