// Which anchor a passkey belongs to. Look-ups prove nothing: anybody may list a credential on an anchor of his own, so
// a match counts only if its key verifies the assertion.
import * as kedge from "../candid/kedge.gen.ts";
import { equal } from "../ic/bytes.ts";
import { anonymous } from "../ic/identity.ts";
import type { Agent } from "../ic/agent.ts";
import { coseOfDer, verifies } from "../webauthn/cose.ts";
import type { Signed } from "../webauthn/passkey.ts";

export interface Match { anchor: bigint; publicKey: Uint8Array; proven: boolean }

const maxPages = 200;

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
export async function matches(agent: Agent, signed: Signed, known: bigint[]): Promise<Match[]> {
  for (const anchor of known) {
    const match = await onAnchor(agent, anchor, signed).catch(() => null);
    if (match?.proven) return [match];
  }
  const out: Match[] = [];
  for await (const m of everywhere(agent, signed.id)) {
    if (await made(m.pubkey, signed)) out.push({ anchor: m.anchor, publicKey: m.pubkey, proven: m.proven });
  }
  const proven = out.filter((m) => m.proven);
  return proven.length > 0 ? proven : out;
}

async function* everywhere(agent: Agent, id: Uint8Array): AsyncGenerator<kedge.CredentialMatch> {
  for (let page = 0; page < maxPages; page++) {
    const [found] = await agent.query(anonymous, kedge.lookup_by_credential, id);
    yield* found;
    return; // the interface has no further pages yet
  }
}
