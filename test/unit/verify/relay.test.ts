import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chainHash, eventHashOfText } from '../../../src/core/chain.ts';
import { cidOfText } from '../../../src/core/cid.ts';
import { draftReceived, placeDraft } from '../../../src/core/draft.ts';
import { encodeEntry } from '../../../src/core/entry.ts';
import { isoMicros } from '../../../src/core/time.ts';
import { EPOCH_MS, type StoredEntry } from '../../../src/drill/peer-log.ts';
import type { PageLie } from '../../../src/drill/served-log.ts';
import { entryLeafHash } from '../../../src/merkle/commitment.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { sha256 } from '../../../src/merkle/hash.ts';
import { ALG_ED25519, signEd25519 } from '../../../src/merkle/note.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import type { PageContext } from '../../../src/verify/context.ts';
import { rebuildEntries } from '../../../src/verify/rebuild.ts';
import type { Origins } from '../../../src/wire/origins.ts';
import { openSuccession, signSuccession } from '../../../src/wire/succession.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { judge, judged } from '../../support/judging.ts';
import { RelayLog } from '../../support/relay-log.ts';

type Told = readonly [reason: string, field: string | null];

/** Of each refused entry its place, reason and field. */
function refusals(log: RelayLog, tell?: (origins: Origins) => Origins, ctx?: Partial<PageContext>) {
  const batch = judged(log.page({}, tell), log.context(ctx));
  assert.equal(batch.accepted.length + batch.refused.length + batch.duplicates + batch.withheld, log.relay.size);
  return batch.refused.map(({ position, reason, difference }) => [position, reason, difference?.field]);
}

test('what the origin has in its log is taken, as the origin said it, and named after the origin', () => {
  const log = new RelayLog();
  const batch = judged(log.page(), log.context());
  assert.equal(batch.accepted.length, 5);
  assert.deepEqual(batch.refused, []);
  batch.accepted.forEach(({ entry }, i) => {
    const from = log.origin.entries[i] as StoredEntry;
    assert.equal(entry.origin?.node_id, log.origin.nodeId);
    assert.equal(entry.origin?.leaf_hash, Buffer.from(from.leaf).toString('base64'));
    assert.equal(entry.fact_id, from.entry.fact_id);
  });
});

test('facts between others in the log of the origin, in any order and out of several of its trees', () => {
  const origin = new HonestPeer({ authority: 'initech.example' }).appendMany(9, (i) => ({
    scope: i % 2 === 0 ? 'public' : 'company',
  }));
  const log = new RelayLog({ origin, facts: 0 });
  for (const index of [6, 0, 8, 2, 4]) log.pass(origin.entries[index] as StoredEntry);
  const sizes = [7, 1, 9, 7, 9];
  assert.deepEqual(
    refusals(log, () => log.origins(log.relay.entries, (place) => sizes[place] ?? 0)),
    [],
  );
});

test('a relay cannot re-author: each member that it changes gives another leaf, and only that fact is refused', () => {
  const changes = {
    value_v: { value_v: 'something else' },
    confidence: { confidence: 0.5 },
    entity: { entity: 'stigmem://initech.example/other' },
    relation: { relation: 'other' },
    valid_until: { valid_until: '2099-01-01T00:00:00Z' },
    timestamp: { timestamp: '2026-01-01T00:00:09Z' },
    derived_from: { derived_from: ['x'] },
    attestation: { attestation: { key_id: 'k', signature: 's' } },
    fact_id: { fact_id: '01900000-0000-7000-8000-000000000000' },
    interpret_as: { interpret_as: 'instruction' },
    hlc: { hlc: `${EPOCH_MS}.007` },
  };
  for (const [member, told] of Object.entries(changes)) {
    const log = new RelayLog({ facts: 2 });
    log.pass(log.origin.append(), told);
    log.pass(log.origin.append());
    assert.deepEqual(refusals(log), [[2, 'origin_proof_invalid', 'origin.leaf_hash']], member);
  }
});

test('a relay that changes a fact and names the leaf that follows has it in no tree of the origin', () => {
  const log = new RelayLog({ facts: 2 });
  const from = log.origin.append();
  // What the origin would have written: the same place, salt and time, another value.
  const forged = { ...from, entry: { ...from.entry, value_v: 'something else' } };
  const { value_v } = forged.entry;
  const cid = cidOfText(forged.entry.confidence, forged.entry);
  const event_hash = eventHashOfText(forged.entry.confidence, { ...forged.entry, cid });
  const entry = { ...forged.entry, cid, event_hash };
  const leaf = entryLeafHash(from.salt, encodeEntry({ ...entry, chain_hash: chainHash(entry) }));
  const origin = { chain_seq: 3, leaf_hash: Buffer.from(leaf).toString('base64'), node_id: log.origin.nodeId };
  log.pass(from, { value_v, origin });
  const found = refusals(log);
  assert.equal(found.length, 3, 'the batch as a whole leads nowhere');
  for (const [, reason, field] of found)
    assert.deepEqual([reason, field], ['origin_proof_invalid', 'origin.inclusion']);
});

const EVIDENCE_LIES: Readonly<Record<string, readonly [(origins: Origins) => Origins, Told, number]>> = {
  'no evidence of one entry': [
    (o) => ({ ...o, entries: o.entries.with(1, null) }),
    ['origin_proof_invalid', 'origins.entries[1]'],
    1,
  ],
  'evidence of another fact': [
    (o) => ({ ...o, entries: o.entries.with(1, o.entries[2] ?? null) }),
    ['origin_proof_invalid', 'origin.leaf_hash'],
    1,
  ],
  'no batch': [(o) => ({ ...o, batches: [] }), ['origin_proof_invalid', 'origin.inclusion'], 5],
  'one entry left out of the batch': [
    (o) => ({ ...o, batches: o.batches.map((one) => ({ ...one, places: one.places.slice(1) })) }),
    ['origin_proof_invalid', 'origin.inclusion'],
    5,
  ],
  'places in another order': [
    (o) => ({ ...o, batches: o.batches.map((one) => ({ ...one, places: one.places.toReversed() })) }),
    ['origin_proof_invalid', 'origin.inclusion'],
    5,
  ],
  'a checkpoint of another tree size': [
    (o) => ({ ...o, batches: o.batches.map((one) => ({ ...one, checkpoint: new RelayLog().origin.checkpoint(4) })) }),
    ['origin_proof_invalid', 'origin.inclusion'],
    5,
  ],
  'a checkpoint of another origin': [
    (o) => ({
      ...o,
      batches: o.batches.map((one) => ({
        ...one,
        checkpoint: new HonestPeer({ authority: 'hooli.example' }).appendMany(5).checkpoint(),
      })),
    }),
    ['origin_proof_invalid', 'origin.inclusion'],
    5,
  ],
  "the relay's own checkpoint": [
    (o) => ({ ...o, batches: o.batches.map((one) => ({ ...one, checkpoint: new RelayLog().relay.checkpoint() })) }),
    ['origin_proof_invalid', 'origin.inclusion'],
    5,
  ],
};

for (const [lie, [tell, told, count]] of Object.entries(EVIDENCE_LIES)) {
  test(`evidence: ${lie}`, () => {
    const found = refusals(new RelayLog(), tell);
    assert.equal(found.length, count);
    for (const [, reason, field] of found) assert.deepEqual([reason, field], told);
  });
}

test('evidence of another origin: a fact of a third node in this feed', () => {
  const log = new RelayLog({ facts: 2 });
  const hooli = new HonestPeer({ authority: 'hooli.example' });
  const from = hooli.append();
  log.pass(from, {
    origin: { chain_seq: 1, leaf_hash: Buffer.from(from.leaf).toString('base64'), node_id: hooli.nodeId },
  });
  assert.deepEqual(refusals(log), [[2, 'origin_proof_invalid', 'origin']]);
});

test('what the relay has from another relay is not passed on: the hop limit', () => {
  const log = new RelayLog({ facts: 2 });
  log.pass(log.origin.append(), { received_from: 'stigmem://hooli.example' });
  assert.deepEqual(refusals(log), [[2, 'origin_proof_invalid', 'received_from']]);
});

test('company is never relayed, nor what stands in a garden, with all the proof in the world', () => {
  const log = new RelayLog({ facts: 1 });
  log.pass(log.origin.append({ scope: 'company' }));
  log.pass(log.origin.append({ garden_id: 'incident-42' }));
  assert.deepEqual(refusals(log), [
    [1, 'scope_escalated', 'scope'],
    [2, 'scope_escalated', 'garden_id'],
  ]);
});

test('a fact that the relay asserts itself is none of the origin', () => {
  const log = new RelayLog({ facts: 1 });
  log.relay.append({ feed: log.feed, source: 'stigmem://initech.example/a' });
  assert.deepEqual(refusals(log), [[1, 'origin_proof_invalid', 'origin']]);
});

test('namespaces are those of the origin, not of the relay', () => {
  const log = new RelayLog({ facts: 1 });
  log.pass(log.origin.append({ source: 'stigmem://acme.example/agent' }));
  assert.deepEqual(refusals(log), [[1, 'source_not_owned', 'source']]);
});

test('clocks are judged by when the origin took the fact', () => {
  const origin = new HonestPeer({ authority: 'initech.example', startMs: EPOCH_MS - 90 * 86_400_000 });
  const log = new RelayLog({ origin });
  assert.deepEqual(refusals(log), []);
  log.pass(origin.append({ hlc: `${EPOCH_MS + 86_400_000}.000` }));
  assert.deepEqual(refusals(log), [[5, 'hlc_future', 'hlc']]);
});

test('instructions are taken and held back', () => {
  const log = new RelayLog({ facts: 0 });
  log.pass(log.origin.append({ interpret_as: 'instruction' }));
  assert.equal(judged(log.page(), log.context()).accepted[0]?.quarantine, 'instruction_inbound');
});

test('what is held already, from the origin or from another relay, is a repeat; other content is refused', () => {
  const log = new RelayLog();
  const [first, second] = log.origin.entries as [StoredEntry, StoredEntry];
  const seen = (from: StoredEntry, told: object) => ({
    ...from.entry,
    node_id: log.origin.nodeId,
    origin_leaf: Buffer.from(from.leaf).toString('base64'),
    ...told,
  });
  const batch = judged(log.page(), log.context(), [seen(first, {}), seen(second, { cid: `sha256:${'0'.repeat(64)}` })]);
  assert.equal(batch.duplicates, 1);
  assert.equal(batch.regained, 0);
  assert.deepEqual(
    batch.refused.map(({ position, reason }) => [position, reason]),
    [[1, 'fact_rewritten']],
  );
});

test('a fact id that is held as the fact of somebody else is refused', () => {
  const log = new RelayLog({ facts: 1 });
  const held = {
    ...(log.origin.entries[0] as StoredEntry).entry,
    node_id: 'stigmem://hooli.example',
    origin_leaf: null,
  };
  const batch = judged(log.page(), log.context(), [held]);
  assert.deepEqual(
    batch.refused.map(({ reason, difference }) => [reason, difference?.field]),
    [['fact_rewritten', 'node_id']],
  );
});

/** The leaf alone in the place of the third entry. */
function withheld(leaf?: Uint8Array): PageLie {
  const without = (entry: StoredEntry, place: number) =>
    place === 2 ? { ...entry, salt: leaf ?? entry.leaf, bytes: Buffer.alloc(0) } : entry;
  return { content: (page) => ({ ...page, entries: (page.entries as readonly StoredEntry[]).map(without) }) };
}

test('a withheld entry is a leaf without a fact: the cursor passes it, and nothing of it is recorded', () => {
  const log = new RelayLog();
  const tell = (origins: Origins): Origins => {
    const others = log.origins(log.relay.entries.toSpliced(2, 1)).batches;
    const batches = others.map((one) => ({ ...one, places: [0, 1, 3, 4] }));
    return { ...origins, entries: origins.entries.with(2, null), batches };
  };
  const batch = judged(log.page({}, tell, withheld()), log.context());
  assert.equal(batch.withheld, 1);
  assert.equal(batch.accepted.length, 4);
  assert.equal(batch.to, 5);
  assert.deepEqual(batch.refused, []);
  const lied = judged(log.page({}, tell, withheld(Buffer.alloc(32, 1))), log.context(), [], new Map());
  assert.equal(lied.withheld, 0);
  assert.ok(lied.refused.some(({ position, reason }) => position === 2 && reason === 'inclusion_proof_invalid'));
});

test('what a header may say twice, or of an entry that is not there, is no header', () => {
  const log = new RelayLog();
  const field = (verdict: ReturnType<typeof judge>) =>
    verdict.kind === 'refused' ? [verdict.reason, verdict.difference?.field] : verdict.kind;
  const saying =
    (told: (origins: Origins) => Partial<Origins>): NonNullable<PageLie['header']> =>
    (header) => ({ ...header, origins: header.origins && { ...header.origins, ...told(header.origins) } });
  const tell = (origins: Origins): Origins => ({ ...origins, batches: [], entries: origins.entries.with(2, null) });
  const [, , written] = log.origins(log.relay.entries).entries;
  const header = saying(({ entries }) => ({ entries: entries.with(2, written ?? null) }));
  const said = judge(log.page({}, tell, { ...withheld(), header }), log.context());
  assert.deepEqual(field(said), ['page_malformed', 'header.origins.entries[2]']);
  for (const places of [[0, 1, 2, 3, 4], [4]]) {
    const again = { checkpoint: log.origin.checkpoint(), places, proof: [] };
    const twice = log.page({}, undefined, { header: saying(({ batches }) => ({ batches: [...batches, again] })) });
    assert.deepEqual(field(judge(twice, log.context())), ['page_malformed', 'header.origins.batches[1].places']);
  }
});

const otherKey = createLogSigner('initech.example/journal/00000000000000aa', Buffer.alloc(32, 9));

test('permits: only of the origin, for this relay, at this time', () => {
  const log = new RelayLog();
  const day = (n: number): string => new Date(EPOCH_MS + n * 86_400_000).toISOString();
  const lies: Record<string, [string, string]> = {
    'for another relay': [log.permit({ relay: 'stigmem://hooli.example' }), 'origins.permit.relay'],
    expired: [log.permit({ issuedAt: day(-9), notAfter: day(-2) }), 'origins.permit.not_after'],
    'to come': [log.permit({ issuedAt: day(1), notAfter: day(2) }), 'origins.permit.issued_at'],
    'of the relay itself': [log.permit({}, log.relay), 'origins.permit'],
    'of a third node': [log.permit({}, new HonestPeer({ authority: 'hooli.example' })), 'origins.permit'],
    'two hops': [log.permit().replace('\n1\n', '\n2\n'), 'origins.permit'],
    'another feed': [log.permit().replace('\npublic\n', '\ncompany\n'), 'origins.permit'],
    'a longer life': [log.permit().replace(/2026-01-07/, '2026-02-07'), 'origins.permit'],
    'no note': ['x', 'origins.permit'],
  };
  for (const [lie, [permit, field]] of Object.entries(lies)) {
    const verdict = judge(
      log.page({}, (origins) => ({ ...origins, permit })),
      log.context(),
    );
    assert.ok(verdict.kind === 'refused', lie);
    assert.deepEqual([verdict.reason, verdict.difference?.field], ['relay_not_permitted', field], lie);
  }
});

/** The origin changes its log key at the sixth fact; `overlap` in ms behind that. */
function succession(log: RelayLog, atMs: number, overlapMs = 0): string {
  return step(log, { old: log.origin.signer, next: otherKey, atMs, untilMs: atMs + overlapMs });
}

interface Step {
  readonly old: LogSigner;
  readonly next: LogSigner;
  readonly atMs: number;
  readonly untilMs: number;
}

function step(log: RelayLog, { old, next, atMs, untilMs }: Step): string {
  const vkey = ({ publicKey }: LogSigner) =>
    formatVerifierKey({ name: log.origin.origin, algorithm: ALG_ED25519, publicKey });
  const iso = (ms: number): string => new Date(ms).toISOString();
  const said = {
    effective_at: iso(atMs),
    overlap_until: iso(untilMs),
    old: vkey(old),
    new: vkey(next),
    use: 'log',
  } as const;
  const signers = { old: (text: string) => signEd25519(text, old), new: (text: string) => signEd25519(text, next) };
  return signSuccession(log.origin.nodeId, said, signers);
}

test('a changed log key: the statement comes with the page, evidence of its time stays good, permits need the new key', () => {
  const log = new RelayLog();
  const statement = succession(log, EPOCH_MS + 4_000, 1_000);
  const opened = openSuccession(statement, log.origin.nodeId);
  assert.ok(opened.ok);
  const renewed = Object.assign(Object.create(log.origin) as HonestPeer, { signer: otherKey });
  const permit = log.permit({}, renewed);
  const tell = (origins: Origins): Origins => ({ ...origins, permit, successions: [statement] });
  const batch = judged(log.page({}, tell), log.context());
  assert.equal(batch.accepted.length, 5);
  assert.deepEqual(
    batch.learned.map(({ note }) => note),
    [statement],
  );

  const late = log.pass(log.origin.append());
  assert.equal(late.index, 5);
  assert.deepEqual(refusals(log, tell), [[5, 'origin_proof_invalid', 'origin.created_at']]);

  const held = { ...log.pinned(), statements: [opened.value] };
  const old = judge(log.page(), log.context({ relay: held }));
  assert.equal(old.kind, 'put_off', 'the former key permits nothing any more, and an honest relay may not know it yet');
  const again = judged(log.page({}, tell), log.context({ relay: held }));
  assert.deepEqual(again.learned, []);

  const { logVkey: _, ...pinned } = held;
  const newest = judged(
    log.page({}, tell),
    log.context({ relay: { ...pinned, statements: [], logVkey: opened.value.new } }),
  );
  assert.equal(newest.accepted.length, 5, 'a receiver that knows the new key alone goes back by the statement');
});

test('a permit under a key that was changed since is put off; what its origin cannot have signed is refused', () => {
  const log = new RelayLog();
  const changedMs = EPOCH_MS + 1_000;
  const day = (n: number): string => new Date(EPOCH_MS + n * 86_400_000).toISOString();
  const opened = openSuccession(succession(log, changedMs), log.origin.nodeId);
  assert.ok(opened.ok);
  const relay = { ...log.pinned(), statements: [opened.value] };
  const nowMs = EPOCH_MS + 3 * 86_400_000;
  const verdictOf = (permit: string) =>
    judge(
      log.page({}, (origins) => ({ ...origins, permit })),
      log.context({ relay, nowMs }),
    );
  assert.equal(verdictOf(log.permit({ issuedAt: day(0) })).kind, 'put_off');
  const lies: Record<string, [string, string]> = {
    'signed behind the end of the key': [log.permit({ issuedAt: day(2) }), 'origins.permit.issued_at'],
    'signed by no key of the origin': [log.permit({}, log.relay), 'origins.permit'],
    'with a signature that is not its own': [
      log.permit({ issuedAt: day(0) }).replace(/2026-01-0/, '2026-02-0'),
      'origins.permit',
    ],
    'for another relay': [log.permit({ relay: 'stigmem://hooli.example' }), 'origins.permit.relay'],
    over: [log.permit({ issuedAt: day(-9), notAfter: day(-2) }), 'origins.permit.not_after'],
  };
  for (const [lie, [permit, field]] of Object.entries(lies)) {
    const verdict = verdictOf(permit);
    assert.ok(verdict.kind === 'refused', `${lie}: ${verdict.kind}`);
    assert.deepEqual([verdict.reason, verdict.difference?.field], ['relay_not_permitted', field], lie);
  }
});

test('a page that was taken once is judged again by the permit of its day: it has ended since, or its key was changed', () => {
  const log = new RelayLog();
  const opened = openSuccession(succession(log, EPOCH_MS + 1_000), log.origin.nodeId);
  assert.ok(opened.ok);
  const nowMs = EPOCH_MS + 10 * 86_400_000;
  for (const statements of [[], [opened.value]]) {
    const then = { ...log.pinned(), statements, takenAtMs: EPOCH_MS };
    assert.equal(judge(log.page(), log.context({ relay: then, nowMs })).kind, 'verified');
    const over = judge(log.page(), log.context({ relay: { ...then, takenAtMs: nowMs }, nowMs }));
    assert.equal(over.kind === 'refused' && over.difference?.field, 'origins.permit.not_after');
  }
});

test('header, feed and what is known of the origin have to agree', () => {
  const log = new RelayLog();
  const field = (verdict: ReturnType<typeof judge>) =>
    verdict.kind === 'refused' ? [verdict.reason, verdict.difference?.field] : verdict.kind;
  assert.deepEqual(field(judge(log.page(), log.context({ relay: null }))), ['page_malformed', 'header.origins']);
  const stripped = log.page({}, undefined, {
    header: (header) => {
      const { origins: _, ...rest } = header;
      return { ...rest, v: 1 };
    },
  });
  assert.deepEqual(field(judge(stripped, log.context())), ['page_malformed', 'header.origins']);
  const own = log.relay.page({ feed: 'public', after: 0 }, { header: (h) => ({ ...h, feed: log.feed }) });
  assert.deepEqual(field(judge(own, log.context())), ['page_malformed', 'header.origins']);
});

test('what a relay has brought is a repeat when its origin gives it, and no page of the origin lost in a restore', () => {
  const origin = new HonestPeer().appendMany(2);
  const [from] = origin.entries as [StoredEntry];
  const origin_leaf = Buffer.from(from.leaf).toString('base64');
  const seen = { ...from.entry, node_id: origin.nodeId, received_from: 'stigmem://hooli.example', origin_leaf };
  const batch = judged(origin.page({ feed: 'public', after: 0 }), origin.context(), [seen]);
  assert.deepEqual([batch.duplicates, batch.regained, batch.accepted.length], [1, 0, 1]);
  const taken = { ...seen, received_from: origin.nodeId };
  assert.equal(judged(origin.page({ feed: 'public', after: 0 }), origin.context(), [taken]).regained, 1);
});

test('entries of a relay are written again after a restore as they stood: by its page, and the note that was left with it', () => {
  const log = new RelayLog({ facts: 2 });
  const note = { firstSeq: 8, firstFeedSeq: 1, createdUs: EPOCH_MS * 1_000, previousHash: Buffer.alloc(32, 3) };
  const salts = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const sent = log.relay.entries.map(({ salt, bytes }) => ({ salt, bytes }));
  let previousHash = `sha256:${note.previousHash.toString('hex')}`;
  const written = log.relay.entries.map(({ entry, leaf }, i) => {
    const place = { chainSeq: 8 + i, feedSeq: 1 + i, createdAt: isoMicros(note.createdUs), previousHash };
    const placed = placeDraft(draftReceived(entry, leaf, log.relay.nodeId), place);
    previousHash = placed.chain_hash;
    return placed;
  });
  const leaves = written.map((entry, i) => entryLeafHash(salts[i] ?? Buffer.alloc(32), encodeEntry(entry)));
  const entries = salts.map((salt, place) => ({ place, salt }));
  const rebuilt = rebuildEntries({ ...note, digest: sha256(Buffer.concat(leaves)), entries }, sent, log.relay.nodeId);
  assert.deepEqual(
    rebuilt?.map(({ bytes }) => Buffer.from(bytes).toString('utf8')),
    written.map(encodeEntry),
  );
  assert.deepEqual(
    written.map(({ origin, received_from }) => [origin?.node_id, received_from]),
    [
      [log.origin.nodeId, log.relay.nodeId],
      [log.origin.nodeId, log.relay.nodeId],
    ],
  );
});

test('who has a key that was given up makes neither a newer key with it, nor a longer life for it', () => {
  const log = new RelayLog();
  const stolen = log.origin.signer;
  const thiefs = createLogSigner(log.origin.origin, Buffer.alloc(32, 10));
  const changedMs = EPOCH_MS + 4_000;
  const opened = openSuccession(succession(log, changedMs, 1_000), log.origin.nodeId);
  assert.ok(opened.ok);
  const life = { atMs: changedMs, untilMs: EPOCH_MS + 3_650 * 86_400_000 };
  const after = step(log, { old: stolen, next: thiefs, ...life });
  const before = step(log, { old: thiefs, next: stolen, ...life });
  const by = (signer: LogSigner): string =>
    log.permit({}, Object.assign(Object.create(log.origin) as HonestPeer, { signer }));

  // The receiver goes by the new key: with the thief's statements a fact of today is still none that the former key can prove.
  log.pass(log.origin.append());
  const { logVkey: _, ...pinned } = log.pinned();
  const renewed = { ...pinned, logVkey: opened.value.new, statements: [opened.value] };
  const permit = by(otherKey);
  for (const successions of [
    [opened.value.note, after],
    [opened.value.note, before],
    [opened.value.note, after, before],
  ])
    assert.deepEqual(
      refusals(log, (origins) => ({ ...origins, permit, successions }), { relay: renewed }),
      [[5, 'origin_proof_invalid', 'origin.created_at']],
    );

  // It has the former key from a peer file, and holds the change: what is shown does not lead elsewhere.
  const held = { ...log.pinned(), statements: [opened.value] };
  const taken = judge(
    log.page({}, (origins) => ({ ...origins, permit: by(thiefs), successions: [after] })),
    log.context({ relay: held }),
  );
  assert.ok(taken.kind === 'refused');
  assert.deepEqual([taken.reason, taken.difference?.field], ['relay_not_permitted', 'origins.permit']);
});

test('a permit is good for seven days, whatever it says', () => {
  const log = new RelayLog();
  const notAfter = new Date(EPOCH_MS + 30 * 86_400_000).toISOString();
  const verdict = judge(
    log.page({}, (origins) => ({ ...origins, permit: log.permit({ notAfter }) })),
    log.context(),
  );
  assert.ok(verdict.kind === 'refused');
  assert.deepEqual([verdict.reason, verdict.difference?.field], ['relay_not_permitted', 'origins.permit.not_after']);
});
