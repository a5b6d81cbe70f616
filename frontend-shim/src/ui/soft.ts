// Soft hyphens in long words, on narrow screens alone: not every browser knows where the words of a language part.
import { longWords } from "../text/text.ts";

const hyphen = "\u00ad";
const narrow = globalThis.matchMedia?.("(max-width: 40rem)");

// soft is a text as it is shown at the width that the window has.
export function soft(text: string): string {
  if (!narrow?.matches) return text;
  for (const word of longWords()) text = text.replaceAll(word.replaceAll("-", ""), word.replaceAll("-", hyphen));
  return text;
}

// What is shown already follows the window.
narrow?.addEventListener("change", () => {
  const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = all.nextNode() as Text | null; node; node = all.nextNode() as Text | null) {
    const text = soft(node.data.replaceAll(hyphen, ""));
    if (text !== node.data) node.data = text;
  }
});
