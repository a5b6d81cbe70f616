// The classic API through @icp-sdk/core with every check of the agent switched on.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AnonymousIdentity, CanisterStatus } from '@icp-sdk/core/agent';
import { DelegationChain, DelegationIdentity, Ed25519KeyIdentity } from '@icp-sdk/core/identity';
import { Principal } from '@icp-sdk/core/principal';

import { actorFor, agentFor, deviceOf, identities, kedgeId, register, whoamiId } from './harness.mjs';

for (const [name, make] of Object.entries(identities)) {
  test(`${name}: register, look up, add and remove a device`, async () => {
    const identity = await make();
    const { actor, anchor } = await register(identity);

    const second = Ed25519KeyIdentity.generate();
    await actor.add(anchor, deviceOf(second, { alias: 'second' }));
    const { devices } = await actor.get_anchor_info(anchor);
    assert.deepEqual(devices.map((d) => d.alias), ['test', 'second']);

    const anonymous = await actorFor(new AnonymousIdentity());
    assert.equal((await anonymous.lookup(anchor)).length, 2);

    await actor.remove(anchor, new Uint8Array(second.getPublicKey().toDer()));
    assert.equal((await anonymous.lookup(anchor)).length, 1);
    await assert.rejects((await actorFor(second)).get_anchor_info(anchor), /could not be authenticated\./);
  });
}

test('read_state: module hash and Candid interface are certified', async () => {
  const status = await CanisterStatus.request({
    agent: await agentFor(new AnonymousIdentity()),
    canisterId: Principal.fromText(kedgeId),
    paths: ['module_hash', 'controllers', 'candid'],
  });
  assert.match(status.get('module_hash'), /^[0-9a-f]{64}$/);
  assert.match(status.get('candid'), /prepare_delegation/);
});

test('a delegated session key acts for the device', async () => {
  const identity = Ed25519KeyIdentity.generate();
  const { anchor } = await register(identity);
  const session = Ed25519KeyIdentity.generate();
  const chain = await DelegationChain.create(identity, session.getPublicKey(), new Date(Date.now() + 60_000), {
    targets: [Principal.fromText(kedgeId)],
  });
  const actor = await actorFor(DelegationIdentity.fromDelegation(session, chain));
  assert.equal((await actor.get_anchor_info(anchor)).devices.length, 1);
});

test('a delegation for another canister is refused', async () => {
  const identity = Ed25519KeyIdentity.generate();
  const { anchor } = await register(identity);
  const session = Ed25519KeyIdentity.generate();
  const chain = await DelegationChain.create(identity, session.getPublicKey(), new Date(Date.now() + 60_000), {
    targets: [Principal.fromText(whoamiId)],
  });
  const actor = await actorFor(DelegationIdentity.fromDelegation(session, chain));
  await assert.rejects(actor.get_anchor_info(anchor), /not one of the delegation targets/);
});

test('a wrong signature is refused', async () => {
  const identity = Ed25519KeyIdentity.generate();
  const { anchor } = await register(identity);
  const other = Ed25519KeyIdentity.generate();
  identity.sign = (blob) => other.sign(blob);
  await assert.rejects((await actorFor(identity)).get_anchor_info(anchor), /[Ii]nvalid signature/);
});
