// The canister asked without the page: by @icp-sdk/core, as the holder of a recovery phrase, whose key is derived here
// with Node's cryptography.
import { createHmac, pbkdf2Sync } from "node:crypto";
import { Actor, HttpAgent } from "@icp-sdk/core/agent";
import { Ed25519KeyIdentity } from "@icp-sdk/core/identity";
import { canister, network } from "./setup.mjs";

export function phraseIdentity(words) {
  const seed = pbkdf2Sync(words.join(" "), "mnemonic", 2048, 64, "sha512");
  let node = createHmac("sha512", "ed25519 seed").update(seed).digest();
  for (const index of [44, 223, 0, 0, 0]) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(index + 0x80000000);
    node = createHmac("sha512", node.subarray(32)).update(Buffer.concat([Buffer.of(0), node.subarray(0, 32), number])).digest();
  }
  return Ed25519KeyIdentity.generate(new Uint8Array(node.subarray(0, 32)));
}

const service = ({ IDL }) => {
  const purpose = IDL.Variant({ recovery: IDL.Null, authentication: IDL.Null });
  const key_type = IDL.Variant({ unknown: IDL.Null, platform: IDL.Null, cross_platform: IDL.Null, seed_phrase: IDL.Null });
  // Other kinds of events are read as none.
  const event = IDL.Variant({ protected: IDL.Null, unprotected: IDL.Null, registration_opened: IDL.Null, registration_closed: IDL.Null });
  return IDL.Service({
  history: IDL.Func([IDL.Nat64, IDL.Opt(IDL.Nat64), IDL.Nat32], [IDL.Variant({ Ok: IDL.Record({
    entries: IDL.Vec(IDL.Record({ number: IDL.Nat64, kind: IDL.Opt(event) })), next: IDL.Opt(IDL.Nat64), dropped_routine: IDL.Nat64, dropped_security: IDL.Nat64,
  }), Err: IDL.Record({ message: IDL.Text }) })], ["query"]),
  get_principal: IDL.Func([IDL.Nat64, IDL.Text], [IDL.Principal], ["query"]),
  get_anchor_info: IDL.Func([IDL.Nat64], [IDL.Record({ guard: IDL.Opt(IDL.Bool), devices: IDL.Vec(IDL.Record({
    pubkey: IDL.Vec(IDL.Nat8), alias: IDL.Text, protection: IDL.Variant({ protected: IDL.Null, unprotected: IDL.Null }), proven: IDL.Opt(IDL.Bool),
  })) })], []),
  add: IDL.Func([IDL.Nat64, IDL.Record({
    pubkey: IDL.Vec(IDL.Nat8), alias: IDL.Text, credential_id: IDL.Opt(IDL.Vec(IDL.Nat8)), purpose: IDL.Variant({ recovery: IDL.Null, authentication: IDL.Null }),
    key_type: IDL.Variant({ unknown: IDL.Null, seed_phrase: IDL.Null }), protection: IDL.Variant({ protected: IDL.Null, unprotected: IDL.Null }),
  })], [], []),
  remove: IDL.Func([IDL.Nat64, IDL.Vec(IDL.Nat8)], [], []),
  lookup: IDL.Func([IDL.Nat64], [IDL.Vec(IDL.Record({ pubkey: IDL.Vec(IDL.Nat8), credential_id: IDL.Opt(IDL.Vec(IDL.Nat8)), purpose, key_type, protection: IDL.Variant({ protected: IDL.Null, unprotected: IDL.Null }) }))], ["query"]),
  update: IDL.Func([IDL.Nat64, IDL.Vec(IDL.Nat8), IDL.Record({
    pubkey: IDL.Vec(IDL.Nat8), alias: IDL.Text, credential_id: IDL.Opt(IDL.Vec(IDL.Nat8)), purpose, key_type, protection: IDL.Variant({ protected: IDL.Null, unprotected: IDL.Null }), origin: IDL.Opt(IDL.Text),
  })], [], []),
  });
};

export async function as(identity) {
  const agent = await HttpAgent.create({ host: network, identity, shouldFetchRootKey: true });
  const actor = Actor.createActor(service, { agent, canisterId: canister });
  // moved gives a device the web origin of another host.
  actor.moved = (anchor, d) => actor.update(anchor, d.pubkey, { ...d, alias: "From elsewhere", origin: ["https://id.elsewhere.example"] });
  return actor;
}

// principalOf is the principal that the canister says the owner of a phrase has at an origin.
export async function principalOf(words, anchor, origin) {
  return (await (await as(phraseIdentity(words))).get_principal(BigInt(anchor), origin)).toText();
}
