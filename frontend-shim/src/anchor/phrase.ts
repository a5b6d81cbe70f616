// Typing the recovery phrase for one act.
import type { Identity } from "../ic/identity.ts";
import { equal } from "../ic/bytes.ts";
import { explain } from "../errors.ts";
import { phraseInput } from "../phrase/input.ts";
import { keyOf } from "../phrase/phrase.ts";
import { agent } from "../state.ts";
import { t } from "../text/text.ts";
import { button, dialog, form, h, note } from "../ui/dom.ts";
import { type Device, principalOf, short } from "./model.ts";

// typePhrase asks for the phrase whose key the device is; null if the person turned back.
export async function typePhrase(device: Device): Promise<Identity | null> {
  const input = phraseInput(), problems = h("div", {});
  const identity = await dialog<Identity>(t("signer.phrase"), (close) => [
    h("p", {}, t("signer.phrase-key"), " ", h("code", {}, short(principalOf(device)))),
    form(async () => {
      problems.replaceChildren();
      const words = input.read();
      if (!words) return;
      const key = await keyOf(words);
      try {
        if (!equal(key.publicKey, device.pubkey)) return problems.replaceChildren(note("error", t("signer.other-phrase")));
        close(await key.signIn((await agent()).now()));
      } catch (error) {
        problems.replaceChildren(note("error", explain(error)));
      } finally {
        key.wipe();
      }
    }, input.element, problems, h("div", { class: "actions" }, h("button", { class: "primary" }, t("signer.sign")), button(t("cancel"), () => close(null), { class: "quiet" }))),
  ]);
  input.clear();
  return identity;
}
