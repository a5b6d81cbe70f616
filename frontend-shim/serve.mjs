// Serves dist/ as the canister would, and passes /api on to a network: node serve.mjs NETWORK-URL CANISTER [PORT].
// For work on the page without building the canister; tests use the canister itself.
import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const dist = join(dirname(fileURLToPath(import.meta.url)), "dist");
const [network, canister, port = "0"] = process.argv.slice(2);

const server = createServer((req, res) => {
  const path = req.url.split("?")[0];
  if (path.startsWith("/api/")) {
    const out = request(new URL(req.url, network), { method: req.method, headers: { ...req.headers, host: new URL(network).host } }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    });
    out.on("error", () => res.writeHead(502).end());
    req.pipe(out);
    return;
  }
  const file = JSON.parse(readFileSync(join(dist, "site.json"), "utf8")).files.find((f) => f.paths.includes(path));
  if (!file) return void res.writeHead(404).end("not found\n");
  const headers = { "content-type": file.type, "cache-control": file.cache, "x-ic-canister-id": canister };
  if (file.policy) headers["content-security-policy"] = file.policy;
  if (file.frame) headers["x-frame-options"] = file.frame;
  res.writeHead(200, headers).end(readFileSync(join(dist, file.file)));
});
server.listen(Number(port), "127.0.0.1", () => console.log(`http://${canister}.localhost:${server.address().port}/`));
