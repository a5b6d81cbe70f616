// The texts: every name of the canister has one, each fits every number, in every language.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { de, parted } from "../src/text/de.ts";
import { en } from "../src/text/en.ts";
import { fill } from "../src/text/fill.ts";

const languages: Record<string, Record<string, string>> = { en, de };

for (const [language, texts] of Object.entries(languages)) {
  test(`every name of the canister has a text: ${language}`, () => {
    const did = readFileSync(new URL("../../candid/kedge/kedge.did", import.meta.url), "utf8");
    const names = (type: string): string[] => {
      const body = new RegExp(`^type ${type} = variant \\{([^}]*)\\};`, "m").exec(did)![1]!.replace(/\/\/.*/g, "");
      return body.split(";").map((n) => n.trim()).filter((n) => n !== "");
    };
    assert.ok(names("EventKind").length > 20);
    assert.ok(names("ErrorCode").length > 40);
    const groups: Array<[string, string]> = [
      ["scenario", "Scenario"], ["outcome", "Outcome"], ["advice", "Advice"], ["step", "Advice"], ["warning", "WarningKind"], ["event", "EventKind"], ["protection", "ProtectionState"],
      ["refused", "ErrorCode"],
    ];
    for (const [group, type] of groups) for (const name of names(type)) assert.ok(texts[`${group}.${name}`], `${group}.${name}`);
  });

  test(`both languages leave the same places open: ${language}`, () => {
    const places = (text: string) => [...new Set([...text.matchAll(/\{(\w+)/g)].map((m) => m[1]))].sort();
    for (const [key, text] of Object.entries(texts)) {
      const known = new Set([...places(text), ...places(en[key as keyof typeof en])]);
      // A plural may need the number of what is listed; nothing else may be missing in one of them.
      known.delete("count");
      for (const place of known) assert.ok(text.includes(`{${place}`), `${key} lacks {${place}}`);
    }
  });
}

// A length of time is written in the nominative ("30 Tage"), so no word may stand before it that wants another case.
test("lengths of time stand where they need not be declined in German", () => {
  for (const [key, text] of Object.entries(de)) {
    assert.doesNotMatch(text, /\b(in|nach|seit|von|mit|aus|bei|zu|vor|binnen|statt|innerhalb|während|trotz|wegen|gegenüber)\s+(etwa |höchstens |mindestens )?\{(time|delay|length|asked|wait)\}/i, key);
  }
});

// What every text with a number says with 0, 1 and 2. Numbers that name something (anchors, positions) are not counted,
// and those that are always the same (most, least) have one form.
const counted = ["count", "threshold", "needed", "left", "all", "length", "limit"];
const table: Record<string, { values?: Record<string, string>; number: string; en: [string, string, string]; de: [string, string, string] }> = {
  "history.count": { number: "count", en: ["Show 0 entries", "Show 1 entry", "Show 2 entries"], de: ["0 Einträge zeigen", "1 Eintrag zeigen", "2 Einträge zeigen"] },
  "history.dropped": { number: "count", en: ["0 older entries are no longer kept.", "1 older entry is no longer kept.", "2 older entries are no longer kept."],
    de: ["0 ältere Einträge sind nicht mehr aufbewahrt.", "1 älterer Eintrag ist nicht mehr aufbewahrt.", "2 ältere Einträge sind nicht mehr aufbewahrt."] },
  "phrase.count": { number: "count", en: ["A recovery phrase has 24 words; there are 0.", "A recovery phrase has 24 words; there is 1.", "A recovery phrase has 24 words; there are 2."],
    de: ["Eine Wiederherstellungsphrase hat 24 Wörter; hier sind 0.", "Eine Wiederherstellungsphrase hat 24 Wörter; hier ist 1.", "Eine Wiederherstellungsphrase hat 24 Wörter; hier sind 2."] },
  "pair.wrong": { number: "left", en: ["Wrong code. No try is left.", "Wrong code. 1 more try.", "Wrong code. 2 more tries."], de: ["Falscher Code. Kein Versuch bleibt.", "Falscher Code. Noch 1 Versuch.", "Falscher Code. Noch 2 Versuche."] },
  "report.some": { number: "all", values: { good: "0" }, en: ["It survives 0 of 0 disasters.", "It survives 0 of 1 disaster.", "It survives 0 of 2 disasters."],
    de: ["Er übersteht 0 von 0 Unglücken.", "Er übersteht 0 von 1 Unglück.", "Er übersteht 0 von 2 Unglücken."] },
  "report.survived": { number: "count", en: ["Survived: 0", "Survived: 1", "Survived: 2"], de: ["Überstanden: 0", "Überstanden: 1", "Überstanden: 2"] },
  "devices.title": { number: "count", en: ["Devices (0)", "Devices (1)", "Devices (2)"], de: ["Geräte (0)", "Geräte (1)", "Geräte (2)"] },
  "device.release": { number: "count", values: { delay: "30 d" }, en: ["may be released after 30 d; 0 devices may ask", "may be released after 30 d; 1 device may ask", "may be released after 30 d; 2 devices may ask"],
    de: ["Freigabe möglich, Frist 30 d; 0 Geräte dürfen bitten", "Freigabe möglich, Frist 30 d; 1 Gerät darf bitten", "Freigabe möglich, Frist 30 d; 2 Geräte dürfen bitten"] },
  "contacts.rule": { number: "threshold", values: { count: "3", delay: "30 d" },
    en: ["0 of 3 must approve the same new key, then 30 d must pass without a sign of life of yours.", "1 of 3 must approve the same new key, then 30 d must pass without a sign of life of yours.", "2 of 3 must approve the same new key, then 30 d must pass without a sign of life of yours."],
    de: ["0 von 3 müssen demselben neuen Schlüssel zustimmen, dann müssen 30 d ohne ein Lebenszeichen von Ihnen vergehen.", "1 von 3 muss demselben neuen Schlüssel zustimmen, dann müssen 30 d ohne ein Lebenszeichen von Ihnen vergehen.", "2 von 3 müssen demselben neuen Schlüssel zustimmen, dann müssen 30 d ohne ein Lebenszeichen von Ihnen vergehen."] },
  "contacts.named": { number: "count", values: { anchors: "A", anchor: "7" },
    en: ["Named: A. Ask each owner to open this page, to choose “Be somebody's contact”, and to accept anchor 7.", "Named: A. Ask its owner to open this page, to choose “Be somebody's contact”, and to accept anchor 7.", "Named: A. Ask each owner to open this page, to choose “Be somebody's contact”, and to accept anchor 7."],
    de: ["Benannt: A. Bitten Sie jede Person, diese Seite zu öffnen, „Jemandes Vertrauensperson sein“ zu wählen und Anker 7 anzunehmen.", "Benannt: A. Bitten Sie die Person, diese Seite zu öffnen, „Jemandes Vertrauensperson sein“ zu wählen und Anker 7 anzunehmen.", "Benannt: A. Bitten Sie jede Person, diese Seite zu öffnen, „Jemandes Vertrauensperson sein“ zu wählen und Anker 7 anzunehmen."] },
  "contacts.pending-by": { number: "count", values: { anchors: "A" }, en: ["Approved by anchors A.", "Approved by anchor A.", "Approved by anchors A."], de: ["Zugestimmt haben die Anker A.", "Zugestimmt hat Anker A.", "Zugestimmt haben die Anker A."] },
  "contacts.pending-few": { number: "needed", en: ["It takes 0 approvals, so nothing happens yet.", "It takes 1 approval, so nothing happens yet.", "It takes 2 approvals, so nothing happens yet."],
    de: ["Es braucht 0 Zustimmungen, also geschieht noch nichts.", "Es braucht 1 Zustimmung, also geschieht noch nichts.", "Es braucht 2 Zustimmungen, also geschieht noch nichts."] },
  "contacts.just-vetoed": { number: "count", values: { anchors: "A" },
    en: ["By signing in with a protected device you stopped a recovery. Anchors A had approved a new key, and are off the list. Ask who called.", "By signing in with a protected device you stopped a recovery. Anchor A had approved a new key, and is off the list. Ask who called.", "By signing in with a protected device you stopped a recovery. Anchors A had approved a new key, and are off the list. Ask who called."],
    de: ["Durch Ihre Anmeldung mit einem geschützten Gerät haben Sie eine Wiederherstellung angehalten. Die Anker A hatten einem neuen Schlüssel zugestimmt und sind gestrichen. Fragen Sie, wer angerufen hat.", "Durch Ihre Anmeldung mit einem geschützten Gerät haben Sie eine Wiederherstellung angehalten. Anker A hatte einem neuen Schlüssel zugestimmt und ist gestrichen. Fragen Sie, wer angerufen hat.", "Durch Ihre Anmeldung mit einem geschützten Gerät haben Sie eine Wiederherstellung angehalten. Die Anker A hatten einem neuen Schlüssel zugestimmt und sind gestrichen. Fragen Sie, wer angerufen hat."] },
  "contacts.agree-text": { number: "count", values: { anchors: "A" },
    en: ["If enough of the anchors A approve a new key, and no protected device of yours signs within the delay, this device loses its protection.", "If anchor A approves a new key, and no protected device of yours signs within the delay, this device loses its protection.", "If enough of the anchors A approve a new key, and no protected device of yours signs within the delay, this device loses its protection."],
    de: ["Wenn genügend der Anker A einem neuen Schlüssel zustimmen und kein geschütztes Gerät von Ihnen innerhalb der Frist unterschreibt, verliert dieses Gerät seinen Schutz.", "Wenn Anker A einem neuen Schlüssel zustimmt und kein geschütztes Gerät von Ihnen innerhalb der Frist unterschreibt, verliert dieses Gerät seinen Schutz.", "Wenn genügend der Anker A einem neuen Schlüssel zustimmen und kein geschütztes Gerät von Ihnen innerhalb der Frist unterschreibt, verliert dieses Gerät seinen Schutz."] },
  "contacts.bad-threshold": { number: "count", en: ["The number who must approve is between 1 and 0.", "With one contact, that one must approve: type 1.", "The number who must approve is between 1 and 2."],
    de: ["Zustimmen müssen zwischen 1 und 0.", "Bei einer Person muss diese zustimmen: Geben Sie 1 ein.", "Zustimmen müssen zwischen 1 und 2."] },
  "friend.approved-by": { number: "count", en: ["Approved by 0 contacts.", "Approved by 1 contact.", "Approved by 2 contacts."], de: ["0 Personen haben zugestimmt.", "1 Person hat zugestimmt.", "2 Personen haben zugestimmt."] },
  "recover.few": { number: "count", en: ["0 contacts have approved. More must.", "1 contact has approved. More must.", "2 contacts have approved. More must."],
    de: ["0 Personen haben zugestimmt. Es müssen mehr werden.", "1 Person hat zugestimmt. Es müssen mehr werden.", "2 Personen haben zugestimmt. Es müssen mehr werden."] },
  "recover.left": { number: "count", values: { time: "3 d" }, en: ["0 contacts have approved. 3 d to go.", "1 contact has approved. 3 d to go.", "2 contacts have approved. 3 d to go."],
    de: ["0 Personen haben zugestimmt. Noch 3 d.", "1 Person hat zugestimmt. Noch 3 d.", "2 Personen haben zugestimmt. Noch 3 d."] },
  "sheet.contacts4": { number: "threshold", values: { count: "3", delay: "30 d" },
    en: ["Once 0 of 3 have approved, 30 d must pass without a sign of life of a protected device. Then take the anchor back in the same browser.", "Once 1 of 3 has approved, 30 d must pass without a sign of life of a protected device. Then take the anchor back in the same browser.", "Once 2 of 3 have approved, 30 d must pass without a sign of life of a protected device. Then take the anchor back in the same browser."],
    de: ["Haben 0 von 3 zugestimmt, müssen 30 d ohne ein Lebenszeichen eines geschützten Geräts vergehen. Holen Sie den Anker dann im selben Browser zurück.", "Hat 1 von 3 zugestimmt, müssen 30 d ohne ein Lebenszeichen eines geschützten Geräts vergehen. Holen Sie den Anker dann im selben Browser zurück.", "Haben 2 von 3 zugestimmt, müssen 30 d ohne ein Lebenszeichen eines geschützten Geräts vergehen. Holen Sie den Anker dann im selben Browser zurück."] },
  "refused.too_many_devices": { number: "limit", en: ["An anchor has at most 0 devices. Remove one first.", "An anchor has at most 1 device. Remove one first.", "An anchor has at most 2 devices. Remove one first."],
    de: ["Ein Anker hat höchstens 0 Geräte. Entfernen Sie zuerst eines.", "Ein Anker hat höchstens 1 Gerät. Entfernen Sie zuerst eines.", "Ein Anker hat höchstens 2 Geräte. Entfernen Sie zuerst eines."] },
  "refused.field_too_long": { number: "length", values: { limit: "64" }, en: ["That is too long: 0 bytes of at most 64.", "That is too long: 1 byte of at most 64.", "That is too long: 2 bytes of at most 64."],
    de: ["Das ist zu lang: 0 Bytes von höchstens 64.", "Das ist zu lang: 1 Byte von höchstens 64.", "Das ist zu lang: 2 Bytes von höchstens 64."] },
  "refused.too_large": { number: "length", values: { limit: "2500" },
    en: ["All devices together would need 0 bytes of at most 2500. Shorten a name, or remove a device.", "All devices together would need 1 byte of at most 2500. Shorten a name, or remove a device.", "All devices together would need 2 bytes of at most 2500. Shorten a name, or remove a device."],
    de: ["Alle Geräte zusammen bräuchten 0 Bytes von höchstens 2500. Kürzen Sie einen Namen, oder entfernen Sie ein Gerät.", "Alle Geräte zusammen bräuchten 1 Byte von höchstens 2500. Kürzen Sie einen Namen, oder entfernen Sie ein Gerät.", "Alle Geräte zusammen bräuchten 2 Bytes von höchstens 2500. Kürzen Sie einen Namen, oder entfernen Sie ein Gerät."] },
};
// Where {length} is a length of time in words, nothing is counted.
const inWords = new Set(["request.length", "request.length-at-most", "shorter.text", "limit.done", "longer.text"]);

test("texts with a number say it right with 0, 1 and 2, in each language", () => {
  for (const [language, texts] of Object.entries(languages)) {
    for (const [key, text] of Object.entries(texts)) {
      const numbers = counted.filter((n) => text.includes(`{${n}}`) || text.includes(`{${n}|`));
      if (numbers.length > 0 && !inWords.has(key)) assert.ok(table[key], `${key} has a number and is not in this table`);
    }
    for (const [key, row] of Object.entries(table)) {
      for (const n of [0, 1, 2] as const) assert.equal(fill(texts[key]!, { ...row.values, [row.number]: n }, language), (row as unknown as Record<string, string[]>)[language]![n], `${key} in ${language}`);
    }
  }
});

test("every long German word may part", () => {
  const words = new Set(Object.values(de).flatMap((text) => text.match(/[A-Za-zÄÖÜäöüß]{17,}/g) ?? []));
  for (const word of words) {
    if (word === "alternativeOrigins") continue; // a name in a file
    assert.ok(parted.some((p) => word.includes(p.replaceAll("-", "")) && p.replaceAll("-", "").length >= 9), word);
  }
});

test("forms: exact numbers, what is missing, other languages", () => {
  assert.equal(fill("{n|=0:none|one:# thing|other:# things}", { n: 0 }, "en"), "none");
  assert.equal(fill("{n|one:# thing|other:# things}", { n: 1n }, "en"), "1 thing");
  assert.equal(fill("{n|one:#|few:# rzeczy|other:# coś}", { n: 3 }, "pl"), "3 rzeczy");
  assert.equal(fill("{n|other:{who} has #}", { n: 5, who: "A" }, "en"), "A has 5");
  assert.equal(fill("{absent} and {\"json\": […]}", {}, "en"), " and {\"json\": […]}");
});
