// Typing a recovery phrase: a field for each word, completed after four letters, or pasted in any form.
import { t } from "../text/text.ts";
import { h, note } from "../ui/dom.ts";
import { check, complete, type Problem, split, suggestions, wordCount } from "./phrase.ts";

export interface PhraseInput { element: HTMLElement; read(): string[] | null; clear(): void }

const quiet = { autocomplete: "off", autocorrect: "off", autocapitalize: "none", spellcheck: "false", maxlength: 400, inputmode: "text" };

// problemText names the position of what is wrong, never the word.
function problemText(p: Problem): string {
  switch (p.kind) {
    case "count": return t("phrase.count", { count: p.count });
    case "word": return t("phrase.word", { position: p.position });
    case "checksum": return t("phrase.checksum");
  }
}

export function phraseInput(): PhraseInput {
  const problems = h("div", { "aria-live": "polite" });
  const options = h("datalist", { id: "words" });
  const inputs = Array.from({ length: wordCount }, (_, i) => h("input", {
    ...quiet, type: "text", "aria-label": t("phrase.number", { number: i + 1 }), list: "words", class: "word",
    oninput: (event: InputEvent) => {
      const input = inputs[i]!;
      if (/[^a-zA-Z]/.test(input.value.trim())) return spread(i, input.value);
      options.replaceChildren(...suggestions(input.value).map((w) => h("option", { value: w })));
      // Four letters name a word; longer ones are typed on without being interrupted.
      if (event.inputType === "insertText" && input.value.length === 4) {
        const word = complete(input.value);
        if (word && word.length === 4) inputs[i + 1]?.focus();
      } else if (event.inputType === "insertReplacementText") inputs[i + 1]?.focus();
    },
    onblur: () => {
      const input = inputs[i]!, word = complete(input.value);
      if (word) input.value = word;
      const wrong = input.value !== "" && !word;
      input.setAttribute("aria-invalid", String(wrong));
    },
    onkeydown: (event: KeyboardEvent) => {
      if (event.key === " ") {
        event.preventDefault();
        inputs[i + 1]?.focus();
      }
    },
    onpaste: (event: ClipboardEvent) => {
      event.preventDefault();
      spread(i, event.clipboardData?.getData("text") ?? "");
      problems.replaceChildren(note("info", t("phrase.pasted")));
    },
  }));

  function spread(from: number, text: string): void {
    const found = split(text);
    if (found.length >= wordCount) from = 0;
    found.slice(0, wordCount - from).forEach((word, k) => { inputs[from + k]!.value = complete(word) ?? word; });
    if (found.length > wordCount) problems.replaceChildren(note("warn", t("phrase.count", { count: found.length })));
    inputs[Math.min(from + found.length, wordCount - 1)]?.focus();
  }

  return {
    element: h("fieldset", {}, h("legend", {}, t("phrase.legend")), h("p", { class: "hint" }, t("phrase.hint")),
      h("ol", { class: "words" }, inputs.map((input) => h("li", {}, input))), options, problems),
    read: () => {
      const typed = inputs.map((input) => input.value.trim());
      const result = check(typed.filter((w) => w !== "").length === wordCount ? typed : typed.filter((w) => w !== ""));
      if ("words" in result) {
        problems.replaceChildren();
        return result.words;
      }
      const at = result.kind === "word" ? result.position - 1 : result.kind === "count" ? typed.findIndex((w) => w === "") : -1;
      inputs.forEach((input, i) => input.setAttribute("aria-invalid", String(i === at)));
      problems.replaceChildren(note("error", problemText(result)));
      (inputs[at] ?? inputs[0]!).focus();
      return null;
    },
    clear: () => {
      for (const input of inputs) input.value = "";
      options.replaceChildren();
    },
  };
}
