// What the page computes, against vectors that were not made by it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { canisterAt } from "../src/state.ts";
import * as kedge from "../src/candid/kedge.gen.ts";
import * as wire from "../src/candid/wire.ts";
import { base64, concat, equal, hex, unbase64, unhex, utf8 } from "../src/ic/bytes.ts";
import * as cbor from "../src/ic/cbor.ts";
import { Principal } from "../src/ic/principal.ts";
import { check as checkAlternative, file, type Fetched } from "../src/protocol/alternative.ts";
import * as classic from "../src/protocol/classic.ts";
import * as icrc from "../src/protocol/icrc.ts";
import { check, complete, generate, keyOf, split } from "../src/phrase/phrase.ts";
import { heard, sixWords } from "../src/contacts/words.ts";
import { coseOfDer, derOfCose, readAuthenticatorData, signatureOf, verifies } from "../src/webauthn/cose.ts";
import messages from "./vectors/messages.json";
import passkeys from "./vectors/passkeys.json";

interface Case { registration: { authenticatorData: string; cose: string; bytesAfterCose: number; credentialId: string }; assertion?: { authenticatorData: string; clientDataJSON: string; signature: string; challenge: string } }

for (const [name, c] of Object.entries(passkeys.cases as unknown as Record<string, Case>)) {
  test(`passkey: ${name}`, async () => {
    const bytes = unhex(c.registration.authenticatorData);
    const flags = bytes[32]!;
    if ((flags & 24) === 16) return assert.throws(() => readAuthenticatorData(bytes), /impossible/);
    const data = readAuthenticatorData(bytes);
    assert.equal(hex(data.cose!), c.registration.cose, "the key ends where its CBOR ends");
    const key = derOfCose(data.cose!);
    assert.ok(key.length <= 300);
    assert.equal(hex(coseOfDer(key)!), c.registration.cose);
    if (!c.assertion) return;
    const a = { authenticatorData: unhex(c.assertion.authenticatorData), clientData: utf8(c.assertion.clientDataJSON), signature: unhex(c.assertion.signature) };
    assert.equal(await verifies(data.cose!, a), true);
    assert.equal(await verifies(data.cose!, { ...a, clientData: utf8(c.assertion.clientDataJSON.replace("webauthn.get", "webauthn.got")) }), false);
    const signature = signatureOf(a);
    assert.equal(hex(signature.slice(0, 3)), "d9d9f7");
    const map = cbor.decode(signature);
    assert.equal(cbor.field(map, "client_data_json"), c.assertion.clientDataJSON, "text, byte for byte");
  });
}

test("a key that is longer than its COSE is no passkey", () => {
  const key = derOfCose(unhex((passkeys.cases as unknown as Record<string, Case>).plain!.registration.cose));
  assert.equal(coseOfDer(concat(key, Uint8Array.of(0)))?.length, undefined);
});

// revive turns the recorded form of messages into what browsers pass.
function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== "object" || value === null) return value;
  const v = value as Record<string, unknown>;
  if ("$bytes" in v) return unbase64(v.$bytes as string);
  if ("$bigint" in v) return BigInt(v.$bigint as string);
  if ("$undefined" in v) return undefined;
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, revive(x)]));
}

interface Flow { toProvider: Array<{ from: string; data: unknown }>; toApplication: Array<{ data: unknown }> }

test("the classic client's messages", () => {
  const flow = (messages.flows as unknown as Record<string, Flow>)["@dfinity/auth-client 3.4.3"]!;
  const asked = revive(flow.toProvider[0]!.data) as Record<string, unknown>;
  const answers: unknown[] = [];
  assert.ok(classic.isClassic(asked));
  const request = classic.read(asked, flow.toProvider[0]!.from, (m) => answers.push(m));
  assert.equal(request.maxTimeToLive, 28_800_000_000_000n);
  assert.equal(request.derivationOrigin, null);
  const [ready, success] = flow.toApplication.map((m) => revive(m.data)) as [unknown, { delegations: Array<{ delegation: { pubkey: Uint8Array; expiration: bigint }; signature: Uint8Array }>; userPublicKey: Uint8Array }];
  assert.deepEqual(classic.ready, ready);
  request.succeed({ userKey: success.userPublicKey, delegation: success.delegations[0]!, method: "passkey" });
  assert.deepEqual(answers, [success]);
});

test("the newer client's messages", () => {
  const flow = Object.entries(messages.flows as unknown as Record<string, Flow>).find(([k]) => k.startsWith("@icp-sdk"))![1];
  const [status, delegation] = flow.toProvider.map((m) => icrc.readCall(m.data as Record<string, unknown>)!);
  assert.deepEqual(icrc.respond(status!), { jsonrpc: "2.0", id: status!.id, result: "ready" });
  assert.equal(icrc.respond(delegation!), null);
  const answers: unknown[] = [];
  const request = icrc.read(delegation!, flow.toProvider[1]!.from, (m) => answers.push(m));
  const recorded = flow.toApplication.at(-1)!.data as { result: { publicKey: string; signerDelegation: Array<{ delegation: { pubkey: string; expiration: string }; signature: string }> } };
  const d = recorded.result.signerDelegation[0]!;
  request.succeed({ userKey: unbase64(recorded.result.publicKey), method: "passkey", delegation: { delegation: { pubkey: unbase64(d.delegation.pubkey), expiration: BigInt(d.delegation.expiration) }, signature: unbase64(d.signature) } });
  assert.deepEqual(answers, [recorded]);
});

const published = [...Array(23).fill("abandon"), "art"] as string[];

test("the published phrase has the published key", async () => {
  const key = await keyOf(published);
  assert.equal(hex(key.publicKey), "302a300506032b65700321006bdc6dec43e41c28d3e31049cd9e583c41ad8d67c96444b584cb553873eec6d9");
  assert.equal(Principal.ofKey(key.publicKey).text(), "5nrsv-gw4hr-5wxr4-pws3a-cdgs2-kih6n-5liig-ylgxg-inbpv-3spsz-uae");
  key.wipe();
});

test("phrases are read in any form, and what is wrong is named by position", () => {
  assert.deepEqual(split("10000 abandon,\n2. Abandon;\u3000ART"), ["abandon", "abandon", "art"]);
  assert.equal(complete("aban"), "abandon");
  assert.equal(complete("act"), "act");
  assert.equal(complete("abanx"), null);
  assert.deepEqual(check(published.map((w) => w.slice(0, 4))), { words: published });
  assert.deepEqual(check(published.slice(1)), { kind: "count", count: 23 });
  assert.deepEqual(check([...published.slice(0, 5), "wrnog", ...published.slice(6)]), { kind: "word", position: 6 });
  assert.deepEqual(check([...published.slice(0, 23), "abandon"]), { kind: "checksum" });
  for (let i = 0; i < 50; i++) assert.ok("words" in check(generate()));
});

test("principals", () => {
  assert.equal(Principal.anonymous.text(), "2vxsx-fae");
  assert.equal(new Principal(new Uint8Array()).text(), "aaaaa-aa");
  assert.equal(Principal.parse("bnz7o-iuaaa-aaaaa-qaaaa-cai")!.text(), "bnz7o-iuaaa-aaaaa-qaaaa-cai");
  for (const wrong of ["", "app", "bnz7o-iuaaa-aaaaa-qaaaa-caj", "BNZ7O-iuaaa-aaaaa-qaaaa-cai", "bnz7oiuaaaaaaaaqaaaacai"]) assert.equal(Principal.parse(wrong), null, wrong);
});

test("base64 has padding and the standard alphabet", () => {
  assert.equal(base64(Uint8Array.of(255, 254)), "//4=");
  for (const wrong of ["//4", "__4=", "//4= ", "=", "A"]) assert.throws(() => unbase64(wrong), wrong);
});

test("Candid: what is newer than the page is left out, what is missing is null", () => {
  const Old = wire.record<{ a: bigint; b: string | null }>({ a: wire.Nat64, b: wire.opt(wire.Text) });
  const New = wire.record<{ a: bigint; c: string[] }>({ a: wire.Nat64, c: wire.vec(wire.Text) });
  assert.deepEqual(wire.decode([Old], wire.encode([New], [{ a: 7n, c: ["x"] }])), [{ a: 7n, b: null }]);
  const Two = wire.enumeration("x", "y"), Three = wire.enumeration("x", "y", "z");
  assert.deepEqual(wire.decode([wire.vec(wire.opt(Two))], wire.encode([wire.vec(wire.opt(Three))], [["x", "z", null]])), [["x", null, null]]);
  assert.throws(() => wire.decode([Two], wire.encode([Three], ["z"])), wire.CandidError);
  assert.throws(() => wire.decode([wire.Nat64], concat(wire.encode([wire.Nat64], [1n]), Uint8Array.of(0))), wire.CandidError);
  // From the Candid specification's test suite: a message with an opt nat.
  assert.deepEqual(wire.decode([wire.opt(wire.Nat)], unhex("4449444c016e7d01000105")), [5n]);
  const device: kedge.DeviceData = { pubkey: Uint8Array.of(1), alias: "x", credential_id: null, aaguid: null, purpose: "recovery", key_type: "seed_phrase", protection: "protected", origin: null, metadata: [["k", { tag: "map", value: [["l", { tag: "bytes", value: Uint8Array.of(9) }]] }]] };
  assert.deepEqual(wire.decode([kedge.DeviceData], wire.encode([kedge.DeviceData], [device])), [device]);
});

test("CBOR", () => {
  for (const value of [0, 23, 24, 256, 65536, 4294967296, -1, -500, "ü", true, null]) assert.deepEqual(cbor.decode(cbor.encode(value)), value);
  assert.equal(cbor.decode(cbor.encode(2n ** 64n - 1n)), 2n ** 64n - 1n);
  for (const bad of ["", "18", "5f", "ff", "a1", "1c"]) assert.throws(() => cbor.decode(unhex(bad)), bad);
  assert.ok(equal(cbor.decode(cbor.encode(Uint8Array.of(1, 2))) as Uint8Array, Uint8Array.of(1, 2)));
});

test("alternative origins", async () => {
  const id = "bnz7o-iuaaa-aaaaa-qaaaa-cai", derivation = `https://${id}.icp0.io`, app = "https://app.example";
  const fetcher = (list: unknown, status = 200) => (url: string): Promise<Fetched> => {
    assert.equal(url, `https://${id}.icp0.io/.well-known/ii-alternative-origins`, "never the custom domain, never raw");
    return Promise.resolve({ status, header: () => null, json: () => Promise.resolve(list) });
  };
  const verdict = async (list: unknown, status?: number) => {
    const v = await checkAlternative(app, derivation, fetcher(list, status));
    return v.ok ? "ok" : v.reason;
  };
  assert.equal(await verdict({ alternativeOrigins: [app] }), "ok");
  assert.equal(await verdict({ alternativeOrigins: ["https://other.example"] }), "not-listed");
  assert.equal(await verdict({ alternativeOrigins: Array(11).fill(app) }), "too-many");
  assert.equal(await verdict({ alternativeOrigins: [7] }), "format");
  assert.equal(await verdict(null), "format");
  assert.equal(await verdict({}, 404), "status");
  const never = () => Promise.reject(new Error("not asked"));
  assert.deepEqual(await checkAlternative(`https://${id}.ic0.app`, derivation, never), { ok: true });
  for (const wrong of ["app.example", "https://app.example/", "HTTPS://app.example", "null", "javascript:1"]) assert.equal((await checkAlternative(app, wrong, never) as { reason: string }).reason, "malformed");
  assert.equal((await checkAlternative(app, "https://custom.example", never) as { reason: string }).reason, "canister");
  assert.equal(file(new URL(`http://${id}.localhost:4943`), id), `http://localhost:4943/.well-known/ii-alternative-origins?canisterId=${id}`);
});

// Computed by ten lines of Python from the definition in kedge.did, with hashlib, base64 and the list of BIP-39.
test("six words for a new key", () => {
  const key = "sujxp-xpuw2-ot6w5-af6uq-5wgtw-khvph-ciq7n-ga5dq-q63oi-c6wev-pqe"; // of the bytes "a key"
  const vectors: Array<[bigint, string, string]> = [
    [10000n, "2vxsx-fae", "asset weasel degree glimpse grit panther"],
    [10000n, key, "south brand reflect joy cover turn"],
    [10001n, key, "catalog aunt gorilla service session mechanic"],
    [18446744073709551615n, key, "either physical image ocean flavor topple"],
  ];
  for (const [anchor, text, words] of vectors) assert.equal(sixWords(anchor, Principal.parse(text)!).join(" "), words);
  const p = Principal.parse(key)!;
  for (const typed of ["south brand reflect joy cover turn", "SOUT, bran; refl\njoy - cove…turn.", "1. south 2. brand 3. reflect 4. joy 5. cover 6. turn"]) assert.equal(heard(typed, 10000n, p), true, typed);
  for (const typed of ["", "south brand reflect joy cover", "south brand reflect joy cover turn turn", "brand south reflect joy cover turn", "south brand reflect joy cover zoo"]) assert.equal(heard(typed, 10000n, p), false, typed);
  assert.equal(heard("south brand reflect joy cover turn", 10001n, p), false);
});

test("the canister that a page trusts is not chosen by a link", async () => {
  const own = "rdmx6-jaaaa-aaaaa-aaadq-cai", other = "bkyz2-fmaaa-aaaaa-qaaaq-cai";
  const at = async (hostname: string, search: string) => (await canisterAt({ hostname, search }, async () => own))?.text();
  assert.equal(await at("id.example.org", ""), own);
  assert.equal(await at("id.example.org", `?canisterId=${other}`), own);
  assert.equal(await at(`${own}.icp0.io`, `?canisterId=${other}`), own);
  assert.equal(await at("127.0.0.1", `?canisterId=${other}`), other);
  assert.equal(await at("localhost", `?canisterId=${other}`), other);
  assert.equal(await at(`${own}.localhost`, `?canisterId=${other}`), own);
});
