// Which keys can have made an assertion. An ECDSA signature leaves two of them, so the key of most passkeys need not be
// looked for in a list that strangers can fill. Only what is public is computed with here.
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, hex, unhex } from "../ic/bytes.ts";
import { type Assertion, derOfCose, rawSignature } from "./cose.ts";

// P-256 (NIST SP 800-186, section 3.2.1.3). The general code for such curves is on the page already, for BLS.
const curve = () => weierstrass({
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn, n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n, h: 1n,
  a: 0xffffffff00000001000000000000000000000000fffffffffffffffffffffffcn, b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  Gx: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n, Gy: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
});

// What stands before each coordinate in the COSE key of an ES256 passkey, whose form is fixed (CTAP 2, section 6.1).
const beforeX = unhex("a5010203262001215820"), beforeY = unhex("225820");

const number = (bytes: Uint8Array): bigint => BigInt(`0x${hex(bytes)}`);

// keysOf returns the keys, in DER, that can have made the assertion if it is by an ES256 passkey (SEC 1, section 4.1.6).
// What comes of another signature made nothing, which verifying it shows.
export function keysOf(a: Assertion): Uint8Array[] {
  const Point = curve(), { Fn } = Point;
  try {
    const raw = rawSignature(a.signature), [r, s] = [number(raw.slice(0, 32)), number(raw.slice(32))];
    const inverse = Fn.inv(r), e = Fn.create(number(sha256(concat(a.authenticatorData, sha256(a.clientData)))));
    return [2, 3].map((sign) => {
      const point = Point.fromBytes(concat(Uint8Array.of(sign), raw.slice(0, 32)));
      const key = point.multiplyUnsafe(Fn.mul(s, inverse)).subtract(Point.BASE.multiplyUnsafe(Fn.mul(e, inverse))).toBytes(false);
      return derOfCose(concat(beforeX, key.slice(1, 33), beforeY, key.slice(33)));
    });
  } catch {
    return []; // no such signature
  }
}
