// The classic protocol, of @dfinity/auth-client: authorize-ready, authorize-client, authorize-client-success.
import { unbase64 } from "../ic/bytes.ts";
import { type Answer, readDerivationOrigin, readKey, readLifetime, type SignInRequest } from "./request.ts";

export const ready = { kind: "authorize-ready" };

export const isClassic = (data: unknown): data is Record<string, unknown> =>
  typeof data === "object" && data !== null && (data as { kind?: unknown }).kind === "authorize-client";

export const failure = (text: string) => ({ kind: "authorize-client-failure", text });

export const success = ({ userKey, delegation: { delegation, signature }, method }: Answer) => ({
  kind: "authorize-client-success",
  // Clients pass the expiration on as it is: it must be a bigint.
  delegations: [{ delegation: { pubkey: delegation.pubkey, expiration: delegation.expiration }, signature }],
  userPublicKey: userKey,
  authnMethod: method,
});

// read makes a request of a message; it throws BadRequest.
export function read(data: Record<string, unknown>, origin: string, post: (message: unknown) => void): SignInRequest {
  return {
    origin,
    sessionKey: readKey(data.sessionPublicKey, unbase64),
    maxTimeToLive: readLifetime(data.maxTimeToLive),
    derivationOrigin: readDerivationOrigin(data.derivationOrigin),
    succeed: (answer) => post(success(answer)),
    cancel: () => post(failure("the user refused to sign in")),
    fail: (text) => post(failure(text)),
  };
}
