// The ways to prove who one is to this page.
import * as kedge from "../candid/kedge.gen.ts";
import { anonymous } from "../ic/identity.ts";
import { Explained } from "../errors.ts";
import { isOrigin } from "../protocol/origin.ts";
import { type Account, agent, knownAnchors, remember } from "../state.ts";
import { t } from "../text/text.ts";
import { available, PasskeyTrouble, type Session, signalGone, signIn } from "../webauthn/passkey.ts";
import { listed, type Match, matches, onAnchor } from "./find.ts";

// Chooser asks which of several anchors is meant, or whether an unproven one is; null if the person turns back.
export type Chooser = (found: Match[]) => Promise<Match | null>;

// UnknownPasskey says that no anchor has the passkey that signed.
export class UnknownPasskey extends Explained {
  constructor(readonly id: Uint8Array) { super(t("signin.unknown")); }
}

// dropUnknown tells passkey managers that nobody here knows a passkey, if a certified answer says so: it may be deleted.
export async function dropUnknown(id: Uint8Array): Promise<void> {
  if (await listed(await agent(), id)) throw new Explained(t("signin.known-after-all"));
  await signalGone(id);
}

async function account(session: Session, found: Match[], choose: Chooser): Promise<Account | null> {
  if (found.length === 0) throw new UnknownPasskey(session.signed.id);
  const match = found.length === 1 && found[0]!.proven ? found[0]! : await choose(found);
  if (!match) return null;
  remember(match.anchor);
  return { anchor: match.anchor, publicKey: match.publicKey, identity: session.identity(match.publicKey), method: "passkey", expiration: session.expiration };
}

// withAnyPasskey signs in with whatever passkey the person picks. offer waits in the input field instead of asking.
export async function withAnyPasskey(choose: Chooser, offer = false): Promise<Account | null> {
  if (!available()) throw new PasskeyTrouble("unsupported", "");
  const a = await agent();
  const session = await signIn(a.now(), [], { offer });
  return account(session, await matches(a, session, knownAnchors().map((k) => k.anchor)), choose);
}

// hostsOf groups an anchor's passkeys by the host that they are bound to, this page's first.
function hostsOf(devices: kedge.LookupDevice[]): Map<string, Uint8Array[]> {
  const hosts = new Map<string, Uint8Array[]>([[location.hostname, []]]);
  for (const d of devices) {
    if (!d.credential_id) continue;
    const host = d.origin !== null && isOrigin(d.origin) ? new URL(d.origin).hostname : location.hostname;
    hosts.set(host, [...(hosts.get(host) ?? []), d.credential_id]);
  }
  if (hosts.get(location.hostname)!.length === 0) hosts.delete(location.hostname);
  return hosts;
}

// withAnchor signs in with a passkey of one anchor. Naming it is word enough, even if the passkey has never signed there.
export async function withAnchor(anchor: bigint): Promise<Account | null> {
  const a = await agent();
  const [devices] = await a.query(anonymous, kedge.lookup, anchor);
  if (devices.length === 0) throw new Explained(t("signin.no-anchor", { anchor }));
  const hosts = hostsOf(devices);
  if (hosts.size === 0) throw new Explained(t("signin.no-passkeys", { anchor }));
  if (!available()) throw new PasskeyTrouble("unsupported", "");
  const [host, ids] = [...hosts][0]!;
  const foreign = host !== location.hostname;
  try {
    const session = await signIn(a.now(), ids, { rpId: foreign ? host : undefined });
    const match = await onAnchor(a, anchor, session.signed);
    return await account(session, match ? [match] : [], () => Promise.resolve(match));
  } catch (error) {
    // Another host's passkeys work only where that host names this one among its related origins.
    if (foreign && error instanceof PasskeyTrouble && error.kind === "host") throw new Explained(t("signin.other-host", { anchor, host, here: location.hostname }));
    throw error;
  }
}
