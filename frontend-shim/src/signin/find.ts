// Which anchor a passkey belongs to. Look-ups prove nothing: anybody may list a credential on an anchor of his own, so
// a match counts only if its key verifies the assertion.
import * as kedge from "../candid/kedge.gen.ts";
import { equal, hex } from "../ic/bytes.ts";
import { anonymous, type Identity } from "../ic/identity.ts";
import type { Agent } from "../ic/agent.ts";
import { coseOfDer, verifies } from "../webauthn/cose.ts";
import type { Session, Signed } from "../webauthn/passkey.ts";

export interface Match { anchor: bigint; publicKey: Uint8Array; proven: boolean }

const most = 20; // unproven anchors that are offered for a choice

async function made(publicKey: Uint8Array, signed: Signed): Promise<boolean> {
  const cose = coseOfDer(publicKey);
  return cose !== null && verifies(cose, signed);
}

// onAnchor looks for the passkey on one anchor.
export async function onAnchor(agent: Agent, anchor: bigint, signed: Signed): Promise<Match | null> {
  const [devices] = await agent.query(anonymous, kedge.lookup, anchor);
  for (const d of devices) {
    if (d.credential_id && equal(d.credential_id, signed.id) && (await made(d.pubkey, signed))) return { anchor, publicKey: d.pubkey, proven: d.proven ?? false };
  }
  return null;
}

// matches finds the anchors that the passkey can act for: the one used here last alone if it is one of them, else all.
// Strangers can list the credential by the thousand, with keys of their own. So one page of the list is read; if no key
// on it verifies the assertion, the keys that can have made it are asked for, and only then the rest of the list. Once
// the key is known, the anchors that have that key are asked for.
export async function matches(agent: Agent, session: Pick<Session, "signed" | "identity">, known: bigint[]): Promise<Match[]> {
  for (const anchor of known) {
    const match = await onAnchor(agent, anchor, session.signed).catch(() => null);
    if (match?.proven) return [match];
  }
  const tried = new Set<string>();
  for (let cursor: bigint | null = null, first = true; first || cursor !== null; first = false) {
    const [found, next]: [kedge.CredentialMatch[], bigint | null] = await agent.query(anonymous, kedge.lookup_by_credential, session.signed.id, cursor);
    for (const { pubkey } of found) {
      const name = hex(pubkey);
      if (!tried.has(name) && (await made(pubkey, session.signed))) return ofCaller(agent, session.identity(pubkey), pubkey);
      tried.add(name);
    }
    cursor = next;
    if (first && cursor !== null) {
      const own = await ofAny(agent, session, (await import("../webauthn/keys.ts")).keysOf(session.signed));
      if (own.length > 0) return own;
    }
  }
  return [];
}

// ofAny finds the anchors of whichever of the keys has any. It is a short cut: where it fails, the long way is left.
async function ofAny(agent: Agent, session: Pick<Session, "signed" | "identity">, keys: Uint8Array[]): Promise<Match[]> {
  const all = await Promise.all(keys.map(async (key) => ((await made(key, session.signed)) ? ofCaller(agent, session.identity(key), key).catch(() => []) : [])));
  return all.flat();
}

// listed reports, certified, whether any anchor lists the credential.
export async function listed(agent: Agent, id: Uint8Array): Promise<boolean> {
  let cursor: bigint | null = null;
  do {
    const [found, next]: [kedge.CredentialMatch[], bigint | null] = await agent.call(anonymous, kedge.lookup_by_credential, id, cursor);
    if (found.length > 0) return true;
    cursor = next;
  } while (cursor !== null);
  return false;
}

// ofCaller finds the anchors that list the caller's key: those on which it has signed, which come first, or else the
// first few of the others.
export async function ofCaller(agent: Agent, identity: Identity, publicKey: Uint8Array): Promise<Match[]> {
  const proven: Match[] = [], others: Match[] = [];
  let cursor: bigint | null = null;
  do {
    const [anchors, next]: [bigint[], bigint | null] = await agent.query(identity, kedge.lookup_caller, cursor);
    for (const anchor of anchors) {
      const [devices] = await agent.query(identity, kedge.lookup, anchor);
      const device = devices.find((d) => equal(d.pubkey, publicKey));
      if (!device) continue;
      (device.proven ? proven : others).push({ anchor, publicKey, proven: device.proven ?? false });
      if (!device.proven && (proven.length > 0 || others.length >= most)) return proven.length > 0 ? proven : others;
    }
    cursor = next;
  } while (cursor !== null);
  return proven.length > 0 ? proven : others;
}
