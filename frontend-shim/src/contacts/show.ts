// The six words of a new key, large enough to be read out on the telephone.
import type { Principal } from "../ic/principal.ts";
import { t } from "../text/text.ts";
import { h } from "../ui/dom.ts";
import { sixWords } from "./words.ts";

export const wordsList = (anchor: bigint, key: Principal): HTMLElement =>
  h("ol", { class: "words six", translate: "no", lang: "en", "aria-label": t("contacts.six-words") }, sixWords(anchor, key).map((w) => h("li", {}, w)));
