// A sheet to print: what one needs when everything is lost. The words of the phrase are written by hand, if at all.
import { agent, isLocal } from "../state.ts";
import { date, duration, t } from "../text/text.ts";
import { button, type Child, h, note, show } from "../ui/dom.ts";
import { type Anchor, isPhrase, isProtected, nameOf, principalOf, short } from "../anchor/model.ts";

// warning says why the sheet would not bring the anchor back.
function warning(anchor: Anchor): HTMLElement | null {
  const phrase = anchor.info.devices.find(isPhrase);
  return phrase && isProtected(phrase) ? null : note("warn", h("p", {}, t(phrase ? "sheet.unprotected" : "sheet.no-phrase")));
}

// withoutPhrase says what to do where the words are lost, too. Who the contacts are is not for paper.
function withoutPhrase({ info }: Anchor): Child[] {
  const c = info.contacts, released = info.devices.some((d) => d.release !== null);
  const rule = c && { threshold: c.threshold, count: c.contacts.length, delay: duration(Number(c.delay_s)) };
  return [
    rule ? h("ol", {}, [t("sheet.contacts1"), t("sheet.contacts2"), t("sheet.contacts3"), t("sheet.contacts4", rule)].map((x) => h("li", {}, x)))
      : h("p", {}, t("sheet.no-contacts")),
    released && h("p", {}, t("sheet.released")),
    !rule && !released && h("p", {}, t("sheet.nothing")),
  ];
}

// addresses are where the page is served: where it is now, and on mainnet at the canister's own name.
export const addresses = ({ hostname, origin }: Pick<Location, "hostname" | "origin">, canister: string): string[] =>
  [...new Set([origin, ...(isLocal(hostname) ? [] : [`https://${canister}.icp0.io`])])];

export async function sheetView(anchor: Anchor, back: () => unknown): Promise<void> {
  const a = await agent();
  show(t("sheet.title"),
    h("div", { class: "actions noprint" }, button(t("sheet.print"), () => print(), { class: "primary" }), button(t("back"), back, { class: "quiet" })),
    h("dl", { class: "key sheet" },
      h("dt", {}, t("sheet.anchor")), h("dd", { class: "big" }, anchor.number.toString()),
      addresses(location, a.canister.text()).map((address, i) => [h("dt", {}, t(i === 0 ? "sheet.address" : "sheet.other-address")), h("dd", {}, address)]),
      h("dt", {}, t("sheet.canister")), h("dd", {}, a.canister.text()),
      h("dt", {}, t("sheet.date")), h("dd", {}, date(anchor.read)),
      h("dt", {}, t("sheet.devices")), h("dd", {}, h("ul", {}, anchor.info.devices.map((d) => h("li", {}, nameOf(d), " ", h("code", {}, short(principalOf(d))), isProtected(d) ? ` – ${t("device.protected")}` : ""))))),
    warning(anchor),
    h("h2", {}, t("sheet.lost")),
    h("ol", {}, [t("sheet.lost1"), t("sheet.lost2"), t("sheet.lost3"), t("sheet.lost4")].map((x) => h("li", {}, x))),
    h("h2", {}, t("sheet.without-phrase")),
    withoutPhrase(anchor),
    h("h2", {}, t("sheet.words")), h("p", {}, t("sheet.words-text")),
    h("ol", { class: "words blank" }, Array.from({ length: 24 }, () => h("li", {}, h("span", { class: "line" })))));
}
