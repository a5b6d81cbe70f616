// Unmodified clients on other origins sign in through the page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { canister, page, providers, story, whoami, world } from "./setup.mjs";
import { principalOf } from "./canister.mjs";
import * as s from "./steps.mjs";

for (const client of ["classic", "icrc"]) {
  const options = { identityProvider: providers[client] };

  test(`${client}: who has no anchor registers in the same window and is signed in`, () => story(1, async (p) => {
    await s.registerFrom(p, client);
  }));

  test(`${client}: a passkey without a number, then the anchor used last`, () => story(1, async (p) => {
    const account = await p.open(page);
    await s.register(account);
    await account.evaluate(() => localStorage.clear());
    const app = await p.open(world.apps.origin(client));
    let popup = await s.startSignIn(p, app, options);
    assert.equal(await popup.locator("[data-anchor]").count(), 0);
    await popup.click("#passkey");
    const first = await s.outcome(app);
    assert.equal(await whoami(app), first);
    popup = await s.startSignIn(p, app, options);
    await popup.click("[data-anchor]");
    assert.equal(await s.outcome(app), first);
  }));

  test(`${client}: the phrase on paper alone`, () => story(2, async (owner, later) => {
    const account = await owner.open(page);
    await s.register(account);
    const words = await s.makePhrase(account);
    const app = await later.open(world.apps.origin(client));
    const popup = await s.startSignIn(later, app, options);
    await popup.click("summary");
    await popup.click("#phrase");
    await s.pastePhrase(popup, "main", `10000 ${words.join(",\n").toUpperCase()}`);
    await popup.click("main form button.primary");
    const principal = await s.outcome(app);
    assert.equal(await whoami(app), principal);
    assert.equal(later.credentials.size, 0);
  }));

  test(`${client}: refusing is told`, () => story(1, async (p) => {
    const app = await p.open(world.apps.origin(client));
    const popup = await s.startSignIn(p, app, options);
    await popup.click("#refuse");
    const failure = await s.outcome(app);
    assert.match(failure.message, /user refused/i);
    if (client === "icrc") assert.equal(failure.code, 3001);
  }));

  test(`${client}: a closed window is told`, () => story(1, async (p) => {
    const app = await p.open(world.apps.origin(client));
    const popup = await s.startSignIn(p, app, options);
    await popup.close();
    const failure = await s.outcome(app);
    assert.match(failure.message, client === "icrc" ? /Channel was closed/ : /UserInterrupt/);
  }));

  test(`${client}: reading for ten seconds loses nothing`, () => story(1, async (p) => {
    const app = await p.open(world.apps.origin(client));
    const popup = await s.startSignIn(p, app, options);
    await popup.waitForTimeout(10_000);
    await s.register(popup);
    await popup.click("#skip-phrase");
    await popup.click("#unprotected");
    const principal = await s.outcome(app);
    assert.equal(await whoami(app), principal);
  }));

  test(`${client}: lengths are shortened, and shown before they begin`, () => story(2, async (p, elsewhere) => {
    const account = await p.open(page);
    await s.register(account);
    const words = await s.makePhrase(account);
    await account.click("#continue");
    const app = await p.open(world.apps.origin(client));
    let popup = await s.startSignIn(p, app, { ...options, maxTimeToLive: `${400n * 86_400n * 1_000_000_000n}` });
    assert.match(await popup.innerText(".request"), /for 30 days/);
    await popup.click("[data-anchor]");
    await s.outcome(app);

    // The anchor gets a limit of which this browser has not heard.
    const other = await elsewhere.open(page);
    await other.click("summary");
    await other.click("#phrase");
    await s.typePhrase(other, "main", words);
    await other.click("main form button.primary");
    await other.click("#change-limit");
    await other.selectOption("#limit", "3600");
    await other.click("#set-limit");
    await other.waitForSelector(".result .note");

    popup = await s.startSignIn(p, app, options);
    await popup.click("[data-anchor]");
    await popup.waitForSelector("#continue");
    assert.match(await popup.innerText("main"), /lasts (59 minutes|1 hour)[^.]* instead of 8 hours/);
    await popup.click("#continue");
    await s.outcome(app);
    popup = await s.startSignIn(p, app, options);
    assert.match(await popup.innerText(".request"), /for (59 minutes|1 hour)/);
  }));
}

test("a session that would be longer than was shown is shown before it begins", () => story(1, async (p) => {
  const short = await s.settle(p, page);
  await short.account.click("#change-limit");
  await short.account.selectOption("#limit", "900");
  await short.account.click("#set-limit");
  await s.signAsPhrase(short.account, short.words);
  await short.account.waitForSelector(".result .note");
  await short.account.click("#sign-out");
  const long = await s.register(short.account);
  await short.account.click("#skip-phrase");
  await short.account.click("#unprotected");
  await short.account.waitForSelector("#report");
  await short.account.click("#sign-out");
  await short.account.click(`[data-anchor="${short.anchor}"]`);
  await short.account.waitForSelector("#report");

  const app = await p.open(world.apps.origin("classic"));
  const options = { identityProvider: providers.classic };
  let popup = await s.startSignIn(p, app, options);
  assert.match(await popup.innerText(".request"), /for 15 minutes/);
  // The other anchor's own length stands on its button.
  assert.match(await popup.innerText(`[data-anchor="${long}"]`), /for 8 hours/);
  // Whoever pressed that in vain and goes on in another way is asked all the same.
  const down = (url) => url.href.startsWith(page) && url.pathname.startsWith("/api/");
  await p.context.route(down, (route) => route.abort());
  await popup.click(`[data-anchor="${long}"]`);
  await popup.waitForSelector(".note.error");
  await p.context.unroute(down);
  p.takeProblems(); // the browser logs what was aborted
  await popup.fill("input[name=anchor]", long);
  await popup.press("input[name=anchor]", "Enter");
  await popup.waitForSelector("#continue");
  assert.match(await popup.innerText("main"), /lasts (8 hours|7 hours, 59 minutes), not 15 minutes as was shown/);
  await popup.click("#continue");
  await s.outcome(app);
  popup = await s.startSignIn(p, app, options);
  await popup.click(`[data-anchor="${short.anchor}"]`);
  await s.outcome(app);
}));

test("what is pending is looked for once a day, and a look that fails holds nobody up", () => story(1, async (p) => {
  const account = await p.open(page);
  await s.register(account);
  const app = await p.open(world.apps.origin("classic"));
  let looks = 0, answers = true;
  await p.context.route((url) => url.href.startsWith(page) && url.pathname.endsWith("/call"), (route) => {
    const look = route.request().postDataBuffer().includes("get_anchor_info");
    if (look) looks++;
    return look && !answers ? route.abort() : route.continue();
  });
  const signIn = async () => {
    const popup = await s.startSignIn(p, app, { identityProvider: providers.classic });
    await popup.click("[data-anchor]");
    await s.outcome(app);
    return looks;
  };
  assert.equal(await signIn(), 1);
  assert.equal(await signIn(), 1);
  await account.evaluate((day) => {
    const [known] = JSON.parse(localStorage.getItem("kedge.anchors"));
    localStorage.setItem("kedge.anchors", JSON.stringify([{ ...known, checked: known.checked - day }]));
  }, 86_400_000);
  answers = false;
  const failed = await signIn();
  assert.ok(failed > 1);
  answers = true;
  assert.equal(await signIn(), failed + 1); // it is not taken for one that found nothing
  assert.equal(await signIn(), failed + 1);
  p.takeProblems(); // the browser logs what was aborted
}));

test("a derivation origin is used if its canister lists the application", () => story(1, async (p) => {
  const { apps } = world;
  const derivation = `http://${canister}.localhost:${apps.port}`;
  const list = (body, more) => { apps.files["localhost/.well-known/ii-alternative-origins"] = { headers: { "content-type": "application/json" }, body: JSON.stringify(body), ...more }; };
  const app = await p.open(apps.origin("classic"));
  const attempt = async () => s.startSignIn(p, app, { identityProvider: providers.classic, derivationOrigin: derivation });

  list({ alternativeOrigins: [apps.origin("classic")] });
  let popup = await attempt();
  assert.match(await popup.innerText(".request"), new RegExp(`under the names that you have at http://${canister}`));
  const anchor = await s.register(popup);
  const words = await s.makePhrase(popup);
  await popup.click("#continue");
  assert.equal(await s.outcome(app), await principalOf(words, anchor, derivation));

  for (const [body, more, said] of [
    [{ alternativeOrigins: ["https://other.example"] }, {}, /does not list it/],
    [{ alternativeOrigins: Array(11).fill(apps.origin("classic")) }, {}, /more than ten/],
    [{ alternativeOrigins: "x" }, {}, /does not have the form/],
    [{}, { status: 404 }, /does not exist/],
    [{}, { status: 301, headers: { location: "/" } }, /cannot be reached/],
  ]) {
    list(body, more);
    popup = await attempt();
    await popup.click("[data-anchor]");
    await popup.click("#return");
    assert.match((await s.outcome(app)).message, said);
  }
  p.takeProblems(); // the browser logs what could not be fetched
}));
