// A new browser joins an anchor through registration mode: it shows a code, which an old device types.
import * as kedge from "../candid/kedge.gen.ts";
import { bytesIn, deviceName, maxAlias, passkeyDevice } from "../devices.ts";
import { explain, Explained } from "../errors.ts";
import { equal } from "../ic/bytes.ts";
import { anonymous } from "../ic/identity.ts";
import { agent, remember } from "../state.ts";
import { date, t } from "../text/text.ts";
import { button, type Child, field, form, h, note, show } from "../ui/dom.ts";
import { create, type Passkey, userHandle } from "../webauthn/passkey.ts";

export interface Pair { back(): unknown; joined(anchor: bigint): unknown; anchor: string; banner: Child }

const pause = 2000; // ms between looks

export function pairView(o: Pair): void {
  const problems = h("div", {});
  const number = field(t("recover.number"), { inputmode: "numeric", maxlength: 20, value: o.anchor, autocomplete: "off" });
  const name = field(t("register.name"), { value: deviceName(), maxlength: maxAlias, autocomplete: "off" }, t("register.name-hint"));
  let passkey: Passkey | null = null;
  show(t("pair.title"), o.banner, h("ol", {}, [t("pair.step1"), t("pair.step2"), t("pair.step3")].map((s) => h("li", {}, s))),
    form(async () => {
      problems.replaceChildren();
      try {
        const alias = name.input.value.trim();
        if (!/^\s*\d{1,19}\s*$/.test(number.input.value)) throw new Explained(t("signin.not-a-number"));
        if (alias === "" || bytesIn(alias) > maxAlias) throw new Explained(t("device.bad-name", { most: maxAlias }));
        const anchor = BigInt(number.input.value.trim()), a = await agent();
        const [devices] = await a.query(anonymous, kedge.lookup, anchor);
        if (devices.length === 0) throw new Explained(t("signin.no-anchor", { anchor }));
        const taken = devices.flatMap((d) => (d.credential_id ? [d.credential_id] : []));
        passkey ??= await create({ id: await userHandle(a.canister.bytes, anchor), name: t("anchor.name", { anchor }) }, taken, null);
        const [answer] = await a.call(anonymous, kedge.add_tentative_device, anchor, passkeyDevice(alias, passkey));
        if (answer.tag !== "added_tentatively") throw new Explained(t(answer.tag === "device_registration_mode_off" ? "pair.off" : "pair.another"));
        await wait(o, anchor, passkey.publicKey, answer.value);
      } catch (error) {
        problems.replaceChildren(note("error", explain(error)));
      }
    }, number.element, name.element, problems,
    h("div", { class: "actions" }, h("button", { class: "primary", id: "join" }, t("pair.join")), button(t("back"), o.back, { class: "quiet" }))));
}

async function wait(o: Pair, anchor: bigint, publicKey: Uint8Array, code: { verification_code: string; device_registration_timeout: bigint }): Promise<void> {
  let watching = true;
  show(t("pair.code-title"), o.banner, h("p", {}, t("pair.code-text", { anchor })),
    h("p", { class: "code", id: "code", "aria-label": [...code.verification_code].join(" ") }, code.verification_code),
    h("p", { class: "hint" }, t("pair.until", { time: date(code.device_registration_timeout) })),
    h("p", { role: "status" }, t("pair.waiting")),
    button(t("cancel"), () => {
      watching = false;
      o.back();
    }, { class: "quiet" }));
  const a = await agent();
  while (watching && a.now() < code.device_registration_timeout) {
    await new Promise((done) => setTimeout(done, pause));
    const [devices] = await a.query(anonymous, kedge.lookup, anchor).catch((): [kedge.LookupDevice[]] => [[]]);
    if (!watching || !devices.some((d) => equal(d.pubkey, publicKey))) continue;
    remember(anchor);
    show(t("pair.done-title"), o.banner, h("p", {}, t("pair.done", { anchor })),
      button(t("continue"), () => o.joined(anchor), { class: "primary", id: "continue" }));
    return;
  }
  if (watching) show(t("pair.title"), o.banner, note("warn", h("p", {}, t("pair.late"))), h("div", { class: "actions" },
    button(t("again"), () => pairView({ ...o, anchor: anchor.toString() }), { class: "primary", id: "pair-again" }), button(t("back"), o.back, { class: "quiet" })));
}
