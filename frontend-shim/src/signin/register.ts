// Registering a new anchor: a passkey, a captcha where the canister wants one, and a recovery phrase in the same flow.
import * as kedge from "../candid/kedge.gen.ts";
import { bytesIn, deviceName, maxAlias, passkeyDevice } from "../devices.ts";
import { Explained, explain } from "../errors.ts";
import { anonymous } from "../ic/identity.ts";
import { type Account, agent, remember } from "../state.ts";
import { t } from "../text/text.ts";
import { button, field, form, h, note, show } from "../ui/dom.ts";
import { create, type Passkey, type Session, signalName, signIn } from "../webauthn/passkey.ts";

export interface Register { done(account: Account): unknown; back(): unknown; banner: HTMLElement | null }

interface Captcha { key: string; picture: string }

async function captchaWanted(): Promise<boolean> {
  const [config] = await (await agent()).query(anonymous, kedge.config);
  const trigger = config.captcha_config?.captcha_trigger; // without a configuration there is none
  return trigger?.tag === "Static" && trigger.value === "CaptchaEnabled";
}

async function newCaptcha(): Promise<Captcha> {
  const [c] = await (await agent()).call(anonymous, kedge.create_challenge);
  return { key: c.challenge_key, picture: `data:image/png;base64,${c.png_base64}` };
}

// register makes the passkey first; what follows is repeated without making another one.
export async function register(o: Register): Promise<void> {
  const problems = h("div", {});
  const name = field(t("register.name"), { value: deviceName(), maxlength: maxAlias, autocomplete: "off" }, t("register.name-hint"));
  let passkey: Passkey | null = null, handle = crypto.getRandomValues(new Uint8Array(16));
  show(t("register.title"), o.banner,
    h("p", {}, t("register.why")),
    form(async () => {
      problems.replaceChildren();
      try {
        const alias = name.input.value.trim();
        if (alias === "" || bytesIn(alias) > maxAlias) throw new Explained(t("device.bad-name", { most: maxAlias }));
        const a = await agent();
        passkey ??= await create({ id: handle, name: "Kedge" }, [], null);
        // The second prompt shows that the passkey can sign, before anything depends on it.
        const session = await signIn(a.now(), [passkey.id]);
        const finish = (chars: string, key: string) => enrol(o, passkey!, session, alias, handle, chars, key);
        if (await captchaWanted()) await askCaptcha(o, finish);
        else await finish("", "");
      } catch (error) {
        problems.replaceChildren(note("error", explain(error)));
      }
    }, name.element, h("p", { class: "hint" }, t("register.twice")), problems,
    h("div", { class: "actions" }, h("button", { class: "primary", id: "create" }, t("register.create")), button(t("back"), o.back, { class: "quiet" }))));
}

async function askCaptcha(o: Register, finish: (chars: string, key: string) => Promise<boolean>): Promise<void> {
  const problems = h("div", {});
  const picture = h("img", { alt: t("captcha.alt"), width: 220, height: 120 });
  const chars = field(t("captcha.label"), { autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 20 });
  let captcha: Captcha;
  const renew = async () => {
    captcha = await newCaptcha();
    picture.src = captcha.picture;
    chars.input.value = "";
  };
  await renew();
  show(t("captcha.title"), o.banner, form(async () => {
    problems.replaceChildren();
    try {
      const typed = chars.input.value.trim();
      if (typed === "") throw new Explained(t("captcha.empty")); // the canister would take it for a wrong answer, and the picture would change
      if (await finish(typed, captcha.key)) return;
      await renew();
      problems.replaceChildren(note("error", t("captcha.wrong")));
      chars.input.focus();
    } catch (error) {
      problems.replaceChildren(note("error", explain(error)));
    }
  }, picture, chars.element, problems,
  h("div", { class: "actions" }, h("button", { class: "primary" }, t("captcha.send")), button(t("captcha.new"), renew, { class: "quiet" }), button(t("back"), o.back, { class: "quiet" }))));
}

// enrol registers; it returns false if the captcha was answered wrongly.
async function enrol(o: Register, passkey: Passkey, session: Session, alias: string, handle: Uint8Array, chars: string, key: string): Promise<boolean> {
  const a = await agent(), identity = session.identity(passkey.publicKey);
  const [answer] = await a.call(identity, kedge.register, passkeyDevice(alias, passkey), { key, chars }, null);
  if (answer.tag === "bad_challenge") return false;
  if (answer.tag === "canister_full") throw new Explained(t("register.full"));
  const anchor = answer.value.user_number;
  remember(anchor);
  await signalName(handle, t("anchor.name", { anchor }));
  registered(o, { anchor, identity, publicKey: passkey.publicKey, method: "passkey", expiration: session.expiration });
  return true;
}

function registered(o: Register, account: Account): void {
  const phrase = async () => (await import("../phrase/make.ts")).makePhrase({
    anchor: account.anchor, identity: account.identity, protect: "itself", done: () => finished(o, account), later: () => unprotected(o, account, phrase),
  });
  show(t("registered.title", { anchor: account.anchor }), o.banner,
    h("p", {}, t("registered.number")),
    note("warn", h("p", {}, t("registered.unprotected"))),
    h("div", { class: "actions" },
      button(t("registered.phrase"), phrase, { class: "primary", id: "make-phrase" }),
      button(t("registered.skip"), () => unprotected(o, account, phrase), { class: "quiet", id: "skip-phrase" })));
}

function unprotected(o: Register, account: Account, phrase: () => unknown): void {
  show(t("unprotected.title"), o.banner, note("warn", h("p", {}, t("unprotected.text"))),
    h("div", { class: "actions" },
      button(t("registered.phrase"), phrase, { class: "primary" }),
      button(t("unprotected.go-on"), () => o.done(account), { class: "quiet", id: "unprotected" })));
}

function finished(o: Register, account: Account): void {
  show(t("finished.title"), o.banner, h("p", {}, t("finished.text", { anchor: account.anchor })),
    h("div", { class: "actions" }, button(t("continue"), () => o.done(account), { class: "primary", id: "continue" })));
}
