// Passkeys in the browser: making them, signing with them, and keeping their managers in step.
import { base64url, concat, utf8 } from "../ic/bytes.ts";
import { type Delegation, delegated, delegationMessage, type Identity, newSessionKey } from "../ic/identity.ts";
import { type Assertion, derOfCose, readAuthenticatorData, signatureOf } from "./cose.ts";

// Passkey is a new credential.
export interface Passkey {
  id: Uint8Array;
  publicKey: Uint8Array; // DER
  aaguid: Uint8Array | null;
  platform: boolean; // built into this machine, as far as the browser says
  backupEligible: boolean;
}

// Signed is an assertion and the credential that made it.
export interface Signed extends Assertion { id: Uint8Array }

// PasskeyTrouble says why no passkey signed or was made.
export class PasskeyTrouble extends Error {
  constructor(readonly kind: "refused" | "exists" | "host" | "unsupported" | "aborted" | "broken", message: string) { super(message); }
}

const minute = 60_000_000_000n;
// How long a session of this page lasts.
export const sessionLength = 30n * minute;

export const available = (): boolean => typeof PublicKeyCredential === "function" && !!navigator.credentials;

export function trouble(error: unknown): PasskeyTrouble {
  if (error instanceof PasskeyTrouble) return error;
  const { name, message } = error as Error;
  const kinds: Record<string, PasskeyTrouble["kind"]> = {
    NotAllowedError: "refused", InvalidStateError: "exists", SecurityError: "host", NotSupportedError: "unsupported", AbortError: "aborted",
  };
  return new PasskeyTrouble(kinds[name] ?? "broken", message);
}

// userHandle is the same for every passkey of an anchor, so that managers can be told about all of them at once.
export async function userHandle(canister: Uint8Array, anchor: bigint): Promise<Uint8Array> {
  const hash = await crypto.subtle.digest("SHA-256", concat(utf8("kedge"), canister, utf8(anchor.toString())) as BufferSource);
  return new Uint8Array(hash).slice(0, 16);
}

const descriptors = (ids: Uint8Array[]): PublicKeyCredentialDescriptor[] => ids.map((id) => ({ type: "public-key", id: id as BufferSource }));

// create makes a discoverable passkey. exclude are the credentials that must not be on the same authenticator.
export async function create(user: { id: Uint8Array; name: string }, exclude: Uint8Array[], kind: "platform" | "cross-platform" | null): Promise<Passkey> {
  try {
    const made = await navigator.credentials.create({
      publicKey: {
        rp: { name: "Kedge" },
        user: { id: user.id as BufferSource, name: user.name, displayName: user.name },
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: {
          residentKey: "required", requireResidentKey: true, userVerification: "required", ...(kind && { authenticatorAttachment: kind }),
        },
        excludeCredentials: descriptors(exclude),
        attestation: "none",
        timeout: 300_000,
      },
    }) as PublicKeyCredential | null;
    if (!made) throw new PasskeyTrouble("refused", "no credential");
    const response = made.response as AuthenticatorAttestationResponse;
    const data = readAuthenticatorData(new Uint8Array(response.getAuthenticatorData()));
    if (!data.cose) throw new PasskeyTrouble("broken", "the authenticator gave no key");
    return {
      id: new Uint8Array(made.rawId), publicKey: derOfCose(data.cose), aaguid: data.aaguid?.some((b) => b !== 0) ? data.aaguid : null,
      platform: made.authenticatorAttachment === "platform", backupEligible: data.backupEligible,
    };
  } catch (error) {
    throw trouble(error);
  }
}

export interface SignOptions { offer?: boolean; rpId?: string | undefined }

let conditional: { controller: AbortController; ended: Promise<unknown> } | null = null;

// stopConditional ends a pending offer in an input field: a browser runs one request at a time.
export async function stopConditional(): Promise<void> {
  const pending = conditional;
  conditional = null;
  pending?.controller.abort();
  await pending?.ended;
}

// sign has a passkey sign a challenge; any that this page knows, if ids is empty.
// rpId is the host that they are bound to, if it is not this page's own.
export async function sign(challenge: Uint8Array, ids: Uint8Array[], { offer = false, rpId }: SignOptions = {}): Promise<Signed> {
  await stopConditional();
  const controller = new AbortController();
  const asked = navigator.credentials.get({
    ...(offer && { mediation: "conditional" as CredentialMediationRequirement }),
    signal: controller.signal,
    publicKey: {
      ...(rpId && { rpId }),
      challenge: challenge as BufferSource, allowCredentials: descriptors(ids), userVerification: ids.length > 0 ? "preferred" : "required", timeout: 300_000,
    },
  });
  if (offer) conditional = { controller, ended: asked.catch(() => undefined) };
  try {
    const got = await asked as PublicKeyCredential | null;
    if (!got) throw new PasskeyTrouble("refused", "no credential");
    const response = got.response as AuthenticatorAssertionResponse;
    const signed = {
      id: new Uint8Array(got.rawId), authenticatorData: new Uint8Array(response.authenticatorData),
      clientData: new Uint8Array(response.clientDataJSON), signature: new Uint8Array(response.signature),
    };
    readAuthenticatorData(signed.authenticatorData);
    return signed;
  } catch (error) {
    throw trouble(error);
  } finally {
    if (conditional?.controller === controller) conditional = null;
  }
}

// Session is a session key to which a passkey has delegated; whose key it was is found afterwards.
export interface Session { signed: Signed; identity(publicKey: Uint8Array): Identity; expiration: bigint }

// signIn has a passkey sign a delegation to a new session key.
export async function signIn(now: bigint, ids: Uint8Array[], options: SignOptions = {}): Promise<Session> {
  const session = await newSessionKey();
  // An offer may wait long for the person, so its delegation must outlast the wait.
  const delegation: Delegation = { pubkey: session.der, expiration: now + (options.offer ? 2n : 1n) * sessionLength };
  const signed = await sign(delegationMessage(delegation), ids, options);
  return {
    signed, expiration: delegation.expiration,
    identity: (publicKey) => delegated(session, publicKey, { delegation, signature: signatureOf(signed) }),
  };
}

export async function offersAvailable(): Promise<boolean> {
  return available() && typeof PublicKeyCredential.isConditionalMediationAvailable === "function" && PublicKeyCredential.isConditionalMediationAvailable();
}

interface Signals {
  signalUnknownCredential?(o: { rpId: string; credentialId: string }): Promise<void>;
  signalCurrentUserDetails?(o: { rpId: string; userId: string; name: string; displayName: string }): Promise<void>;
}

// signalGone tells passkey managers that a credential is of no use any more. It may delete the passkey for good, so
// it is only called after a certified answer.
export async function signalGone(id: Uint8Array): Promise<void> {
  const signals = globalThis.PublicKeyCredential as unknown as Signals | undefined;
  await signals?.signalUnknownCredential?.({ rpId: location.hostname, credentialId: base64url(id) }).catch(() => undefined);
}

// signalName tells passkey managers what an anchor is called.
export async function signalName(handle: Uint8Array, name: string): Promise<void> {
  const signals = globalThis.PublicKeyCredential as unknown as Signals | undefined;
  await signals?.signalCurrentUserDetails?.({ rpId: location.hostname, userId: base64url(handle), name, displayName: name }).catch(() => undefined);
}
