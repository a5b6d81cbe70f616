// Recovery by contacts, for an owner who has nothing left: a new passkey of this browser, its six words for the
// contacts, the wait, and the anchor back. What is kept here meanwhile is public.
import * as kedge from "../candid/kedge.gen.ts";
import { deviceName, passkeyDevice } from "../devices.ts";
import { explain, Explained } from "../errors.ts";
import { hex, unhex } from "../ic/bytes.ts";
import { anonymous, type Identity } from "../ic/identity.ts";
import { Principal } from "../ic/principal.ts";
import { accept } from "../results.ts";
import { type Account, agent, remember } from "../state.ts";
import { duration, t } from "../text/text.ts";
import { busy, button, field, form, h, note, show } from "../ui/dom.ts";
import { coseOfDer, verifies } from "../webauthn/cose.ts";
import { create, type Passkey, signIn } from "../webauthn/passkey.ts";
import { wordsList } from "./show.ts";

export interface Recover { done(account: Account): unknown; back(): unknown }

interface Begun { anchor: bigint; passkey: Passkey }

const stored = "kedge.recover", pause = 5000, minute = 60_000_000_000n;

// begun are the recoveries that were begun in this browser.
function begun(): Begun[] {
  try {
    const all = JSON.parse(localStorage.getItem(stored) ?? "[]") as Array<{ anchor: string; id: string; key: string; aaguid: string | null; platform: boolean }>;
    return all.map((r) => ({ anchor: BigInt(r.anchor), passkey: {
      id: unhex(r.id), publicKey: unhex(r.key), aaguid: r.aaguid === null ? null : unhex(r.aaguid), platform: r.platform, backupEligible: false,
    } }));
  } catch {
    return [];
  }
}

function keep(all: Begun[]): void {
  localStorage.setItem(stored, JSON.stringify(all.map(({ anchor, passkey: p }) => ({
    anchor: anchor.toString(), id: hex(p.id), key: hex(p.publicKey), aaguid: p.aaguid && hex(p.aaguid), platform: p.platform,
  }))));
}

// recoverView begins a recovery or goes on with one.
export function recoverView(o: Recover): void {
  const problems = h("div", {}), body = h("div", {}), old = begun();
  const attempt = (way: () => Promise<Begun | null>) => busy(body, async () => {
    problems.replaceChildren();
    try {
      const one = await way();
      if (!one) return;
      const session = await signIn((await agent()).now(), [one.passkey.id]);
      // What is kept in the browser may have been changed: the words are those of a key that has just signed.
      const cose = coseOfDer(one.passkey.publicKey);
      if (!cose || !(await verifies(cose, session.signed))) throw new Explained(t("recover.other-key"));
      waitView(o, one, session.identity(one.passkey.publicKey), session.expiration);
    } catch (error) {
      problems.replaceChildren(note("error", h("p", {}, explain(error))));
    }
  });
  const number = field(t("recover.number"), { id: "lost-anchor", inputmode: "numeric", maxlength: 19 }, t("recover.number-hint"));
  body.append(
    ...old.map((one) => button(t("recover.go-on", { anchor: one.anchor }) + mark(old, one), () => attempt(() => Promise.resolve(one)), { class: "wide primary", "data-recover": one.anchor })),
    form(() => attempt(() => begin(number.input.value.trim())), number.element, h("p", { class: "hint" }, t("register.twice")),
      h("button", { class: old.length ? "" : "primary", id: "begin-recovery" }, t("recover.begin"))));
  show(t("recover.title"), h("p", {}, t("recover.text")), problems, body, button(t("back"), o.back, { class: "quiet" }));
}

// mark tells several recoveries of one anchor apart, by the beginning of the key's principal.
const mark = (all: Begun[], one: Begun): string =>
  all.filter((b) => b.anchor === one.anchor).length > 1 ? ` (${Principal.ofKey(one.passkey.publicKey).text().slice(0, 11)}…)` : "";

async function begin(text: string): Promise<Begun> {
  if (!/^\d{1,19}$/.test(text)) throw new Explained(t("signin.not-a-number"));
  const anchor = BigInt(text), a = await agent();
  const [devices] = await a.query(anonymous, kedge.lookup, anchor);
  if (devices.length === 0) throw new Explained(t("signin.no-anchor", { anchor }));
  // A handle of its own: an authenticator deletes the passkey that it has with the same one, which may be the owner's
  // last. Nor are the anchor's passkeys excluded: a thief could have listed one of another anchor.
  const one = { anchor, passkey: await create({ id: crypto.getRandomValues(new Uint8Array(16)), name: t("anchor.name", { anchor }) }, [], null) };
  keep([...begun(), one]); // contacts may have approved one that was begun before
  return one;
}

// waitView shows the words and how far it is, until the person leaves.
function waitView(o: Recover, one: Begun, identity: Identity, expiration: bigint): void {
  const key = Principal.ofKey(one.passkey.publicKey), problems = h("div", {});
  const state = h("p", { role: "status", id: "recover-state" }, t("loading"));
  const take = button(t("recover.take"), () => busy(actions, () => complete(o, one, identity, expiration, problems)), { class: "primary", id: "take-back", disabled: true });
  const actions = h("div", { class: "actions" }, take, button(t("recover.leave"), () => o.back(), { class: "quiet" }));
  show(t("recover.wait-title", { anchor: one.anchor }),
    wordsList(one.anchor, key),
    h("ol", { class: "todo" }, h("li", {}, t("recover.step1", { anchor: one.anchor }), h("p", {}, h("code", { id: "recover-key" }, key.text()))),
      h("li", {}, t("recover.step2")), h("li", {}, t("recover.step3")), h("li", {}, t("recover.step4"))),
    state, note("info", h("p", {}, t("recover.veto"))), problems, actions);
  watch(one, identity, expiration, state, take).then((over) => {
    if (!over) return;
    // The key's session ends before the delay does: it signs again when somebody looks again.
    take.remove();
    state.textContent = t("recover.session-over");
    actions.prepend(button(t("recover.go-on", { anchor: one.anchor }), () => recoverView(o), { class: "primary" }));
  }).catch((error: unknown) => problems.replaceChildren(note("error", h("p", {}, explain(error)))));
}

// watch says how far it is until the view is left, or the session is over, which it reports.
async function watch(one: Begun, identity: Identity, expiration: bigint, state: HTMLElement, take: HTMLButtonElement): Promise<boolean> {
  const a = await agent();
  while (state.isConnected) {
    if (expiration <= a.now() + minute) return true;
    // To all but a key that a contact approves the answer is that of an anchor without contacts.
    const [answer] = await a.call(identity, kedge.contact_status, one.anchor, null);
    const mine = answer.tag === "Ok" ? answer.value.approvals[0] : undefined;
    if (!mine) state.textContent = t("recover.nobody");
    else if (mine.completes_in_s === null) state.textContent = t("recover.few", { count: mine.count });
    else state.textContent = mine.completes_in_s > 0n ? t("recover.left", { count: mine.count, time: duration(Number(mine.completes_in_s)) }) : t("recover.ready");
    take.disabled = !mine || mine.completes_in_s !== 0n;
    await new Promise((r) => setTimeout(r, pause));
  }
  return false;
}

async function complete(o: Recover, one: Begun, identity: Identity, expiration: bigint, problems: HTMLElement): Promise<void> {
  problems.replaceChildren();
  try {
    accept(await (await agent()).call(identity, kedge.contacts_complete, one.anchor, passkeyDevice(deviceName(), one.passkey)));
  } catch (error) {
    problems.replaceChildren(note("error", h("p", {}, explain(error))));
    return;
  }
  keep(begun().filter((b) => b.anchor !== one.anchor));
  remember(one.anchor);
  const account: Account = { anchor: one.anchor, identity, publicKey: one.passkey.publicKey, method: "passkey", expiration };
  show(t("recover.done-title", { anchor: one.anchor }), h("p", {}, t("recover.done")),
    h("ol", {}, ["recover.next1", "recover.next2", "recover.next3"].map((k) => h("li", {}, t(k as "recover.next1")))),
    button(t("continue"), () => o.done(account), { class: "primary", id: "recovered" }));
}
