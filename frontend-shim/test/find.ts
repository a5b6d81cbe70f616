// Which anchor a passkey belongs to, while strangers list its credential id on anchors of theirs.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as kedge from "../src/candid/kedge.gen.ts";
import type { Agent, Method } from "../src/ic/agent.ts";
import { equal, unhex, utf8 } from "../src/ic/bytes.ts";
import { anonymous, type Identity } from "../src/ic/identity.ts";
import { Principal } from "../src/ic/principal.ts";
import { matches } from "../src/signin/find.ts";
import { coseOfDer, derOfCose, verifies } from "../src/webauthn/cose.ts";
import { keysOf } from "../src/webauthn/keys.ts";
import passkeys from "./vectors/passkeys.json";

interface Case { registration: { cose: string; credentialId: string }; assertion?: { authenticatorData: string; clientDataJSON: string; signature: string } }
const cases = passkeys.cases as unknown as Record<string, Case>;
const mine = Object.values(cases).find((c) => c.assertion)!;
const key = derOfCose(unhex(mine.registration.cose));
const stranger = derOfCose(unhex(Object.values(cases).find((c) => c.registration.cose !== mine.registration.cose && c.registration.cose.length === mine.registration.cose.length)!.registration.cose));
const id = unhex(mine.registration.credentialId);
const signed = { id, authenticatorData: unhex(mine.assertion!.authenticatorData), clientData: utf8(mine.assertion!.clientDataJSON), signature: unhex(mine.assertion!.signature) };
const owner: Identity = { ...anonymous, principal: Principal.ofKey(key), publicKey: key };
const session = { signed, identity: (publicKey: Uint8Array): Identity => (equal(publicKey, key) ? owner : { ...anonymous, principal: Principal.ofKey(publicKey), publicKey }) };

interface Listed { anchor: bigint; pubkey: Uint8Array; proven: boolean }

// canister answers look-ups over a list as Kedge does: the proven first, in pages; and counts them.
function canister(all: Listed[]): { agent: Agent; asked: Map<string, number> } {
  const asked = new Map<string, number>();
  const list = [...all.filter((l) => l.proven), ...all.filter((l) => !l.proven)];
  const page = <T>(items: T[], cursor: bigint | null, size: number): [T[], bigint | null] => {
    const from = Number(cursor ?? 0n);
    return [items.slice(from, from + size), from + size < items.length ? BigInt(from + size) : null];
  };
  const query = (identity: Identity, method: Method<unknown[], unknown[]>, ...args: unknown[]): Promise<unknown> => {
    asked.set(method.name, (asked.get(method.name) ?? 0) + 1);
    switch (method.name) {
      case "lookup_by_credential": return Promise.resolve(page(list, args[1] as bigint | null, 16));
      case "lookup_caller": return Promise.resolve(page(list.filter((l) => Principal.ofKey(l.pubkey).equals(identity.principal)).map((l) => l.anchor), args[0] as bigint | null, 64));
      case "lookup": return Promise.resolve([list.filter((l) => l.anchor === args[0]).map((l) => ({ pubkey: l.pubkey, credential_id: id, proven: l.proven }))]);
      default: return Promise.reject(new Error(method.name));
    }
  };
  return { agent: { query } as unknown as Agent, asked };
}

const strangers = (count: number, pubkey: Uint8Array, proven: boolean): Listed[] => Array.from({ length: count }, (_, i) => ({ anchor: 20_000n + BigInt(i), pubkey, proven }));
const found = async (all: Listed[], known: bigint[] = []) => {
  const { agent, asked } = canister(all);
  return { anchors: (await matches(agent, session, known)).map((m) => m.anchor), asked };
};

test("a thousand proven anchors of a stranger with my credential id: mine is found, without a question", async () => {
  const { anchors, asked } = await found([...strangers(1000, stranger, true), { anchor: 10_001n, pubkey: key, proven: true }]);
  assert.deepEqual(anchors, [10_001n]);
  // One page of strangers, both keys that can have signed, and the anchor.
  assert.deepEqual([...asked], [["lookup_by_credential", 1], ["lookup_caller", 2], ["lookup", 1]]);
});

for (const [name, c] of Object.entries(cases)) {
  if (!c.assertion) continue;
  const a = { authenticatorData: unhex(c.assertion.authenticatorData), clientData: utf8(c.assertion.clientDataJSON), signature: unhex(c.assertion.signature) };
  const own = derOfCose(unhex(c.registration.cose)), ecdsa = c.registration.cose.startsWith("a501020326");
  test(`the keys that can have signed: ${name}`, async () => {
    const keys = keysOf(a);
    assert.equal(keys.some((k) => equal(k, own)), ecdsa);
    if (ecdsa) assert.equal(keys.length, 2);
    for (const k of keys) assert.equal(await verifies(coseOfDer(k)!, a), ecdsa);
  });
}

test("a passkey of another kind is found among a thousand strangers, too", async () => {
  const rsa = Object.values(cases).find((c) => c.assertion && c.registration.cose.startsWith("a401030339"))!;
  const pubkey = derOfCose(unhex(rsa.registration.cose));
  const other = { id, authenticatorData: unhex(rsa.assertion!.authenticatorData), clientData: utf8(rsa.assertion!.clientDataJSON), signature: unhex(rsa.assertion!.signature) };
  const { agent } = canister([...strangers(1000, stranger, true), { anchor: 10_001n, pubkey, proven: true }]);
  const identity = (publicKey: Uint8Array): Identity => ({ ...anonymous, principal: Principal.ofKey(publicKey), publicKey });
  assert.deepEqual((await matches(agent, { signed: other, identity }, [])).map((m) => m.anchor), [10_001n]);
});

test("once my key is known no further page of strangers is read", async () => {
  const { anchors, asked } = await found([{ anchor: 10_001n, pubkey: key, proven: true }, ...strangers(1000, stranger, true)]);
  assert.deepEqual(anchors, [10_001n]);
  assert.equal(asked.get("lookup_by_credential"), 1);
  assert.equal(asked.get("lookup_caller"), 1);
});

test("a thousand anchors that list my very key, never used there, are not asked about", async () => {
  const { anchors, asked } = await found([...strangers(1000, key, false), { anchor: 10_001n, pubkey: key, proven: true }]);
  assert.deepEqual(anchors, [10_001n]);
  assert.ok(asked.get("lookup")! <= 2);
});

test("the anchor used here last is asked first, and then nothing else", async () => {
  const { anchors, asked } = await found([...strangers(1000, stranger, true), { anchor: 10_001n, pubkey: key, proven: true }], [10_001n]);
  assert.deepEqual(anchors, [10_001n]);
  assert.deepEqual([...asked], [["lookup", 1]]);
});

test("several anchors of mine are all offered, and a stranger's never", async () => {
  const own = [10_001n, 10_002n, 10_003n].map((anchor) => ({ anchor, pubkey: key, proven: true }));
  const { anchors } = await found([own[0]!, ...strangers(40, stranger, true), own[1]!, own[2]!]);
  assert.deepEqual(anchors, [10_001n, 10_002n, 10_003n]);
});

test("a passkey that has never signed is offered for a choice; one that nobody has is not found", async () => {
  assert.deepEqual((await found([{ anchor: 10_001n, pubkey: key, proven: false }])).anchors, [10_001n]);
  assert.deepEqual((await found(strangers(100, stranger, true))).anchors, []);
  // One that was used here last, but never signed there, is not taken silently.
  assert.deepEqual((await found([{ anchor: 10_001n, pubkey: key, proven: false }, { anchor: 10_002n, pubkey: key, proven: true }], [10_001n])).anchors, [10_002n]);
});
