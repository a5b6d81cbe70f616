// Sign-in: a delegation by Kedge's canister signature is good for any call, and nothing else is.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Delegation, DelegationChain, DelegationIdentity, Ed25519KeyIdentity } from '@icp-sdk/core/identity';
import { Principal } from '@icp-sdk/core/principal';

import * as idl from './idl.mjs';
import { actorFor, kedgeId, passkey, register, whoamiId } from './harness.mjs';

const key = (identity) => new Uint8Array(identity.getPublicKey().toDer());

const signIn = async ({ actor, anchor }, origin, session, ttl = []) => {
  const [userKey, expiration] = await actor.prepare_delegation(anchor, origin, key(session), ttl);
  const result = await actor.get_delegation(anchor, origin, key(session), expiration);
  assert.ok('signed_delegation' in result, 'the prepared delegation is there');
  const { delegation, signature } = result.signed_delegation;
  return { userKey: new Uint8Array(userKey), delegation, signature: new Uint8Array(signature) };
};

const chainOf = ({ userKey, delegation, signature }, change = {}) =>
  DelegationChain.fromDelegations(
    [
      {
        delegation: new Delegation(
          new Uint8Array(change.pubkey ?? delegation.pubkey),
          change.expiration ?? delegation.expiration,
          change.targets,
        ),
        signature: change.signature ?? signature,
      },
    ],
    userKey,
  );

const whoami = async (session, chain) =>
  (await actorFor(DelegationIdentity.fromDelegation(session, chain), idl.whoami, whoamiId)).whoami();

test('two origins, two principals, each stable', async () => {
  const account = await register(passkey());
  const seen = new Set();
  for (const origin of ['https://one.example', 'https://two.example']) {
    const expected = (await account.actor.get_principal(account.anchor, origin)).toText();
    for (let i = 0; i < 2; i++) {
      const session = Ed25519KeyIdentity.generate();
      const chain = chainOf(await signIn(account, origin, session));
      assert.equal((await whoami(session, chain)).toText(), expected);
    }
    seen.add(expected);
  }
  assert.equal(seen.size, 2);
});

test('a chain from the canister through a first session key to a second', async () => {
  const account = await register(passkey());
  const first = Ed25519KeyIdentity.generate();
  const second = Ed25519KeyIdentity.generate();
  const signed = await signIn(account, 'https://one.example', first);
  const chain = await DelegationChain.create(first, second.getPublicKey(), new Date(Date.now() + 60_000), {
    previous: chainOf(signed),
    targets: [Principal.fromText(whoamiId)],
  });
  const expected = await account.actor.get_principal(account.anchor, 'https://one.example');
  assert.equal((await whoami(second, chain)).toText(), expected.toText());
});

test('an altered, a re-targeted and an expired delegation are refused', async () => {
  const account = await register(passkey());
  const session = Ed25519KeyIdentity.generate();
  const signed = await signIn(account, 'https://one.example', session);
  const refused = (chain, who = session) => assert.rejects(whoami(who, chain), /[Ii]nvalid|expired|not one of/);

  await refused(chainOf(signed, { expiration: signed.delegation.expiration + 1n }));
  await refused(chainOf(signed, { targets: [Principal.fromText(whoamiId)] }));
  await refused(chainOf(signed, { targets: [Principal.fromText(kedgeId)] }));
  const thief = Ed25519KeyIdentity.generate();
  await refused(chainOf(signed, { pubkey: key(thief) }), thief);
  const broken = signed.signature.slice();
  broken[broken.length - 1] ^= 1;
  await refused(chainOf(signed, { signature: broken }));

  const brief = await signIn(account, 'https://one.example', session, [1n]);
  await refused(chainOf(brief));
});

test('a removed device gets no delegation, not even one that it prepared', async () => {
  const owner = await register(passkey());
  const lost = Ed25519KeyIdentity.generate();
  await owner.actor.add(owner.anchor, {
    pubkey: key(lost),
    alias: 'lost',
    credential_id: [],
    aaguid: [],
    purpose: { authentication: null },
    key_type: { unknown: null },
    protection: { unprotected: null },
    origin: [],
    metadata: [],
  });
  const actor = await actorFor(lost);
  const session = Ed25519KeyIdentity.generate();
  const origin = 'https://one.example';
  const [, expiration] = await actor.prepare_delegation(owner.anchor, origin, key(session), []);
  await owner.actor.remove(owner.anchor, key(lost));

  await assert.rejects(actor.get_delegation(owner.anchor, origin, key(session), expiration), /could not be authenticated\./);
  await assert.rejects(actor.prepare_delegation(owner.anchor, origin, key(session), []), /could not be authenticated\./);
});
