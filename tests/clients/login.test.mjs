// What `kedge login` stores is what @icp-sdk/core reads: the chain as JSON, the session key as PEM.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { DelegationChain, DelegationIdentity, Ed25519KeyIdentity } from '@icp-sdk/core/identity';

import * as idl from './idl.mjs';
import { actorFor, whoamiId } from './harness.mjs';

test('the stored session signs in', async () => {
  const chain = DelegationChain.fromJSON(readFileSync(process.env.KEDGE_SESSION_JSON, 'utf8'));
  const { d } = createPrivateKey(readFileSync(process.env.KEDGE_SESSION_PEM)).export({ format: 'jwk' });
  const session = Ed25519KeyIdentity.fromSecretKey(Buffer.from(d, 'base64url'));
  const actor = await actorFor(DelegationIdentity.fromDelegation(session, chain), idl.whoami, whoamiId);
  assert.equal((await actor.whoami()).toText(), process.env.KEDGE_PRINCIPAL);
});
