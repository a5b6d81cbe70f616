// Many of something: strangers who list a person's credential id, and events in a history.
import assert from "node:assert/strict";
import { test } from "node:test";
import { as, phraseIdentity, principalOf } from "./canister.mjs";
import { control, page, providers, story, whoami, world } from "./setup.mjs";
import * as s from "./steps.mjs";

// Anybody can read a credential id and list it on an anchor of his own, on which his own key has signed.
test("a thousand strangers list my credential id, and my passkey leads to my anchor without a question", () => story(2, async (owner, p) => {
  await control("strangers?n=1000"); // their anchors have lower numbers than mine, and are found first
  const { account, anchor, words } = await s.settle(owner, page);
  await account.click("#sign-out");
  const [id] = owner.credentials.keys();
  await control(`list?credential=${Buffer.from(id, "base64").toString("hex")}`);

  // An empty browser that has the passkey: the same story on the page and from an application.
  for (const [known, credential] of owner.credentials) p.credentials.set(known, credential);
  let asked = 0;
  const start = await p.open(page);
  start.on("request", (request) => { if (/\/api\/v[0-9]+\/canister\/[^/]+\/query$/.test(request.url())) asked++; });
  await start.click("#passkey");
  await start.waitForSelector("#report, dialog, .note.error");
  assert.equal(await start.innerText("h1"), `Anchor ${anchor}`);
  assert.equal(await start.locator("dialog").count(), 0);
  // The first of 63 pages of strangers; then, for both keys that can have signed, the anchors that have it; and mine is read.
  assert.equal(asked, 4);

  await start.evaluate(() => localStorage.clear());
  const app = await p.open(world.apps.origin("icrc"));
  const popup = await s.startSignIn(p, app, { identityProvider: providers.icrc });
  await popup.click("#passkey");
  const principal = await s.outcome(app);
  assert.equal(await whoami(app), principal);
  assert.equal(principal, await principalOf(words, anchor, world.apps.origin("icrc")));
}));

test("a full history is shown whole as far as it is kept, newest first, and what is gone is counted", () => story(1, async (p) => {
  const { account, anchor, words } = await s.settle(p, page);
  const phrase = phraseIdentity(words);
  const key = Buffer.from(phrase.getPublicKey().toDer()).toString("hex");
  await control(`busy?anchor=${anchor}&key=${key}&times=200`);
  await account.click("#sign-out");
  await account.click("[data-anchor]");
  await account.waitForSelector("#report");

  // What the canister says, part by part.
  const canister = await as(phrase), kept = [];
  let dropped;
  for (let from = []; ;) {
    const { Ok: part } = await canister.history(BigInt(anchor), from, 100);
    kept.push(...part.entries);
    dropped = part.dropped_routine + part.dropped_security;
    if ((from = part.next).length === 0) break;
  }
  assert.ok(kept.length > 100, `${kept.length} entries are more than one part`);
  assert.ok(dropped > 500n, `${dropped} are overwritten`);
  kept.sort((a, b) => Number(b.number - a.number));

  const section = account.locator("section", { has: account.locator("#history") });
  assert.equal(await section.locator("> .hint").innerText(), `${dropped} older entries are no longer kept.`);
  assert.equal(await section.locator("summary").innerText(), `Show ${kept.length} entries`);
  await section.locator("summary").click();
  const shown = await section.locator(".history > li strong").allInnerTexts();
  const labels = { protected: "protected", unprotected: "unprotected", registration_opened: "open for another browser", registration_closed: "closed for other browsers" };
  assert.deepEqual(shown, kept.map(({ kind: [kind] }, i) => labels[Object.keys(kind ?? {})[0]] ?? shown[i]));
  assert.ok(Object.values(labels).every((label) => shown.includes(label)));
  // Routine events have not pushed out those of protection, nor these the others; the page can still be read on a phone.
  await account.setViewportSize({ width: 320, height: 800 });
  assert.equal(await account.evaluate(() => document.documentElement.scrollWidth), 320);
  // Who added the device has been overwritten, and the page does not make it up.
  await account.setViewportSize({ width: 1000, height: 800 });
  const extra = account.locator(".card[data-device]", { hasText: "a machine that is often renamed" }).or(account.locator(".card[data-device]", { hasText: "name 199" }));
  await extra.locator("summary").click();
  await extra.getByRole("button", { name: "Protect" }).click();
  assert.match(await account.innerText("dialog"), /Added by\s+not known/);
}));
