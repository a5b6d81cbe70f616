// From a signed-in person and a request to a delegation.
import * as kedge from "../candid/kedge.gen.ts";
import type { Answer, SignInRequest } from "../protocol/request.ts";
import { mapOrigin } from "../protocol/origin.ts";
import { Unreachable } from "../ic/agent.ts";
import { type Account, agent, knownAnchors } from "../state.ts";

const second = 1_000_000_000n;
export const longest = 30n * 24n * 3600n * second;
const defaultLength = 30n * 60n * second; // what the canister gives if nobody says

// lengthFor is how long a session will be, in nanoseconds, as far as it is known before anybody has signed in.
export function lengthFor(request: SignInRequest, anchor?: bigint): bigint {
  const asked = request.maxTimeToLive ?? defaultLength;
  const limit = knownAnchors().find((k) => k.anchor === anchor)?.limit;
  return [asked, longest, ...(limit ? [BigInt(limit) * second] : [])].reduce((a, b) => (b < a ? b : a));
}

// What somebody has been shown as the length of a request's session.
const shown = new WeakMap<SignInRequest, bigint>();
export const showLength = (request: SignInRequest, length: bigint): void => void shown.set(request, length);
export const lengthShown = (request: SignInRequest): bigint => shown.get(request) ?? lengthFor(request);

export interface Prepared { answer: Answer; length: bigint }

// prepare gets the delegation. It is not handed over yet. The key and the expiry are of a certified answer; from the
// query comes the signature alone, which is held against the network's key.
export async function prepare(request: SignInRequest, account: Account): Promise<Prepared> {
  const a = await agent();
  const frontend = mapOrigin(request.derivationOrigin ?? request.origin);
  const asked = request.maxTimeToLive !== null && request.maxTimeToLive > longest ? longest : request.maxTimeToLive;
  const [userKey, expiration] = await a.call(account.identity, kedge.prepare_delegation, account.anchor, frontend, request.sessionKey, asked);
  for (let wait = 100; ; wait *= 2) {
    // Another replica may not have caught up yet.
    const [got] = await a.query(account.identity, kedge.get_delegation, account.anchor, frontend, request.sessionKey, expiration);
    if (got.tag === "signed_delegation") {
      const delegation = { pubkey: request.sessionKey, expiration }, { signature } = got.value;
      a.checkDelegation(userKey, delegation, signature);
      return { answer: { userKey, delegation: { delegation, signature }, method: account.method }, length: expiration - a.now() };
    }
    if (wait > 10_000) throw new Unreachable("the delegation was prepared but cannot be fetched");
    await new Promise((done) => setTimeout(done, wait));
  }
}
