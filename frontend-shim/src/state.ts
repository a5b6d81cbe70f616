// What this browser knows: which canister this is, and which anchors were used here.
import { Agent } from "./ic/agent.ts";
import type { Identity } from "./ic/identity.ts";
import { Principal } from "./ic/principal.ts";

// Account is somebody who is signed in to this page.
export interface Account {
  anchor: bigint;
  identity: Identity;
  publicKey: Uint8Array; // the device's
  method: "passkey" | "recovery";
  expiration: bigint; // of the identity, in ns
}

export const isRaw = (host: string): boolean => /\.raw\./.test(host);
export const isLocal = (host: string): boolean => host === "localhost" || host.endsWith(".localhost") || host === "127.0.0.1" || host === "[::1]";

// WrongAddress says that the page is at an address where it cannot work.
export class WrongAddress extends Error {
  constructor(readonly right: string | null) { super("wrong address"); }
}

// canisterAt is the canister whose page is at an address. Only a gateway on this machine takes it from the parameters,
// and serves that canister's page: elsewhere whoever made a link would choose the canister that the page trusts. Where
// the host's name does not say it, the gateway does.
export async function canisterAt({ hostname, search }: Pick<Location, "hostname" | "search">, gateway: () => Promise<string | null>): Promise<Principal | null> {
  const given = isLocal(hostname) ? new URLSearchParams(search).get("canisterId") : null;
  return Principal.parse(hostname.split(".")[0]!) ?? Principal.parse(given ?? "") ?? Principal.parse((await gateway()) ?? "");
}

const canisterId = (): Promise<Principal | null> =>
  canisterAt(location, async () => (await fetch("/", { method: "HEAD", credentials: "omit" })).headers.get("x-ic-canister-id"));

let connected: Promise<Agent> | null = null;

// agent is the connection to this page's canister; after a failure the next call tries again.
export function agent(): Promise<Agent> {
  connected ??= (async () => {
    const id = await canisterId();
    if (!id) throw new WrongAddress(null);
    return Agent.connect(id, isLocal(location.hostname));
  })().catch((error: unknown) => {
    connected = null;
    throw error;
  });
  return connected;
}

// rightAddress is where passkeys work, if they do not work here: they are bound to a name, never to a number, and the
// name localhost is shared by every local project.
export async function rightAddress(): Promise<string | null> {
  const { hostname, port, pathname, hash } = location;
  if (!["127.0.0.1", "[::1]", "localhost"].includes(hostname)) return null;
  const id = await canisterId().catch(() => null);
  return id ? `http://${id.text()}.localhost${port && `:${port}`}${pathname}${hash}` : null;
}

// Known is an anchor that was used here. Nothing secret is kept.
export interface Known {
  anchor: bigint;
  used: number; // ms since 1970, like checked
  limit: number | null; // its longest session, in seconds
  checked: number; // when nothing was pending on it
}

const stored = "kedge.anchors";
const most = 10;

// knownAnchors are the anchors used here, the last one first.
export function knownAnchors(): Known[] {
  try {
    const list = JSON.parse(localStorage.getItem(stored) ?? "[]") as Array<{ n: string; used: number; limit: number | null; checked?: number }>;
    return list.filter((k) => /^\d{1,20}$/.test(k.n)).map((k) => ({ anchor: BigInt(k.n), used: Number(k.used), limit: k.limit ?? null, checked: Number(k.checked ?? 0) })).sort((a, b) => b.used - a.used);
  } catch {
    return [];
  }
}

// remember puts an anchor first, with what is new about it.
export function remember(anchor: bigint, limit?: number | null, checked?: number): void {
  const was = knownAnchors();
  const old = was.find((k) => k.anchor === anchor);
  save([{ anchor, used: Date.now(), limit: limit === undefined ? old?.limit ?? null : limit, checked: checked ?? old?.checked ?? 0 }, ...was.filter((k) => k.anchor !== anchor)]);
}

export const forget = (anchor: bigint): void => save(knownAnchors().filter((k) => k.anchor !== anchor));

function save(known: Known[]): void {
  try {
    localStorage.setItem(stored, JSON.stringify(known.slice(0, most).map((k) => ({ n: k.anchor.toString(), used: k.used, limit: k.limit, checked: k.checked }))));
  } catch {
    // Storage may be full or switched off; anchors are then found by their passkeys.
  }
}
