// What the account page shows: the anchor as the network certifies it. Queries are made as update calls, so that no
// single machine can hide a device or better a report.
import * as kedge from "../candid/kedge.gen.ts";
import { equal, hex } from "../ic/bytes.ts";
import { Principal } from "../ic/principal.ts";
import { accept } from "../results.ts";
import { phraseAlias, visible } from "../devices.ts";
import { type Account, agent, remember } from "../state.ts";
import { t } from "../text/text.ts";

export type Device = kedge.DeviceWithUsage;

export interface Anchor {
  number: bigint;
  account: Account;
  info: kedge.IdentityAnchorInfo;
  report: kedge.RecoveryReport;
  history: kedge.HistoryEntry[]; // oldest first
  dropped: bigint;
  read: bigint; // when this was read, ns
}

export async function load(account: Account): Promise<Anchor> {
  const a = await agent(), { anchor, identity } = account;
  // The first call may change what the others show: it is the caller's sign of life.
  const [info] = await a.call(identity, kedge.get_anchor_info, anchor);
  const [report, history] = await Promise.all([a.call(identity, kedge.recovery_report, anchor).then(accept), allHistory(account)]);
  remember(anchor, info.session_limit_s === null ? null : Number(info.session_limit_s));
  return { number: anchor, account, info, report, ...history, read: a.now() };
}

async function allHistory({ anchor, identity }: Account): Promise<{ history: kedge.HistoryEntry[]; dropped: bigint }> {
  const a = await agent(), entries: kedge.HistoryEntry[] = [];
  for (let from: bigint | null = null; ;) {
    const part: kedge.History = accept(await a.call(identity, kedge.history, anchor, from, 100));
    entries.push(...part.entries);
    if (part.next === null) return { history: entries, dropped: part.dropped_routine + part.dropped_security };
    from = part.next;
  }
}

export const principalOf = (d: { pubkey: Uint8Array }): Principal => Principal.ofKey(d.pubkey);
export const isMe = (anchor: Anchor, d: Device): boolean => equal(d.pubkey, anchor.account.publicKey);
export const isProtected = (d: Device): boolean => d.protection === "protected";
export const isPhrase = (d: Device): boolean => d.key_type === "seed_phrase";
export const anyMarked = (anchor: Anchor): boolean => anchor.info.devices.some(isProtected);
export const deviceOf = (anchor: Anchor, key: Uint8Array | null): Device | undefined => anchor.info.devices.find((d) => key && equal(d.pubkey, key));

// short is the beginning and the end of a principal, enough to tell one's own keys apart.
export function short(p: Principal): string {
  const text = p.text();
  return `${text.slice(0, 11)}…${text.slice(-3)}`;
}

// nameOf is a device's name, as somebody chose it. A phrase that nobody named goes by what it is, in the reader's language.
export function nameOf(d: Device): string {
  if (isPhrase(d) && d.alias === phraseAlias) return t("kind.phrase");
  return d.alias === "" ? t("device.nameless") : visible(d.alias);
}

// nameOfPrincipal names a device in the history, which may be gone.
export function nameOfPrincipal(anchor: Anchor, p: Principal | null): string {
  if (!p) return t("history.nobody");
  const device = anchor.info.devices.find((d) => principalOf(d).equals(p));
  return device ? `${nameOf(device)} (${short(p)})` : short(p);
}

// addedBy is who put a device on the anchor, as far as the history still knows.
export function addedBy(anchor: Anchor, d: Device): Principal | null {
  const p = principalOf(d);
  const added = anchor.history.findLast((e) => (e.kind === "added" && e.device?.equals(p)) || (e.kind === "registered" && e.device?.equals(p)) || (e.kind === "replaced" && e.other?.equals(p)));
  return added?.by ?? null;
}

// boundHost is the host that a passkey belongs to; null if it is this page's or none.
export function boundHost(d: Device): string | null {
  if (!d.credential_id || d.origin === null) return null;
  try {
    const { hostname } = new URL(d.origin);
    return hostname === location.hostname ? null : hostname;
  } catch {
    return null;
  }
}

export interface PendingRelease { device: Device; asker: Device | null; askerKey: Uint8Array; wait: bigint }

// pendingReleases are those that somebody has asked for.
export function pendingReleases(anchor: Anchor): PendingRelease[] {
  return anchor.info.devices.flatMap((device) => (device.release?.askers ?? []).flatMap((asker): PendingRelease[] =>
    asker.completes_in_s === null ? [] : [{ device, asker: deviceOf(anchor, asker.pubkey) ?? null, askerKey: asker.pubkey, wait: asker.completes_in_s }]));
}

export const keyId = (key: Uint8Array): string => hex(key.slice(-8));
