// What hostile or careless applications do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { page, providers, story, world } from "./setup.mjs";
import { until } from "./until.mjs";
import * as s from "./steps.mjs";

// openRaw opens the provider from a page that speaks by hand.
async function openRaw(p, url = providers.icrc, name = "raw") {
  const app = await p.open(world.apps.origin(name) + (name === "raw" ? "" : "/?app=raw"));
  await app.waitForFunction(() => window.loaded);
  await app.evaluate((u) => { window.beforeSignIn = () => openProvider(u); }, url);
  const popup = await p.popup(app, () => app.click("#go"));
  await app.waitForFunction(() => messages.some((m) => m.data.kind === "authorize-ready"));
  return { app, popup };
}

// send posts a message to the provider, and receive waits for the answer that a test picks out.
const send = (app, message) => app.evaluate((m) => provider.postMessage(m, "*"), message);
const receive = async (app, what, arg) => {
  await app.waitForFunction(what, arg, { timeout: 10_000 });
  return app.evaluate(what, arg);
};
const byId = (id) => [(id) => messages.find((m) => m.data.id === id)?.data, id];
const key = Buffer.from(`3059301306072a8648ce3d020106082a8648ce3d030107034200${"04".padEnd(130, "1")}`, "hex").toString("base64");
const delegation = (id, params = {}) => ({ jsonrpc: "2.0", id, method: "icrc34_delegation", params: { publicKey: key, maxTimeToLive: "3600000000000", ...params } });

test("every call is answered, those that nobody knows too", () => story(1, async (p) => {
  const { app } = await openRaw(p);
  for (const [id, method] of [["1", "icrc29_status"], [2, "icrc25_supported_standards"], ["3", "icrc25_permissions"], ["4", "icrc25_request_permissions"], ["5", "icrc27_accounts"], ["6", "icrc49_call_canister"], ["7", "ii-icrc3-attributes"], ["8", "nonsense"]]) {
    await send(app, { jsonrpc: "2.0", id, method, params: {} });
  }
  assert.deepEqual(await receive(app, ...byId("1")), { jsonrpc: "2.0", id: "1", result: "ready" });
  assert.deepEqual((await receive(app, ...byId(2))).result.supportedStandards.map((x) => x.name), ["ICRC-25", "ICRC-29", "ICRC-34", "ICRC-95"]);
  for (const id of ["3", "4"]) assert.deepEqual((await receive(app, ...byId(id))).result, { scopes: [{ scope: { method: "icrc34_delegation" }, state: "granted" }] });
  for (const id of ["5", "6", "7", "8"]) assert.equal((await receive(app, ...byId(id))).error.code, 2000);
  await send(app, { jsonrpc: "2.0", method: "icrc34_delegation", params: {} }); // a notification has no answer
  await send(app, delegation("9", { publicKey: "!!" }));
  assert.equal((await receive(app, ...byId("9"))).error.code, -32602);
  assert.equal(await app.evaluate(() => messages.filter((m) => m.data.id === undefined && m.data.jsonrpc).length), 0);
}));

for (const [what, params, said] of [
  ["no key", { publicKey: undefined }, /base64/], ["a key of 301 bytes", { publicKey: Buffer.alloc(301, 1).toString("base64") }, /1 to 300 bytes/], ["unpadded base64", { publicKey: "AAA" }, /base64/],
  ["a length of zero", { maxTimeToLive: "0" }, /maxTimeToLive/], ["a negative length", { maxTimeToLive: "-1" }, /maxTimeToLive/], ["half a nanosecond", { maxTimeToLive: "0.5" }, /maxTimeToLive/], ["a length in words", { maxTimeToLive: "long" }, /maxTimeToLive/],
  ["a derivation origin that is no text", { icrc95DerivationOrigin: 7 }, /derivation origin/],
]) {
  test(`refused: ${what}`, () => story(1, async (p) => {
    const { app } = await openRaw(p);
    await send(app, delegation("1", params));
    const { error } = await receive(app, ...byId("1"));
    assert.equal(error.code, -32602);
    assert.match(error.message, said);
  }));
}

test("a length of 2^64 is shortened", () => story(1, async (p) => {
  const { app, popup } = await openRaw(p);
  await send(app, delegation("1", { maxTimeToLive: (2n ** 64n).toString() }));
  await popup.waitForSelector(".request");
  assert.match(await popup.innerText(".request"), /30 days/);
  await s.register(popup);
  await popup.click("#skip-phrase");
  await popup.click("#unprotected");
  const { result } = await receive(app, ...byId("1"));
  const days = (Number(BigInt(result.signerDelegation[0].delegation.expiration) / 1_000_000n) - Date.now()) / 86_400_000;
  assert.ok(days > 29.9 && days <= 30, `${days}`);
  assert.ok(!("targets" in result.signerDelegation[0].delegation) && !("permissions" in result.signerDelegation[0].delegation));
}));

test("the classic answer has bigints and bytes; old forms of the request are understood", () => story(1, async (p) => {
  const { app, popup } = await openRaw(p, providers.classic + "#authorize");
  await app.evaluate((k) => provider.postMessage({ kind: "authorize-client", sessionPublicKey: k, maxTimeToLive: 3600000000000, somethingElse: "x" }, "*"), key);
  await popup.waitForSelector(".request");
  assert.match(await popup.innerText(".request"), /for 1 hour/);
  await s.register(popup);
  await popup.click("#skip-phrase");
  await popup.click("#unprotected");
  const what = () => { const m = messages.find((x) => x.data.kind === "authorize-client-success")?.data; return m && [typeof m.delegations[0].delegation.expiration, m.delegations[0].delegation.pubkey.constructor.name, m.userPublicKey.constructor.name, m.delegations[0].signature.constructor.name, m.authnMethod, Object.keys(m.delegations[0].delegation).join()]; };
  assert.deepEqual(await receive(app, what), ["bigint", "Uint8Array", "Uint8Array", "Uint8Array", "passkey", "pubkey,expiration"]);
}));

test("the origin is the browser's word, whatever a message says", () => story(1, async (p) => {
  const { app, popup } = await openRaw(p);
  await app.evaluate((m) => provider.postMessage({ ...m, origin: "https://bank.example" }, "*"), delegation("1", { origin: "https://bank.example" }));
  await popup.waitForSelector(".request");
  assert.match(await popup.innerText(".request"), /http:\/\/raw\.localhost/);
  assert.doesNotMatch(await popup.innerText("body"), /bank/);
}));

test("a window that did not open the page is not heard", () => story(1, async (p) => {
  const { app, popup } = await openRaw(p);
  // A frame of the application has its origin and the window, but is not the window's opener.
  await app.evaluate(() => {
    const frame = document.createElement("iframe");
    frame.src = "/?app=raw&frame";
    document.body.append(frame);
  });
  const frame = await until(() => app.frames().find((f) => f.url().endsWith("&frame")), "the frame");
  await frame.waitForFunction(() => window.loaded);
  await frame.evaluate((m) => parent.provider.postMessage(m, "*"), delegation("x"));
  await popup.evaluate((m) => postMessage(m, "*"), delegation("self")); // nor is the page itself
  // Messages arrive in their order: after one that is heard, the others would have been.
  await send(app, delegation("heard"));
  await popup.waitForSelector(".request");
  await popup.click("#refuse");
  assert.equal((await receive(app, ...byId("heard"))).error.code, 3001);
  assert.equal(await popup.locator(".request").count(), 0);
  assert.deepEqual(await app.evaluate(() => messages.filter((m) => ["x", "self"].includes(m.data.id))), []);
}));

test("requests of one application wait for each other; each is asked about", () => story(1, async (p) => {
  const { app, popup } = await openRaw(p);
  await send(app, delegation("1"));
  await send(app, delegation("2"));
  await popup.waitForSelector(".request");
  await s.register(popup);
  await popup.click("#skip-phrase");
  await popup.click("#unprotected");
  assert.ok((await receive(app, ...byId("1"))).result);
  assert.equal(await app.evaluate(() => messages.some((m) => m.data.id === "2")), false);
  await popup.click("#consent");
  assert.ok((await receive(app, ...byId("2"))).result);
}));

test("an opener that moves to another origin does not get what the first one asked for", () => story(1, async (p) => {
  const { app, popup } = await openRaw(p);
  await send(app, delegation("1"));
  await popup.waitForSelector(".request");
  // By itself: where somebody types another address, the browser parts the windows.
  await app.evaluate((url) => { location.href = url; }, `${world.apps.origin("thief")}/?app=raw`);
  await app.waitForURL(/thief/);
  await app.waitForFunction(() => window.loaded);
  await s.register(popup);
  await popup.click("#skip-phrase");
  await popup.click("#unprotected");
  await popup.getByText("has your session").waitFor(); // it was sent
  // Messages arrive in their order: before this one the answer would have come.
  await popup.evaluate(() => opener.postMessage("last", "*"));
  await app.waitForFunction(() => messages.length > 0);
  assert.deepEqual(await app.evaluate(() => messages.map((m) => m.data)), ["last"]);
  p.takeProblems(); // the browser says that the answer's target was not there
}));

test("an application without an origin is refused with the reason", () => story(1, async (p) => {
  const app = await p.open(`${world.apps.origin("raw")}`);
  await app.waitForFunction(() => window.loaded);
  await app.evaluate((url) => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts allow-popups allow-popups-to-escape-sandbox";
    frame.srcdoc = `<script>
      addEventListener("message", (e) => { if (e.data.kind === "authorize-ready") e.source.postMessage({ kind: "authorize-client", sessionPublicKey: new Uint8Array(44).fill(1) }, "*"); else if (e.data.kind) parent.postMessage(e.data, "*"); });
      onclick = () => open(${JSON.stringify(url)});
    </` + `script><button style="width:100px;height:100px">go</button>`;
    document.body.append(frame);
  }, providers.classic + "#authorize");
  const frame = app.frames().at(-1);
  await frame.waitForSelector("button");
  await p.popup(app, () => frame.click("button"));
  const what = () => messages.find((m) => m.data.kind === "authorize-client-failure")?.data.text;
  assert.match(await receive(app, what), /no web origin/);
}));

test("the page cannot be framed", () => story(1, async (p) => {
  const app = await p.open(world.apps.origin("raw"));
  await app.evaluate((u) => { const f = document.createElement("iframe"); f.src = u; document.body.append(f); }, page);
  await until(() => app.frames().at(-1).url().startsWith("chrome-error:"), "the browser to refuse the frame");
  p.takeProblems();
}));

test("opened by nobody, the page says so and is of use all the same", () => story(1, async (p) => {
  const alone = await p.open(providers.classic + "#authorize");
  await alone.getByText("No application opened this window").waitFor();
  await s.register(alone);
}));
