// Filling in what a text leaves open: {name} stands for a value, {name|one:…|other:…} for the form that the language
// has for a number (Intl.PluralRules; =0 names one number), in which # is the number. A form may hold {names}.
export type Values = Record<string, string | number | bigint>;

const place = /\{(\w+)((?:\|(?:[^{}|]|\{\w+\})*)*)\}/g;

export function fill(text: string, values: Values, language: string): string {
  return text.replace(place, (_, name: string, forms: string) => {
    const value = values[name] ?? "";
    if (forms === "") return String(value);
    const choices = new Map(forms.slice(1).split("|").map((f) => [f.slice(0, f.indexOf(":")), f.slice(f.indexOf(":") + 1)]));
    const chosen = choices.get(`=${value}`) ?? choices.get(new Intl.PluralRules(language).select(Number(value))) ?? choices.get("other") ?? "";
    return fill(chosen.replaceAll("#", String(value)), values, language);
  });
}
