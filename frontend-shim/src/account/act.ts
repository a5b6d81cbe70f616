// Acts on an anchor: each asks once, shows the key that it is about, is signed by whoever may, and says how it ended.
import { call, changing, confirm, type Done, keyCard } from "../anchor/ask.ts";
import { type Anchor, anyMarked, type Device, isMe, isPhrase, isProtected, nameOf } from "../anchor/model.ts";
import { type Need, signer } from "../anchor/signer.ts";
import * as kedge from "../candid/kedge.gen.ts";
import { accept } from "../results.ts";
import { equal } from "../ic/bytes.ts";
import { agent } from "../state.ts";
import { date, duration, t } from "../text/text.ts";
import { type Child, h } from "../ui/dom.ts";
import { signalGone } from "../webauthn/passkey.ts";
import { listed } from "../signin/find.ts";

export async function protect(anchor: Anchor, d: Device): Promise<Done> {
  const need: Need = anyMarked(anchor) ? { kind: "protected" } : { kind: "self", device: d };
  const why = t(anyMarked(anchor) ? "protect.by-protected" : "protect.by-self");
  if (!(await confirm(t("protect.title"), t("protect.act"), false, h("p", {}, t("protect.text")), keyCard(anchor, d), h("p", {}, why)))) return null;
  if (!(await call(anchor, need, why, kedge.protect, [anchor.number, d.pubkey]))) return null;
  // A mark lapses unless the device signs itself; a phrase is on paper, so it is typed back at once.
  if (!d.proven && need.kind === "protected" && isPhrase(d)) await prove(anchor, d);
  return t("protect.done", { name: nameOf(d) });
}

// prove has a device sign a call of its own.
export async function prove(anchor: Anchor, d: Device): Promise<Done> {
  const who = await signer(anchor, { kind: "self", device: d }, t("prove.why"));
  if (!who) return null;
  await (await agent()).call(who.identity, kedge.get_anchor_info, anchor.number);
  return t("prove.done", { name: nameOf(d) });
}

export async function unprotect(anchor: Anchor, d: Device): Promise<Done> {
  if (!(await confirm(t("unprotect.title"), t("unprotect.act"), true, h("p", {}, t("unprotect.text")), ...also(anchor, d, true).map((text) => h("p", {}, text)), keyCard(anchor, d)))) return null;
  return (await call(anchor, { kind: "self", device: d }, t("self-only"), kedge.unprotect, [anchor.number, d.pubkey])) ? t("unprotect.done", { name: nameOf(d) }) : null;
}

// also says what ends on other devices, and among the contacts, when a device goes or is protected no more.
export function also(anchor: Anchor, d: Device, stays = false): string[] {
  const others = anchor.info.devices.filter((o) => !equal(o.pubkey, d.pubkey));
  const asks = stays ? [] : others.filter((o) => o.release?.askers.some((a) => equal(a.pubkey, d.pubkey)));
  const last = d.agrees_to_contacts === true && !others.some((o) => o.agrees_to_contacts === true);
  return [
    ...asks.map((o) => t("remove.asker", { device: nameOf(o) })),
    ...(d.agrees_to_contacts === true ? [t(last ? "remove.last-agreement" : "remove.agreement")] : []),
  ];
}

// ends says what a removal ends.
function ends(anchor: Anchor, d: Device): Child[] {
  const others = anchor.info.devices.filter((o) => !equal(o.pubkey, d.pubkey));
  const now = anchor.read;
  return [h("ul", {}, [
    t("remove.signs-in-no-more"),
    d.sessions_until !== null && d.sessions_until > now && t("remove.sessions", { time: date(d.sessions_until) }),
    isMe(anchor, d) && t("remove.me"),
    isProtected(d) && t(others.some(isProtected) ? "remove.protected" : "remove.last-protected"),
    !isProtected(d) && !others.some((o) => !isProtected(o)) && t("remove.last-unprotected"),
    d.release !== null && t("remove.release"),
    ...also(anchor, d),
    d.credential_id !== null && t("remove.passkey"),
  ].filter((x): x is string => Boolean(x)).map((text) => h("li", {}, text)))];
}

export async function remove(anchor: Anchor, d: Device): Promise<Done> {
  if (anchor.info.devices.length === 1) return t("remove.only");
  if (!(await confirm(t("remove.title"), t("remove.act"), true, keyCard(anchor, d), h("p", {}, t("remove.text")), ...ends(anchor, d)))) return null;
  const who = await signer(anchor, changing(anchor, d), t(isProtected(d) ? "self-only" : "needs-protected"));
  if (!who) return null;
  await (await agent()).call(who.identity, kedge.remove, anchor.number, d.pubkey);
  await dropPasskey(d);
  return t("remove.done", { name: nameOf(d) });
}

// dropPasskey tells passkey managers that a passkey of a device that has gone is of no use any more, if no anchor lists it:
// they may delete it for good. The device's credential id says nothing of whose it is: whoever added the device may have
// stated that of the owner's passkey for another anchor.
export async function dropPasskey(d: Device): Promise<void> {
  if (d.credential_id && !(await listed(await agent(), d.credential_id).catch(() => true))) await signalGone(d.credential_id);
}

export async function setGuard(anchor: Anchor, on: boolean): Promise<Done> {
  if (!(await confirm(t("guard.title"), t(on ? "guard.on" : "guard.off"), !on, h("p", {}, t("guard.text"))))) return null;
  return (await call(anchor, { kind: "protected" }, t("needs-protected"), kedge.guard_set, [anchor.number, on])) ? t(on ? "guard.is-on" : "guard.is-off") : null;
}

export async function setDeviceBound(anchor: Anchor, on: boolean): Promise<Done> {
  if (!(await confirm(t("bound.title"), t(on ? "bound.on" : "bound.off"), !on, h("p", {}, t("bound.text"))))) return null;
  return (await call(anchor, { kind: "protected" }, t("needs-protected"), kedge.device_bound_set, [anchor.number, on])) ? t(on ? "bound.is-on" : "bound.is-off") : null;
}

export async function setLimit(anchor: Anchor, seconds: bigint | null): Promise<Done> {
  if (!(await call(anchor, { kind: "protected" }, t("needs-protected"), kedge.session_limit_set, [anchor.number, seconds]))) return null;
  return t("limit.done", { length: duration(Number(seconds ?? 30n * 86_400n)) });
}

export async function withdrawConsent(anchor: Anchor, d: Device): Promise<Done> {
  if (!(await confirm(t("release.withdraw-title"), t("release.withdraw"), true, keyCard(anchor, d), h("p", {}, t("release.withdraw-text"))))) return null;
  return (await call(anchor, { kind: "self", device: d }, t("self-only"), kedge.release_consent, [anchor.number, null])) ? t("release.withdrawn") : null;
}

export async function consent(anchor: Anchor, d: Device, delay: bigint, askers: Uint8Array[]): Promise<Done> {
  return (await call(anchor, { kind: "self", device: d }, t("self-only"), kedge.release_consent, [anchor.number, { delay, askers }])) ? t("release.consented") : null;
}

// askerOf is a signer among the askers of a device.
export async function requestRelease(anchor: Anchor, d: Device, asker: Device): Promise<Done> {
  if (!(await confirm(t("release.ask-title"), t("release.ask"), false, keyCard(anchor, d), h("p", {}, t("release.ask-text", { delay: duration(Number(d.release!.delay_s)) }))))) return null;
  return (await call(anchor, { kind: "self", device: asker }, t("release.ask-why"), kedge.release_request, [anchor.number, d.pubkey])) ? t("release.asked") : null;
}

export async function cancelRelease(anchor: Anchor, d: Device): Promise<Done> {
  if (!(await confirm(t("release.veto-title"), t("release.veto"), false, keyCard(anchor, d), h("p", {}, t("release.veto-text"))))) return null;
  return (await call(anchor, { kind: "protected" }, t("needs-protected"), kedge.release_cancel, [anchor.number, d.pubkey])) ? t("release.vetoed") : null;
}

export async function completeRelease(anchor: Anchor, d: Device, asker: Device): Promise<Done> {
  if (!(await confirm(t("release.complete-title"), t("release.complete"), false, keyCard(anchor, d), h("p", {}, t("release.complete-text"))))) return null;
  return (await call(anchor, { kind: "self", device: asker }, t("release.ask-why"), kedge.release_complete, [anchor.number, d.pubkey])) ? t("release.completed") : null;
}

// attest has the signed-in passkey show what kind of key it is.
export async function attest(anchor: Anchor, d: Device): Promise<Done> {
  const who = await signer(anchor, { kind: "self", device: d }, t("attest.why"));
  if (!who) return null;
  const a = await agent();
  const challenge = accept(await a.call(who.identity, kedge.attestation_challenge, anchor.number));
  const { attestationChallenge } = await import("./attest.ts");
  const message = attestationChallenge(a.canister.bytes, anchor.number, d.pubkey, challenge.nonce);
  if (!equal(message, challenge.challenge)) return t("attest.odd");
  const { sign } = await import("../webauthn/passkey.ts");
  const signed = await sign(message, [d.credential_id!]);
  const shown = accept(await a.call(who.identity, kedge.attest, anchor.number, { client_data: signed.clientData, authenticator_data: signed.authenticatorData, signature: signed.signature }));
  return t(shown.backup_eligible ? "attest.synced" : "attest.bound");
}
