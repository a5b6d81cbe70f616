// What people do on the page, step by step.
import assert from "node:assert/strict";
import { principalOf } from "./canister.mjs";
import { providers, whoami, world } from "./setup.mjs";

export const captcha = "a"; // the harness installs Kedge with this answer to every captcha, where it wants one

// register makes an anchor with a passkey; it ends on the view that offers a recovery phrase.
export async function register(page) {
  await page.click("#register");
  await page.click("#create");
  await page.waitForSelector("img[width], #make-phrase");
  const asked = await page.$("img[width]") !== null;
  assert.equal(asked, process.env.KEDGE_CAPTCHA === "true", "a captcha is asked for where the canister wants one");
  if (asked) {
    await page.fill("main input", captcha);
    await page.click("main form button.primary");
  }
  await page.waitForSelector("#make-phrase");
  return (await page.innerText("h1")).match(/\d+/)[0];
}

// makePhrase writes the words down, types them back, and returns them.
export async function makePhrase(page, button = "#make-phrase") {
  await page.click(button);
  await page.waitForSelector(".words.shown li");
  const words = await page.locator(".words.shown li").allInnerTexts();
  assert.equal(words.length, 24);
  await page.click("#written");
  await typePhrase(page, "main", words);
  await page.click("main form button.primary");
  return words;
}

// typePhrase types the first four letters of each word.
export async function typePhrase(page, within, words) {
  const inputs = page.locator(`${within} input.word`);
  for (let i = 0; i < words.length; i++) {
    await inputs.nth(i).focus();
    await page.keyboard.type(words[i].slice(0, 4));
  }
  await inputs.nth(words.length - 1).blur();
}

// pastePhrase pastes all words into the first field.
export async function pastePhrase(page, within, text) {
  await page.locator(`${within} input.word`).first().evaluate((input, text) => {
    const data = new DataTransfer();
    data.setData("text", text);
    input.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
}

// signInWith presses the button of an application and equips the provider's window.
export async function startSignIn(person, app, options) {
  await app.waitForFunction(() => window.loaded);
  // The client closes the window of the last time a moment after its answer.
  for (const page of person.context.pages()) if ((await page.opener()) === app && !page.isClosed()) await page.waitForEvent("close").catch(() => undefined);
  await app.evaluate((o) => {
    window.options = { ...o, ...(o.maxTimeToLive && { maxTimeToLive: BigInt(o.maxTimeToLive) }) };
    window.result = window.failure = undefined;
  }, options);
  const popup = await person.popup(app, () => app.click("#go"));
  await popup.waitForSelector(".request");
  return popup;
}

// outcome is what the client said in the end: a principal, or an error.
export async function outcome(app) {
  await app.waitForFunction(() => window.result !== undefined || window.failure !== undefined, undefined, { timeout: 60_000 });
  return app.evaluate(() => window.result ?? window.failure);
}

// settle registers an anchor with a protected phrase and opens its account page.
export async function settle(p, page) {
  const account = await p.open(page);
  const anchor = await register(account);
  const words = await makePhrase(account);
  await account.click("#continue");
  await account.waitForSelector("#report");
  return { account, anchor, words };
}

// sign signs as the phrase when the page asks who signs.
export async function signAsPhrase(account, words) {
  await account.click("[data-signer=phrase]");
  await typePhrase(account, "dialog:last-of-type", words);
  await account.locator("dialog form button.primary").last().click();
}

// registerFrom registers in the window of an application, which gets the owner's principal and closes it.
export async function registerFrom(person, client) {
  const app = await person.open(world.apps.origin(client));
  const popup = await startSignIn(person, app, { identityProvider: providers[client] });
  assert.match(await popup.innerText(".request"), new RegExp(`${client}\\.localhost:\\d+\\s+for 8 hours`));
  const anchor = await register(popup);
  const words = await makePhrase(popup);
  await popup.click("#continue");
  const principal = await outcome(app);
  assert.equal(await whoami(app), principal);
  assert.equal(principal, await principalOf(words, anchor, world.apps.origin(client)));
  if (!popup.isClosed()) await popup.waitForEvent("close"); // by the client
  return { app, principal };
}
