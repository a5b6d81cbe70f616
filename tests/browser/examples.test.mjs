// The example pages, as they are, with what they load from a content delivery network taken from npm.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import { bundle } from "./apps.mjs";
import { page, story } from "./setup.mjs";
import * as s from "./steps.mjs";

const clients = { classic: "@dfinity/auth-client", icrc: "@icp-sdk/auth/client" };

for (const [name, client] of Object.entries(clients)) {
  test(`examples/signin/${name}.html signs in`, () => story(1, async (p) => {
    const html = readFileSync(new URL(`../../examples/signin/${name}.html`, import.meta.url));
    const server = createServer((_, res) => res.writeHead(200, { "content-type": "text/html" }).end(html)).listen(0, "127.0.0.1");
    try {
      await p.context.route("https://esm.sh/**", async (route) => {
        assert.ok(route.request().url().startsWith(`https://esm.sh/${client.replace("/client", "")}@`));
        await route.fulfill({ contentType: "text/javascript", headers: { "access-control-allow-origin": "*" }, body: await bundle(`export * from "${client}";`) });
      });
      const app = await p.open(`http://localhost:${server.address().port}/?kedge=${page}`);
      await app.waitForFunction(() => document.querySelector("#go").onclick);
      const popup = await p.popup(app, () => app.click("#go"));
      await popup.waitForSelector(".request");
      await s.register(popup);
      await popup.click("#skip-phrase");
      await popup.click("#unprotected");
      await app.waitForFunction(() => document.querySelector("#who").textContent !== "");
      assert.match(await app.innerText("#who"), /^[a-z0-9-]{63}$/);
    } finally {
      server.close();
    }
  }));
}
