// Canister signatures (Interface Specification, "Canister signatures"): what a canister certified that it signed.
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equal, unhex } from "./bytes.ts";
import { bytesOf, decode, field } from "./cbor.ts";
import { CertificateError, verify } from "./certificate.ts";
import { lookup, reconstruct } from "./hashtree.ts";
import type { Principal } from "./principal.ts";

const seedLength = 32; // bytes, Kedge's
const algorithm = unhex("300c060a2b0601040183b8430102"); // 1.3.6.1.4.1.56387.1.2, without parameters

// signatureKey is the DER encoding of the public key of a canister with a seed. It is shorter than 128 bytes.
export function signatureKey(canister: Principal, seed: Uint8Array): Uint8Array {
  const bits = concat(Uint8Array.of(0, canister.bytes.length), canister.bytes, seed);
  const content = concat(algorithm, Uint8Array.of(3, bits.length), bits);
  return concat(Uint8Array.of(0x30, content.length), content);
}

// checkCanisterSignature throws CertificateError unless the signature over the message is one by this key of the canister.
export function checkCanisterSignature(rootKey: Uint8Array, canister: Principal, publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): void {
  const seed = publicKey.slice(-seedLength);
  if (!equal(publicKey, signatureKey(canister, seed))) throw new CertificateError("not a key of this canister");
  let certificate: Uint8Array, root: Uint8Array, leaf: Uint8Array | undefined;
  try {
    const parts = decode(signature), tree = field(parts, "tree");
    certificate = bytesOf(field(parts, "certificate"));
    root = reconstruct(tree);
    leaf = lookup(tree, ["sig", sha256(seed), sha256(message)]);
  } catch {
    throw new CertificateError("not a canister signature");
  }
  if (leaf?.length !== 0) throw new CertificateError("the canister signed something else");
  const certified = lookup(verify(certificate, rootKey, canister), ["canister", canister.bytes, "certified_data"]);
  if (!certified || !equal(certified, root)) throw new CertificateError("the network certified other data of the canister");
}
