// A small agent for one canister: signed calls with certified answers, and queries.
import * as cbor from "./cbor.ts";
import { CertificateError, mainnetKey, timeOf, verify } from "./certificate.ts";
import { lookup } from "./hashtree.ts";
import { anonymous, type Delegation, delegationMessage, type Identity, hashMap, requestMessage } from "./identity.ts";
import { checkCanisterSignature } from "./signature.ts";
import { utf8 } from "./bytes.ts";
import type { Principal } from "./principal.ts";

// Rejected says that the network or the canister refused; the message is the canister's own where it trapped.
export class Rejected extends Error {
  constructor(readonly code: number, message: string, readonly errorCode?: string) { super(message); }
}

// Unreachable says that no usable answer came.
export class Unreachable extends Error {}

// ClockWrong says that the network does not take requests because this machine's clock differs from its own.
export class ClockWrong extends Error {}

const minute = 60_000_000_000n;
const freshness = 5n * minute;
const patience = 120_000; // ms, for an update call

// Method is a method of a service.
export interface Method<A extends unknown[], R extends unknown[]> {
  readonly name: string;
  readonly query: boolean;
  encode(args: A): Uint8Array;
  decode(message: Uint8Array): R;
}

export class Agent {
  private constructor(readonly canister: Principal, private rootKey: Uint8Array, private skew: bigint) {}

  // connect makes an agent. Only on this machine may the network say what its root key is.
  static async connect(canister: Principal, local: boolean): Promise<Agent> {
    if (!local) return new Agent(canister, mainnetKey, 0n);
    const answer = await request("/api/v2/status", undefined);
    const key = cbor.field(cbor.decode(new Uint8Array(await answer.arrayBuffer())), "root_key");
    return new Agent(canister, cbor.bytesOf(key), 0n);
  }

  // now is the time in nanoseconds, by the network's clock as far as it is known.
  now(): bigint { return BigInt(Date.now()) * 1_000_000n + this.skew; }

  // call makes an update call; a query method can be called so, too, and its answer is then certified.
  async call<A extends unknown[], R extends unknown[]>(identity: Identity, method: Method<A, R>, ...args: A): Promise<R> {
    const arg = method.encode(args);
    try {
      return method.decode(await this.update(identity, method.name, arg));
    } catch (error) {
      // The network judges the expiry by its own clock. It is asked once, and its answer is certified.
      if (!(error instanceof ClockWrong) || !(await this.learnTime())) throw error;
      return method.decode(await this.update(identity, method.name, arg));
    }
  }

  // query asks one replica. Nothing that must be true is taken from it unless something else proves it.
  async query<A extends unknown[], R extends unknown[]>(identity: Identity, method: Method<A, R>, ...args: A): Promise<R> {
    const { envelope } = await this.envelope(identity, "query", method.name, method.encode(args));
    const response = await post(`/api/v2/canister/${this.canister.text()}/query`, envelope);
    const answer = cbor.decode(response);
    if (cbor.field(answer, "status") === "replied") return method.decode(cbor.bytesOf(cbor.field(cbor.field(answer, "reply"), "arg")));
    throw rejection(answer);
  }

  // checkDelegation throws CertificateError unless the signature is this canister's, by one of its keys, over the delegation.
  checkDelegation(publicKey: Uint8Array, delegation: Delegation, signature: Uint8Array): void {
    checkCanisterSignature(this.rootKey, this.canister, publicKey, delegationMessage(delegation), signature);
  }

  private async envelope(identity: Identity, type: string, method: string, arg: Uint8Array) {
    const content = {
      request_type: type, canister_id: this.canister.bytes, method_name: method, arg, sender: identity.principal.bytes,
      ingress_expiry: this.now() + 4n * minute, nonce: crypto.getRandomValues(new Uint8Array(16)),
    };
    return { id: hashMap(content), envelope: await seal(identity, content) };
  }

  private async update(identity: Identity, method: string, arg: Uint8Array): Promise<Uint8Array> {
    const { id, envelope } = await this.envelope(identity, "call", method, arg);
    const end = Date.now() + patience;
    let response: cbor.Cbor;
    try {
      response = cbor.decode(await post(`/api/v3/canister/${this.canister.text()}/call`, envelope));
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      response = null; // The call may have arrived all the same: ask for its status.
    }
    if (response instanceof Map && response.get("status") === "non_replicated_rejection") throw rejection(response);
    let certificate = response instanceof Map ? response.get("certificate") : undefined;
    for (let wait = 300; ; wait = Math.min(wait * 1.5, 3000)) {
      if (certificate !== undefined) {
        const answer = this.answer(cbor.bytesOf(certificate), id);
        if (answer) return answer;
      }
      if (Date.now() > end) throw new Unreachable("the network has not answered in time");
      await new Promise((done) => setTimeout(done, wait));
      certificate = await this.status(identity, id).catch((error: unknown) => {
        if (error instanceof Unreachable) return undefined;
        throw error;
      });
    }
  }

  private async status(identity: Identity, id: Uint8Array): Promise<cbor.Cbor> {
    return this.readState(identity, [[utf8("request_status"), id]]);
  }

  private async readState(identity: Identity, paths: Uint8Array[][], ahead = 0n): Promise<cbor.Cbor> {
    const content = { request_type: "read_state", paths, sender: identity.principal.bytes, ingress_expiry: this.now() + ahead + 4n * minute };
    const response = await post(`/api/v2/canister/${this.canister.text()}/read_state`, await seal(identity, content));
    return cbor.field(cbor.decode(response), "certificate");
  }

  // answer is the reply that a certificate holds; null if there is none yet.
  private answer(certificate: Uint8Array, id: Uint8Array): Uint8Array | null {
    const tree = verify(certificate, this.rootKey, this.canister);
    this.checkTime(timeOf(tree));
    const at = (name: string) => lookup(tree, ["request_status", id, name]);
    const text = (name: string) => utf8(at(name) ?? new Uint8Array());
    switch (text("status")) {
      case "replied": {
        const reply = at("reply");
        if (!reply) throw new CertificateError("the reply is missing");
        return reply;
      }
      case "rejected":
        throw new Rejected(Number(at("reject_code")?.[0] ?? 0), text("reject_message"), text("error_code") || undefined);
      case "done":
        throw new Unreachable("the network has forgotten the answer");
      default:
        return null;
    }
  }

  private checkTime(time: bigint): void {
    const age = this.now() - time;
    if (age > freshness || age < -freshness) {
      throw new ClockWrong("the network's answer is more than five minutes away from this machine's clock");
    }
  }

  // learnTime sets the clock by the network's, once, and says whether that changed anything. The date that the server
  // states only lets it ask for the time in a request of nobody's; what is learned is certified. So nobody between here
  // and the network gets a signed request that is valid later than it should be, to keep back until then.
  private async learnTime(): Promise<boolean> {
    if (this.skew !== 0n) return false;
    const head = await request("/api/v2/status", undefined);
    const date = Date.parse(head.headers.get("date") ?? "");
    if (Number.isNaN(date)) return false;
    const certificate = await this.readState(anonymous, [[utf8("time")]], BigInt(date - Date.now()) * 1_000_000n).catch(() => null);
    if (certificate === null) return false;
    this.skew = timeOf(verify(cbor.bytesOf(certificate), this.rootKey, this.canister)) - this.now();
    return true;
  }
}

async function seal(identity: Identity, content: { [key: string]: cbor.Writable } & Record<string, unknown>): Promise<Uint8Array> {
  if (!identity.publicKey) return cbor.selfDescribed({ content });
  const signature = await identity.sign(requestMessage(hashMap(content as Parameters<typeof hashMap>[0])));
  const chain = identity.chain.map((s) => ({
    delegation: { pubkey: s.delegation.pubkey, expiration: s.delegation.expiration }, signature: s.signature,
  }));
  return cbor.selfDescribed({ content, sender_pubkey: identity.publicKey, sender_delegation: chain, sender_sig: signature });
}

function rejection(answer: cbor.Cbor): Rejected {
  return new Rejected(Number(cbor.field(answer, "reject_code")), String(cbor.field(answer, "reject_message")), cbor.field(answer, "error_code") as string | undefined);
}

async function request(path: string, body: Uint8Array | undefined): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: body ? "POST" : "GET", body: (body ?? null) as BodyInit | null, credentials: "omit", redirect: "error", cache: "no-store",
      headers: body ? { "content-type": "application/cbor" } : {},
    });
  } catch (error) {
    throw new Unreachable(String(error));
  }
  if (response.ok) return response;
  const text = await response.text().catch(() => "");
  if (response.status === 400 && /expir/i.test(text)) throw new ClockWrong(text);
  if (response.status >= 500 || response.status === 429) throw new Unreachable(text || String(response.status));
  throw new Rejected(0, text || `HTTP ${response.status}`);
}

async function post(path: string, body: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await (await request(path, body)).arrayBuffer());
}
