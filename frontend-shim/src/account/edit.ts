// Adding, renaming and replacing devices.
import * as kedge from "../candid/kedge.gen.ts";
import { bytesIn, dataOf, deviceName, maxAlias, passkeyDevice, visible } from "../devices.ts";
import { explain, Explained } from "../errors.ts";
import { agent } from "../state.ts";
import { date, duration, t } from "../text/text.ts";
import { busy, button, dialog, field, form, h, note } from "../ui/dom.ts";
import { create, type Passkey, userHandle } from "../webauthn/passkey.ts";
import { adding, changing, confirm, type Done, keyCard } from "../anchor/ask.ts";
import { type Anchor, type Device, isMe, isPhrase, isProtected, nameOf, principalOf, short } from "../anchor/model.ts";
import { signer } from "../anchor/signer.ts";
import { also, consent, dropPasskey, prove } from "./act.ts";
import { equal } from "../ic/bytes.ts";

function checkName(alias: string): string {
  if (alias === "" || bytesIn(alias) > maxAlias) throw new Explained(t("device.bad-name", { most: maxAlias }));
  return alias;
}

const passkeysOf = (anchor: Anchor): Uint8Array[] => anchor.info.devices.flatMap((d) => (d.credential_id ? [d.credential_id] : []));

async function makePasskey(anchor: Anchor, kind: "platform" | "cross-platform" | null): Promise<Passkey> {
  const id = await userHandle((await agent()).canister.bytes, anchor.number);
  return create({ id, name: t("anchor.name", { anchor: anchor.number }) }, passkeysOf(anchor), kind);
}

// named asks for a device's name and does something with it; the dialog stays open until that succeeds.
function named(title: string, act: string, value: string, run: (alias: string) => Promise<Done>, ...content: Array<Node | string | null>): Promise<Done> {
  return dialog<string>(title, (close) => {
    const problems = h("div", {}), name = field(t("register.name"), { value, maxlength: maxAlias, autocomplete: "off" }, t("register.name-hint"));
    return [form(async () => {
      problems.replaceChildren();
      try {
        const done = await run(checkName(name.input.value.trim()));
        if (done !== null) close(done);
      } catch (error) {
        problems.replaceChildren(note("error", explain(error)));
      }
    }, ...content, name.element, problems, h("div", { class: "actions" }, h("button", { class: "primary", id: "named" }, act), button(t("cancel"), () => close(null), { class: "quiet" })))];
  });
}

export function addPasskey(anchor: Anchor, kind: "platform" | "cross-platform" | null): Promise<Done> {
  let passkey: Passkey | null = null; // made once, even if adding it is tried again
  return named(t("add.title"), t("add.create"), kind === "cross-platform" ? t("add.security-key") : deviceName(), async (alias) => {
    const who = await signer(anchor, adding(anchor), t("needs-protected"));
    if (!who) return null;
    passkey ??= await makePasskey(anchor, kind);
    await (await agent()).call(who.identity, kedge.add, anchor.number, passkeyDevice(alias, passkey));
    return t("add.done", { name: visible(alias) });
  }, h("p", {}, t(kind === "cross-platform" ? "add.key-text" : "add.text")));
}

export function rename(anchor: Anchor, d: Device): Promise<Done> {
  return named(t("rename.title"), t("rename.act"), d.alias, async (alias) => {
    const who = await signer(anchor, changing(anchor, d), t(isProtected(d) ? "self-only" : "needs-protected"));
    if (!who) return null;
    await (await agent()).call(who.identity, kedge.update, anchor.number, d.pubkey, { ...dataOf(d), alias });
    return t("rename.done", { name: visible(alias) });
  });
}

export function replaceDevice(anchor: Anchor, d: Device): Promise<Done> {
  let passkey: Passkey | null = null;
  return named(t("replace.title"), t("replace.act"), deviceName(), async (alias) => {
    const who = await signer(anchor, changing(anchor, d), t(isProtected(d) ? "self-only" : "needs-protected"));
    if (!who) return null;
    passkey ??= await makePasskey(anchor, null);
    await (await agent()).call(who.identity, kedge.replace, anchor.number, d.pubkey, passkeyDevice(alias, passkey));
    await dropPasskey(d);
    return t("replace.done", { name: visible(alias) });
  }, h("p", {}, t("replace.text")), ...also(anchor, d).map((text) => h("p", {}, text)), keyCard(anchor, d));
}

// phrase makes a new recovery phrase, in the place of the old one if there is one. It takes over the page.
export async function phrase(anchor: Anchor, back: (done: Done) => void): Promise<Done> {
  const old = anchor.info.devices.find(isPhrase);
  if (old && !(await confirm(t("phrase.replace-title"), t("phrase.replace"), true, h("p", {}, t("phrase.replace-text")), ...also(anchor, old).map((text) => h("p", {}, text)), keyCard(anchor, old)))) return null;
  const who = await signer(anchor, old ? changing(anchor, old) : adding(anchor), t(old && isProtected(old) ? "self-only" : "needs-protected"));
  if (!who) return null;
  // A mark is granted by a protected device that stays; where none does, the phrase takes it itself.
  const others = anchor.info.devices.filter((d) => isProtected(d) && !(old && equal(d.pubkey, old.pubkey)));
  const grants = others.length > 0 ? await signer(anchor, { kind: "protected" }, t("protect.by-protected")) : null;
  if (others.length > 0 && !grants) return null;
  const { makePhrase } = await import("../phrase/make.ts");
  await makePhrase({
    anchor: anchor.number, identity: who.identity, protect: grants?.identity ?? "itself",
    replace: old ? { publicKey: old.pubkey, identity: who.identity } : undefined,
    later: () => back(null), done: () => back(t("phrase.done")),
  });
  return null;
}

// protectPhrase types the phrase back and has it protect itself, or proves it.
export async function provePhrase(anchor: Anchor): Promise<Done> {
  const device = anchor.info.devices.find((d) => isProtected(d) && !d.proven) ?? anchor.info.devices.find(isPhrase);
  return device ? prove(anchor, device) : null;
}

const pause = 2000; // ms between looks for a new device

// pair opens registration mode and waits for another browser's device.
export async function pair(anchor: Anchor): Promise<Done> {
  const who = await signer(anchor, adding(anchor), t("needs-protected"));
  if (!who) return null;
  const a = await agent();
  const [until] = await a.call(who.identity, kedge.enter_device_registration_mode, anchor.number);
  let open = true, joined = false;
  const done = await dialog<string>(t("pair.title"), (close) => {
    const address = `${location.origin}/#pair=${anchor.number}`;
    const body = h("div", {}, h("ol", {}, h("li", {}, t("pair.there"), " ", h("code", { id: "pair-address" }, address)), h("li", {}, t("pair.code-here"))),
      h("p", { class: "hint" }, t("pair.until", { time: date(until) })));
    const place = h("div", { "aria-live": "polite" }, h("p", {}, t("pair.waiting-here")));
    const look = async () => {
      while (open && a.now() < until) {
        const [info] = await a.call(who.identity, kedge.get_anchor_info, anchor.number);
        const tentative = info.device_registration?.tentative_device;
        if (tentative) return ask(tentative);
        await new Promise((r) => setTimeout(r, pause));
      }
      if (open) place.replaceChildren(note("warn", t("pair.late")));
    };
    const ask = (device: kedge.DeviceData) => {
      const problems = h("div", {});
      const code = field(t("pair.code"), { inputmode: "numeric", maxlength: 6, autocomplete: "one-time-code", id: "pair-code" }, t("pair.code-hint"));
      place.replaceChildren(
        h("dl", { class: "key" }, h("dt", {}, t("card.name")), h("dd", {}, nameOf(device as Device)), h("dt", {}, t("card.key")), h("dd", {}, h("code", {}, principalOf(device).text()))),
        form(async () => {
          problems.replaceChildren();
          try {
            const digits = code.input.value.trim();
            if (!/^\d{6}$/.test(digits)) throw new Explained(t("pair.empty")); // the canister would count it as a try
            const [answer] = await a.call(who.identity, kedge.verify_tentative_device, anchor.number, digits);
            if (answer.tag === "verified") {
              joined = true;
              return close(t("add.done", { name: nameOf(device as Device) }));
            }
            problems.replaceChildren(note("error", answer.tag === "wrong_code" ? t("pair.wrong", { left: answer.value.retries_left }) : t("pair.late")));
          } catch (error) {
            problems.replaceChildren(note("error", explain(error)));
          }
        }, code.element, problems, h("button", { class: "primary", id: "verify" }, t("pair.verify"))));
      code.input.focus();
    };
    look().catch((error: unknown) => place.replaceChildren(note("error", explain(error))));
    return [body, place, button(t("cancel"), () => close(null), { class: "quiet" })];
  });
  open = false;
  if (!joined) await a.call(who.identity, kedge.exit_device_registration_mode, anchor.number).catch(() => undefined);
  return done;
}

const day = 86_400;

// consentDialog lets a protected device name the delay and the devices that may ask for its release. They are shown by key.
export async function consentDialog(anchor: Anchor, d: Device): Promise<Done> {
  return dialog<string>(t("release.consent-title"), (close) => {
    const problems = h("div", {});
    const delay = field(t("release.delay"), { type: "number", min: 30, max: 365, value: 30, inputmode: "numeric" }, t("release.delay-hint"));
    const boxes = anchor.info.devices.filter((o) => !equal(o.pubkey, d.pubkey)).map((o) => ({ o, box: h("input", { type: "checkbox", id: `a${short(principalOf(o))}` }) }));
    return [h("p", {}, t("release.consent-text")), keyCard(anchor, d), form(() => busy(problems, async () => {
      try {
        const days = Number(delay.input.value), askers = boxes.filter((b) => b.box.checked).map((b) => b.o.pubkey);
        if (!Number.isInteger(days) || days < 30 || days > 365) throw new Explained(t("release.bad-delay"));
        if (askers.length === 0) throw new Explained(t("release.no-askers"));
        const done = await consent(anchor, d, BigInt(days * day), askers);
        if (done) close(done);
      } catch (error) {
        problems.replaceChildren(note("error", explain(error)));
      }
    }), delay.element, h("fieldset", {}, h("legend", {}, t("release.askers")), h("ul", { class: "plain" }, boxes.map(({ o, box }) => h("li", { class: "check" }, box,
      h("label", { for: box.id }, h("strong", {}, nameOf(o)), " ", h("code", {}, short(principalOf(o))), isMe(anchor, o) ? ` (${t("device.me")})` : "",
        h("span", { class: "hint" }, o.added_at === null ? t("card.unknown") : t("card.since", { time: date(o.added_at) }))))))),
    problems, h("div", { class: "actions" }, h("button", { class: "primary", id: "consent-release" }, t("release.consent")), button(t("cancel"), () => close(null), { class: "quiet" })))];
  });
}

// limitDialog asks for the longest session.
export function limitDialog(anchor: Anchor, set: (seconds: bigint | null) => Promise<Done>): Promise<Done> {
  const choices = [900, 3600, 8 * 3600, day, 7 * day, 30 * day];
  const now = anchor.info.session_limit_s === null ? 30 * day : Number(anchor.info.session_limit_s);
  return dialog<string>(t("limit.title"), (close) => {
    const problems = h("div", {});
    const select = h("select", { id: "limit" }, [...new Set([...choices, now])].sort((x, y) => x - y).map((s) => h("option", { value: s, selected: s === now }, duration(s))));
    return [form(async () => {
      try {
        const seconds = Number(select.value);
        const done = await set(seconds === 30 * day ? null : BigInt(seconds));
        if (done) close(done);
      } catch (error) {
        problems.replaceChildren(note("error", explain(error)));
      }
    }, h("p", {}, t("limit.text")), h("div", { class: "field" }, h("label", { for: "limit" }, t("limit.longest")), select), problems,
    h("div", { class: "actions" }, h("button", { class: "primary", id: "set-limit" }, t("limit.set")), button(t("cancel"), () => close(null), { class: "quiet" })))];
  });
}
