import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createSignatureCheck,
  createSigner,
  identityFromSeed,
  peerIdOf,
  rawKeyOf,
} from '../../../src/transport/identity.ts';

/** RFC 8032 §7.1, test 1 */
const SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
const PUBLIC_KEY = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');
const MESSAGE = Buffer.from('message');

test('seed, key and peer id belong together, and a peer id is the key', async () => {
  const identity = await identityFromSeed(SEED);
  assert.deepEqual(Buffer.from(identity.publicKey), PUBLIC_KEY);
  assert.equal(identity.peerId, peerIdOf(PUBLIC_KEY));
  assert.match(identity.peerId, /^12D3Koo/);
  assert.deepEqual(Buffer.from(rawKeyOf(identity.peerId)), PUBLIC_KEY);
});

test('a signature holds for its domain, key and message alone', async () => {
  const signature = createSigner(SEED)('test/a/v1', MESSAGE);
  const check = createSignatureCheck(PUBLIC_KEY);
  assert.equal(check('test/a/v1', MESSAGE, signature), true);
  assert.equal(check('test/b/v1', MESSAGE, signature), false);
  assert.equal(check('test/a/v1', Buffer.from('massage'), signature), false);
  assert.equal(check('test/a/v1', MESSAGE, signature.subarray(1)), false);
  assert.equal(createSignatureCheck(Buffer.alloc(32, 9))('test/a/v1', MESSAGE, signature), false);
  const { privateKey } = await identityFromSeed(SEED);
  const prefixed = Buffer.concat([Buffer.from('test/a/v1\0'), MESSAGE]);
  assert.deepEqual(Buffer.from(await privateKey.sign(prefixed)), Buffer.from(signature), 'as libp2p signs');
  assert.equal(check('test/a/v1', MESSAGE, await privateKey.sign(MESSAGE)), false);
});

test('what is no key or domain is refused', async () => {
  for (const bytes of [0, 31, 33, 64]) {
    await assert.rejects(identityFromSeed(Buffer.alloc(bytes)), { code: 'bad_key' });
    for (const make of [peerIdOf, createSigner, createSignatureCheck])
      assert.throws(() => make(Buffer.alloc(bytes)), { code: 'bad_key' });
  }
  for (const id of ['', 'nonsense', 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N', `${peerIdOf(PUBLIC_KEY)}x`])
    assert.throws(() => rawKeyOf(id), { code: 'bad_key' }, id);
  for (const domain of ['', 'a\0b']) assert.throws(() => createSigner(SEED)(domain, MESSAGE), TypeError);
});
