// ICRC-25, 29, 34 and 95: JSON-RPC 2.0 between windows, as @icp-sdk/signer speaks it.
import { base64, unbase64 } from "../ic/bytes.ts";
import { type Answer, BadRequest, readDerivationOrigin, readKey, readLifetime, type SignInRequest } from "./request.ts";

type Id = string | number;

// The codes of ICRC-25 and JSON-RPC that this page answers with.
export const codes = { generic: 1000, notSupported: 2000, refused: 3001, invalidRequest: -32600, invalidParams: -32602 } as const;

const standards = [25, 29, 34, 95].map((n) => ({ name: `ICRC-${n}`, url: `https://github.com/dfinity/wg-identity-authentication/blob/main/topics/icrc_${n}.md` }));
const scopes = { scopes: [{ scope: { method: "icrc34_delegation" }, state: "granted" }] };

export interface Call { id: Id; method: string; params: Record<string, unknown> }

// isCall reports whether a message is JSON-RPC at all.
export const isCall = (data: unknown): data is Record<string, unknown> =>
  typeof data === "object" && data !== null && (data as { jsonrpc?: unknown }).jsonrpc === "2.0" && "method" in data;

// readCall returns null for a notification, which has no id and gets no answer.
export function readCall(data: Record<string, unknown>): Call | null {
  const { id, method, params } = data;
  if (typeof id !== "string" && typeof id !== "number") return null;
  return { id, method: String(method), params: typeof params === "object" && params !== null ? (params as Record<string, unknown>) : {} };
}

export const result = (id: Id, value: unknown) => ({ jsonrpc: "2.0", id, result: value });
export const failure = (id: Id, code: number, message: string) => ({ jsonrpc: "2.0", id, error: { code, message } });

// respond answers what needs nobody's consent; null for a request to sign in.
export function respond({ id, method }: Call): object | null {
  switch (method) {
    case "icrc29_status": return result(id, "ready");
    case "icrc25_supported_standards": return result(id, { supportedStandards: standards });
    case "icrc25_permissions":
    case "icrc25_request_permissions": return result(id, scopes);
    case "icrc34_delegation": return null;
    default: return failure(id, codes.notSupported, `Not supported: ${method.slice(0, 100)}`);
  }
}

const success = ({ userKey, delegation: { delegation, signature } }: Answer) => ({
  publicKey: base64(userKey),
  signerDelegation: [{ delegation: { pubkey: base64(delegation.pubkey), expiration: delegation.expiration.toString() }, signature: base64(signature) }],
});

// read makes a request of a call of icrc34_delegation; it throws BadRequest. Targets are not limited: a relying party
// gets a delegation for any canister, which clients accept.
export function read({ id, params }: Call, origin: string, post: (message: unknown) => void): SignInRequest {
  if (typeof params.publicKey !== "string") throw new BadRequest("publicKey must be base64");
  return {
    origin,
    sessionKey: readKey(params.publicKey, unbase64),
    maxTimeToLive: readLifetime(params.maxTimeToLive),
    derivationOrigin: readDerivationOrigin(params.icrc95DerivationOrigin),
    succeed: (answer) => post(result(id, success(answer))),
    cancel: () => post(failure(id, codes.refused, "The user refused to sign in")),
    fail: (text) => post(failure(id, codes.generic, text)),
  };
}
