// Whether an application may use the names that its users have under another origin (its derivation origin):
// the canister of that origin lists it in /.well-known/ii-alternative-origins.
import { Principal } from "../ic/principal.ts";
import { isOrigin, mapOrigin } from "./origin.ts";

export type Verdict =
  | { ok: true }
  | { ok: false; reason: "malformed" | "canister" | "unreachable" | "status" | "format" | "too-many" | "not-listed"; detail: string };

const maxEntries = 10;
const canisterHost = /^([a-z0-9-]+)\.(?:raw\.)?(?:ic0\.app|icp0\.io|icp\.net|internetcomputer\.org|localhost)$/;

export interface Fetched { status: number; header(name: string): string | null; json(): Promise<unknown> }
export type Fetcher = (url: string, method: "GET" | "HEAD") => Promise<Fetched>;

// file is where the list is: always at the canister's own address, where a gateway has checked the certificate.
export function file(derivation: URL, canister: string): string {
  const path = "/.well-known/ii-alternative-origins";
  const local = derivation.hostname === "127.0.0.1" ? "127.0.0.1" : derivation.hostname === "localhost" || derivation.hostname.endsWith(".localhost") ? "localhost" : null;
  if (local) return `http://${local}${derivation.port && `:${derivation.port}`}${path}?canisterId=${canister}`;
  return `https://${canister}.icp0.io${path}`;
}

async function canisterOf(derivation: URL, fetcher: Fetcher): Promise<string | null> {
  const label = canisterHost.exec(derivation.hostname)?.[1];
  const id = label && Principal.parse(label) ? label : (await fetcher(derivation.origin, "HEAD")).header("x-ic-canister-id");
  return id && Principal.parse(id) ? id : null;
}

// check says whether the application at origin may use derivationOrigin.
export async function check(origin: string, derivationOrigin: string, fetcher: Fetcher): Promise<Verdict> {
  if (!isOrigin(derivationOrigin)) return { ok: false, reason: "malformed", detail: derivationOrigin };
  if (mapOrigin(origin) === mapOrigin(derivationOrigin)) return { ok: true };
  const derivation = new URL(derivationOrigin);
  let canister: string | null, got: Fetched;
  try {
    canister = await canisterOf(derivation, fetcher);
  } catch {
    canister = null;
  }
  if (!canister) return { ok: false, reason: "canister", detail: derivationOrigin };
  const url = file(derivation, canister);
  try {
    got = await fetcher(url, "GET");
  } catch {
    return { ok: false, reason: "unreachable", detail: url };
  }
  if (got.status !== 200) return { ok: false, reason: "status", detail: `${url} (${got.status})` };
  const list = await got.json().then((v) => (v as { alternativeOrigins?: unknown } | null)?.alternativeOrigins, () => undefined);
  if (!Array.isArray(list) || !list.every((v) => typeof v === "string")) return { ok: false, reason: "format", detail: url };
  if (list.length > maxEntries) return { ok: false, reason: "too-many", detail: url };
  if (!list.some((v) => mapOrigin(v as string) === mapOrigin(origin))) return { ok: false, reason: "not-listed", detail: url };
  return { ok: true };
}
