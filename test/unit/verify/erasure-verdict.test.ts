/** The proof of a hole: what is true passes, and each part of it that is not, fails with its code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeBase64 } from '../../../src/merkle/base64.ts';
import { formatTlogProof } from '../../../src/merkle/tlog-proof.ts';
import { judgeErasureProof } from '../../../src/verify/erasure-verdict.ts';
import { decodeErasureProof, encodeErasureProof } from '../../../src/wire/erasure-proof.ts';
import { bury } from '../../support/buried.ts';
import { buryWith, erasureProof, factBundle, saidOf, trustIn } from '../../support/erasure-proofs.ts';
import { HonestPeer } from '../../support/honest-peer.ts';

const peer = new HonestPeer().appendMany(6, (i) => ({ scope: i === 3 ? 'team' : 'public' }));
const [first, erased, third] = peer.entries;
assert.ok(first !== undefined && erased !== undefined && third !== undefined);
const tombstone = bury(peer, erased);
peer.append();
const trust = trustIn(peer);
const honest = erasureProof(peer, erased, tombstone);

function codeOf(proof: string | Uint8Array, trusted = trust): string {
  const judged = judgeErasureProof(proof, trusted);
  return judged.ok ? 'ok' : judged.error.code;
}

test('a tombstone that names the leaf is proven, with its feed and its place', () => {
  const judged = judgeErasureProof(honest, trust);
  assert.ok(judged.ok, JSON.stringify(judged));
  assert.deepEqual(judged.value.said, saidOf(erased));
  assert.deepEqual([judged.value.feed, judged.value.tombstone.fact.fact_id], ['public', tombstone.entry.fact_id]);
  assert.equal(codeOf(Buffer.from(honest)), 'ok');
});

/** Another proof for the same tombstone: the text of the bundle stands in it as JSON does. */
function edited(edit: (bundle: string) => string): string {
  const read = decodeErasureProof(honest);
  assert.ok(read.ok);
  return encodeErasureProof({ ...read.value, tombstone: edit(read.value.tombstone) });
}

const flip = (hash: Uint8Array): Buffer => Buffer.from(hash.map((byte, i) => (i === 0 ? byte ^ 1 : byte)));

function withPath(change: (path: readonly Uint8Array[]) => readonly Uint8Array[], index = erased?.index ?? 0): string {
  const path = change(peer.inclusion(index)).map(encodeBase64);
  return erasureProof(peer, { index }, tombstone, { path });
}

/** The proof that stands in the bundle, changed. */
function withProof(change: Partial<{ index: number; path: readonly Uint8Array[]; checkpoint: string }>): string {
  const { index } = tombstone;
  const made = { index, path: peer.inclusion(index), checkpoint: peer.checkpoint(), ...change };
  return erasureProof(peer, erased ?? tombstone, tombstone, {
    tombstone: factBundle(peer, tombstone, { proof: formatTlogProof(made) }),
  });
}

const PARTS: Readonly<Record<string, readonly [proof: string, code: string]>> = {
  'the kind': [honest.replace('erasure-proof/v1', 'erasure-proof/v2'), 'erasure_malformed'],
  'a member more': [honest.replace('{', '{"a":1,'), 'erasure_malformed'],
  'white space': [` ${honest}`, 'erasure_malformed'],
  'no path': [honest.replace(/"path":\[.*?\],/, ''), 'erasure_malformed'],
  'the path cut': [withPath((path) => path.slice(1)), 'erasure_unproven'],
  'the path longer': [withPath((path) => [...path, Buffer.alloc(32)]), 'erasure_unproven'],
  'a hash of the path': [withPath(([one = Buffer.alloc(32), ...rest]) => [flip(one), ...rest]), 'erasure_unproven'],
  'the path of another leaf': [withPath((path) => path, third.index), 'erasure_unproven'],
  'no bundle': [edited(() => 'none'), 'bundle_malformed'],
  'the kind of the bundle': [edited((b) => b.replace('bundle/v1', 'bundle/v2')), 'bundle_malformed'],
  'the value of the tombstone': [edited((b) => b.replace('leaf_index', 'leaf_indes')), 'inclusion_proof_invalid'],
  'the salt': [edited((b) => b.replace(/"salt":"...../, '"salt":"AAAAA')), 'inclusion_proof_invalid'],
  'the bundle of another fact': [edited(() => factBundle(peer, third)), 'erasure_unproven'],
  'no tlog-proof': [edited(() => factBundle(peer, tombstone, { proof: 'none' })), 'proof_malformed'],
  'the index': [withProof({ index: tombstone.index - 1 }), 'inclusion_proof_invalid'],
  'the inclusion path': [withProof({ path: peer.inclusion(tombstone.index).map(flip) }), 'inclusion_proof_invalid'],
  'a smaller tree, not covering it': [withProof({ checkpoint: peer.checkpoint(6) }), 'inclusion_proof_invalid'],
  'no checkpoint': [withProof({ checkpoint: 'none\n' }), 'checkpoint_malformed'],
  'the size of the tree': [
    withProof({ checkpoint: peer.checkpoint().replace(`\n${peer.size}\n`, `\n${peer.size + 1}\n`) }),
    'checkpoint_signature_invalid',
  ],
};
for (const [what, [proof, code]] of Object.entries(PARTS)) {
  test(`changed: ${what}`, () => assert.equal(codeOf(proof), code));
}

test('no byte can be changed', () => {
  const bytes = Buffer.from(honest);
  for (let at = 0; at < bytes.length; at++) {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    const judged = judgeErasureProof(copy, trust);
    if (!judged.ok) continue;
    // Whoever trusts the log's key asks for no declaration: that text says nothing here.
    const from = honest.indexOf('none: the key');
    assert.ok(at >= from && at < from + 'none: the key of the log is trusted'.length, `byte ${at}`);
  }
});

test('no text makes it fail', () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => codeOf(text) === 'erasure_malformed'));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => codeOf(bytes) === 'erasure_malformed'));
  assert.equal(codeOf('x'.repeat(5_000_000)), 'erasure_malformed');
});

/** Each is committed in the log and signed over: only the rule that it breaks can find it. */
const LIES: Readonly<Record<string, Parameters<typeof buryWith>[2]>> = {
  'names a leaf hash that is not there': { said: { leaf_hash: `sha256:${'0'.repeat(64)}` } },
  'names the leaf of another fact': { said: { leaf_hash: saidOf(third).leaf_hash } },
  'names another index': { said: { leaf_index: first.index } },
  'names an index behind itself': { said: { leaf_index: 99 } },
  'names a place behind itself': { said: { feed_seq: 99 } },
  'speaks for another node': { draft: { source: 'stigmem://other.example' } },
  'is one of another node, whole': {
    draft: { source: 'stigmem://other.example', entity: `stigmem://other.example/tombstone/${erased.index}` },
  },
  'has the entity of another tombstone': { draft: { entity: `${peer.nodeId}/tombstone/${third.index}` } },
  'is another relation': { draft: { relation: 'memory:status' } },
  'has no value of one': { draft: { value_v: 'gone' } },
  'is of another type': { draft: { value_type: 'string' } },
  'is half sure': { draft: { confidence: 0.5 } },
  'ends at a time': { draft: { valid_until: '2027-01-01T00:00:00Z' } },
  'is made from something': { draft: { derived_from: [third.entry.fact_id] } },
  'wants to steer': { draft: { interpret_as: 'instruction' } },
  'was received from another node': {
    draft: {
      origin: { node_id: peer.nodeId, chain_seq: 2, leaf_hash: encodeBase64(erased.leaf) },
      received_from: 'stigmem://other.example',
    },
  },
};
for (const [what, how] of Object.entries(LIES)) {
  test(`a tombstone in the log that ${what} proves nothing`, () => {
    const liar = peer.fork(6);
    const made = buryWith(liar, erased, how);
    assert.equal(codeOf(erasureProof(liar, erased, made), trustIn(liar)), 'erasure_unproven');
  });
}

test('a log that nobody vouches for, and one of another node', () => {
  const other = new HonestPeer({ authority: 'other.example', journal: '00000000000000bb' }).appendMany(6);
  const [, buried] = other.entries;
  assert.ok(buried !== undefined);
  const proof = erasureProof(other, buried, bury(other, buried));
  assert.equal(codeOf(proof), 'checkpoint_origin_unknown');
  const judged = judgeErasureProof(proof, trustIn(peer, other));
  assert.ok(judged.ok && judged.value.tombstone.checkpoint.origin === other.origin, 'whose it is, is said');
  const impostor = new HonestPeer({ logKey: 'another key' }).appendMany(6);
  const [, hidden] = impostor.entries;
  assert.ok(hidden !== undefined);
  const forged = erasureProof(impostor, hidden, bury(impostor, hidden));
  assert.equal(codeOf(forged), 'checkpoint_signature_invalid');
});
