// An anchor's own recovery contacts: naming them, agreeing to them, what they approve, and the veto.
import * as kedge from "../candid/kedge.gen.ts";
import type { Warning } from "../candid/kedge.gen.ts";
import { type Done, confirm, keyCard } from "../anchor/ask.ts";
import { type Anchor, anyMarked, type Device, isProtected, nameOf } from "../anchor/model.ts";
import { signer } from "../anchor/signer.ts";
import { explain, Explained } from "../errors.ts";
import { anonymous } from "../ic/identity.ts";
import type { Principal } from "../ic/principal.ts";
import { accept } from "../results.ts";
import { agent } from "../state.ts";
import { duration, list, t, word } from "../text/text.ts";
import { button, dialog, field, form, h, note } from "../ui/dom.ts";
import { wordsList } from "./show.ts";

const day = 86_400, minute = 60_000_000_000n;
const daysAtLeast = 7, daysAtMost = 365, mostContacts = 7;

type Run = (action: () => Promise<Done>) => unknown;

// anchorsIn reads numbers of anchors, with anything between them.
export const anchorsIn = (text: string): bigint[] => (text.match(/\d{1,19}/g) ?? []).map(BigInt);

// contactsDialog names contacts, in the place of those that there are.
export function contactsDialog(anchor: Anchor): Promise<Done> {
  const old = anchor.info.contacts;
  return dialog<string>(t("contacts.name-title"), (close) => {
    const problems = h("div", {});
    const who = field(t("contacts.anchors"), { id: "contacts", inputmode: "numeric", value: old ? old.contacts.map((c) => c.anchor).join(", ") : "" }, t("contacts.anchors-hint", { most: mostContacts }));
    const threshold = field(t("contacts.threshold"), { id: "threshold", type: "number", min: 1, max: mostContacts, inputmode: "numeric", value: old?.threshold ?? 2 }, t("contacts.threshold-hint"));
    const delay = field(t("contacts.delay"), { id: "delay", type: "number", min: daysAtLeast, max: daysAtMost, inputmode: "numeric", value: old ? Number(old.delay_s) / day : 30 }, t("contacts.delay-hint"));
    return [h("p", {}, t("contacts.text")), form(async () => {
      problems.replaceChildren();
      try {
        const anchors = anchorsIn(who.input.value), needed = Number(threshold.input.value), days = Number(delay.input.value);
        if (anchors.length === 0 || anchors.length > mostContacts) throw new Explained(t("contacts.bad-number", { most: mostContacts }));
        if (!Number.isInteger(needed) || needed < 1 || needed > anchors.length) throw new Explained(t("contacts.bad-threshold", { count: anchors.length }));
        if (!Number.isInteger(days) || days < daysAtLeast || days > daysAtMost) throw new Explained(t("contacts.bad-delay", { least: daysAtLeast, most: daysAtMost }));
        await checkAnchors(anchor.number, anchors);
        const by = await signer(anchor, { kind: "protected" }, t("needs-protected"));
        if (!by) return;
        accept(await (await agent()).call(by.identity, kedge.contacts_set, anchor.number, { threshold: needed, delay: BigInt(days * day), anchors }));
        close(t("contacts.named", { anchors: list(anchors.map(String)), count: anchors.length, anchor: anchor.number }));
      } catch (error) {
        problems.replaceChildren(note("error", explain(error)));
      }
    }, who.element, threshold.element, delay.element, old && note("warn", h("p", {}, t("contacts.again"))), problems,
    h("div", { class: "actions" }, h("button", { class: "primary", id: "name-contacts" }, t("contacts.name")), button(t("cancel"), () => close(null), { class: "quiet" })))];
  });
}

// checkAnchors says, before anybody signs, which number cannot be right.
async function checkAnchors(own: bigint, anchors: bigint[]): Promise<void> {
  const a = await agent();
  for (const [i, anchor] of anchors.entries()) {
    if (anchor === own) throw new Explained(t("contacts.bad-self", { anchor }));
    if (anchors.indexOf(anchor) < i) throw new Explained(t("contacts.bad-twice", { anchor }));
    const [devices] = await a.query(anonymous, kedge.lookup, anchor);
    if (devices.length === 0) throw new Explained(t("signin.no-anchor", { anchor }));
  }
}

async function end(anchor: Anchor): Promise<Done> {
  if (!(await confirm(t("contacts.end-title"), t("contacts.end"), true, h("p", {}, t("contacts.end-text"))))) return null;
  const by = await signer(anchor, { kind: "protected" }, t("needs-protected"));
  if (!by) return null;
  accept(await (await agent()).call(by.identity, kedge.contacts_set, anchor.number, null));
  return t("contacts.ended");
}

// agree has a protected device agree that the contacts may release it, or withdraw that.
export async function agree(anchor: Anchor, d: Device, yes: boolean): Promise<Done> {
  const act = t(yes ? "contacts.agree" : "contacts.disagree");
  if (!(await confirm(t("contacts.agree-title"), act, !yes, h("p", {}, t(yes ? "contacts.agree-text" : "contacts.disagree-text", { anchors: contactNumbers(anchor), count: anchor.info.contacts?.contacts.length ?? 0 })), keyCard(anchor, d)))) return null;
  const by = await signer(anchor, { kind: "self", device: d }, t("self-only"));
  if (!by) return null;
  accept(await (await agent()).call(by.identity, kedge.contacts_agree, anchor.number, yes));
  return t(yes ? "contacts.agreed" : "contacts.disagreed", { name: nameOf(d) });
}

// agreeNext is the step of the report: the next protected device that has not agreed.
export async function agreeNext(anchor: Anchor): Promise<Done> {
  const next = anchor.info.devices.find((d) => isProtected(d) && d.agrees_to_contacts === false);
  return next ? agree(anchor, next, true) : null;
}

const contactNumbers = (anchor: Anchor): string => list((anchor.info.contacts?.contacts ?? []).map((c) => c.anchor.toString()));

// approvals are the new keys that contacts approve, by key.
function approvals(anchor: Anchor): Array<{ key: Principal; by: bigint[]; wait: bigint | null }> {
  const found = new Map<string, { key: Principal; by: bigint[]; wait: bigint | null }>();
  for (const c of anchor.info.contacts?.contacts ?? []) {
    if (!c.approves) continue;
    const key = c.approves.text(), one = found.get(key) ?? { key: c.approves, by: [], wait: c.completes_in_s };
    one.by.push(c.anchor);
    found.set(key, one);
  }
  return [...found.values()];
}

// veto is a sign of life of a protected device, which ends every approval.
async function veto(anchor: Anchor): Promise<Done> {
  if (!(await confirm(t("contacts.veto-title"), t("contacts.veto"), false, h("p", {}, t("contacts.veto-text"))))) return null;
  const by = await signer(anchor, { kind: "protected" }, t("needs-protected"));
  if (!by) return null;
  await (await agent()).call(by.identity, kedge.get_anchor_info, anchor.number);
  return t("contacts.vetoed");
}

// pendingApprovals is what must be known before anything else: new keys that contacts approve, and a veto just now.
export function pendingApprovals(anchor: Anchor, run: Run): HTMLElement[] {
  const out = approvals(anchor).map(({ key, by, wait }) => note("warn", h("h2", {}, t("contacts.pending")),
    h("p", {}, t("contacts.pending-by", { anchors: list(by.map(String)), count: by.length }), " ",
      wait === null ? t("contacts.pending-few", { needed: anchor.info.contacts!.threshold }) : wait > 0n ? t("contacts.pending-wait", { time: duration(Number(wait)) }) : t("contacts.pending-ready")),
    h("p", {}, h("code", {}, key.text())), wordsList(anchor.number, key),
    h("div", { class: "actions" }, button(t("contacts.veto"), () => run(() => veto(anchor)), { class: "primary", "data-veto-approval": "" }))));
  const vetoed = anchor.history.filter((e) => e.kind === "contact_vetoed" && anchor.read - e.at < minute);
  if (vetoed.length > 0) out.push(note("warn", h("p", {}, t("contacts.just-vetoed", { anchors: list(vetoed.map((e) => String(e.until ?? ""))), count: vetoed.length }))));
  return out;
}

const warning = (anchor: Anchor, w: Warning): string => {
  const device = w.device && anchor.info.devices.find((d) => d.pubkey.toString() === w.device!.toString());
  return word("warning", w.kind, w.description, { anchor: w.anchor ?? "", device: device ? nameOf(device) : "" });
};

// contactsSection shows the contacts among the settings of the account page.
export function contactsSection(anchor: Anchor, run: Run, friend: () => unknown): HTMLElement {
  const c = anchor.info.contacts, marked = anyMarked(anchor);
  const agreeing = anchor.info.devices.filter((d) => isProtected(d) && d.agrees_to_contacts !== null);
  return h("section", { "aria-labelledby": "recovery-contacts" }, h("h2", { id: "recovery-contacts" }, t("contacts.title")),
    h("p", {}, t("contacts.text")),
    c && [h("p", {}, t("contacts.rule", { threshold: c.threshold, count: c.contacts.length, delay: duration(Number(c.delay_s)) })),
      h("ul", { class: "plain cards" }, c.contacts.map((one) => h("li", { class: "card", "data-contact": one.anchor },
        h("h3", {}, t("anchor.name", { anchor: one.anchor })), h("p", {}, t(one.accepted ? "contacts.accepted" : "contacts.not-accepted", { anchor: anchor.number })))))],
    c && agreeing.length > 0 && h("ul", { class: "plain cards" }, agreeing.map((d) => h("li", { class: "card" },
      h("h3", {}, nameOf(d)), h("p", {}, t(d.agrees_to_contacts ? "contacts.agrees" : "contacts.agrees-not")),
      button(t(d.agrees_to_contacts ? "contacts.disagree" : "contacts.agree"), () => run(() => agree(anchor, d, !d.agrees_to_contacts)))))),
    (anchor.report.warnings ?? []).length > 0 && h("details", {}, h("summary", {}, t("contacts.warnings")),
      h("ul", {}, anchor.report.warnings!.map((w) => h("li", {}, warning(anchor, w))))),
    h("div", { class: "actions" },
      marked ? button(t(c ? "contacts.change" : "contacts.name"), () => run(() => contactsDialog(anchor)), { id: "set-contacts" }) : h("p", {}, t("settings.needs-protected")),
      c && button(t("contacts.end"), () => run(() => end(anchor)), { id: "end-contacts" }),
      button(t("friend.open"), friend, { class: "quiet", id: "be-contact" })));
}

