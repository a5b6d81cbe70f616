// Being somebody's recovery contact: accept, approve a key whose six words were heard from the owner's own voice,
// take that back, resign.
import * as kedge from "../candid/kedge.gen.ts";
import { adding, confirm, type Done } from "../anchor/ask.ts";
import type { Anchor } from "../anchor/model.ts";
import { signer } from "../anchor/signer.ts";
import { explain, Explained, Refused } from "../errors.ts";
import type { Identity } from "../ic/identity.ts";
import { Principal } from "../ic/principal.ts";
import { accept } from "../results.ts";
import { agent } from "../state.ts";
import { duration, t } from "../text/text.ts";
import { busy, button, field, form, h, note, show } from "../ui/dom.ts";
import { wordsList } from "./show.ts";
import { heard } from "./words.ts";

// friendView asks for the owner's anchor and shows what may be done for it.
export function friendView(anchor: Anchor, back: (done: Done) => unknown, said: Done = null): void {
  const problems = h("div", {}), place = h("div", { "aria-live": "polite" });
  const owner = field(t("friend.owner"), { id: "owner", inputmode: "numeric", maxlength: 19 }, t("friend.owner-hint"));
  const of = (): bigint => {
    const text = owner.input.value.trim();
    if (!/^\d{1,19}$/.test(text)) throw new Explained(t("signin.not-a-number"));
    return BigInt(text);
  };
  const look = async (done: Done = null) => {
    problems.replaceChildren();
    try {
      const n = of();
      // Who acts for a guarded anchor is a protected device; what it may know is asked for as whoever is signed in.
      const by = await signer(anchor, { kind: "any" }, t("session.over"));
      if (!by) return;
      const status = accept(await (await agent()).call(by.identity, kedge.contact_status, n, anchor.number));
      place.replaceChildren(...[done && note("info", h("p", {}, done)), panel(anchor, n, status, look, (text) => friendView(anchor, back, text))].filter((x) => x !== null && x !== ""));
    } catch (error) {
      place.replaceChildren();
      problems.replaceChildren(note("error", h("p", {}, explain(error))));
    }
  };
  show(t("friend.title"), said && note("info", h("p", {}, said)), h("p", {}, t("friend.text")), form(() => look(), owner.element, problems,
    h("div", { class: "actions" }, h("button", { class: "primary", id: "look" }, t("friend.look")), button(t("back"), () => back(null), { class: "quiet" }))), place);
}

type Look = (done: Done) => Promise<void>;

// panel shows what may be done for one anchor; left is called when this anchor is no contact of it any more.
function panel(anchor: Anchor, n: bigint, status: kedge.ContactStatus, look: Look, left: (text: string) => unknown): HTMLElement {
  const problems = h("div", {}), body = h("section", { "aria-labelledby": "of-owner" }, h("h2", { id: "of-owner" }, t("anchor.name", { anchor: n })));
  const run = (action: () => Promise<Done>) => busy(body, async () => {
    problems.replaceChildren();
    try {
      const done = await action();
      if (done) await look(done);
    } catch (error) {
      problems.replaceChildren(note("error", h("p", {}, explain(error))));
    }
  });
  const acts: HTMLElement[] = [];
  if (!status.accepted) acts.push(button(t("friend.accept"), () => run(() => acceptContact(anchor, n)), { class: "primary", id: "accept" }));
  else if (status.approves) acts.push(button(t("friend.withdraw"), () => run(() => withdraw(anchor, n)), { id: "withdraw" }));
  acts.push(button(t(status.accepted ? "friend.resign" : "friend.decline"), () => run(async () => {
    // Whoever is no contact any more may not ask for the status.
    if (await resign(anchor, n, status.accepted === true)) left(t("friend.resigned", { anchor: n }));
    return null;
  }), { class: "quiet", id: "resign" }));
  body.append(h("p", {}, t(status.accepted ? "friend.is" : "friend.asked")),
    ...status.approvals.map((a) => h("p", {}, h("code", { class: "whole" }, a.key.text()), t("friend.approved-by", { count: a.count }), " ",
      a.completes_in_s === null ? "" : a.completes_in_s > 0n ? t("contacts.pending-wait", { time: duration(Number(a.completes_in_s)) }) : t("contacts.pending-ready"))));
  if (status.accepted) body.append(approveForm(anchor, n, look));
  body.append(problems, h("div", { class: "actions" }, acts));
  return body;
}

// approveForm takes the key in writing and the words by voice. Nothing is sent unless they belong together.
function approveForm(anchor: Anchor, n: bigint, look: Look): HTMLElement {
  const problems = h("div", {});
  const key = field(t("friend.key"), { id: "new-key", autocomplete: "off", spellcheck: "false", autocapitalize: "none" }, t("friend.key-hint"));
  const words = field(t("contacts.six-words"), { id: "heard", autocomplete: "off", spellcheck: "false", autocapitalize: "none" }, t("friend.words-hint", { anchor: n }));
  return h("details", {}, h("summary", {}, t("friend.approve-title")), note("warn", h("p", {}, t("friend.voice"))), form(async () => {
    problems.replaceChildren();
    try {
      const principal = Principal.parse(key.input.value.trim());
      if (!principal) throw new Explained(t("friend.bad-key"));
      if (!heard(words.input.value, n, principal)) throw new Explained(t("friend.wrong-words"));
      if (!(await confirm(t("friend.sure"), t("friend.approve"), false, wordsList(n, principal), h("p", {}, t("friend.voice"))))) return;
      if (await signed(anchor, async (by) => accept(await (await agent()).call(by, kedge.contact_approve, n, anchor.number, principal)))) await look(t("friend.approved", { anchor: n }));
    } catch (error) {
      problems.replaceChildren(note("error", h("p", {}, explain(error))));
    }
  }, key.element, words.element, problems, h("button", { class: "primary", id: "approve" }, t("friend.approve"))));
}

// signed has a device of the contact's own anchor sign: a protected one if the anchor is guarded, or if a protected one
// signed before, which the canister says. False if the person turned back.
async function signed(anchor: Anchor, send: (by: Identity) => Promise<unknown>): Promise<boolean> {
  const by = await signer(anchor, adding(anchor), t("needs-protected"));
  if (!by) return false;
  try {
    await send(by.identity);
  } catch (error) {
    if (!(error instanceof Refused && error.error.code === "needs_protected")) throw error;
    const guard = await signer(anchor, { kind: "protected" }, t("friend.protected-before"));
    if (!guard) return false;
    await send(guard.identity);
  }
  return true;
}

async function acceptContact(anchor: Anchor, n: bigint): Promise<Done> {
  const a = await agent();
  return (await signed(anchor, async (by) => accept(await a.call(by, kedge.contact_accept, n, anchor.number)))) ? t("friend.accepted", { anchor: n }) : null;
}

async function withdraw(anchor: Anchor, n: bigint): Promise<Done> {
  if (!(await confirm(t("friend.withdraw"), t("friend.withdraw"), false, h("p", {}, t("friend.withdraw-text", { anchor: n }))))) return null;
  const a = await agent();
  return (await signed(anchor, async (by) => accept(await a.call(by, kedge.contact_withdraw, n, anchor.number, false)))) ? t("friend.withdrawn", { anchor: n }) : null;
}

// resign leaves the list of contacts, whether they had accepted or not; false if the person turned back.
async function resign(anchor: Anchor, n: bigint, accepted: boolean): Promise<boolean> {
  const label = t(accepted ? "friend.resign" : "friend.decline");
  if (!(await confirm(label, label, true, h("p", {}, t(accepted ? "friend.resign-text" : "friend.decline-text", { anchor: n }))))) return false;
  const a = await agent();
  return signed(anchor, async (by) => accept(await a.call(by, kedge.contact_withdraw, n, anchor.number, true)));
}
