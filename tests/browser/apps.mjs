// Relying parties: pages on other origins that sign in with the unmodified clients, bundled from npm.
import { build } from "esbuild";
import { createServer } from "node:http";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

const sources = {
  classic: `
    import { AuthClient } from "@dfinity/auth-client";
    import { HttpAgent, Actor } from "@dfinity/agent";
    const client = AuthClient.create();
    window.signIn = (options) => client.then((c) => new Promise((onSuccess, onError) => c.login({ ...options, onSuccess: () => onSuccess(c.getIdentity().getPrincipal().toText()), onError })));
    window.identity = async () => (await client).getIdentity();
    window.whoami = async (host, canisterId) => {
      const agent = await HttpAgent.create({ host, identity: (await client).getIdentity(), shouldFetchRootKey: true });
      const actor = Actor.createActor(({ IDL }) => IDL.Service({ whoami: IDL.Func([], [IDL.Principal], ["query"]) }), { agent, canisterId });
      return (await actor.whoami()).toText();
    };`,
  icrc: `
    import { AuthClient } from "@icp-sdk/auth/client";
    import { HttpAgent, Actor } from "@icp-sdk/core/agent";
    let client;
    window.signIn = async ({ identityProvider, ...options }) => {
      client = new AuthClient({ identityProvider, ...(options.derivationOrigin && { derivationOrigin: options.derivationOrigin }) });
      await client.signIn(options);
      return (await client.getIdentity()).getPrincipal().toText();
    };
    window.whoami = async (host, canisterId) => {
      const agent = await HttpAgent.create({ host, identity: await client.getIdentity(), shouldFetchRootKey: true });
      const actor = Actor.createActor(({ IDL }) => IDL.Service({ whoami: IDL.Func([], [IDL.Principal], ["query"]) }), { agent, canisterId });
      return (await actor.whoami()).toText();
    };`,
  // Speaks to the provider by hand, for what no client would send.
  raw: `
    window.messages = [];
    addEventListener("message", (e) => window.messages.push({ origin: e.origin, data: e.data }));
    window.openProvider = (url) => { window.provider = open(url, "provider"); };`,
};

export async function bundle(source) {
  const out = await build({ stdin: { contents: source, resolveDir: here }, bundle: true, format: "esm", write: false, target: "es2022", define: { global: "globalThis" } });
  return out.outputFiles[0].text;
}

// serveApps serves every application at http://NAME.localhost:PORT; any other name under it serves the same files, so
// that an application can be met under several origins. files are further answers by path, such as lists of origins.
export async function serveApps(files = {}) {
  const scripts = {};
  for (const [name, source] of Object.entries(sources)) scripts[`/${name}.js`] = await bundle(source);
  const server = createServer((req, res) => {
    const url = new URL(req.url, "http://x");
    const key = `${req.headers.host.split(":")[0]}${url.pathname}`;
    if (files[key]) {
      const { status = 200, headers = {}, body } = files[key];
      return void res.writeHead(status, { "access-control-allow-origin": "*", "access-control-expose-headers": "*", ...headers }).end(body);
    }
    if (scripts[url.pathname]) return void res.writeHead(200, { "content-type": "text/javascript" }).end(scripts[url.pathname]);
    const name = url.searchParams.get("app") ?? req.headers.host.split(".")[0];
    if (!sources[name] || url.pathname !== "/") return void res.writeHead(404, { "access-control-allow-origin": "*" }).end();
    res.writeHead(200, { "content-type": "text/html" }).end(`<!doctype html><html lang=en><link rel=icon href="data:,"><title>${name}</title><button id=go>Sign in</button><pre id=out></pre><script type=module>
      import "/${name}.js";
      document.querySelector("#go").onclick = () => { if (window.beforeSignIn) window.beforeSignIn(); else signIn(window.options).then((p) => { window.result = p; out.textContent = p; }, (e) => { window.failure = { message: e?.message ?? String(e), code: e?.code }; out.textContent = JSON.stringify(window.failure); }); };
      window.loaded = true;
    </script>`);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  return { port, files, origin: (name) => `http://${name}.localhost:${port}`, close: () => server.close() };
}
