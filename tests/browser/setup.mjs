// What every browser test shares: the network, the provider's page and a browser. The Go test starts all of it and
// passes the addresses on; see browser_test.go.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { serveApps } from "./apps.mjs";
import { launch, Person } from "./driver.mjs";

export const network = process.env.KEDGE_URL; // http://127.0.0.1:PORT
export const canister = process.env.KEDGE_CANISTER;
const { port } = new URL(network);
export const page = `http://${canister}.localhost:${port}/`;
export const providers = { classic: page, icrc: `${page}authorize` };
// control has the network do what only its operator can: stop, start, pass?days=N.
export const control = async (what) => assert.equal((await fetch(`${process.env.KEDGE_CONTROL}/${what}`, { method: "POST" })).status, 200);

export const world = { browser: null, apps: null };

before(async () => {
  world.apps = await serveApps();
});
after(async () => {
  await (await world.browser)?.close();
  world.apps?.close();
});

// arrive is a person in a browser profile of their own; leave closes it and fails on anything that went wrong unseen.
export const arrive = async (options) => Person.arrive(await (world.browser ??= launch()), options);

// story runs a story with as many people as it takes.
export async function story(people, run, options = {}) {
  const persons = [];
  for (let i = 0; i < people; i++) persons.push(await arrive(options));
  return told(persons, run);
}

// told runs a story with these people. If it fails the pages that they saw are told, too.
export async function told(persons, run) {
  try {
    await run(...persons);
  } catch (error) {
    for (const p of persons) {
      for (const page of p.context.pages()) error.message += `\n--- ${page.url()}\n${await page.innerText("body").catch(String)}`;
      error.message += `\n${p.takeProblems().join("\n")}`;
      await p.context.close().catch(() => undefined);
    }
    throw error;
  }
  for (const p of persons) {
    const problems = p.takeProblems();
    await p.context.close();
    assert.deepEqual(problems, []);
  }
}

// whoami asks the canister, as the application, who it is. The clients' own errors do not come through the driver.
export const whoami = (app) => app.evaluate(([host, id]) => whoami(host, id).catch((e) => { throw new Error(String(e)); }), [network, canister]);
