// Keys and signatures of passkeys, as browsers give them and as the Internet Computer takes them.
import { concat } from "../ic/bytes.ts";
import { type Cbor, bytesOf, decodePrefix, field, selfDescribed } from "../ic/cbor.ts";

const coseOid = Uint8Array.of(0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x01);

function der(tag: number, content: Uint8Array): Uint8Array {
  const n = content.length;
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return concat(Uint8Array.of(tag, ...length), content);
}

// derOfCose wraps a COSE key (Interface Specification, "Web Authentication").
export function derOfCose(cose: Uint8Array): Uint8Array {
  return der(0x30, concat(der(0x30, coseOid), der(0x03, concat(Uint8Array.of(0), cose))));
}

// coseOfDer takes the COSE key out again; null if the key is of another kind.
export function coseOfDer(key: Uint8Array): Uint8Array | null {
  for (const head of [3, 4]) { // the outer length takes one or two bytes
    const at = key.indexOf(0x03, head + coseOid.length);
    if (at < 0) continue;
    const start = at + (key[at + 1]! < 128 ? 3 : key[at + 1]! === 0x81 ? 4 : 5);
    const cose = key.slice(start);
    if (cose.length > 0 && derOfCose(cose).every((b, i) => b === key[i])) return cose;
  }
  return null;
}

// AuthenticatorData is what an authenticator states (WebAuthn, section 6.1).
export interface AuthenticatorData {
  userPresent: boolean;
  userVerified: boolean;
  backupEligible: boolean;
  backedUp: boolean;
  // Given when a credential is made.
  aaguid: Uint8Array | null;
  cose: Uint8Array | null;
}

// readAuthenticatorData reads the flags and, if there is one, the key: extension data may follow it.
export function readAuthenticatorData(data: Uint8Array): AuthenticatorData {
  const flags = data[32] ?? 0;
  const out: AuthenticatorData = {
    userPresent: (flags & 1) !== 0, userVerified: (flags & 4) !== 0,
    backupEligible: (flags & 8) !== 0, backedUp: (flags & 16) !== 0, aaguid: null, cose: null,
  };
  if (data.length < 37) throw new RangeError("the authenticator's data is too short");
  // WebAuthn, section 6.1.3: a credential that may not be backed up is not backed up.
  if (out.backedUp && !out.backupEligible) throw new RangeError("the authenticator states an impossible backup state");
  if (flags & 64) {
    out.aaguid = data.slice(37, 53);
    const start = 55 + ((data[53]! << 8) | data[54]!);
    out.cose = data.slice(start, decodePrefix(data, start)[1]);
  }
  return out;
}

// Assertion is what a passkey answers.
export interface Assertion {
  authenticatorData: Uint8Array;
  clientData: Uint8Array; // JSON, byte for byte
  signature: Uint8Array;
}

// signatureOf is an assertion as the Internet Computer takes it.
export function signatureOf(a: Assertion): Uint8Array {
  return selfDescribed({
    authenticator_data: a.authenticatorData, client_data_json: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(a.clientData), signature: a.signature,
  });
}

// rawSignature turns a DER pair of integers into two numbers of 32 bytes.
export function rawSignature(signature: Uint8Array): Uint8Array {
  const part = (at: number): [Uint8Array, number] => {
    const end = at + 2 + signature[at + 1]!;
    const n = signature.slice(at + 2, end);
    const trimmed = n.slice(Math.max(0, n.length - 32));
    return [concat(new Uint8Array(32 - trimmed.length), trimmed), end];
  };
  const [r, next] = part(2);
  return concat(r, part(next)[0]);
}

const b64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

// verifies reports whether the key with this COSE encoding made the assertion.
export async function verifies(cose: Uint8Array, a: Assertion): Promise<boolean> {
  try {
    const key = decodePrefix(cose)[0];
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", a.clientData as BufferSource));
    return await verifySignature(key, a.signature, concat(a.authenticatorData, hash));
  } catch {
    return false; // A key that cannot be read made nothing.
  }
}

async function verifySignature(key: Cbor, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  const part = (label: number) => bytesOf(field(key, label));
  const check = async (jwk: JsonWebKey, algorithm: RsaHashedImportParams & EcKeyImportParams & EcdsaParams, sig: Uint8Array) =>
    crypto.subtle.verify(algorithm, await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["verify"]), sig as BufferSource, message as BufferSource);
  switch (field(key, 3)) {
    case -7:
      return check({ kty: "EC", crv: "P-256", x: b64(part(-2)), y: b64(part(-3)) }, { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }, rawSignature(signature));
    case -8:
      return check({ kty: "OKP", crv: "Ed25519", x: b64(part(-2)) }, { name: "Ed25519", namedCurve: "", hash: "SHA-256" }, signature);
    case -257:
      return check({ kty: "RSA", n: b64(part(-1)), e: b64(part(-2)) }, { name: "RSASSA-PKCS1-v1_5", namedCurve: "", hash: "SHA-256" }, signature);
    default:
      return false;
  }
}
