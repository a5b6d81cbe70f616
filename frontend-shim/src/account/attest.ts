// The challenge of an attestation, computed again so that nothing else is signed in its place (see kedge.did).
import { sha256 } from "@noble/hashes/sha2.js";
import { big, concat, utf8 } from "../ic/bytes.ts";

const domain = "kedge attestation";

export function attestationChallenge(canister: Uint8Array, anchor: bigint, key: Uint8Array, nonce: Uint8Array): Uint8Array {
  return sha256(concat(Uint8Array.of(domain.length), utf8(domain), Uint8Array.of(canister.length), canister, big(anchor, 8), big(BigInt(key.length), 2), key, nonce));
}
