// A request for a delegation, whichever protocol it came by.
import type { SignedDelegation } from "../ic/identity.ts";

export interface Answer { userKey: Uint8Array; delegation: SignedDelegation; method: "passkey" | "recovery" }

export interface SignInRequest {
  readonly origin: string; // the application's, as the browser states it
  readonly sessionKey: Uint8Array; // DER
  readonly maxTimeToLive: bigint | null; // nanoseconds; null if the application leaves it to the provider
  readonly derivationOrigin: string | null;
  succeed(answer: Answer): void;
  // cancel says that the person refused.
  cancel(): void;
  // fail says why the sign-in cannot be.
  fail(text: string): void;
}

// BadRequest says what is wrong with a request, for its developer.
export class BadRequest extends Error {}

const maxKey = 300;

export function readKey(key: unknown, decode: (text: string) => Uint8Array): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = typeof key === "string" ? decode(key) : key instanceof Uint8Array ? key : Array.isArray(key) ? Uint8Array.from(key as number[]) : new Uint8Array();
  } catch {
    throw new BadRequest("the session key is not base64");
  }
  if (bytes.length === 0 || bytes.length > maxKey) throw new BadRequest(`the session key must be a DER-encoded public key of 1 to ${maxKey} bytes`);
  return bytes;
}

// readLifetime takes a number, a bigint or digits. What is too long is shortened later.
export function readLifetime(value: unknown): bigint | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value)) || (typeof value === "string" && /^\d{1,30}$/.test(value))) {
    const time = BigInt(value);
    if (time > 0n) return time;
  }
  throw new BadRequest("maxTimeToLive must be a whole number of nanoseconds greater than zero");
}

export function readDerivationOrigin(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "string") throw new BadRequest("the derivation origin must be text");
  return value;
}
