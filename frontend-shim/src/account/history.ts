// The history, newest first.
import type { HistoryEntry } from "../candid/kedge.gen.ts";
import { date, duration, t, word } from "../text/text.ts";
import { h } from "../ui/dom.ts";
import { type Anchor, nameOfPrincipal } from "../anchor/model.ts";

const lengths = new Set(["session_limit", "consented"]);

function about(anchor: Anchor, e: HistoryEntry): string {
  const parts: string[] = [];
  if (e.device && !(e.by && e.device.equals(e.by))) parts.push(nameOfPrincipal(anchor, e.device));
  if (e.other) parts.push(t("history.other", { name: nameOfPrincipal(anchor, e.other) }));
  if (e.until !== null && e.kind !== null) {
    if (lengths.has(e.kind)) parts.push(duration(Number(e.until / 1_000_000_000n)));
    else if (e.kind === "removed" && e.until > 0n) parts.push(t("device.sessions", { time: date(e.until) }));
  }
  return parts.join("; ");
}

function entry(anchor: Anchor, e: HistoryEntry): HTMLElement {
  const what = about(anchor, e), by = `${e.by ? nameOfPrincipal(anchor, e.by) : t("history.nobody")}${e.temporary_key ? ` ${t("history.temporary")}` : ""}`;
  return h("li", {}, h("span", { class: "when" }, date(e.at)),
    h("div", {}, h("strong", {}, word("event", e.kind, t("history.unknown"))), what !== "" && h("span", {}, what), h("span", { class: "hint" }, t("history.by", { name: by }))));
}

export function historySection(anchor: Anchor): HTMLElement {
  return h("section", { "aria-labelledby": "history" }, h("h2", { id: "history" }, t("history.title")),
    anchor.dropped > 0n && h("p", { class: "hint" }, t("history.dropped", { count: anchor.dropped })),
    h("details", {}, h("summary", {}, t("history.count", { count: anchor.history.length })),
      h("ol", { class: "plain history" }, anchor.history.toReversed().map((e) => entry(anchor, e)))));
}
