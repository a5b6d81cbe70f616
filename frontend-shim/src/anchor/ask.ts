// Asking before something is done on an anchor: what it is about, shown by its key, and who may sign.
import type { Method } from "../candid/wire.ts";
import { accept } from "../results.ts";
import { agent } from "../state.ts";
import { date, t } from "../text/text.ts";
import { button, type Child, dialog, h } from "../ui/dom.ts";
import { type Anchor, addedBy, type Device, isMe, isProtected, nameOf, nameOfPrincipal, principalOf } from "./model.ts";
import { type Need, signer } from "./signer.ts";

// Done is what is said after an act; null if the person turned back.
export type Done = string | null;

// keyCard shows by what a device is known: its key, its age and who added it. Its name proves nothing.
export function keyCard(anchor: Anchor, d: Device): HTMLElement {
  const by = addedBy(anchor, d);
  return h("dl", { class: "key" },
    h("dt", {}, t("card.name")), h("dd", {}, nameOf(d), isMe(anchor, d) && ` (${t("device.me")})`),
    h("dt", {}, t("card.key")), h("dd", {}, h("code", {}, principalOf(d).text())),
    h("dt", {}, t("card.added")), h("dd", {}, d.added_at === null ? t("card.unknown") : date(d.added_at)),
    h("dt", {}, t("card.by")), h("dd", {}, by ? nameOfPrincipal(anchor, by) : t("card.unknown")),
    h("dt", {}, t("card.used")), h("dd", {}, d.last_usage === null ? t("card.never") : date(d.last_usage)));
}

// confirm asks once; the act's name is on the button.
export async function confirm(title: string, act: string, danger: boolean, ...content: Child[]): Promise<boolean> {
  return (await dialog<true>(title, (close) => [...content, h("div", { class: "actions" },
    button(act, () => close(true), { class: danger ? "danger" : "primary", id: "confirm" }), button(t("cancel"), () => close(null), { class: "quiet", id: "turn-back" }))])) === true;
}

// changing says who may change a device: a protected one itself alone, any other by the anchor's rules.
export function changing(anchor: Anchor, d: Device): Need {
  if (isProtected(d)) return { kind: "self", device: d };
  return anchor.info.guard && !isMe(anchor, d) ? { kind: "protected" } : { kind: "any" };
}

export const adding = (anchor: Anchor): Need => (anchor.info.guard ? { kind: "protected" } : { kind: "any" });

// call has whoever may sign make a call; false if the person turned back.
export async function call<A extends unknown[], R>(anchor: Anchor, need: Need, why: string, method: Method<A, [R]>, args: A): Promise<boolean> {
  const who = await signer(anchor, need, why);
  if (!who) return false;
  accept(await (await agent()).call(who.identity, method, ...args) as unknown as Parameters<typeof accept>[0]);
  return true;
}
