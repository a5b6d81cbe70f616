// Making a recovery phrase: shown once, typed back, added to the anchor and protected, in one flow.
import * as kedge from "../candid/kedge.gen.ts";
import { phraseDevice } from "../devices.ts";
import { explain } from "../errors.ts";
import type { Identity } from "../ic/identity.ts";
import { accept } from "../results.ts";
import { agent } from "../state.ts";
import { t } from "../text/text.ts";
import { button, form, h, note, show } from "../ui/dom.ts";
import { phraseInput } from "./input.ts";
import { equal } from "../ic/bytes.ts";
import { generate, keyOf } from "./phrase.ts";

export interface MakePhrase {
  anchor: bigint;
  identity: Identity; // a device that may add one
  // replace is the phrase whose place the new one takes; its own call is needed if it is protected.
  replace?: { publicKey: Uint8Array; identity: Identity } | undefined;
  protect: "itself" | Identity; // who grants the mark: the phrase, while nothing is marked, or a protected device
  later: (() => unknown) | null;
  done(): unknown;
}

// makePhrase shows the words, then asks for them.
export async function makePhrase(o: MakePhrase): Promise<void> {
  let words: string[] | null = generate();
  const key = await keyOf(words);
  const publicKey = key.publicKey;
  key.wipe();
  const list = h("ol", { class: "words shown", translate: "no" }, words.map((w) => h("li", {}, w)));
  const drop = () => {
    words = null;
    list.remove();
  };
  show(t("make.title"),
    h("p", {}, t("make.why")),
    h("ul", {}, [t("make.paper"), t("make.nobody"), t("make.once")].map((text) => h("li", {}, text))),
    list,
    h("div", { class: "actions" },
      button(t("make.written"), () => {
        drop();
        typeBack(o, publicKey, () => void makePhrase(o));
      }, { class: "primary", id: "written" }),
      o.later && button(t("make.later"), () => {
        drop();
        void o.later!();
      }, { class: "quiet", id: "later" })));
}

function typeBack(o: MakePhrase, publicKey: Uint8Array, again: () => void): void {
  const input = phraseInput(), problems = h("div", {});
  show(t("back.title"),
    h("p", {}, t("back.why")),
    form(async () => {
      const words = input.read();
      if (!words) return;
      const key = await keyOf(words);
      try {
        if (!equal(key.publicKey, publicKey)) {
          problems.replaceChildren(note("error", t("back.other")));
          return;
        }
        const a = await agent();
        const phrase = await key.signIn(a.now());
        await store(o, publicKey, phrase);
        input.clear();
      } catch (error) {
        problems.replaceChildren(note("error", explain(error)));
        return;
      } finally {
        key.wipe();
      }
      await o.done();
    }, input.element, problems,
    h("div", { class: "actions" },
      h("button", { class: "primary" }, t("back.protect")),
      button(t("back.again"), () => {
        input.clear();
        again();
      }, { class: "quiet" }),
      o.later && button(t("make.later"), () => {
        input.clear();
        void o.later!();
      }, { class: "quiet" }))));
}

// store adds the phrase and protects it. It can be called again after a failure in between.
async function store(o: MakePhrase, publicKey: Uint8Array, phrase: Identity): Promise<void> {
  const a = await agent();
  const [devices] = await a.call(o.identity, kedge.lookup, o.anchor);
  const there = devices.find((d) => equal(d.pubkey, publicKey));
  if (!there) {
    if (o.replace) await a.call(o.replace.identity, kedge.replace, o.anchor, o.replace.publicKey, phraseDevice(publicKey));
    else await a.call(o.identity, kedge.add, o.anchor, phraseDevice(publicKey));
  }
  if (there?.protection === "protected") return;
  // The phrase's own call proves it; a mark by another device alone would lapse.
  if (o.protect === "itself") {
    accept(await a.call(phrase, kedge.protect, o.anchor, publicKey));
  } else {
    accept(await a.call(o.protect, kedge.protect, o.anchor, publicKey));
    await a.call(phrase, kedge.get_anchor_info, o.anchor);
  }
}
