// From the click on the anchor to the delegation in the application's hands, 20 times with each client.
import { test } from "node:test";
import { page, providers, story, world } from "./setup.mjs";
import * as s from "./steps.mjs";

for (const client of ["classic", "icrc"]) {
  test(client, () => story(1, async (p) => {
    const account = await p.open(page);
    await s.register(account);
    const app = await p.open(world.apps.origin(client));
    const times = [];
    for (let i = 0; i < 20; i++) {
      const popup = await s.startSignIn(p, app, { identityProvider: providers[client] });
      // The answer is noticed in the application's window, before the client goes on with it.
      await app.evaluate(() => { window.answered = new Promise((done) => addEventListener("message", (e) => { if (e.data.kind === "authorize-client-success" || e.data.result?.signerDelegation) done(Date.now()); })); });
      const begun = Date.now();
      const [answered] = await Promise.all([app.evaluate(() => window.answered), popup.click("[data-anchor]")]);
      times.push(answered - begun);
      await s.outcome(app);
    }
    times.sort((a, b) => a - b);
    console.log(`median of 20: ${client} ${times[10]} ms (${times[0]} to ${times[19]})`);
  }));
}
