// Recovery contacts, with a browser profile for everybody: naming, accepting, approving by voice, the veto, and an
// anchor that comes back after everything was lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { control, page, providers, story, whoami, world } from "./setup.mjs";
import { outcome, settle, signAsPhrase, startSignIn } from "./steps.mjs";

const result = (account, text) => account.locator(".result .note", { hasText: text }).waitFor();
const six = (view) => view.locator(".words.six li").allInnerTexts();

// named has the owner name two contacts, who both accept.
async function named(owner, ...friends) {
  const o = await settle(owner, page), all = [];
  for (const f of friends) all.push(await settle(f, page));
  await o.account.click("#set-contacts");
  await o.account.fill("#contacts", all.map((f) => f.anchor).join(" "));
  await o.account.click("#name-contacts");
  await signAsPhrase(o.account, o.words);
  await result(o.account, /Ask each owner/);
  assert.equal(await o.account.locator("[data-contact]", { hasText: "Has not accepted yet" }).count(), 2);
  for (const { account } of all) {
    await account.click("#be-contact");
    await account.fill("#owner", o.anchor);
    await account.click("#look");
    await account.click("#accept");
    await account.getByText("You are a contact of this anchor.").waitFor();
  }
  return { o, all };
}

// begin makes a new key in an empty browser.
async function begin(fresh, anchor) {
  const view = await fresh.open(page);
  await view.click("summary");
  await view.click("#recover");
  await view.fill("#lost-anchor", anchor);
  await view.click("#begin-recovery");
  await view.getByText("No contact has approved yet.").waitFor();
  return { view, key: await view.innerText("#recover-key"), words: await six(view) };
}

// sizes are the font sizes of the six words and of the text around them, in px, and how many words are cut off.
const sizes = (view) => view.evaluate(() => {
  const size = (e) => parseFloat(getComputedStyle(e).fontSize);
  const words = [...document.querySelectorAll(".words.six li")];
  return { words: Math.min(...words.map(size)), text: size(document.querySelector("main p")), cut: words.filter((w) => w.scrollWidth > w.clientWidth || w.getClientRects().length > 1).length };
});

async function approve(account, key, words) {
  if (!(await account.locator("details[open] #heard").count())) await account.locator("summary", { hasText: "The owner has called me" }).click();
  await account.fill("#new-key", key);
  await account.fill("#heard", words);
  await account.click("#approve");
}

// sure answers the question whether the voice was the owner's, beside the words.
async function sure(account, words) {
  await account.locator("dialog .words.six").waitFor();
  assert.deepEqual(await account.locator("dialog .words.six li").allInnerTexts(), words);
  assert.match(await account.innerText("dialog"), /owner's own voice/);
  await account.click("#confirm");
}

test("contacts approve by voice, and the owner vetoes", () => story(4, async (owner, anna, bert, thief) => {
  const { o, all } = await named(owner, anna, bert);
  const { view, key, words } = await begin(thief, o.anchor);
  assert.equal(words.length, 6);
  // They are read out on the telephone: large, and whole on a phone, too.
  for (const width of [1000, 320]) {
    await view.setViewportSize({ width, height: 800 });
    const { words: large, text, cut } = await sizes(view);
    assert.ok(large >= 1.5 * text, `${large} px beside ${text} px`);
    assert.equal(cut, 0);
  }
  // Words that were not heard right, or of another key, send nothing.
  await approve(all[0].account, key, [...words.slice(1), words[0]].join(" "));
  await all[0].account.getByText("These are not the six words of that key").waitFor();
  await approve(all[0].account, "aaaaa-aa", words.join(" "));
  await all[0].account.getByText("These are not the six words of that key").waitFor();
  await approve(all[0].account, "nonsense", words.join(" "));
  await all[0].account.getByText("That is no key").waitFor();
  await view.getByText("No contact has approved yet.").waitFor();
  for (const { account } of all) {
    await approve(account, key, words.map((w) => w.slice(0, 4).toUpperCase()).join(", "));
    await account.click("#turn-back");
    await account.click("#approve");
    await sure(account, words);
    await account.getByText("You approve the new key").waitFor();
  }
  await view.getByText(/2 contacts have approved\. (30|29) days.* to go\./).waitFor();
  assert.equal(await view.isDisabled("#take-back"), true);

  // Whoever only signs in to an application is told, too, and can go on.
  const app = await owner.open(world.apps.origin("classic"));
  const popup = await startSignIn(owner, app, { identityProvider: providers.classic });
  await popup.click("[data-anchor]");
  await popup.getByText("Something is pending on your anchor").waitFor();
  assert.equal(await popup.getAttribute("#look-after", "href"), "/manage");
  await popup.click("#go-on");
  assert.equal(await outcome(app), await whoami(app));

  // The owner's unprotected passkey sees it before anything else, with the same words; the phrase stops it.
  const again = await owner.open(page);
  await again.click("[data-anchor]");
  await again.waitForSelector("#report");
  const first = again.locator(".account > *").first();
  assert.match(await first.innerText(), /Your contacts are giving your anchor a new key/);
  assert.deepEqual(await six(first), words);
  assert.ok((await first.innerText()).includes(key));
  await again.click("[data-veto-approval]");
  await again.click("#confirm");
  await signAsPhrase(again, o.words);
  await result(again, /The recovery is stopped/);
  assert.equal(await again.getByText("Your contacts are giving").count(), 0);
  assert.equal(await again.locator("[data-contact]").count(), 0, "whoever approved is off the list, and fewer than the threshold end it");
  await view.getByText("No contact has approved yet.").waitFor();
}));

test("a key that somebody put into the browser's storage is not shown to anybody", () => story(2, async (owner, lost) => {
  const { anchor } = await settle(owner, page);
  const { view } = await begin(lost, anchor);
  await view.evaluate(() => {
    const [one] = JSON.parse(localStorage.getItem("kedge.recover"));
    // Another point of the curve: the generator.
    one.key = one.key.slice(0, -128) + "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    localStorage.setItem("kedge.recover", JSON.stringify([one]));
  });
  await view.reload();
  await view.click("summary");
  await view.click("#recover");
  await view.click(`[data-recover="${anchor}"]`);
  await view.getByText("does not fit the passkey").waitFor();
  assert.equal(await view.locator(".words.six").count(), 0);
}));

// ask looks an owner's anchor up in the friend's view.
async function ask(account, anchor) {
  if (!(await account.locator("#owner").count())) await account.click("#be-contact");
  await account.fill("#owner", anchor);
  await account.click("#look");
}

test("an approval is taken back, and a contact resigns, with a way back from each", () => story(4, async (owner, anna, bert, fresh) => {
  const { o, all } = await named(owner, anna, bert);
  const { view, key, words } = await begin(fresh, o.anchor);
  const { account } = all[0];
  await approve(account, key, words.join(" "));
  await sure(account, words);
  await account.getByText("You approve the new key").waitFor();
  await account.getByText("Approved by 1 contact.").waitFor();
  await view.getByText("1 contact has approved. More must.").waitFor();

  // Turning back changes nothing; going on takes the approval alone back.
  await account.click("#withdraw");
  await account.click("#turn-back");
  assert.equal(await account.locator("#withdraw").count(), 1);
  await account.click("#withdraw");
  await account.click("#confirm");
  await account.getByText(`Your approval for anchor ${o.anchor} is taken back.`).waitFor();
  await account.getByText("You are a contact of this anchor.").waitFor();
  assert.equal(await account.locator("#withdraw").count(), 0);
  await view.getByText("No contact has approved yet.").waitFor();

  // Resigning is asked about once; afterwards the view is there for another anchor, and leads back to the account.
  await account.click("#resign");
  assert.match(await account.innerText("dialog"), /could not help the owner/);
  await account.click("#turn-back");
  await account.getByText("You are a contact of this anchor.").waitFor();
  await account.click("#resign");
  await account.click("#confirm");
  await account.getByText(`You are no contact of anchor ${o.anchor} any more.`).waitFor();
  await ask(account, o.anchor);
  await account.getByText("Your anchor is not on the list").waitFor();
  assert.match(await account.innerText("main .note.error"), /Only its owner can name you/);
  await account.locator("main form .actions button.quiet").click();
  await account.waitForSelector("#report");
  // Who is left is no threshold, so the contacts have ended.
  await o.account.reload();
  await o.account.click("[data-anchor]");
  await o.account.waitForSelector("#report");
  assert.equal(await o.account.locator(`[data-contact="${all[0].anchor}"]`).count(), 0);
}));

test("whoever is asked may decline", () => story(2, async (owner, anna) => {
  const o = await settle(owner, page), a = await settle(anna, page);
  await o.account.click("#set-contacts");
  for (const [typed, said] of [[o.anchor, /is your own/], [`${a.anchor} ${a.anchor}`, /is named twice/], ["999999999", /There is no anchor 999999999 here/]]) {
    await o.account.fill("#contacts", typed);
    await o.account.fill("#threshold", "1");
    await o.account.click("#name-contacts");
    await o.account.locator("dialog .note.error", { hasText: said }).waitFor();
  }
  await o.account.fill("#contacts", a.anchor);
  await o.account.click("#name-contacts");
  await signAsPhrase(o.account, o.words);
  await result(o.account, /Ask its owner/);
  await ask(a.account, o.anchor);
  await a.account.getByRole("button", { name: "Decline", exact: true }).click();
  assert.match(await a.account.innerText("dialog"), /can name somebody else/);
  await a.account.click("#confirm");
  await a.account.getByText("You are no contact of anchor").waitFor();
}));

test("each protected device agrees for itself, and the owner ends the contacts", () => story(3, async (owner, anna, bert) => {
  const { o, all } = await named(owner, anna, bert);
  const mine = o.account.locator(".card[data-device]").first();
  await mine.locator("summary").click();
  await mine.getByRole("button", { name: "Protect", exact: true }).click();
  await o.account.click("#confirm");
  await signAsPhrase(o.account, o.words);
  await result(o.account, /is protected/);
  // The passkey has not agreed: it says so, agrees by its own signature, and takes that back.
  const agreeing = o.account.locator("section[aria-labelledby=recovery-contacts] .card", { hasText: /gree/ });
  const passkey = agreeing.filter({ hasNotText: "Recovery phrase" });
  await passkey.getByText("Has not agreed").waitFor();
  await passkey.getByRole("button", { name: "Agree", exact: true }).click();
  assert.match(await o.account.innerText("dialog"), new RegExp(`enough of the anchors ${all[0].anchor} and ${all[1].anchor}`));
  await o.account.click("#confirm");
  await result(o.account, /agrees\./);
  await passkey.getByText("Agrees: a recovery would lift its protection.").waitFor();
  await passkey.getByRole("button", { name: "Withdraw agreement", exact: true }).click();
  await o.account.click("#confirm");
  await result(o.account, /does not agree any more/);
  await passkey.getByText("Has not agreed").waitFor();

  // A removal says what becomes of the contacts.
  const phrase = o.account.locator(".card.protected[data-device]", { hasText: "Recovery phrase" });
  await phrase.locator("summary").click();
  await phrase.getByRole("button", { name: "Remove", exact: true }).click();
  assert.match(await o.account.innerText("dialog"), /The recovery contacts end: no other device has agreed/);
  await o.account.click("#turn-back");

  await o.account.click("#end-contacts");
  await o.account.click("#turn-back");
  assert.equal(await o.account.locator("[data-contact]").count(), 2);
  await o.account.click("#end-contacts");
  await o.account.click("#confirm");
  await result(o.account, /There are no recovery contacts any more/);
  assert.equal(await o.account.locator("[data-contact]").count(), 0);
  await ask(all[0].account, o.anchor);
  await all[0].account.getByText("Your anchor is not on the list").waitFor();
}));

test("a new key for a recovery takes the place of no passkey", () => story(2, async (owner, other) => {
  const o = await settle(owner, page);
  await o.account.click("#add-browser");
  const joining = await other.open(await o.account.innerText("#pair-address"));
  await joining.click("#join");
  await joining.waitForSelector("#code");
  const [had] = other.credentials.keys();
  // Whoever thinks that all is lost begins a recovery in that browser.
  const { view } = await begin(other, o.anchor);
  const { cdp, authenticatorId } = other.authenticators.get(view);
  const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
  assert.ok(credentials.some((c) => c.credentialId === had), "the passkey that was there is still there");
  assert.equal(credentials.length, 2);

  // Nor is a recovery that was begun before forgotten when another is begun: contacts may have approved its key.
  const first = await view.innerText("#recover-key");
  const again = await begin(other, o.anchor);
  await again.view.goto(page);
  await again.view.click("summary");
  await again.view.click("#recover");
  const keys = await again.view.locator("[data-recover]").allInnerTexts();
  assert.equal(keys.length, 2);
  assert.ok(keys[0].includes(first.slice(0, 11)) && keys[1].includes(again.key.slice(0, 11)), keys.join());
}));

// The stories below move the clock by a month each, so whoever is in them comes with a clock to match.
let passed = 0;
async function pass(days) {
  await control(`pass?days=${days}`);
  passed += days;
}
const now = () => Date.now() + passed * 86_400_000;

test("everything is lost, and the contacts bring the anchor back", () => story(4, async (owner, anna, bert, fresh) => {
  const { o, all } = await named(owner, anna, bert);
  const { view, key, words } = await begin(fresh, o.anchor);
  for (const { account } of all) {
    await approve(account, key, words.join(" "));
    await sure(account, words);
    await account.getByText("You approve the new key").waitFor();
  }
  await view.getByText(/2 contacts have approved\./).waitFor();
  await view.click("main .actions button.quiet");
  await view.close();

  const days = 31;
  await pass(days);
  await fresh.context.clock.setSystemTime(now());
  const later = await fresh.open(page);
  await later.click("summary");
  await later.click("#recover");
  await later.click(`[data-recover="${o.anchor}"]`);
  await later.getByText("The delay is over.").waitFor();
  assert.deepEqual(await six(later), words);
  await later.click("#take-back");
  await later.click("#recovered");
  await later.waitForSelector("#report");
  assert.equal(await later.locator(".card.protected[data-device]").count(), 1);
  assert.match(await later.locator(".card.protected[data-device]").innerText(), /this one/i);
  // A session of the page is over meanwhile. Whoever goes on signs again in the same place, or is told why to sign in.
  await anna.context.clock.setSystemTime(now());
  await ask(all[0].account, o.anchor);
  assert.match(await all[0].account.innerText("dialog"), /signed in here for 30 minutes/);
  await all[0].account.click("[data-signer=passkey]");
  await all[0].account.getByText("Your anchor is not on the list").waitFor();
  await ask(all[0].account, o.anchor);
  await all[0].account.getByText("Your anchor is not on the list").waitFor();
  await bert.context.clock.setSystemTime(now());
  await all[1].account.locator("main form .actions button.quiet").click();
  await all[1].account.click("#change-limit");
  await all[1].account.selectOption("#limit", "3600");
  await all[1].account.click("#set-limit");
  await signAsPhrase(all[1].account, all[1].words);
  await all[1].account.getByText("Sign in again to go on.").waitFor();
  await all[1].account.getByText("Sessions last at most 1 hour.").waitFor();

  // The phrase agreed as it named the contacts, so it is not protected any more and can be removed.
  const phrase = later.locator(".card[data-device]", { hasText: "Recovery phrase" }).first();
  await phrase.locator("summary").click();
  await phrase.getByRole("button", { name: "Remove", exact: true }).click();
  await later.click("#confirm");
  await later.locator(".result .note", { hasText: "is removed" }).waitFor();
}));

test("a release runs its delay, and the phrase that is lost can be removed", () => story(1, async (p) => {
  await p.context.clock.setSystemTime(now());
  const { account } = await settle(p, page).then(async (made) => {
    const card = made.account.locator(".card.protected[data-device]").first();
    await card.locator("summary").click();
    await card.getByRole("button", { name: "Agree to a timed release", exact: true }).click();
    await made.account.locator("dialog input[type=checkbox]").check();
    await made.account.click("#consent-release");
    await signAsPhrase(made.account, made.words);
    await result(made.account, /agreed to/);
    return made;
  });
  const phrase = account.locator(".card.protected[data-device]").first();
  await phrase.locator("summary").click();
  await phrase.getByRole("button", { name: "Ask for its release", exact: true }).click();
  await account.click("#confirm");
  await result(account, /asked for/);
  assert.match(await account.locator(".account > *").first().innerText(), /A release is pending[^]*In (30|29) days/);

  await pass(31);
  await p.context.clock.setSystemTime(now());
  const later = await p.open(page);
  await later.click("[data-anchor]");
  await later.waitForSelector("#report");
  const pending = later.locator(".account > *").first();
  assert.match(await pending.innerText(), /can complete the release of Recovery phrase at any moment/);
  await pending.locator("button", { hasNotText: "Refuse" }).click();
  await later.click("#confirm");
  await result(later, /The release is completed/);
  // The device that asked is protected in its place.
  assert.equal(await later.locator(".card.protected[data-device]", { hasText: "Recovery phrase" }).count(), 0);
  assert.match(await later.locator(".card.protected[data-device]").innerText(), /this one/i);
  const lost = later.locator(".card[data-device]", { hasText: "Recovery phrase" }).first();
  await lost.locator("summary").click();
  await lost.getByRole("button", { name: "Remove", exact: true }).click();
  await later.click("#confirm");
  await later.locator(".result .note", { hasText: "is removed" }).waitFor();
}));

test("a code that nobody typed in time leads back to the beginning", () => story(2, async (old, fresh) => {
  for (const p of [old, fresh]) await p.context.clock.setSystemTime(now());
  const { account, anchor } = await settle(old, page);
  await account.click("#add-browser");
  await account.waitForSelector("#pair-address");
  const joining = await fresh.open(`${page}#pair=${anchor}`);
  await joining.click("#join");
  await joining.waitForSelector("#code");
  await pass(1);
  await fresh.context.clock.setSystemTime(now());
  await joining.getByText("That took too long").waitFor();
  await joining.click("#pair-again");
  await joining.waitForSelector("#join");
  assert.equal(await joining.inputValue("input[inputmode=numeric]"), anchor);
  // Between the two moves of the clock, the network's and the browsers', what was sent was refused.
  for (const p of [old, fresh]) for (const problem of p.takeProblems()) assert.match(problem, /status of 400/);
}));
