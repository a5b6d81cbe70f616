// Recovery phrases: BIP-39 words to an Ed25519 key by SLIP-0010, path m/44'/223'/0'/0'/0'.
// Byte arrays that hold a secret are overwritten after use; text cannot be, so it is kept as short as possible.
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { big, concat, unhex, utf8 } from "../ic/bytes.ts";
import { type Delegation, delegated, delegationMessage, type Identity, newSessionKey } from "../ic/identity.ts";
import { sessionLength } from "../webauthn/passkey.ts";

export const wordCount = 24;
const path = [44, 223, 0, 0, 0];
const derPrefix = unhex("302a300506032b6570032100");

// Problem says what is wrong with a typed phrase, without any of its words.
export type Problem =
  | { kind: "count"; count: number }
  | { kind: "word"; position: number } // counted from 1
  | { kind: "checksum" };

export const words: readonly string[] = wordlist;

// complete finds the word that a typed text stands for: itself, or the only one with its first four letters.
export function complete(typed: string): string | null {
  const text = typed.trim().toLowerCase();
  if (words.includes(text)) return text;
  if (text.length < 4) return null;
  const found = words.filter((w) => w.slice(0, 4) === text.slice(0, 4));
  return found.length === 1 && found[0]!.startsWith(text) ? found[0]! : null;
}

export const suggestions = (typed: string): string[] => {
  const text = typed.trim().toLowerCase();
  return text === "" ? [] : words.filter((w) => w.startsWith(text)).slice(0, 8);
};

// split takes a pasted phrase apart: any separators, numbering, and an anchor number in front are left out.
export function split(text: string): string[] {
  return text.normalize("NFKD").toLowerCase().match(/[a-z]+/g) ?? [];
}

// check completes the words, and says what is wrong with the first one that is.
export function check(typed: string[]): { words: string[] } | Problem {
  if (typed.length !== wordCount) return { kind: "count", count: typed.length };
  const full = typed.map(complete);
  const wrong = full.indexOf(null);
  if (wrong >= 0) return { kind: "word", position: wrong + 1 };
  const bits = full.map((w) => words.indexOf(w!).toString(2).padStart(11, "0")).join("");
  const entropy = Uint8Array.from({ length: 32 }, (_, i) => parseInt(bits.slice(8 * i, 8 * i + 8), 2));
  const sum = sha256(entropy)[0];
  entropy.fill(0);
  if (sum !== parseInt(bits.slice(256), 2)) return { kind: "checksum" };
  return { words: full as string[] };
}

// generate makes a new phrase of 24 words from 256 random bits.
export function generate(): string[] {
  const entropy = crypto.getRandomValues(new Uint8Array(32));
  const all = concat(entropy, sha256(entropy).slice(0, 1));
  const indexes = Array.from({ length: wordCount }, (_, i) => {
    let n = 0;
    for (let k = 11 * i; k < 11 * i + 11; k++) n = (n << 1) | ((all[k >> 3]! >> (7 - (k & 7))) & 1);
    return n;
  });
  entropy.fill(0);
  all.fill(0);
  return indexes.map((i) => words[i]!);
}

async function hmac(key: Uint8Array, data: Uint8Array): Promise<Uint8Array> {
  const k = await crypto.subtle.importKey("raw", key as BufferSource, { name: "HMAC", hash: "SHA-512" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", k, data as BufferSource));
}

// PhraseKey holds the secret of a phrase until it is wiped.
export interface PhraseKey { readonly publicKey: Uint8Array; signIn(now: bigint): Promise<Identity>; wipe(): void }

async function slip10(seed: Uint8Array): Promise<Uint8Array> {
  let node = await hmac(utf8("ed25519 seed"), seed);
  for (const index of path) {
    const data = concat(Uint8Array.of(0), node.slice(0, 32), big(BigInt(index) + 0x80000000n, 4));
    const next = await hmac(node.slice(32), data);
    node.fill(0);
    data.fill(0);
    node = next;
  }
  const secret = node.slice(0, 32);
  node.fill(0);
  return secret;
}

// keyOf derives the key of a complete phrase. WebCrypto does the long part, so that the page stays alive.
export async function keyOf(phrase: string[]): Promise<PhraseKey> {
  const text = utf8(phrase.join(" "));
  const material = await crypto.subtle.importKey("raw", text as BufferSource, "PBKDF2", false, ["deriveBits"]);
  text.fill(0);
  const seed = new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-512", salt: utf8("mnemonic") as BufferSource, iterations: 2048 }, material, 512));
  const secret = await slip10(seed);
  seed.fill(0);
  const publicKey = concat(derPrefix, ed25519.getPublicKey(secret));
  return {
    publicKey,
    wipe: () => void secret.fill(0),
    // signIn signs a delegation to a new session key.
    signIn: async (now) => {
      const session = await newSessionKey();
      const delegation: Delegation = { pubkey: session.der, expiration: now + sessionLength };
      return delegated(session, publicKey, { delegation, signature: ed25519.sign(delegationMessage(delegation), secret) });
    },
  };
}
