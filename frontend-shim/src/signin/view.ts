// The view with which everything begins: who asks, for how long, and the ways to sign in.
import { explain } from "../errors.ts";
import { offersAvailable, PasskeyTrouble, stopConditional } from "../webauthn/passkey.ts";
import type { SignInRequest } from "../protocol/request.ts";
import { host, mapOrigin } from "../protocol/origin.ts";
import { type Account, forget, knownAnchors } from "../state.ts";
import { date, duration, t } from "../text/text.ts";
import { busy, button, type Child, dialog, field, form, h, note, show } from "../ui/dom.ts";
import type { Match } from "./find.ts";
import { lengthFor, showLength } from "./deliver.ts";
import { type Chooser, dropUnknown, UnknownPasskey, withAnchor, withAnyPasskey } from "./methods.ts";

const seconds = (ns: bigint): number => Number(ns / 1_000_000_000n);

// requestPanel says who asks for what.
export function requestPanel(request: SignInRequest, anchor?: bigint): HTMLElement {
  const derived = request.derivationOrigin !== null && mapOrigin(request.derivationOrigin) !== mapOrigin(request.origin) ? request.derivationOrigin : null;
  const length = lengthFor(request, anchor);
  showLength(request, length);
  return h("section", { class: "request", "aria-label": t("request.label") },
    h("p", {}, t("request.who")),
    h("p", { class: "host" }, host(request.origin)),
    derived && h("p", {}, t("request.derived", { host: host(derived) })),
    h("p", { class: "length" }, t(knownAnchors().some((k) => k.anchor === anchor) ? "request.length" : "request.length-at-most", { length: duration(seconds(length)) })));
}

// chooseAnchor asks which anchor is meant. One that the passkey has never been used on may be a stranger's.
export const chooseAnchor: Chooser = (found: Match[]) => dialog<Match>(t("choose.title"), (close) => [
  h("p", {}, t(found.some((m) => m.proven) ? "choose.several" : "choose.unproven")),
  h("ul", { class: "plain" }, found.map((m) => h("li", {}, button([
    h("strong", {}, t("anchor.name", { anchor: m.anchor })), " ", h("span", {}, t(m.proven ? "choose.proven" : "choose.not-proven")),
  ], () => close(m), { class: "wide" })))),
  button(t("cancel"), () => close(null)),
]);

export interface Ways {
  done(account: Account): unknown;
  cancel: (() => unknown) | null; // refuses the request
  begin(leaving: boolean): void; // something is begun that must not be interrupted, here or in another view
  register(): unknown;
  phrase(): unknown;
  pair(): unknown;
  recover(): unknown;
}

// forgetPasskey lets the person have the passkey manager drop a passkey that no anchor has.
function forgetPasskey(error: UnknownPasskey): HTMLElement {
  const area = h("div", {}, h("p", {}, t("signin.unknown-drop")));
  area.append(button(t("signin.drop"), () => busy(area, async () => {
    try {
      await dropUnknown(error.id);
      area.replaceChildren(h("p", {}, t("signin.dropped")));
    } catch (again) {
      area.replaceChildren(h("p", {}, explain(again)));
    }
  })));
  return area;
}

// signInView shows the ways to sign in. problem is what went wrong before.
export function signInView(request: SignInRequest | null, ways: Ways, extra: Child = null, problem: Child = null): void {
  const known = knownAnchors();
  const problems = h("div", { class: "problems" }, problem);
  const area = h("div", { class: "ways" });
  // The length that counts as shown is that of the anchor's button, or the panel's for every other way.
  const attempt = (way: () => Promise<Account | null>, anchor = known[0]?.anchor) => busy(area, async () => {
    ways.begin(false);
    if (request) showLength(request, lengthFor(request, anchor));
    problems.replaceChildren();
    try {
      const account = await way();
      if (account) await ways.done(account);
    } catch (error) {
      problems.replaceChildren(note("error", h("p", {}, explain(error)), error instanceof UnknownPasskey ? forgetPasskey(error) : h("p", {}, t("signin.other-ways"))));
    }
  });
  const leave = (to: () => unknown) => async () => {
    ways.begin(true);
    await stopConditional();
    await to();
  };

  const number = field(t("signin.number"), { inputmode: "numeric", autocomplete: "username webauthn", maxlength: 20, name: "anchor" }, t("signin.number-hint"));
  const byNumber = form(() => attempt(async () => {
    const text = number.input.value.trim();
    if (/^\d{1,19}$/.test(text)) return withAnchor(BigInt(text));
    number.input.focus();
    problems.replaceChildren(note("error", h("p", {}, t("signin.not-a-number"))));
    return null;
  }), number.element, h("button", {}, t("signin.by-number")));

  area.append(
    known.length > 0
      ? h("ul", { class: "plain anchors" }, known.map((k, i) => h("li", {},
        button([h("strong", {}, t("anchor.name", { anchor: k.anchor })), h("span", { class: "hint" }, t("signin.used", { time: date(BigInt(k.used) * 1_000_000n) })),
          // The panel above says how long it is for the first one.
          request && i > 0 && lengthFor(request, k.anchor) !== lengthFor(request, known[0]!.anchor) && h("span", { class: "hint" }, t("request.length", { length: duration(seconds(lengthFor(request, k.anchor))) }))],
          () => attempt(() => withAnchor(k.anchor), k.anchor), { class: i === 0 ? "wide primary" : "wide", "data-anchor": k.anchor }),
        button(t("signin.forget"), () => {
          forget(k.anchor);
          signInView(request, ways, extra);
        }, { class: "quiet", "aria-label": t("signin.forget-anchor", { anchor: k.anchor }) }))))
      : "",
    button(t(known.length > 0 ? "signin.other-passkey" : "signin.passkey"), () => attempt(() => withAnyPasskey(chooseAnchor)),
      { class: known.length > 0 ? "wide" : "wide primary", id: "passkey" }),
    byNumber,
    button(t("signin.new"), leave(ways.register), { class: "wide", id: "register" }),
    h("details", {}, h("summary", {}, t("signin.more")),
      button(t("signin.phrase"), leave(ways.phrase), { class: "wide", id: "phrase" }),
      button(t("signin.pair"), leave(ways.pair), { class: "wide", id: "pair" }),
      button(t("signin.recover"), leave(ways.recover), { class: "wide", id: "recover" })));

  show(t(request ? "signin.title-request" : "signin.title"),
    extra,
    request && requestPanel(request, known[0]?.anchor),
    problems,
    area,
    ways.cancel && button(t("signin.refuse"), leave(ways.cancel), { class: "quiet", id: "refuse" }));
  void offer(attempt);
}

// offer lets the browser show passkeys in the number's input field. It waits silently.
async function offer(attempt: (way: () => Promise<Account | null>) => Promise<void>): Promise<void> {
  if (!(await offersAvailable().catch(() => false))) return;
  try {
    const account = await withAnyPasskey(chooseAnchor, true);
    if (account) await attempt(() => Promise.resolve(account));
  } catch (error) {
    // Nobody asked for the offer itself, so nobody needs to hear that it ended.
    if (!(error instanceof PasskeyTrouble)) await attempt(() => Promise.reject(error));
  }
}
