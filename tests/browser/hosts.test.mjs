// Where passkeys do not work, and where the browser offers them by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { canister, network, page, story, world } from "./setup.mjs";
import { as, phraseIdentity } from "./canister.mjs";
import * as s from "./steps.mjs";

const { port } = new URL(network);
const raw = `http://${canister}.raw.localhost:${port}/`;

test("on a raw host nobody can sign in, and both the person and the application are told why", () => story(1, async (p) => {
  const view = await p.open(raw);
  await view.getByText("not vouched for by the network").waitFor();
  assert.equal(await view.locator("#passkey, input").count(), 0);
  assert.equal(await view.locator("main a").getAttribute("href"), page);
  const app = await p.open(world.apps.origin("classic"));
  await app.waitForFunction(() => window.loaded);
  await app.evaluate((identityProvider) => {
    window.options = { identityProvider };
    window.result = window.failure = undefined;
  }, raw);
  // The page refuses at once, and the client closes the window: it may be gone before an authenticator could be given to it.
  await app.click("#go");
  assert.match((await s.outcome(app)).message ?? JSON.stringify(await s.outcome(app)), /raw/);
}));

test("a passkey whose relying party is another domain is explained", () => story(1, async (p) => {
  const account = await p.open(page);
  const anchor = await s.register(account);
  const words = await s.makePhrase(account);
  await account.click("#continue");
  await account.waitForSelector("#report");
  // An anchor that came from another address: its only passkey was made there.
  const canisterOf = await as(phraseIdentity(words));
  const [mine] = (await canisterOf.lookup(BigInt(anchor))).filter((d) => d.credential_id.length > 0);
  await canisterOf.moved(BigInt(anchor), mine);
  await account.evaluate(() => localStorage.clear());
  await account.goto(page);
  await account.fill("input[name=anchor]", anchor);
  await account.press("input[name=anchor]", "Enter");
  const told = account.locator(".note.error", { hasText: "belong to id.elsewhere.example" });
  await told.waitFor();
  assert.match(await told.innerText(), /work only at the address for which they were made/);
  p.takeProblems(); // the browser says it in its console, too
}));

test("the browser offers passkeys in the input field, and whoever takes the offer is signed in", () => story(1, async (p) => {
  const account = await p.open(page);
  await account.waitForSelector("#register");
  await s.register(account);
  await account.evaluate(() => localStorage.clear());
  // The virtual authenticator takes the offer at once.
  await account.goto(page);
  await account.waitForSelector("#report");
  assert.match(await account.innerText("h1"), /^Anchor \d+$/);
}, { offers: true }));
