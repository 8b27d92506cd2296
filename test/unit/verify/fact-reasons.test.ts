import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCanonicalJson } from '../../../src/core/canonical-json.ts';
import { FACT_EVENT, type FactReason } from '../../../src/core/verdict.ts';
import { EPOCH_MS, type StoredEntry } from '../../../src/drill/peer-log.ts';
import { decodeBase64 } from '../../../src/merkle/base64.ts';
import { checkInclusion } from '../../../src/merkle/inclusion.ts';
import { judgeEvidence } from '../../../src/verify/evidence-verdict.ts';
import type { VerifiedBatch } from '../../../src/verify/judge.ts';
import type { SeenFact } from '../../../src/verify/seen-fact.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { judge, judged } from '../../support/judging.ts';
import { FACT_CASES, type FactCase, QUARANTINE_CASES } from './reason-cases.ts';

const ENTRIES = 5;

interface Poisoned {
  readonly peer: HonestPeer;
  readonly bad: readonly StoredEntry[];
  readonly batch: VerifiedBatch;
}

/** A log of five entries of which those at `places` are poisoned, pulled and judged to the end. */
function poisoned(poison: FactCase, places: readonly number[]): Poisoned {
  const peer = new HonestPeer();
  const bad: StoredEntry[] = [];
  for (let i = 0; i < ENTRIES; i++) {
    if (places.includes(i)) bad.push(peer.append(poison.draft, poison.lie));
    else peer.append();
  }
  const garbled = (bytes: Uint8Array, at: number): Uint8Array => {
    const copy = Buffer.from(bytes);
    if (places.includes(at)) poison.garbled?.(copy);
    return copy;
  };
  const frames = peer.page(
    { feed: 'public', after: 0 },
    {
      content: (c) => ({
        ...c,
        entries: c.entries.map((entry, at) => ({ ...entry, bytes: garbled(entry.bytes, at) })),
      }),
    },
  );
  const seen: SeenFact[] = poison.seen === undefined ? [] : bad.map(poison.seen);
  const first = judge(frames, peer.context(), seen);
  if (poison.garbled !== undefined)
    assert.deepEqual({ ...first }, { kind: 'proofs_needed', size: ENTRIES, indexes: [0, 1, 2, 3, 4] });
  const inclusion = poison.garbled === undefined ? undefined : peer.inclusionMap([0, 1, 2, 3, 4]);
  return { peer, bad, batch: judged(frames, peer.context(), seen, inclusion) };
}

const PLACES: Readonly<Record<string, readonly number[]>> = {
  first: [0],
  second: [1],
  middle: [2],
  last: [4],
  neighbours: [1, 2],
  all: [0, 1, 2, 3, 4],
};

for (const reason of Object.keys(FACT_CASES) as FactReason[]) {
  const poison = FACT_CASES[reason];
  for (const [name, places] of Object.entries(PLACES)) {
    test(`${reason}, ${name}: that entry alone is refused`, () => {
      const { batch, bad } = poisoned(poison, places);
      assert.deepEqual(
        batch.refused.map((one) => [one.reason, one.position, one.index, one.feedSeq]),
        places.map((place) => [reason, place, place, place + 1]),
      );
      assert.deepEqual(
        batch.accepted.map(({ index }) => index),
        [0, 1, 2, 3, 4].filter((place) => !places.includes(place)),
      );
      assert.deepEqual([batch.after, batch.to, batch.duplicates], [0, ENTRIES, 0]);
      const isReadable = !reason.startsWith('entry_') && reason !== 'cid_missing';
      assert.deepEqual(
        batch.refused.map(({ factId }) => factId),
        bad.map(({ entry }) => (isReadable ? entry.fact_id : null)),
      );
    });
  }

  test(`${reason}: event, first difference and evidence`, () => {
    const { batch, bad, peer } = poisoned(poison, [2]);
    const [refused] = batch.refused;
    const [stored] = bad;
    assert.ok(refused !== undefined && stored !== undefined);
    assert.equal(refused.event, FACT_EVENT[reason]);
    assert.equal(refused.difference?.field, poison.field);

    const text = refused.evidence.text();
    const evidence = JSON.parse(text);
    const expected = poison.class ?? 'accusation';
    assert.deepEqual([refused.evidence.class, evidence.class], [expected, expected]);
    assert.deepEqual(
      [evidence.v, evidence.event, evidence.reason, evidence.feed],
      [1, refused.event, reason, 'public'],
    );
    assert.deepEqual(evidence.peer, {
      log_key: Buffer.from(peer.signer.publicKey).toString('base64'),
      node_id: peer.nodeId,
      origin: peer.origin,
    });
    assert.deepEqual([evidence.checkpoint, evidence.feed_head], [peer.checkpoint(), peer.feedHead('public')]);
    assert.deepEqual(
      [evidence.first_difference, evidence.claimed, evidence.computed],
      [poison.field, refused.difference.claimed, refused.difference.computed],
    );
    assert.equal(evidence.known?.fact_id ?? null, poison.seen === undefined ? null : stored.entry.fact_id);
    assert.equal(evidence.received.index, 2);
    assert.equal(evidence.received.salt, Buffer.from(stored.salt).toString('base64'));
    const isAsLogged = Buffer.from(stored.bytes).toString('base64') === evidence.received.entry;
    assert.equal(isAsLogged, poison.garbled === undefined);
    const path = evidence.received.inclusion.map((hash: string) => decodeBase64(hash));
    assert.equal(checkInclusion(stored.leaf, 2, path, peer.root(), ENTRIES), 'ok');
    assert.equal(text, JSON.stringify(evidence, sortMembers));
  });
}

function sortMembers(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

for (const [reason, drafts] of Object.entries(QUARANTINE_CASES)) {
  for (const draft of drafts) {
    test(`${reason}: ${JSON.stringify(draft)} is taken and hidden, its neighbours are not hidden`, () => {
      const peer = new HonestPeer();
      peer.append();
      peer.append(draft);
      peer.append();
      const batch = judged(peer.page({ feed: 'public', after: 0 }), peer.context());
      assert.deepEqual(
        batch.accepted.map(({ quarantine }) => quarantine),
        [null, reason, null],
      );
      assert.deepEqual(batch.refused, []);
    });
  }
}

test('the first rule that fails gives the reason', () => {
  const wrongInEveryWay = {
    feed: 'public',
    scope: 'local',
    source: 'user:a',
    relation: 'stigmem:x',
    interpret_as: 'x',
  };
  const reasons = (draft: object, claim: object = {}): string | undefined => {
    const peer = new HonestPeer();
    peer.append(draft, { claim });
    return judged(peer.page({ feed: 'public', after: 0 }), peer.context()).refused[0]?.reason;
  };
  const { scope: _scope, ...inScope } = wrongInEveryWay;
  assert.equal(
    reasons(wrongInEveryWay, { cid: 'x', event_hash: FACT_CASES.event_hash_mismatch.lie?.claim?.event_hash }),
    'cid_malformed',
  );
  assert.equal(
    reasons({ ...wrongInEveryWay, received_from: 'stigmem://b.example', scope: 'public' }),
    'origin_proof_invalid',
  );
  assert.equal(
    reasons({ ...wrongInEveryWay, received_from: 'stigmem://b.example', scope: 'company' }),
    'scope_escalated',
  );
  assert.equal(reasons(wrongInEveryWay), 'scope_escalated');
  assert.equal(reasons(inScope), 'namespace_reserved');
  assert.equal(reasons({ ...inScope, relation: 'stigmem://acme.example/rel/x' }), 'source_not_owned');
  assert.equal(reasons({ interpret_as: 'x', hlc: '0000000000000.000' }), 'interpretation_invalid');
});

const BOUNDARIES: readonly (readonly [string, object, string | null])[] = [
  ['a value of the longest length', { value_v: 'é'.repeat(32_768) }, null],
  ['a value one byte too long', { value_v: `${'é'.repeat(32_768)}a` }, 'value_too_large'],
  ['an entity too long', { entity: `stigmem://acme.example/x/${'é'.repeat(1024)}` }, 'value_too_large'],
  ['a relation too long', { relation: 'r'.repeat(2049) }, 'value_too_large'],
  ['a fact id too long', { fact_id: 'f'.repeat(257) }, 'value_too_large'],
  ['too many sources', { derived_from: Array.from({ length: 65 }, () => 'x') }, 'value_too_large'],
  ['a source id too long', { derived_from: ['x'.repeat(257)] }, 'value_too_large'],
  ['the latest clock', { hlc: '1767229500000.999' }, null],
  ['one millisecond later', { hlc: '1767229500001.000' }, 'hlc_future'],
  ['the earliest clock of an entry taken one second into the log', { hlc: '1764633601000.000' }, null],
  ['one millisecond earlier', { hlc: '1764633600999.999' }, 'hlc_past'],
  ['no such value type', { value_type: 'blob' }, 'entry_malformed'],
  ['a life that is no date', { valid_until: 'soon' }, 'entry_malformed'],
  ['a life that is a date', { valid_until: '2027-01-01' }, null],
  ['a scope nobody knows', { feed: 'public', scope: 'galaxy' }, 'scope_escalated'],
  ['a garden in another feed', { feed: 'public', garden_id: 'incident-42' }, 'scope_not_granted'],
  ['a source without authority', { source: 'user:alice' }, 'source_not_owned'],
  ['the node itself as source', { source: 'stigmem://acme.example' }, null],
  ['an authority that only starts alike', { source: 'stigmem://acme.example.evil/agent/a' }, 'source_not_owned'],
];

for (const [name, draft, reason] of BOUNDARIES) {
  test(`${name}: ${reason ?? 'taken'}`, () => {
    const peer = new HonestPeer();
    peer.append(draft);
    const batch = judged(peer.page({ feed: 'public', after: 0 }), peer.context());
    assert.equal(batch.refused[0]?.reason ?? null, reason);
  });
}

test('a clock that ran ahead for a while is no reason to refuse what is read long afterwards', () => {
  const startMs = EPOCH_MS - 60 * 86_400_000;
  const peer = new HonestPeer({ startMs });
  peer.append({ hlc: `${startMs + 3_600_000}.000` });
  peer.append({ hlc: `${startMs - 31 * 86_400_000}.000` });
  const { accepted, refused } = judged(peer.page({ feed: 'public', after: 0 }), peer.context({ nowMs: EPOCH_MS }));
  assert.deepEqual([accepted.length, refused.map(({ reason }) => reason)], [1, ['hlc_past']]);
});

test('what is claimed is cut between two characters: the evidence has one spelling for every reader', () => {
  const peer = new HonestPeer();
  peer.append({ source: `user:${'a'.repeat(506)}${'\u{1f4a9}'.repeat(8)}` });
  const [refused] = judged(peer.page({ feed: 'public', after: 0 }), peer.context()).refused;
  const text = refused?.evidence.text() ?? '';
  assert.equal(refused?.reason, 'source_not_owned');
  assert.ok(isCanonicalJson(JSON.parse(text), text), text.slice(0, 700));
  assert.equal(judgeEvidence(text).verdict, 'accusation');
});

test('an entry that is too long as a whole is not even decoded; the ones around it are taken', () => {
  const peer = new HonestPeer();
  peer.append();
  peer.append({ value_v: 'x'.repeat(524_288) });
  peer.append();
  const ctx = peer.context({ maxValueBytes: 1_000_000 });
  const batch = judged(peer.page({ feed: 'public', after: 0, encoding: 'zstd' }), ctx);
  assert.deepEqual(
    batch.refused.map(({ reason, index }) => [reason, index]),
    [['entry_malformed', 1]],
  );
  assert.equal(batch.accepted.length, 2);
});

test('a bound of zero switches the clock check off', () => {
  const peer = new HonestPeer();
  peer.append({ hlc: '0000000000001.000' });
  peer.append({ hlc: '9000000000000.999' });
  // No clock could go on from here.
  peer.append({ hlc: '9000000000001.000' });
  const batch = judged(peer.page({ feed: 'public', after: 0 }), peer.context({ maxFutureSkewMs: 0, maxPastSkewMs: 0 }));
  assert.equal(batch.accepted.length, 2);
  assert.deepEqual(
    batch.refused.map(({ reason }) => reason),
    ['hlc_future'],
  );
});

test('a feed that is not taken now: every entry is refused, the cursor moves', () => {
  const peer = new HonestPeer().appendMany(2, () => ({ scope: 'company' }));
  const frames = peer.page({ feed: 'company', after: 0 });
  const batch = judged(frames, peer.context({ feed: 'company', accept: ['public'] }));
  assert.deepEqual(
    batch.refused.map(({ reason }) => reason),
    ['scope_not_granted', 'scope_not_granted'],
  );
  assert.equal(judged(frames, peer.context({ feed: 'company' })).accepted.length, 2);
});
