// The same page in Firefox: passkeys, phrases, both unmodified clients, languages, and what its policy forbids.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect } from "node:util";
import { Firefox, FirefoxPerson } from "./firefox.mjs";
import { as, phraseIdentity } from "./canister.mjs";
import { arrive, page, providers, told, whoami, world } from "./setup.mjs";
import { until } from "./until.mjs";
import * as s from "./steps.mjs";

let firefox;
before(async () => { firefox = await Firefox.launch(); });
after(() => firefox?.close());

// story is one person's; a soft token belongs to the whole browser, so there is never a second.
// The ICRC client gives up where the page does not answer its heartbeat for two seconds, which can pass on a machine
// that also runs other tests; then the story is played once more.
const story = async (run, options) => {
  const play = async () => told([await FirefoxPerson.arrive(firefox, options)], run);
  try {
    await play();
  } catch (error) {
    if (!inspect(error).includes("Channel was closed before a response was received")) throw error;
    console.log("the client's heartbeat went unanswered for two seconds: played once more");
    await play();
  }
};

test("register with a passkey, come back with it to an empty browser, change something", () => story(async (p) => {
  const { account, anchor } = await s.settle(p, page);
  assert.match(await account.innerText(".report"), /has a protected device/);
  assert.equal(await p.credentials(), 1);
  await account.click("#sign-out");
  await account.waitForSelector("[data-anchor]");
  await account.evaluate(() => localStorage.clear());
  await account.goto(page);
  await account.click("#passkey");
  await account.waitForSelector("#report");
  assert.equal(await account.innerText("h1"), `Anchor ${anchor}`);
  // The same authenticator has a passkey already, and the browser says so.
  await account.click("#add-passkey");
  await account.click("#named");
  await account.waitForFunction(() => /already has a passkey of your anchor/.test(document.body.innerText));
  assert.equal(await p.credentials(), 1);
}));

for (const client of ["classic", "icrc"]) {
  const options = { identityProvider: providers[client] };

  test(`${client}: register in the application's window, then sign in with the passkey`, () => story(async (p) => {
    const { app, principal } = await s.registerFrom(p, client);
    let popup = await s.startSignIn(p, app, options);
    await popup.click("#passkey");
    assert.equal(await s.outcome(app), principal);
    popup = await s.startSignIn(p, app, options);
    await popup.click("[data-anchor]");
    assert.equal(await s.outcome(app), principal);
    assert.equal(await whoami(app), principal);
  }));

  test(`${client}: the phrase on paper alone, in a browser without passkeys`, async () => {
    let words;
    await story(async (owner) => { ({ words } = await s.settle(owner, page)); });
    await story(async (p) => {
      const app = await p.open(world.apps.origin(client));
      let popup = await s.startSignIn(p, app, options);
      await popup.click("#passkey"); // the browser has none, and the page says how to go on
      await popup.waitForSelector(".note.error");
      await popup.click("summary");
      await popup.click("#phrase");
      await popup.paste("main input.word", words.join(" "));
      await popup.click("main form button.primary");
      const principal = await s.outcome(app);
      assert.equal(await whoami(app), principal);
      popup = await s.startSignIn(p, app, options);
      await popup.click("#refuse");
      assert.match((await s.outcome(app)).message, /user refused/i);
    }, { passkeys: false });
  });
}

test("a new Firefox joins by the code that it shows, and has a passkey of its own", async () => {
  const [old, fresh] = [await arrive(), await FirefoxPerson.arrive(firefox)];
  await told([old, fresh], async () => {
    const { account } = await s.settle(old, page);
    await account.click("#add-browser");
    const joining = await fresh.open(await account.innerText("#pair-address"));
    await joining.click("#join");
    const code = await joining.innerText("#code");
    assert.match(code, /^\d{6}$/);
    await account.fill("#pair-code", code);
    await account.click("#verify");
    await account.locator(".result .note", { hasText: /is added/ }).waitFor();
    await joining.click("#continue");
    await joining.click("[data-anchor]");
    await joining.waitForSelector("#report");
    assert.match(await joining.innerText("#devices"), /\(3\)/);
    assert.equal(await fresh.credentials(), 1);
  });
});

test("what needs the protected device is signed by the phrase", () => story(async (p) => {
  const { account, anchor, words } = await s.settle(p, page);
  await account.click("#guard");
  await account.click("#confirm");
  await s.signAsPhrase(account, words);
  await account.waitForFunction(() => /guard is on/.test(document.querySelector(".result .note")?.innerText));
  assert.deepEqual((await (await as(phraseIdentity(words))).get_anchor_info(BigInt(anchor))).guard, [true]);
}));

test("German where the browser asks for it", () => story(async (p) => {
  const start = await p.open(page);
  await start.waitForSelector("#passkey");
  assert.deepEqual(await start.evaluate(() => [navigator.language, document.documentElement.lang]), ["de-DE", "de"]);
  await start.click("summary");
  await start.click("#phrase");
  assert.equal(await start.evaluate(() => /Wiederherstellungsphrase/.test(document.body.innerText)), true);
}, { language: "de-DE, en" }));

test("the policy forbids what is written into the page, and these stories would notice", () => story(async (p) => {
  const start = await p.open(page);
  await start.waitForSelector("#passkey");
  assert.deepEqual(p.takeProblems(), []);
  await start.evaluate(() => {
    const script = document.createElement("script");
    try { script.textContent = "window.injected = true"; } catch { /* trusted types */ }
    document.body.append(script);
    const style = document.createElement("style");
    style.textContent = "body { opacity: 0.5 }";
    document.head.append(style);
  });
  await until(() => p.problems.some((text) => text.startsWith("console: CSP: style-src")), "the browser to tell of the style");
  assert.deepEqual(await start.evaluate(() => [window.injected, getComputedStyle(document.body).opacity]), [undefined, "1"]);
  p.takeProblems();
}));
