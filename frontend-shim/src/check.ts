// The script of /check, a sandboxed frame that may reach other origins, which the page itself may not: it asks for
// one file, checks it, and answers through the port that the page gave it. It sees nothing secret.
import { check, type Fetcher } from "./protocol/alternative.ts";

const fetcher: Fetcher = async (url, method) => {
  const response = await fetch(url, { method, redirect: "error", credentials: "omit", cache: "no-store", headers: { accept: "application/json" } });
  return { status: response.status, header: (name) => response.headers.get(name), json: () => response.json() as Promise<unknown> };
};

addEventListener("message", (event: MessageEvent<{ origin: string; derivationOrigin: string }>) => {
  const port = event.ports[0];
  if (event.source === parent && port) void check(event.data.origin, event.data.derivationOrigin, fetcher).then((verdict) => port.postMessage(verdict));
});
parent.postMessage("ready", "*");
