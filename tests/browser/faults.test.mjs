// What goes wrong between the page and the canister.
import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { control, network, page, providers, story, whoami, world } from "./setup.mjs";
import { until } from "./until.mjs";
import * as s from "./steps.mjs";

// forward makes a request for the browser; Node does not resolve names under localhost.
function forward(route) {
  const r = route.request(), url = new URL(r.url());
  return new Promise((done, fail) => {
    const out = request(`${network}${url.pathname}${url.search}`, { method: r.method(), headers: { ...r.headers(), host: url.host } }, (answer) => {
      const parts = [];
      answer.on("data", (c) => parts.push(c));
      answer.on("end", () => done({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }));
    });
    out.on("error", fail);
    out.end(r.postDataBuffer() ?? undefined);
  });
}

// signature is what comes before the 48 bytes of the network's signature in a certificate.
const signature = Buffer.from("\x69signature\x58\x30", "latin1");
// keys are what comes before the bytes of a session key in DER: Ed25519, and P-256.
const keys = ["302a300506032b6570032100", "3059301306072a8648ce3d020106082a8648ce3d03010703420004"].map((text) => Buffer.from(text, "hex"));

for (const client of ["classic", "icrc"]) {
  test(`${client}: a slow network keeps the sign-in alive`, () => story(1, async (p) => {
    const app = await p.open(world.apps.origin(client));
    const slow = { calls: 0, files: 0 };
    await p.context.route((url) => url.href.startsWith(page), async (route) => {
      const call = new URL(route.request().url()).pathname.startsWith("/api/");
      slow[call ? "calls" : "files"]++;
      await new Promise((done) => setTimeout(done, call ? 2500 : 1000));
      await route.continue().catch(() => undefined);
    });
    const popup = await s.startSignIn(p, app, { identityProvider: providers[client] });
    await s.register(popup);
    await popup.click("#skip-phrase");
    await popup.click("#unprotected");
    const principal = await s.outcome(app);
    assert.equal(await whoami(app), principal);
    assert.ok(slow.calls > 2 && slow.files > 2, JSON.stringify(slow));
  }));
}

test("a canister that is stopped is said to be, and nothing is lost", () => story(1, async (p) => {
  const account = await p.open(page);
  await s.register(account);
  await control("stop");
  try {
    assert.ok((await account.reload()).status() >= 500);
  } finally {
    await control("start");
  }
  p.takeProblems(); // the page itself comes from the canister

  await account.goto(page);
  await account.waitForSelector("[data-anchor]");
  await control("stop");
  try {
    await account.click("[data-anchor]");
    await account.getByText(/stopped or cannot run/).waitFor();
  } finally {
    await control("start");
  }
  await account.click("[data-anchor]");
  await account.waitForSelector("#report");
}));

for (const client of ["classic", "icrc"]) {
  test(`${client}: a canister that stops while somebody signs in leaves the request open until it runs again`, () => story(1, async (p) => {
    const account = await p.open(page);
    await s.register(account);
    const app = await p.open(world.apps.origin(client));
    const popup = await s.startSignIn(p, app, { identityProvider: providers[client] });
    await control("stop");
    try {
      await popup.click("[data-anchor]");
      await popup.getByText(/stopped or cannot run/).waitFor();
      assert.deepEqual(await app.evaluate(() => [window.result, window.failure]), [undefined, undefined]);
    } finally {
      await control("start");
    }
    await popup.click("[data-anchor]");
    assert.equal(await s.outcome(app), await whoami(app));
  }));
}

test("an answer that was changed on the way is refused", () => story(1, async (p) => {
  const account = await p.open(page);
  await s.register(account);
  await p.context.route("**/api/v3/canister/*/call", async (route) => {
    const answer = await forward(route);
    // The reply is inside the certificate: one letter of a device's name is another.
    const at = answer.body.indexOf("Chrome, Linux");
    assert.ok(at > 0);
    answer.body[at] = "X".charCodeAt(0);
    await route.fulfill(answer);
  });
  await account.goto(page);
  await account.click("[data-anchor]");
  await account.getByText(/not signed by the network/).waitFor();
  assert.doesNotMatch(await account.innerText("body"), /Xhrome/);
}));

test("an answer from another time is refused", () => story(1, async (p) => {
  const account = await p.open(page);
  await s.register(account);
  let first, replayed = 0, refetched = 0;
  await p.context.route("**/api/v3/canister/*/call", async (route) => {
    const answer = await forward(route);
    first ??= answer; // the certified answer to an earlier call of the same method
    replayed++;
    await route.fulfill(first);
  });
  await p.context.route("**/read_state", (route) => { refetched++; return route.abort(); }); // and the right one cannot be fetched
  await account.goto(page);
  await account.click("[data-anchor]");
  await until(() => replayed > 1 && refetched > 2, "an answer of another call, and attempts to fetch the right one");
  assert.equal(await account.locator("#report").count(), 0, "the answer to one call is taken for that to another");
  p.takeProblems(); // the browser logs what was aborted
}));

test("a clock that is minutes wrong is learned from the network", () => story(1, async (p) => {
  await p.context.addInitScript(() => {
    const now = Date.now;
    Date.now = () => now() - 6 * 60_000;
  });
  const account = await p.open(page);
  await s.register(account);
  assert.match(p.takeProblems().join(), /400/, "the first call was refused because of the clock");
}));

// expiries are when the signed requests that have passed are valid until, in ms.
function expiries(bodies) {
  return bodies.filter((b) => b.includes("sender_sig")).map((b) => Number(b.readBigUInt64BE(b.indexOf("ingress_expiry") + "ingress_expiry".length + 1) / 1_000_000n));
}

test("a time that the network does not certify lets nobody have a request that is valid then", () => story(1, async (p) => {
  const account = await p.open(page);
  await s.register(account);
  const bodies = [], month = 30 * 86_400_000;
  await p.context.route("**/api/**", async (route) => {
    const body = route.request().postDataBuffer();
    if (body) bodies.push(body);
    const answer = await forward(route);
    if (route.request().url().endsWith("/api/v2/status")) answer.headers.date = new Date(Date.now() + month).toUTCString();
    if (route.request().url().endsWith("/call")) return route.fulfill({ status: 400, body: "Invalid request expiry" });
    return route.fulfill(answer);
  });
  await account.goto(page);
  await account.click("[data-anchor]");
  await account.locator(".note.error").first().waitFor();
  const found = expiries(bodies);
  assert.ok(found.length > 0, "a signed request was made");
  for (const at of found) assert.ok(at < Date.now() + 5 * 60_000, `valid until ${new Date(at)}`);
  p.takeProblems(); // the browser logs what was refused
}));

test("without a connection the page says so and goes on when it is back", () => story(1, async (p) => {
  const account = await p.open(page);
  await s.register(account);
  await account.goto(page);
  await account.waitForSelector("[data-anchor]");
  await p.context.setOffline(true);
  await account.click("[data-anchor]");
  await account.getByText("does not answer").waitFor();
  await p.context.setOffline(false);
  await account.click("[data-anchor]");
  await account.waitForSelector("#report");
  p.takeProblems(); // the browser logs what it could not fetch
}));

test("a signature that was changed on the way is refused", () => story(1, async (p) => {
  const account = await p.open(page);
  await s.register(account);
  await p.context.route("**/api/v3/canister/*/call", async (route) => {
    const answer = await forward(route);
    // What the network signed is as it was; one bit of its signature is another.
    const at = answer.body.indexOf(signature);
    assert.ok(at > 0);
    answer.body[at + signature.length + 20] ^= 1;
    await route.fulfill(answer);
  });
  await account.goto(page);
  await account.click("[data-anchor]");
  await account.getByText(/not signed by the network/).waitFor();
  assert.equal(await account.locator("#report").count(), 0);
}));

// Whatever a machine in between does with the query for the delegation, the application gets the right one or none.
for (const client of ["classic", "icrc"]) {
  test(`${client}: a delegation whose signature was changed on the way is not handed over`, () => story(1, async (p) => {
    const account = await p.open(page);
    await s.register(account);
    const app = await p.open(world.apps.origin(client));
    let popup = await s.startSignIn(p, app, { identityProvider: providers[client] });
    // What is changed: a bit of the network's signature, of what the network signed, and of the canister's own tree.
    const places = { signature: (body) => body.indexOf(signature) + signature.length + 20, certificate: (body) => body.indexOf("certified_data") + 20, tree: (body) => body.lastIndexOf(Buffer.of(0x58, 0x20)) + 10 };
    for (const [name, place] of Object.entries(places)) {
      let changed = 0;
      await p.context.route((url) => url.href.startsWith(page) && url.pathname.endsWith("/query"), async (route) => {
        const answer = await forward(route);
        if (answer.body.includes(signature)) {
          answer.body[place(answer.body)] ^= 1;
          changed++;
        }
        await route.fulfill(answer);
      });
      await popup.click("[data-anchor], main button.primary");
      await popup.getByText(/not signed by the network/).waitFor();
      assert.equal(changed, 1, name);
      assert.deepEqual(await app.evaluate(() => [window.result, window.failure]), [undefined, undefined], name);
      await p.context.unrouteAll();
    }
    await popup.click("main button.primary");
    const principal = await s.outcome(app);
    assert.equal(await whoami(app), principal);

    // Another session's key in the answer is not taken over: the signature is for the application's own.
    let changed = 0;
    await p.context.route((url) => url.href.startsWith(page) && url.pathname.endsWith("/query"), async (route) => {
      const answer = await forward(route);
      const key = answer.body.includes(signature) && keys.find((k) => answer.body.includes(k));
      if (key) {
        answer.body[answer.body.indexOf(key) + key.length + 5] ^= 1;
        changed++;
      }
      await route.fulfill(answer);
    });
    popup = await s.startSignIn(p, app, { identityProvider: providers[client] });
    await popup.click("[data-anchor]");
    assert.equal(await s.outcome(app), principal);
    assert.equal(changed, 1);
    assert.equal(await whoami(app), principal);
  }));
}
