// The account page: devices, protection, guard, sessions, release, history, another browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { as, phraseIdentity } from "./canister.mjs";
import { page, story } from "./setup.mjs";
import * as s from "./steps.mjs";
import { settle, signAsPhrase } from "./steps.mjs";

// assertNoPhrase looks for two words of the phrase in a row: single ones occur in any prose.
function assertNoPhrase(text, words) {
  for (let i = 0; i + 1 < words.length; i++) assert.doesNotMatch(text, new RegExp(`\\b${words[i]}\\W{1,4}${words[i + 1]}\\b`, "i"));
}

const card = (account, name) => account.locator(".card[data-device]", { hasText: name });

// act opens a device's menu and presses a button there.
async function act(account, name, label) {
  const c = card(account, name).first();
  if (!(await c.locator("details[open]").count())) await c.locator("summary").click();
  await c.getByRole("button", { name: label, exact: true }).click();
}

// result waits until the page says how an act ended.
const result = (account, text) => account.locator(".result .note", { hasText: text }).waitFor();
// says waits until the dialog in front says something.
const says = (account, text) => account.locator("dialog").last().getByText(text).first().waitFor();

test("register, protect, be refused, remove by itself", () => story(1, async (p) => {
  const { account, anchor, words } = await settle(p, page);
  assert.match(await account.innerText(".report"), /has a protected device/);
  // The passkey cannot remove the protected phrase; the page says who can, and the phrase can.
  await act(account, "Recovery phrase", "Remove");
  assert.match(await account.innerText("dialog"), /last protected device/);
  assert.match(await account.innerText("dialog code"), /^[a-z0-9-]{63}$/, "the whole key is shown");
  await account.click("#confirm");
  await says(account, /only it can do this itself/);
  await signAsPhrase(account, words);
  await result(account, /Recovery phrase is removed/);
  assert.equal(await card(account, "Recovery phrase").count(), 0);
  assert.match(await account.innerText(".report"), /whoever comes first/);
  const devices = await (await as(phraseIdentity(words))).lookup(BigInt(anchor));
  assert.equal(devices.length, 1);
}));

test("a wrong phrase does not sign, and the words stay out of what is said", () => story(1, async (p) => {
  const { account, words } = await settle(p, page);
  await account.click("#guard");
  await account.click("#confirm");
  await account.click("[data-signer=phrase]");
  const wrong = [...words.slice(0, 23), "zzzz"];
  await s.typePhrase(account, "dialog:last-of-type", wrong);
  await account.locator("dialog form button.primary").last().click();
  await says(account, /Word 24 is not in the list/);
  const swapped = [words[1], words[0], ...words.slice(2)];
  await s.pastePhrase(account, "dialog:last-of-type", swapped.join(" "));
  await account.locator("dialog form button.primary").last().click();
  if (words[0] !== words[1]) await says(account, /together they are no phrase|not that of this anchor/);
  assertNoPhrase(await account.locator("dialog").last().innerText(), words);
}));

test("guard, session limit and the demand for device-bound passkeys", () => story(1, async (p) => {
  const { account, anchor, words } = await settle(p, page);
  await account.click("#guard");
  await account.click("#confirm");
  await signAsPhrase(account, words);
  await result(account, /guard is on/);
  assert.deepEqual((await (await as(phraseIdentity(words))).get_anchor_info(BigInt(anchor))).guard, [true]);
  // While it is on, adding needs the protected device; turning back leaves nothing behind.
  await account.click("#add-passkey");
  await account.click("#named");
  await account.waitForSelector("[data-signer=phrase]");
  await says(account, /protected device must do this/);
  await account.locator("dialog").last().getByRole("button", { name: "Cancel" }).click();
  await account.locator("dialog").last().getByRole("button", { name: "Cancel" }).click();
  await account.click("#bound");
  await account.click("#confirm");
  await signAsPhrase(account, words);
  await result(account, /bound to their device/);
  await account.click("#change-limit");
  await account.selectOption("#limit", "900");
  await account.click("#set-limit");
  await signAsPhrase(account, words);
  await result(account, /at most 15 minutes/);
}));

test("rename, show what kind it is, protect the passkey, replace", () => story(1, async (p) => {
  const { account, words } = await settle(p, page);
  await act(account, "this one", "Rename");
  await account.fill("dialog input", "Laptop\u202e");
  await account.click("#named");
  await result(account, /is called/);
  assert.equal(await card(account, "Laptop\\u{202e}").count(), 1, "what cannot be seen is escaped");
  await act(account, "this one", "Show what kind it is");
  await result(account, /bound to its device/);
  await act(account, "this one", "Protect");
  assert.match(await account.innerText("dialog"), /a name can be chosen by anybody/i);
  await account.click("#confirm");
  await signAsPhrase(account, words);
  await result(account, /is protected/);
  assert.match(await card(account, "this one").innerText(), /Passkey bound to its device/);
}));

test("a name on the screen is not a key: the planted device is told apart", () => story(1, async (p) => {
  const { account, anchor, words } = await settle(p, page);
  // A thief at the unlocked laptop adds a key under the name of the phrase.
  const thief = (await import("@icp-sdk/core/identity")).Ed25519KeyIdentity.generate();
  await (await as(phraseIdentity(words))).add(BigInt(anchor), {
    pubkey: new Uint8Array(thief.getPublicKey().toDer()), alias: "Recovery phrase", credential_id: [], purpose: { authentication: null }, key_type: { unknown: null }, protection: { unprotected: null },
  });
  await account.click("#sign-out");
  await account.click("[data-anchor]");
  await account.waitForSelector("#report");
  const planted = account.locator(".card[data-device]:not(.protected)", { hasText: "Recovery phrase" });
  await planted.locator("summary").click();
  await planted.getByRole("button", { name: "Protect" }).click();
  const shown = await account.innerText("dialog");
  assert.match(shown, new RegExp(thief.getPrincipal().toText()));
  assert.match(shown, /Added by\s+Recovery phrase \([a-z0-9-]{11}…/);
  assert.match(shown, /Last used\s+never/);
  await account.click("#turn-back");
  await account.locator("dialog").waitFor({ state: "detached" });
}));

test("a release is agreed to, asked for and refused", () => story(1, async (p) => {
  const { account, words } = await settle(p, page);
  await act(account, "Recovery phrase", "Agree to a timed release");
  await account.locator("dialog input[type=checkbox]").check();
  await account.click("#consent-release");
  await signAsPhrase(account, words);
  await result(account, /agreed to/);
  await act(account, "Recovery phrase", "Ask for its release");
  await account.click("#confirm");
  await result(account, /asked for/);
  // It is shown before anything else, and can be refused by the protected device.
  const first = account.locator(".account > *").first();
  assert.match(await first.innerText(), /A release is pending[^]*In 30 days/);
  await account.click("[data-veto]");
  await account.click("#confirm");
  await signAsPhrase(account, words);
  await result(account, /refused/);
  assert.equal(await account.getByText("A release is pending").count(), 0);
  await account.locator("#history ~ details summary").click();
  assert.match(await account.innerText(".history"), /release refused[^]*release asked for[^]*release agreed to[^]*registered/);
}));

test("another browser joins through registration mode", () => story(2, async (old, fresh) => {
  const { account, anchor } = await settle(old, page);
  await account.click("#add-browser");
  const address = await account.innerText("#pair-address");
  assert.ok(address.endsWith(`/#pair=${anchor}`), "the number is in the fragment, which gateways do not see");
  const joining = await fresh.open(address);
  await joining.click("#join");
  await joining.waitForSelector("#code");
  const code = await joining.innerText("#code");
  assert.match(code, /^\d{6}$/);
  const other = await joining.evaluate(() => document.title);
  assert.match(other, /code/);
  await account.waitForSelector("#pair-code");
  for (const slip of ["", " 12", "abcdef"]) {
    await account.fill("#pair-code", slip);
    await account.click("#verify");
    await account.getByText("Type the six digits").waitFor(); // and no try is lost
    await account.fill("#pair-code", "");
    await account.evaluate(() => document.querySelector(".note.error").remove());
  }
  await account.fill("#pair-code", code === "000000" ? "000001" : "000000");
  await account.click("#verify");
  await account.getByText("Wrong code. 2 more tries.").waitFor();
  await account.fill("#pair-code", code);
  await account.click("#verify");
  await result(account, /is added/);
  await joining.click("#continue");
  await joining.click("[data-anchor]");
  await joining.waitForSelector("#report");
  assert.match(await joining.innerText("#devices"), /\(3\)/);
  assert.equal(fresh.credentials.size, 1);
}));

// Methods of the classic interface refuse by a text, which is the canister's and English.
test("a refusal of a classic method is in the reader's language", () => story(1, async (p) => {
  const { account, anchor, words } = await settle(p, page);
  const canister = await as(phraseIdentity(words)), number = BigInt(anchor), pubkey = Buffer.from("302a300506032b6570032100" + "07".repeat(32), "hex");
  await canister.add(number, { pubkey, alias: "soon gone", credential_id: [], purpose: { authentication: null }, key_type: { unknown: null }, protection: { unprotected: null } });
  await account.selectOption("header select", "de");
  await account.waitForFunction(() => document.documentElement.lang === "de");
  await card(account, "soon gone").waitFor();
  await canister.remove(number, pubkey);
  await act(account, "soon gone", "Umbenennen");
  await account.click("#named");
  await says(account, "Dieses Gerät hat der Anker nicht mehr. Öffnen Sie die Kontoseite neu.");
}));

test("a removed passkey is dropped by its manager", () => story(1, async (p) => {
  const { account } = await settle(p, page);
  await account.click("#add-passkey"); // the same authenticator has one already
  await account.click("#named");
  await account.getByText("already has a passkey of your anchor").waitFor();
  await account.locator("dialog").getByRole("button", { name: "Cancel" }).click();
  assert.equal(p.credentials.size, 1);
  await act(account, "this one", "Remove");
  assert.match(await account.innerText("dialog"), /last device for every day/);
  await account.click("#confirm");
  await account.waitForSelector("#passkey"); // signed out
  assert.equal(p.credentials.size, 0);
}));

test("a device that was planted with the credential id of another anchor takes no passkey with it when it is removed", () => story(1, async (p) => {
  const { anchor, words } = await settle(p, page);
  const had = new Set(p.credentials.keys());
  await settle(p, page); // the person has two anchors
  const [other] = [...p.credentials.keys()].filter((id) => !had.has(id));
  const account = await p.open(page); // whose authenticator has both passkeys
  await account.click(`[data-anchor="${anchor}"]`);
  await account.waitForSelector("#report");
  const jwk = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"])).publicKey;
  const { x, y } = await crypto.subtle.exportKey("jwk", jwk);
  const bytes = (text) => Buffer.from(text, "base64url");
  const cose = Buffer.concat([Buffer.from("305e300c060a2b0601040183b8430101034e00a5010203262001215820", "hex"), bytes(x), Buffer.from("225820", "hex"), bytes(y)]);
  // A thief at the unlocked laptop; anybody can look the id up.
  await (await as(phraseIdentity(words))).add(BigInt(anchor), {
    pubkey: cose, alias: "Planted", credential_id: [Buffer.from(other, "base64")], purpose: { authentication: null }, key_type: { unknown: null }, protection: { unprotected: null },
  });
  await act(account, "this one", "Rename"); // what was done elsewhere is read after it
  await account.fill("dialog input", "Laptop");
  await account.click("#named");
  await result(account, /is called/);
  await act(account, "Planted", "Remove");
  await account.click("#confirm");
  await result(account, /is removed/);
  assert.ok(p.credentials.has(other), "the passkey of the other anchor is still there");
  assert.equal(p.credentials.size, 2);
}));

test("the recovery sheet has no words on it", () => story(1, async (p) => {
  const { account, anchor, words } = await settle(p, page);
  await account.getByRole("button", { name: "Recovery sheet" }).click();
  const text = await account.innerText("main");
  assert.match(text, new RegExp(`${anchor}[^]*cai`));
  assert.deepEqual(text.match(/https?:\/\/\S+/g), [new URL(page).origin], "on this machine the page is served nowhere else");
  assertNoPhrase(text, words);
}));

test("nothing of a phrase is left in the browser", () => story(1, async (p) => {
  const { account, words } = await settle(p, page);
  assertNoPhrase(await account.evaluate(() => [JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state]), document.documentElement.textContent,
    [...document.querySelectorAll("input")].map((i) => i.value).join(" ")].join("|")), words);
  assert.deepEqual(await account.evaluate(async () => [(await indexedDB.databases()).length, (await caches.keys()).length, document.cookie]), [0, 0, ""]);
}));
