// Signing in with a recovery phrase alone.
import * as kedge from "../candid/kedge.gen.ts";
import { explain, Explained } from "../errors.ts";
import { equal } from "../ic/bytes.ts";
import { phraseInput } from "../phrase/input.ts";
import { keyOf } from "../phrase/phrase.ts";
import { type Account, agent, remember } from "../state.ts";
import { t } from "../text/text.ts";
import { sessionLength } from "../webauthn/passkey.ts";
import { button, type Child, form, h, note, show } from "../ui/dom.ts";
import type { Match } from "./find.ts";
import { chooseAnchor } from "./view.ts";

// anchorsOf are the anchors that list the key. Anybody may list a key that he has seen, so an anchor on which it has
// signed comes alone; among others the person chooses.
async function choose(identity: Account["identity"], publicKey: Uint8Array): Promise<Match | null> {
  const a = await agent();
  const [anchors] = await a.query(identity, kedge.lookup_caller);
  const found: Match[] = [];
  for (const anchor of anchors) {
    const [devices] = await a.query(identity, kedge.lookup, anchor);
    const device = devices.find((d) => equal(d.pubkey, publicKey));
    if (device) found.push({ anchor, publicKey, proven: device.proven ?? false });
  }
  if (found.length === 0) throw new Explained(t("phrase.unknown"));
  const proven = found.filter((m) => m.proven);
  return proven.length === 1 ? proven[0]! : chooseAnchor(proven.length > 0 ? proven : found);
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
        const match = await choose(identity, key.publicKey);
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
