import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FactDraft } from '../../../src/drill/entry-draft.ts';
import type { InclusionPaths, VerifiedBatch } from '../../../src/verify/judge.ts';
import { factIdsOf } from '../../../src/verify/judge.ts';
import type { SeenFact } from '../../../src/verify/seen-fact.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { judge, judged, opened } from '../../support/judging.ts';
import { seenOf, ZEROS } from './reason-cases.ts';

function reasonsOf(batch: VerifiedBatch): readonly (readonly [number, string])[] {
  return batch.refused.map(({ position, reason }) => [position, reason]);
}

test('a page pulled again changes nothing', () => {
  const peer = new HonestPeer().appendMany(4, (i) => ({
    derived_from: i === 1 ? ['a', 'b'] : [],
    attestation: i === 2 ? { key_id: 'k', signature: 's' } : null,
    valid_until: i === 3 ? '2027-01-01T00:00:00Z' : null,
  }));
  const seen = peer.entries.map((stored) => seenOf(stored));
  const batch = judged(peer.page({ feed: 'public', after: 0 }), peer.context(), seen);
  assert.deepEqual([batch.accepted.length, batch.refused.length, batch.duplicates, batch.to], [0, 0, 4, 4]);
});

const HELD: readonly (readonly [Partial<SeenFact>, string | null, string])[] = [
  [{}, null, ''],
  [{ cid: ZEROS }, 'fact_rewritten', 'cid'],
  [{ timestamp: '2025-01-01T00:00:00.000000+00:00' }, 'fact_rewritten', 'timestamp'],
  [{ hlc: '1767225601000.001' }, 'fact_rewritten', 'hlc'],
  [{ interpret_as: 'instruction' }, 'fact_rewritten', 'interpret_as'],
  [{ garden_id: 'incident-42' }, 'fact_rewritten', 'garden_id'],
  [{ derived_from: ['x'] }, 'fact_rewritten', 'derived_from'],
  [{ derived_from: ['a b'] }, 'fact_rewritten', 'derived_from'],
  [{ derived_from: ['a', 'b', 'c'] }, 'fact_rewritten', 'derived_from'],
  [{ attestation: null }, 'fact_rewritten', 'attestation'],
  [{ attestation: { key_id: 'k', signature: 'other' } }, 'fact_rewritten', 'attestation'],
  [{ node_id: null }, 'fact_rewritten', 'node_id'],
  [{ node_id: 'stigmem://globex.example' }, 'fact_rewritten', 'node_id'],
  [{ valid_until: '2026-12-31T23:59:59Z' }, 'valid_until_extended', 'valid_until'],
  [{ valid_until: '2027-01-02T00:00:00Z' }, 'fact_rewritten', 'valid_until'],
  [{ valid_until: null }, 'fact_rewritten', 'valid_until'],
  [{ valid_until: '2026-12-31T23:59:59Z', cid: ZEROS }, 'fact_rewritten', 'cid'],
];

for (const [held, reason, field] of HELD) {
  test(`a known fact with ${JSON.stringify(held)}: ${reason ?? 'nothing to do'}`, () => {
    const peer = new HonestPeer();
    peer.append();
    const stored = peer.append({
      derived_from: ['a', 'b'],
      attestation: { key_id: 'k', signature: 's' },
      valid_until: '2027-01-01T00:00:00Z',
    });
    peer.append();
    const batch = judged(peer.page({ feed: 'public', after: 0 }), peer.context(), [seenOf(stored, held)]);
    assert.equal(batch.accepted.length, 2);
    assert.equal(batch.duplicates, reason === null ? 1 : 0);
    assert.deepEqual(reasonsOf(batch), reason === null ? [] : [[1, reason]]);
    if (reason !== null) assert.equal(batch.refused[0]?.difference?.field, field);
  });
}

test('a fact for ever is longer than any', () => {
  const peer = new HonestPeer();
  const stored = peer.append();
  const held = seenOf(stored, { valid_until: '9999-12-31T23:59:59Z' });
  const batch = judged(peer.page({ feed: 'public', after: 0 }), peer.context(), [held]);
  assert.deepEqual(reasonsOf(batch), [[0, 'valid_until_extended']]);
});

test('repeats inside one page: the first stands, each later one is compared with it', () => {
  const draft: FactDraft = {
    fact_id: 'f1',
    entity: 'stigmem://acme.example/service/pay',
    value_v: 'up',
    hlc: '1767225601000.000',
    timestamp: '2026-01-01T00:00:01.000000+00:00',
    valid_until: '2027-01-01T00:00:00Z',
  };
  const peer = new HonestPeer();
  peer.append(draft);
  peer.append(draft);
  peer.append({ ...draft, value_v: 'down' });
  peer.append({ ...draft, valid_until: '2028-01-01T00:00:00Z' });
  peer.append();
  const frames = peer.page({ feed: 'public', after: 0 });
  const batch = judged(frames, peer.context());
  assert.deepEqual(factIdsOf(opened(frames, peer.context())).slice(0, 4), ['f1', 'f1', 'f1', 'f1']);
  assert.deepEqual(
    batch.accepted.map(({ index }) => index),
    [0, 4],
  );
  assert.equal(batch.duplicates, 1);
  assert.deepEqual(reasonsOf(batch), [
    [2, 'fact_rewritten'],
    [3, 'valid_until_extended'],
  ]);
});

test('a refused fact does not take its id', () => {
  const peer = new HonestPeer();
  peer.append({ fact_id: 'f1', source: 'user:mallory' });
  peer.append({ fact_id: 'f1' });
  const batch = judged(peer.page({ feed: 'public', after: 0 }), peer.context());
  assert.deepEqual(reasonsOf(batch), [[0, 'source_not_owned']]);
  assert.deepEqual(
    batch.accepted.map(({ entry }) => entry.fact_id),
    ['f1'],
  );
});

test('links: to the neighbour that is held, only when it is adjacent', () => {
  const peer = new HonestPeer().appendMany(4);
  const frames = peer.page({ feed: 'public', after: 2 });
  const second = peer.entries[1]?.entry;
  assert.ok(second !== undefined);
  const after = (chainSeq: number, chainHash: string): VerifiedBatch =>
    judged(frames, peer.context({ after: 2, neighbour: { chainSeq, chainHash } }));
  assert.deepEqual(reasonsOf(after(2, second.chain_hash)), []);
  assert.deepEqual(reasonsOf(after(2, ZEROS)), [[0, 'chain_link_mismatch']]);
  assert.deepEqual(reasonsOf(after(1, ZEROS)), []);
  assert.deepEqual(after(1, ZEROS).lastLink, { chainSeq: 4, chainHash: peer.entries[3]?.entry.chain_hash });
});

test('links: no hash before the first entry, one before every other', () => {
  const peer = new HonestPeer();
  peer.append({}, { claim: { previous_hash: ZEROS } });
  peer.append({}, { claim: { previous_hash: null } });
  peer.append();
  const batch = judged(peer.page({ feed: 'public', after: 0 }), peer.context());
  assert.deepEqual(reasonsOf(batch), [
    [0, 'chain_link_mismatch'],
    [1, 'chain_link_mismatch'],
  ]);
});

test('links: entries of other feeds stand between, and are not asked for', () => {
  const peer = new HonestPeer();
  peer.append();
  peer.append({ scope: 'team' });
  peer.append();
  assert.equal(judged(peer.page({ feed: 'public', after: 0 }), peer.context()).accepted.length, 2);
});

test('links: whoever follows a wrong chain hash may build on it or on the right one', () => {
  const liar = new HonestPeer();
  liar.append({}, { claim: { chain_hash: ZEROS } });
  const right = new HonestPeer().append().entry.chain_hash;
  liar.append({}, { claim: { previous_hash: right } });
  const batch = judged(liar.page({ feed: 'public', after: 0 }), liar.context());
  assert.deepEqual(reasonsOf(batch), [[0, 'chain_hash_mismatch']]);
  assert.equal(batch.refused[0]?.difference?.computed, right);
});

test('a failed page proof is resolved to the guilty entries, by single proofs', () => {
  const peer = new HonestPeer().appendMany(9);
  const frames = peer.page(
    { feed: 'public', after: 0 },
    {
      content: (c) => ({
        ...c,
        entries: c.entries.map((e, i) => (i === 3 || i === 8 ? { ...e, salt: Buffer.alloc(32) } : e)),
      }),
    },
  );
  const indexes = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const asked = judge(frames, peer.context());
  assert.deepEqual(asked, { kind: 'proofs_needed', size: 9, indexes });

  const paths = peer.inclusionMap(indexes);
  const withProofs = (inclusion: InclusionPaths): VerifiedBatch => judged(frames, peer.context(), [], inclusion);
  const invalid = (...places: number[]): unknown => places.map((place) => [place, 'inclusion_proof_invalid']);
  assert.deepEqual(reasonsOf(withProofs(paths)), invalid(3, 8));
  assert.deepEqual(
    withProofs(paths).accepted.map(({ index }) => index),
    [0, 1, 2, 4, 5, 6, 7],
  );

  const oneMissing = new Map([...paths].filter(([index]) => index !== 5));
  assert.deepEqual(reasonsOf(withProofs(oneMissing)), invalid(3, 5, 8));
  const oneWrong = new Map(paths).set(5, peer.inclusion(6));
  assert.deepEqual(reasonsOf(withProofs(oneWrong)), invalid(3, 5, 8));
  assert.deepEqual(reasonsOf(withProofs('unavailable')), invalid(...indexes));
  assert.equal(JSON.parse(withProofs('unavailable').refused[0]?.evidence.text() ?? '').received.inclusion, null);
});

test('only the page proof garbled: single proofs clear every entry', () => {
  const peer = new HonestPeer().appendMany(5);
  const frames = peer.page(
    { feed: 'public', after: 1, count: 2 },
    { content: (c) => ({ ...c, proof: Buffer.alloc(c.proof.length) }) },
  );
  const ctx = peer.context({ after: 1 });
  assert.deepEqual(judge(frames, ctx), { kind: 'proofs_needed', size: 5, indexes: [1, 2] });
  assert.equal(judged(frames, ctx, [], peer.inclusionMap([1, 2])).accepted.length, 2);
});

test('a broken page proof hides no gap and no wrong last leaf', () => {
  const peer = new HonestPeer().appendMany(5);
  const garble = {
    frames: <T extends { proof: Uint8Array | null }>(f: T): T => ({
      ...f,
      proof: f.proof && Buffer.alloc(f.proof.length),
    }),
  };
  const withheld = peer.page(
    { feed: 'public', after: 0 },
    { content: (c) => ({ ...c, entries: c.entries.toSpliced(2, 1) }), ...garble },
  );
  const verdict = judge(withheld, peer.context(), [], peer.inclusionMap([0, 1, 3, 4]));
  assert.deepEqual([verdict.kind, verdict.kind === 'refused' && verdict.reason], ['refused', 'feed_gap']);

  const headed = peer.page(
    { feed: 'public', after: 2 },
    { feedHead: (head) => ({ ...head, lastLeaf: Buffer.alloc(32) }), ...garble },
  );
  const denied = judge(headed, peer.context({ after: 2 }), [], peer.inclusionMap([2, 3, 4]));
  assert.deepEqual([denied.kind, denied.kind === 'refused' && denied.reason], ['refused', 'feed_head_mismatch']);
});

test('an entry garbled on the way is not held against the peer as a gap', () => {
  const peer = new HonestPeer().appendMany(3);
  const frames = peer.page(
    { feed: 'public', after: 0 },
    {
      content: (c) => ({
        ...c,
        entries: c.entries.map((e, i) =>
          i === 2
            ? { ...e, bytes: Buffer.from(Buffer.from(e.bytes).toString().replace('"feed_seq":3', '"feed_seq":9')) }
            : e,
        ),
      }),
    },
  );
  const batch = judged(frames, peer.context(), [], peer.inclusionMap([0, 1, 2]));
  assert.deepEqual(reasonsOf(batch), [[2, 'inclusion_proof_invalid']]);
});

test('an entry whose CID was cut out on the way is not held against the peer', () => {
  const peer = new HonestPeer().appendMany(2);
  const cut = (bytes: Uint8Array): Buffer =>
    Buffer.from(
      Buffer.from(bytes)
        .toString()
        .replace(/"cid":"[^"]*"/, '"cid":null'),
    );
  const frames = peer.page(
    { feed: 'public', after: 0 },
    { content: (c) => ({ ...c, entries: c.entries.map((e, i) => (i === 0 ? { ...e, bytes: cut(e.bytes) } : e)) }) },
  );
  const batch = judged(frames, peer.context(), [], peer.inclusionMap([0, 1]));
  assert.deepEqual(reasonsOf(batch), [[0, 'inclusion_proof_invalid']]);
});

test('what is accepted is what was sent: entry, leaf, salt and place', () => {
  const peer = new HonestPeer().appendMany(3);
  const batch = judged(peer.page({ feed: 'public', after: 0, encoding: 'zstd' }), peer.context());
  assert.deepEqual(
    batch.accepted.map(({ entry, leafHash, salt, index }) => ({
      entry: { ...entry },
      leaf: Buffer.from(leafHash),
      salt: Buffer.from(salt),
      index,
    })),
    peer.entries.map(({ entry, leaf, salt, index }) => ({ entry, leaf, salt, index })),
  );
});

test('a page proof of the wrong length asks for single proofs', () => {
  const peer = new HonestPeer().appendMany(5);
  const short = peer.page(
    { feed: 'public', after: 1, count: 1 },
    { content: (c) => ({ ...c, proof: c.proof.subarray(32) }) },
  );
  assert.equal(judge(short, peer.context({ after: 1 })).kind, 'proofs_needed');
});
