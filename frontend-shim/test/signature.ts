// Canister signatures: a delegation that the canister gave, and every way in which it may be another.
import assert from "node:assert/strict";
import { test } from "node:test";
import { equal, hex, unhex } from "../src/ic/bytes.ts";
import { CertificateError, mainnetKey } from "../src/ic/certificate.ts";
import { delegationMessage } from "../src/ic/identity.ts";
import { Principal } from "../src/ic/principal.ts";
import { checkCanisterSignature, signatureKey } from "../src/ic/signature.ts";
import vector from "./vectors/delegation.json";

const right = {
  rootKey: unhex(vector.rootKey), canister: Principal.parse(vector.canister)!, userKey: unhex(vector.userKey),
  pubkey: unhex(vector.sessionKey), expiration: BigInt(vector.expiration), signature: unhex(vector.signature),
};
const check = (changed: Partial<typeof right>) => {
  const { rootKey, canister, userKey, pubkey, expiration, signature } = { ...right, ...changed };
  checkCanisterSignature(rootKey, canister, userKey, delegationMessage({ pubkey, expiration }), signature);
};
const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((b, i) => (i === at ? b ^ 1 : b));

test("a delegation that the canister gave", () => {
  check({});
});

// The published vector of Internet Identity's keys (salt of its test fixtures, anchor 10030, example.com).
test("the key of a seed", () => {
  const seed = unhex("3a8926914dd1c836ec67ba66ac6425c21dffd3ca5c5968855f87780a1ec57985");
  const key = unhex("303c300c060a2b0601040183b8430102032c000a000000000000000001013a8926914dd1c836ec67ba66ac6425c21dffd3ca5c5968855f87780a1ec57985");
  assert.ok(equal(signatureKey(new Principal(unhex("00000000000000000101")), seed), key));
});

test("a delegation of which anything is another", () => {
  const refused = (changed: Partial<typeof right>, what: string) => assert.throws(() => check(changed), CertificateError, what);
  refused({ pubkey: flipped(right.pubkey, 20) }, "the session's key");
  refused({ expiration: right.expiration + 1n }, "its end");
  refused({ userKey: unhex(vector.otherUserKey) }, "the user's key");
  refused({ userKey: flipped(right.userKey, 20) }, "the canister in the user's key");
  refused({ canister: Principal.parse("aaaaa-aa")! }, "the canister");
  refused({ rootKey: mainnetKey }, "the network");
  refused({ rootKey: right.rootKey.slice(1) }, "a key that is none");
  for (const length of [0, 1, 100, right.signature.length - 1]) refused({ signature: right.signature.slice(0, length) }, `cut after ${length} bytes`);
  // The tags that say that CBOR follows, of the signature and of the certificate in it, mean nothing.
  const tags = [...hex(right.signature).matchAll(/d9d9f7/g)].map((m) => m.index / 2);
  for (let at = 0; at < right.signature.length; at += 7) {
    if (!tags.some((tag) => at >= tag && at < tag + 3)) refused({ signature: flipped(right.signature, at) }, `byte ${at} of the signature`);
  }
});
