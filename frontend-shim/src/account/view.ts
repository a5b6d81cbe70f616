// The account page: what is pending, the recovery report, devices, settings, history.
import type { Advice } from "../candid/kedge.gen.ts";
import { explain } from "../errors.ts";
import { type Account, agent } from "../state.ts";
import { date, duration, t, word } from "../text/text.ts";
import { busy, button, type Child, h, note, show } from "../ui/dom.ts";
import type { Done } from "../anchor/ask.ts";
import * as act from "./act.ts";
import * as edit from "./edit.ts";
import { historySection } from "./history.ts";
import { type Anchor, anyMarked, boundHost, type Device, deviceOf, isMe, isPhrase, isProtected, load, nameOf, nameOfPrincipal, pendingReleases, principalOf, short } from "../anchor/model.ts";
import { agreeNext, contactsDialog, contactsSection, pendingApprovals } from "../contacts/owner.ts";
import { friendView } from "../contacts/friend.ts";
import { reportSection } from "./report.ts";
import { sheetView } from "./sheet.ts";

// accountView loads the anchor and shows it; done is what the last act ended with.
export async function accountView(account: Account, signOut: (why?: Child) => void, done: Done = null): Promise<void> {
  if (account.expiration <= (await agent()).now()) return signOut(note("info", h("p", {}, t("session.over")), done && h("p", {}, done)));
  show(t("anchor.name", { anchor: account.anchor }), h("p", { role: "status" }, t("loading")));
  try {
    render(await load(account), account, signOut, done);
  } catch (error) {
    show(t("failed.title"), note("error", h("p", {}, explain(error))), h("div", { class: "actions" },
      button(t("again"), () => accountView(account, signOut), { class: "primary" }), button(t("sign-out"), () => signOut())));
  }
}

function render(anchor: Anchor, account: Account, signOut: (why?: Child) => void, done: Done): void {
  const reload = (text: Done) => accountView(account, signOut, text);
  const result = h("div", { class: "result" }, done && note("info", h("p", {}, done)));
  const body = h("div", { class: "account" });
  // run does something and shows how it ended; null means that nothing was done.
  const run: Run = (action, ends = false) => busy(body, async () => {
    try {
      const text = await action();
      // Whoever signed in with a device that is gone is signed out.
      if (text !== null && ends) signOut();
      else if (text !== null) await reload(text);
    } catch (error) {
      result.replaceChildren(note("error", h("p", {}, explain(error))));
      result.scrollIntoView({ block: "nearest" });
    }
  });
  const back = (text: Done) => void (text === null ? render(anchor, account, signOut, null) : reload(text));
  const phrase = () => edit.phrase(anchor, back);
  const step = (advice: Advice) => run(() => takeStep(anchor, advice, phrase));

  const friend = () => friendView(anchor, (text) => back(text));
  body.append(...[...pendingApprovals(anchor, run), ...pending(anchor, run), reportSection(anchor, step), devices(anchor, run, phrase), settings(anchor, run), contactsSection(anchor, run, friend), historySection(anchor)].filter((x) => x !== null));
  show(t("anchor.name", { anchor: anchor.number }), result, body,
    h("div", { class: "actions" }, button(t("sheet.open"), () => sheetView(anchor, () => back(null))), button(t("sign-out"), () => signOut(), { class: "quiet", id: "sign-out" })));
}

// takeStep does what the report advises.
async function takeStep(anchor: Anchor, advice: Advice, phrase: () => Promise<Done>): Promise<Done> {
  const old = anchor.info.devices.find(isPhrase);
  switch (advice) {
    case "prove_device": return edit.provePhrase(anchor);
    case "protect_phrase": return old ? act.protect(anchor, old) : phrase();
    case "add_phrase": return phrase();
    case "add_hardware_key": return edit.addPasskey(anchor, "cross-platform");
    case "consent_to_release": {
      const who = anchor.info.devices.find((d) => isProtected(d) && d.release === null && isMe(anchor, d)) ?? anchor.info.devices.find((d) => isProtected(d) && d.release === null);
      return who ? edit.consentDialog(anchor, who) : null;
    }
    case "name_contacts": return contactsDialog(anchor);
    case "agree_to_contacts": return agreeNext(anchor);
    case "have_contacts_accept": return t("contacts.ask-them", { anchor: anchor.number });
    default: return null;
  }
}

type Run = (action: () => Promise<Done>, ends?: boolean) => unknown;

// pending is what somebody should know before anything else.
function pending(anchor: Anchor, run: Run): HTMLElement[] {
  const out = pendingReleases(anchor).map(({ device, asker, askerKey, wait }) => {
    const name = asker ? `${nameOf(asker)} (${short(principalOf(asker))})` : short(principalOf({ pubkey: askerKey }));
    return note("warn", h("h2", {}, t("pending.release")),
      h("p", {}, wait > 0n ? t("pending.wait", { device: nameOf(device), asker: name, time: duration(Number(wait)) }) : t("pending.ready", { device: nameOf(device), asker: name })),
      h("div", { class: "actions" },
        button(t("release.veto"), () => run(() => act.cancelRelease(anchor, device)), { class: "primary", "data-veto": "" }),
        asker && wait === 0n && button(t("release.complete"), () => run(() => act.completeRelease(anchor, device, asker)))));
  });
  // A sign of life by the device itself has already refused what was asked of it.
  for (const e of anchor.history) {
    if (e.kind === "release_cancelled" && anchor.read - e.at < 60_000_000_000n && e.other) {
      out.push(note("warn", h("p", {}, t("pending.cancelled", { asker: nameOfPrincipal(anchor, e.other) }))));
    }
  }
  if (anchor.info.device_registration) out.push(note("info", h("p", {}, t("pending.registration", { time: date(anchor.info.device_registration.expiration) }))));
  return out;
}

function kindOf(d: Device): string {
  if (isPhrase(d)) return t("kind.phrase");
  if (!d.credential_id) return word("kind", d.key_type, t("kind.unknown"));
  if (d.attestation) return t(d.attestation.backup_eligible ? "kind.synced" : "kind.bound");
  return t(d.key_type === "cross_platform" ? "kind.cross_platform" : "kind.passkey");
}

function deviceCard(anchor: Anchor, d: Device, run: Run, phrase: () => Promise<Done>): HTMLElement {
  const me = isMe(anchor, d), host = boundHost(d);
  const facts: Child[] = [
    t(isProtected(d) ? "device.protected" : "device.unprotected"),
    d.proven ? t("device.proven") : t("device.unproven"),
    d.lapses_in_s !== null && t("device.lapses", { time: duration(Number(d.lapses_in_s)) }),
    d.last_usage !== null && t("device.used", { time: date(d.last_usage) }),
    d.sessions_until !== null && d.sessions_until > anchor.read && t("device.sessions", { time: date(d.sessions_until) }),
    d.attestation && t("device.attested", { time: date(d.attestation.at) }),
    d.attestation?.counter_stalled && t("device.stalled"),
    host && t("device.host-explained", { host, here: location.hostname }),
    d.release && t("device.release", { delay: duration(Number(d.release.delay_s)), count: d.release.askers.length }),
  ];
  const last = anchor.info.devices.length === 1;
  const acts: Array<[label: string, action: () => Promise<Done>, ends?: boolean]> = [[t("rename.act"), () => edit.rename(anchor, d)]];
  if (!isProtected(d)) acts.push([t("protect.act"), () => act.protect(anchor, d)]);
  else acts.push([t("unprotect.act"), () => act.unprotect(anchor, d)], d.release
    ? [t("release.withdraw"), () => act.withdrawConsent(anchor, d)] : [t("release.consent"), () => edit.consentDialog(anchor, d)]);
  if (!d.proven) acts.push([t("prove.act"), () => act.prove(anchor, d)]);
  const asker = d.release?.askers.find((a) => a.completes_in_s === null && deviceOf(anchor, a.pubkey));
  if (asker) acts.push([t("release.ask"), () => act.requestRelease(anchor, d, deviceOf(anchor, asker.pubkey)!)]);
  if (me && d.credential_id && !host) acts.push([t("attest.act"), () => act.attest(anchor, d)]);
  acts.push(isPhrase(d) ? [t("phrase.replace"), phrase] : [t("replace.act"), () => edit.replaceDevice(anchor, d), me], [t("remove.act"), () => act.remove(anchor, d), me && !last]);
  return h("li", { class: isProtected(d) ? "card protected" : "card", "data-device": principalOf(d).text() },
    h("h3", {}, nameOf(d), me && h("span", { class: "tag" }, t("device.me"))),
    h("p", {}, kindOf(d) !== nameOf(d) && `${kindOf(d)} `, h("code", {}, short(principalOf(d)))),
    h("ul", { class: "facts" }, facts.filter(Boolean).map((f) => h("li", {}, f))),
    h("details", {}, h("summary", { "aria-label": t("device.acts-for", { name: nameOf(d) }) }, t("device.acts")),
      h("div", { class: "actions" }, acts.map(([label, action, ends]) => button(label, () => run(action, ends))))));
}

function devices(anchor: Anchor, run: Run, phrase: () => Promise<Done>): HTMLElement {
  return h("section", { "aria-labelledby": "devices" }, h("h2", { id: "devices" }, t("devices.title", { count: anchor.info.devices.length })),
    h("ul", { class: "plain cards" }, anchor.info.devices.map((d) => deviceCard(anchor, d, run, phrase))),
    h("div", { class: "actions" },
      button(t("add.here"), () => run(() => edit.addPasskey(anchor, null)), { id: "add-passkey" }),
      button(t("add.key"), () => run(() => edit.addPasskey(anchor, "cross-platform"))),
      button(t("add.browser"), () => run(() => edit.pair(anchor)), { id: "add-browser" }),
      !anchor.info.devices.some(isPhrase) && button(t("add.phrase"), () => run(phrase), { id: "add-phrase" })));
}

function settings(anchor: Anchor, run: Run): HTMLElement {
  const { guard, device_bound, session_limit_s } = anchor.info, marked = anyMarked(anchor);
  const row = (title: string, value: string, text: string, label: string, action: () => Promise<Done>, id: string) => h("li", { class: "card" },
    h("h3", {}, title, h("span", { class: "tag" }, value)), h("p", { class: "hint" }, text),
    marked ? button(label, () => run(action), { id }) : h("p", {}, t("settings.needs-protected")));
  return h("section", { "aria-labelledby": "settings" }, h("h2", { id: "settings" }, t("settings.title")), h("ul", { class: "plain cards" },
    row(t("guard.title"), t(guard ? "on" : "off"), t("guard.text"), t(guard ? "guard.off" : "guard.on"), () => act.setGuard(anchor, !guard), "guard"),
    row(t("bound.title"), t(device_bound ? "on" : "off"), t("bound.text"), t(device_bound ? "bound.off" : "bound.on"), () => act.setDeviceBound(anchor, !device_bound), "bound"),
    row(t("limit.title"), duration(Number(session_limit_s ?? 30n * 86_400n)), t("limit.text"), t("limit.change"), () => edit.limitDialog(anchor, (s) => act.setLimit(anchor, s)), "change-limit")));
}
