// A sheet to print: what one needs when everything is lost. The words of the phrase are written by hand, if at all.
import { agent } from "../state.ts";
import { date, t } from "../text/text.ts";
import { button, h, show } from "../ui/dom.ts";
import { type Anchor, isProtected, nameOf, principalOf, short } from "./model.ts";

export async function sheetView(anchor: Anchor, back: () => unknown): Promise<void> {
  const a = await agent();
  show(t("sheet.title"),
    h("div", { class: "actions noprint" }, button(t("sheet.print"), () => print(), { class: "primary" }), button(t("back"), back, { class: "quiet" })),
    h("dl", { class: "key sheet" },
      h("dt", {}, t("sheet.anchor")), h("dd", { class: "big" }, anchor.number.toString()),
      h("dt", {}, t("sheet.address")), h("dd", {}, location.origin),
      h("dt", {}, t("sheet.canister")), h("dd", {}, a.canister.text()),
      h("dt", {}, t("sheet.other-address")), h("dd", {}, `https://${a.canister.text()}.icp0.io`),
      h("dt", {}, t("sheet.date")), h("dd", {}, date(anchor.read)),
      h("dt", {}, t("sheet.devices")), h("dd", {}, h("ul", {}, anchor.info.devices.map((d) => h("li", {}, nameOf(d), " ", h("code", {}, short(principalOf(d))), isProtected(d) ? ` – ${t("device.protected")}` : ""))))),
    h("h2", {}, t("sheet.lost")),
    h("ol", {}, [t("sheet.lost1"), t("sheet.lost2"), t("sheet.lost3"), t("sheet.lost4")].map((x) => h("li", {}, x))),
    h("h2", {}, t("sheet.words")), h("p", {}, t("sheet.words-text")),
    h("ol", { class: "words blank" }, Array.from({ length: 24 }, () => h("li", {}, h("span", { class: "line" })))));
}
