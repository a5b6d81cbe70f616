// Who signs: a session key in memory, and the chain of delegations that leads to it.
import { sha256 } from "@noble/hashes/sha2.js";
import { compare, concat, leb, utf8 } from "./bytes.ts";
import { Principal } from "./principal.ts";

export interface Delegation { pubkey: Uint8Array; expiration: bigint }
export interface SignedDelegation { delegation: Delegation; signature: Uint8Array }

// Identity signs requests.
export interface Identity {
  readonly principal: Principal;
  readonly publicKey: Uint8Array | null; // DER; null for the anonymous one
  readonly chain: SignedDelegation[];
  sign(message: Uint8Array): Promise<Uint8Array>;
}

export const anonymous: Identity = {
  principal: Principal.anonymous, publicKey: null, chain: [],
  sign: () => Promise.reject(new Error("anonymous requests are not signed")),
};

type Hashable = string | Uint8Array | bigint | Hashable[];

// hashValue and hashMap are representation-independent hashing (Interface Specification).
function hashValue(value: Hashable): Uint8Array {
  if (typeof value === "string") return sha256(utf8(value));
  if (typeof value === "bigint") return sha256(leb(value));
  if (value instanceof Uint8Array) return sha256(value);
  return sha256(concat(...value.map(hashValue)));
}

export function hashMap(map: Record<string, Hashable | undefined>): Uint8Array {
  const pairs = Object.entries(map).flatMap(([k, v]) => (v === undefined ? [] : [concat(sha256(utf8(k)), hashValue(v))]));
  return sha256(concat(...pairs.sort(compare)));
}

const domain = (text: string) => concat(Uint8Array.of(text.length), utf8(text));

// requestMessage is what is signed for a request.
export const requestMessage = (requestId: Uint8Array): Uint8Array => concat(domain("ic-request"), requestId);

// delegationMessage is what is signed for a delegation.
export function delegationMessage(d: Delegation): Uint8Array {
  return concat(domain("ic-request-auth-delegation"), hashMap({ pubkey: d.pubkey, expiration: d.expiration }));
}

// SessionKey is a P-256 key that cannot leave the browser's cryptography.
export interface SessionKey { readonly der: Uint8Array; sign(message: Uint8Array): Promise<Uint8Array> }

export async function newSessionKey(): Promise<SessionKey> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  return {
    der: new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey)),
    sign: async (message) => new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, message as BufferSource)),
  };
}

// delegated acts for the key with this DER encoding, which signed the delegation to the session key.
export function delegated(session: SessionKey, publicKey: Uint8Array, signed: SignedDelegation): Identity {
  return { principal: Principal.ofKey(publicKey), publicKey, chain: [signed], sign: session.sign };
}
