// The page's texts, in one table per language. English is always there; others are loaded when wanted.
import { en, type Key, type Texts } from "./en.ts";
import { fill, type Values } from "./fill.ts";

export type { Key, Values };

let texts: Texts = en;
let parted: readonly string[] = [];
let language = "en";

interface Language { texts: Texts; parted: readonly string[] }

const english: Language = { texts: en, parted: [] };
const languages: Record<string, () => Promise<Language>> = {
  de: async () => {
    const { de, parted } = await import("./de.ts");
    return { texts: de, parted };
  },
};
export const names: Record<string, string> = { en: "English", de: "Deutsch" };

const stored = "kedge.language";

function remembered(): string | null {
  try {
    return localStorage.getItem(stored);
  } catch {
    return null; // Storage may be switched off.
  }
}

// choose loads the language that was chosen here, or that the browser prefers.
export async function choose(wanted?: string): Promise<void> {
  if (wanted) {
    try {
      localStorage.setItem(stored, wanted);
    } catch {
      // It is then asked again next time.
    }
  }
  const preferred = [wanted ?? remembered() ?? "", ...navigator.languages.map((l) => l.split("-")[0]!)];
  language = preferred.find((l) => l in names) ?? "en";
  ({ texts, parted } = (await languages[language]?.().catch(() => english)) ?? english);
  document.documentElement.lang = texts === en ? "en" : language;
}

export const current = (): string => document.documentElement.lang;

// region is the language as the reader's own region writes it: dates differ.
const region = (): string => navigator.languages.find((l) => l.split("-")[0] === current()) ?? current();

// t is a text, with its places filled in.
export const t = (key: Key, values: Values = {}): string => fill(texts[key] ?? en[key] ?? "", values, current());

// longWords are those of the language that may have to part at the end of a line, with hyphens where they do.
export const longWords = (): readonly string[] => parted;

// word is the text for a name that the canister gave; fallback if it is newer than this page.
export function word(group: string, name: string | null, fallback: string, values: Values = {}): string {
  const text = texts[`${group}.${name}` as Key] ?? en[`${group}.${name}` as Key];
  return text === undefined ? fallback : fill(text, values, current());
}

// date is a time in nanoseconds, for people.
export const date = (ns: bigint): string =>
  new Intl.DateTimeFormat(region(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(Number(ns / 1_000_000n)));

const units: Array<[Intl.NumberFormatOptions["unit"], number]> = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];

// duration is a length of time in seconds, in its two largest units.
export function duration(seconds: number): string {
  const parts: string[] = [];
  let left = Math.max(0, Math.round(seconds));
  for (const [unit, size] of units) {
    const n = Math.floor(left / size);
    left -= n * size;
    if (n > 0 && parts.length < 2) parts.push(new Intl.NumberFormat(current(), { style: "unit", unit: unit!, unitDisplay: "long" }).format(n));
    else if (parts.length > 0) break;
  }
  return new Intl.ListFormat(current(), { type: "unit" }).format(parts.length ? parts : [new Intl.NumberFormat(current(), { style: "unit", unit: "second", unitDisplay: "long" }).format(0)]);
}

export const list = (items: string[]): string => new Intl.ListFormat(current(), { type: "conjunction" }).format(items);
