// Certificates (Interface Specification, "Certification"): what the subnet's threshold key signed.
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { compare, concat, equal, unhex, utf8 } from "./bytes.ts";
import { type Cbor, bytesOf, decode, field } from "./cbor.ts";
import { labels, lookup, reconstruct, subtree } from "./hashtree.ts";
import type { Principal } from "./principal.ts";

// CertificateError says that an answer is not proven by the network, or is too old.
export class CertificateError extends Error {}

// The root key of mainnet.
export const mainnetKey = unhex("308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100814c0e6ec71fab583b08bd81373c255c3c371b2e84863c98a4f1e08b74235d14" +
  "fb5d9c0cd546d9685f913a0c0b2cc5341583bf4b4392e467db96d65b9bb4cb717112f8472e0d5a4d14505ffd7484b01291091c5f87b98883463f98091a0baaae");

const prefix = mainnetKey.slice(0, -96);
const suite = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
const stateRoot = concat(Uint8Array.of(13), utf8("ic-state-root"));

// verified remembers delegations that have been checked: the same comes with every answer.
const verified = new Map<string, Uint8Array>();

function checkSignature(certificate: Cbor, tree: Cbor, key: Uint8Array): void {
  if (key.length !== prefix.length + 96 || !equal(key.slice(0, prefix.length), prefix)) throw new CertificateError("not a BLS key");
  let ok = false;
  try {
    const bls = bls12_381.shortSignatures;
    ok = bls.verify(bytesOf(field(certificate, "signature")), bls.hash(concat(stateRoot, reconstruct(tree)), suite), key.slice(prefix.length));
  } catch {
    // A point that is none is no signature.
  }
  if (!ok) throw new CertificateError("the network's signature is wrong");
}

// verify checks a certificate's signature and returns its tree. canister is whom the subnet must be responsible for.
// It throws CertificateError.
export function verify(data: Uint8Array, rootKey: Uint8Array, canister: Principal): Cbor {
  try {
    const certificate = decode(data), tree = field(certificate, "tree"), delegation = field(certificate, "delegation");
    checkSignature(certificate, tree, delegation === undefined ? rootKey : subnetKey(delegation, rootKey, canister));
    return tree;
  } catch (error) {
    throw error instanceof CertificateError ? error : new CertificateError("not a certificate");
  }
}

function subnetKey(delegation: Cbor, rootKey: Uint8Array, canister: Principal): Uint8Array {
  const subnet = bytesOf(field(delegation, "subnet_id")), data = bytesOf(field(delegation, "certificate"));
  const id = [subnet, data, rootKey, canister.bytes].join("/");
  let key = verified.get(id);
  if (key) return key;
  const certificate = decode(data), tree = field(certificate, "tree");
  if (field(certificate, "delegation") !== undefined) throw new CertificateError("a delegation of a delegation");
  checkSignature(certificate, tree, rootKey);
  if (!ranges(tree, subnet).some(([low, high]) => compare(low, canister.bytes) <= 0 && compare(canister.bytes, high) <= 0)) {
    throw new CertificateError("the subnet is not responsible for this canister");
  }
  key = lookup(tree, ["subnet", subnet, "public_key"]);
  if (!key) throw new CertificateError("the subnet's key is missing");
  verified.set(id, key);
  return key;
}

// ranges are the canister ids that a subnet has; newer certificates have them in a branch of their own, in several leaves.
function ranges(tree: Cbor, subnet: Uint8Array): Array<[Uint8Array, Uint8Array]> {
  const leaves: Uint8Array[] = [];
  const one = lookup(tree, ["subnet", subnet, "canister_ranges"]);
  if (one) leaves.push(one);
  const many = subtree(tree, ["canister_ranges", subnet]);
  if (many !== undefined) {
    for (const label of labels(many)) leaves.push(lookup(many, [label]) ?? Uint8Array.of(0x80));
  }
  return leaves.flatMap((leaf) => (decode(leaf) as Cbor[][]).map(([low, high]): [Uint8Array, Uint8Array] => [bytesOf(low), bytesOf(high)]));
}

// timeOf is the time that a certificate states, in nanoseconds.
export function timeOf(tree: Cbor): bigint {
  const bytes = lookup(tree, ["time"]);
  if (!bytes) throw new CertificateError("the time is missing");
  return bytes.reduce((n, b, i) => n | (BigInt(b & 127) << BigInt(7 * i)), 0n);
}
