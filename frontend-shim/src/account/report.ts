// The recovery report: which disasters the anchor survives, and the next step as a button.
import type { Advice, Finding, Outcome } from "../candid/kedge.gen.ts";
import { t, word } from "../text/text.ts";
import { button, h } from "../ui/dom.ts";
import { type Anchor, deviceOf, isPhrase, nameOf } from "../anchor/model.ts";

const good: ReadonlySet<Outcome | null> = new Set<Outcome | null>(["survives", "delayed"]);

function row(anchor: Anchor, f: Finding): HTMLElement {
  const subject = deviceOf(anchor, f.subject), survives = good.has(f.outcome);
  const known = f.scenario !== null && f.outcome !== null && word("scenario", f.scenario, "") !== "" && word("outcome", f.outcome, "") !== "";
  return h("li", { class: survives ? "good" : "bad" },
    h("span", { class: "mark", "aria-hidden": "true" }, survives ? "✓" : "✗"),
    h("div", {}, known
      ? [h("strong", {}, word("scenario", f.scenario, ""), subject && !isPhrase(subject) && ` (${nameOf(subject)})`), h("span", { class: "hint" }, word("outcome", f.outcome, ""))]
      : h("span", {}, f.description)));
}

// reportSection shows what is not survived first, and at most three steps, that of the whole report before others.
export function reportSection(anchor: Anchor, step: (advice: Advice) => unknown): HTMLElement {
  const { findings, protection, headline, next_step, advice } = anchor.report;
  const bad = findings.filter((f) => !good.has(f.outcome)), fine = findings.filter((f) => good.has(f.outcome));
  const steps = [...new Set([next_step, ...bad.map((f) => f.next_step)].filter((s): s is Advice => s !== null))].slice(0, 3);
  return h("section", { "aria-labelledby": "report", class: `report ${bad.length ? "bad" : "good"}` },
    h("h2", { id: "report" }, t("report.title")),
    h("p", { class: "headline" }, word("protection", protection, headline)),
    h("p", {}, t(bad.length === 0 ? "report.all" : "report.some", { good: fine.length, all: findings.length })),
    steps.length > 0 && h("div", { class: "steps" }, h("h3", {}, t("report.next")),
      h("ul", { class: "plain" }, steps.map((s, i) => h("li", {}, h("p", {}, word("advice", s, advice)), button(word("step", s, t("report.do")), () => step(s), { class: i === 0 ? "primary" : "", "data-step": s }))))),
    bad.length > 0 && [h("h3", {}, t("report.not")), h("ul", { class: "plain findings" }, bad.map((f) => row(anchor, f)))],
    fine.length > 0 && h("details", { open: bad.length === 0 }, h("summary", {}, t("report.survived", { count: fine.length })), h("ul", { class: "plain findings" }, fine.map((f) => row(anchor, f)))));
}
