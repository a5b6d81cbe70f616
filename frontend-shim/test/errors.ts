// What people are told when the canister refuses through a classic method, which has no code to go by.
import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../src/errors.ts";
import { Rejected } from "../src/ic/agent.ts";
import { choose } from "../src/text/text.ts";

// What the texts ask of a browser.
const browser = globalThis as { document?: unknown; navigator?: unknown };
browser.document ??= { documentElement: { lang: "en" } };
browser.navigator ??= { languages: ["en"] };

// The production network's report of a trap.
const trap = (text: string) => new Rejected(5, `Error from Canister bnz7o-iuaaa-aaaaa-qaaaa-cai: Canister called \`ic0.trap\` with message: '${text}'.\nConsider gracefully handling failures from this canister or altering the canister to handle exceptions. See documentation: https://internetcomputer.org/docs/current/references/execution-errors#trapped-explicitly`, "IC0503");

const said: Array<[trap: string, en: string, de: string]> = [
  ["2vxsx-fae could not be authenticated.", "That key is no device of this anchor. Sign in with one of its devices.", "Dieser Schlüssel ist kein Gerät dieses Ankers. Melden Sie sich mit einem seiner Geräte an."],
  ["failed to add device: Anchor device limit exceeded: num devices 17, limit 16", "An anchor has at most 16 devices. Remove one first.", "Ein Anker hat höchstens 16 Geräte. Entfernen Sie zuerst eines."],
  ["alias limit exceeded: length 70, limit 64", "That is too long: 70 bytes of at most 64.", "Das ist zu lang: 70 Bytes von höchstens 64."],
  ["frontend hostname 300 exceeds the limit of 255 bytes", "That is too long: 300 bytes of at most 255.", "Das ist zu lang: 300 Bytes von höchstens 255."],
  ["rate limit reached, try again later", "Too many anchors are being registered just now. Try again in some minutes.", "Gerade werden zu viele Anker registriert. Versuchen Sie es in einigen Minuten noch einmal."],
  ["the guard is new", "Kedge refused: the guard is new", "Kedge hat abgelehnt: the guard is new"],
];

test("classic refusals in both languages", async () => {
  for (const [language, at] of [["en", 1], ["de", 2]] as const) {
    await choose(language);
    for (const row of said) assert.equal(explain(trap(row[0])), row[at]);
    assert.equal(explain(new Rejected(5, "Canister called `ic0.trap` with message: 'Device key cannot be updated.'.\nCanister Backtrace:\nmain")), explain(trap("Device key cannot be updated.")));
  }
});

test("a text that only contains a known one is not taken for it", async () => {
  await choose("en");
  assert.equal(explain(trap("x: rate limit reached, try again later")), "Kedge refused: x: rate limit reached, try again later");
});
