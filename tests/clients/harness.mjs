// What the tests share: the network and canisters that the Go test started, and identities of every kind.
import { createHash, generateKeyPairSync, sign } from 'node:crypto';

import { Actor, HttpAgent } from '@icp-sdk/core/agent';
import { ECDSAKeyIdentity, Ed25519KeyIdentity, WebAuthnIdentity } from '@icp-sdk/core/identity';
import { Secp256k1KeyIdentity } from '@icp-sdk/core/identity/secp256k1';

import * as idl from './idl.mjs';

const need = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: these tests are run by go test ./tests/clients`);
  return value;
};

export const host = need('KEDGE_URL');
export const kedgeId = need('KEDGE_CANISTER');
export const whoamiId = need('KEDGE_WHOAMI');

export const agentFor = (identity) => HttpAgent.create({ host, identity, shouldFetchRootKey: true });

export const actorFor = async (identity, factory = idl.kedge, canisterId = kedgeId) =>
  Actor.createActor(factory, { agent: await agentFor(identity), canisterId });

/** A WebAuthn identity whose authenticator is this process. */
export const passkey = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = publicKey.export({ format: 'jwk' });
  const coordinate = (text) => Buffer.from(text, 'base64url');
  const cose = Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    coordinate(x),
    Buffer.from('225820', 'hex'),
    coordinate(y),
  ]);
  const rawId = Buffer.from('a credential id');
  const rpIdHash = createHash('sha256').update('kedge.localhost').digest();
  const authenticatorData = Buffer.concat([rpIdHash, Buffer.from('0500000000', 'hex')]);
  const get = async ({ publicKey: { challenge } }) => {
    const clientDataJSON = Buffer.from(
      JSON.stringify({
        type: 'webauthn.get',
        challenge: Buffer.from(challenge).toString('base64url'),
        origin: 'http://kedge.localhost',
        crossOrigin: false,
      }),
    );
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientDataJSON).digest()]);
    return {
      rawId,
      authenticatorAttachment: 'platform',
      response: { authenticatorData, clientDataJSON, signature: sign('sha256', signed, privateKey) },
    };
  };
  // The identity asks navigator.credentials; each passkey installs itself before it signs.
  const identity = new WebAuthnIdentity(rawId, cose, undefined);
  const plain = identity.sign.bind(identity);
  identity.sign = (blob) => {
    Object.defineProperty(globalThis, 'navigator', { value: { credentials: { get } }, configurable: true });
    return plain(blob);
  };
  return identity;
};

export const identities = {
  Ed25519: async () => Ed25519KeyIdentity.generate(),
  secp256k1: async () => Secp256k1KeyIdentity.generate(),
  'P-256': async () => ECDSAKeyIdentity.generate(),
  WebAuthn: async () => passkey(),
};

export const deviceOf = (identity, fields = {}) => ({
  pubkey: new Uint8Array(identity.getPublicKey().toDer()),
  alias: 'test',
  credential_id: [],
  aaguid: [],
  purpose: { authentication: null },
  key_type: { unknown: null },
  protection: { unprotected: null },
  origin: [],
  metadata: [],
  ...fields,
});

/** Registers an anchor whose only device is the identity. */
export const register = async (identity) => {
  const actor = await actorFor(identity);
  const result = await actor.register(deviceOf(identity), { key: '', chars: '' }, []);
  if (!('registered' in result)) throw new Error(`register: ${JSON.stringify(result)}`);
  return { actor, anchor: result.registered.user_number };
};
