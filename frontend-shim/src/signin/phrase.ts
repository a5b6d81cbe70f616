// Signing in with a recovery phrase alone.
import { explain, Explained } from "../errors.ts";
import { phraseInput } from "../phrase/input.ts";
import { keyOf } from "../phrase/phrase.ts";
import { type Account, agent, remember } from "../state.ts";
import { t } from "../text/text.ts";
import { sessionLength } from "../webauthn/passkey.ts";
import { button, type Child, form, h, note, show } from "../ui/dom.ts";
import { type Match, ofCaller } from "./find.ts";
import { chooseAnchor } from "./view.ts";

// find returns the anchor of the phrase. Anybody may list a key that he has seen, so an anchor on which it has signed
// comes alone; among others the person chooses.
async function find(identity: Account["identity"], publicKey: Uint8Array): Promise<Match | null> {
  const found = await ofCaller(await agent(), identity, publicKey);
  if (found.length === 0) throw new Explained(t("phrase.unknown"));
  return found.length === 1 && found[0]!.proven ? found[0]! : chooseAnchor(found);
}

export function phraseView(o: { done(account: Account): unknown; back(): unknown; banner: Child }): void {
  const input = phraseInput(), problems = h("div", {});
  show(t("signin.phrase"), o.banner, h("p", {}, t("phrase.here", { host: location.host })),
    form(async () => {
      problems.replaceChildren();
      const words = input.read();
      if (!words) return;
      const key = await keyOf(words);
      try {
        const a = await agent();
        const identity = await key.signIn(a.now());
        const match = await find(identity, key.publicKey);
        if (!match) return;
        input.clear();
        remember(match.anchor);
        await o.done({ anchor: match.anchor, publicKey: match.publicKey, identity, method: "recovery", expiration: a.now() + sessionLength });
      } catch (error) {
        problems.replaceChildren(note("error", explain(error)));
      } finally {
        key.wipe();
      }
    }, input.element, problems,
    h("div", { class: "actions" }, h("button", { class: "primary" }, t("phrase.sign-in")), button(t("back"), () => {
      input.clear();
      o.back();
    }, { class: "quiet" }))));
}
