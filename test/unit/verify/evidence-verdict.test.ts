/** What a stranger makes of evidence: each class once, and nothing of it that survives a change of what is signed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, type PlainJson } from '../../../src/core/canonical-json.ts';
import type { FactReason, PageReason } from '../../../src/core/verdict.ts';
import type { StoredEntry } from '../../../src/drill/peer-log.ts';
import { encodeBase64 } from '../../../src/merkle/base64.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import type { Evidence } from '../../../src/verify/evidence.ts';
import { judgeEvidence } from '../../../src/verify/evidence-verdict.ts';
import { openPage } from '../../../src/verify/page.ts';
import { bury, withHole } from '../../support/buried.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { judged } from '../../support/judging.ts';
import { PAGE_CASES } from './reason-cases.ts';

const peer = new HonestPeer().appendMany(6);
const forked = peer.fork(2).appendMany(5);
const SEED = Buffer.alloc(32, 3);
const NAMED = { log_key: encodeBase64(peer.signer.publicKey), node_id: peer.nodeId, origin: peer.origin };

type Json = Record<string, PlainJson>;

function checkpoints(notes: string[], path: string[] | null = null): string {
  const reason = path === null ? 'checkpoint_split_view' : 'consistency_proof_invalid';
  const head = { class: 'contradiction', event: 'federation_integrity_rejected', kind: 'checkpoints' };
  return canonicalJson({ ...head, notes, path, peer: NAMED, reason, seen_from: 'stigmem://b.example', v: 1 });
}

function entries(...proved: Json[]): string {
  const head = { class: 'contradiction', event: 'federation_integrity_rejected', kind: 'entries' };
  return canonicalJson({ ...head, entries: proved, peer: NAMED, reason: 'feed_gap', seen_from: null, v: 1 });
}

function proved(log: HonestPeer, index: number, size = log.size): Json {
  const { bytes, salt } = log.entries[index] as StoredEntry;
  const inclusion = log.inclusion(index, size).map(encodeBase64);
  return { checkpoint: log.checkpoint(size), entry: encodeBase64(bytes), inclusion, index, salt: encodeBase64(salt) };
}

/** Evidence of the one refused entry of a log that ends in it. */
function factOf(log: HonestPeer): Evidence {
  const { refused } = judged(log.page({ feed: 'public', after: 0 }), log.context());
  assert.equal(refused.length, 1);
  return refused[0]?.evidence as Evidence;
}

function liar(lie: Parameters<HonestPeer['append']>[1]): HonestPeer {
  const log = new HonestPeer().appendMany(3);
  log.append({}, lie);
  return log;
}

const wrongCid = factOf(liar({ claim: { cid: `sha256:${'0'.repeat(64)}` } })).text();

function pageText(reason: PageReason, name: string): string {
  const one = PAGE_CASES[reason][name];
  assert.ok(one !== undefined, name);
  const page = openPage(one.frames, one.context);
  assert.ok(!page.ok && page.error.kind === 'refused');
  return page.error.evidence.text();
}

const POSITIVE: Readonly<Record<string, readonly [text: string, kind: 'a' | 'b' | 'c' | 'd']>> = {
  'two roots for one size': [checkpoints([peer.checkpoint(5), forked.checkpoint(5)]), 'a'],
  'two roots for one size, from a page': [pageText('checkpoint_split_view', 'same size, other root'), 'a'],
  'a larger tree that does not extend': [
    checkpoints([peer.checkpoint(5), forked.checkpoint(7)], forked.consistency(5, 7)),
    'b',
  ],
  'the same, the larger one first': [
    checkpoints([forked.checkpoint(7), peer.checkpoint(5)], forked.consistency(5, 7)),
    'b',
  ],
  'a larger tree that does not extend, from a page': [
    pageText('consistency_proof_invalid', 'a true path, from another smaller tree'),
    'b',
  ],
  'two entries at one index': [entries(proved(peer, 3), proved(forked, 3)), 'c'],
  'two entries with one feed sequence': [entries(proved(peer, 3), proved(shifted(), 4)), 'c'],
  'two entries with one feed sequence, from a page': [pageText('feed_gap', 'a feed sequence given twice'), 'c'],
  'an entry beyond the feed’s end': [pageText('feed_head_mismatch', 'shorter than the page'), 'c'],
  'another last leaf': [pageText('feed_head_mismatch', 'another last leaf'), 'c'],
  'an entry without its CID': [wrongCid, 'd'],
};

/** A log in which the public entry 4 is leaf 4, behind one of another feed. */
function shifted(): HonestPeer {
  const log = peer.fork(3);
  log.append({ scope: 'company' });
  return log.appendMany(2);
}

for (const [name, [text, kind]] of Object.entries(POSITIVE)) {
  test(`(${kind}) ${name}: proven`, () => {
    const verdict = judgeEvidence(text);
    assert.deepEqual([verdict.verdict, verdict.class], ['contradiction', kind]);
    assert.deepEqual(verdict.peer, NAMED);
    assert.match(verdict.proven[0] ?? '', /^acme\.example\/journal\/00000000000000aa (has|holds) /);
    assert.match(verdict.not_proven.join(' '), /nothing here shows that it is a key of stigmem:\/\/acme\.example/);
  });

  test(`(${kind}) ${name}: not by another key, origin or node`, () => {
    const evidence = JSON.parse(text);
    const other = encodeBase64(createLogSigner('x', Buffer.alloc(32, 9)).publicKey);
    for (const named of [{ log_key: other }, { origin: 'acme.example/journal/00000000000000ab' }]) {
      const changed = canonicalJson({ ...evidence, peer: { ...evidence.peer, ...named } });
      assert.equal(judgeEvidence(changed).verdict, 'accusation');
    }
  });

  test(`(${kind}) ${name}: no single byte of what is signed or proved can be changed`, () => {
    for (const changed of mutations(text)) {
      const verdict = judgeEvidence(changed);
      assert.notDeepEqual([verdict.verdict, verdict.class], ['contradiction', kind], changed);
    }
  });
}

/** One change in each signed note, path, entry and salt; frames as a whole are covered by their hashes. */
function* mutations(text: string): Generator<string> {
  const evidence = JSON.parse(text);
  const changed = (change: (copy: typeof evidence) => void): string => {
    const copy = structuredClone(evidence);
    change(copy);
    return canonicalJson(copy);
  };
  if (evidence.kind === 'checkpoints') {
    for (const i of [0, 1]) yield changed((copy) => (copy.notes[i] = flip(copy.notes[i])));
    yield changed((copy) => (copy.notes[1] = copy.notes[0]));
    if (evidence.path !== null) {
      yield changed((copy) => (copy.path = null));
      yield changed((copy) => copy.path.reverse());
      yield changed((copy) => copy.path.pop());
    }
  } else if (evidence.kind === 'entries') {
    for (const i of [0, 1]) {
      for (const member of ['checkpoint', 'entry', 'salt'])
        yield changed((copy) => (copy.entries[i][member] = flip(copy.entries[i][member])));
      yield changed((copy) => copy.entries[i].inclusion.reverse());
      yield changed((copy) => copy.entries[i].index++);
    }
    yield changed((copy) => (copy.entries[1] = copy.entries[0]));
  } else if (evidence.received.entry !== undefined) {
    for (const member of ['entry', 'salt'])
      yield changed((copy) => (copy.received[member] = flip(copy.received[member])));
    yield changed((copy) => (copy.checkpoint = flip(copy.checkpoint)));
    yield changed((copy) => copy.received.index--);
    yield changed((copy) => (copy.received.inclusion = null));
  } else {
    // The header holds both notes; without entries nothing but two checkpoints can contradict each other.
    yield changed((copy) => (copy.received.header = flip(copy.received.header)));
    if (evidence.known === null) yield changed((copy) => (copy.received.entries = flip(copy.received.entries)));
    else yield changed((copy) => (copy.known.note = flip(copy.known.note)));
  }
}

/** Another letter in the middle of a text that stays what it was: base64, or a note with its names. */
function flip(text: string): string {
  const at = text.includes('\n') ? text.lastIndexOf(' ') + 20 : Math.floor(text.length / 2);
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}

for (const [reason, ways] of Object.entries(PAGE_CASES))
  for (const [name, one] of Object.entries(ways))
    test(`${reason}, ${name}: judged as it was recorded, ${one.class}`, () => {
      assert.equal(judgeEvidence(pageText(reason as PageReason, name)).verdict, one.class);
    });

test('an entry in a signed page that lies beside it: the page alone shows the wrong CID, without any inclusion', () => {
  const log = liar({ claim: { cid: `sha256:${'0'.repeat(64)}` } });
  const page = log.page({ feed: 'public', after: 0 });
  const { inclusion, ...received } = JSON.parse(wrongCid).received;
  const text = canonicalJson({ ...JSON.parse(wrongCid), received: { ...received, inclusion: null } });
  assert.equal(judgeEvidence(text).verdict, 'accusation');
  const verdict = judgeEvidence(text, { page });
  assert.deepEqual([verdict.verdict, verdict.class], ['contradiction', 'd']);
  assert.match(verdict.proven.join('\n'), /has signed this page, byte for byte, for stigmem:\/\/globex\.example/);

  const unsigned = { ...page, note: null };
  const forOthers = log.signed(page, { signer: createLogSigner(log.origin, Buffer.alloc(32, 9)) });
  const otherPage = log.page({ feed: 'public', after: 0, count: 2 });
  const changed = { ...page, entries: Buffer.from((page.entries ?? '').toString().replace('state 4', 'state 5')) };
  for (const wrong of [unsigned, forOthers, otherPage, changed])
    assert.equal(judgeEvidence(text, { page: wrong }).verdict, 'accusation');
});

test('a line without a body hides nothing of what the rest of its page shows', () => {
  const log = new HonestPeer().appendMany(4);
  bury(log, log.entries[1] as StoredEntry);
  const frames = log.page(
    { feed: 'public', after: 0 },
    { content: withHole(log, 1), feedHead: (head) => ({ ...head, lastLeaf: Buffer.alloc(32, 7) }) },
  );
  const page = openPage(frames, log.context());
  assert.ok(!page.ok && page.error.kind === 'refused' && page.error.evidence.class === 'contradiction');
  const { verdict, class: kind } = judgeEvidence(page.error.evidence.text());
  assert.deepEqual([page.error.reason, verdict, kind], ['feed_head_mismatch', 'contradiction', 'c']);
});

test('a true entry accuses nobody, wherever it stands', () => {
  const stolen = new HonestPeer();
  stolen.append({ source: 'stigmem://globex.example/agent/x' });
  const reasons: FactReason[] = ['source_not_owned'];
  assert.ok(reasons.includes(JSON.parse(factOf(stolen).text()).reason));
  assert.equal(judgeEvidence(factOf(stolen).text()).verdict, 'accusation');
  assert.equal(judgeEvidence(entries(proved(peer, 3, 5), proved(peer, 3, 6))).verdict, 'accusation');
  assert.equal(judgeEvidence(entries(proved(peer, 3), proved(peer, 4))).verdict, 'accusation');
  const honest = checkpoints([peer.checkpoint(4), peer.checkpoint(6)], peer.consistency(4, 6));
  assert.equal(judgeEvidence(honest).verdict, 'accusation');
});

test('the declaration beside it ties the log key to a node key, or makes it invalid', async () => {
  const text = checkpoints([peer.checkpoint(5), forked.checkpoint(5)]);
  const { peerId } = await identityFromSeed(SEED);
  const identity = createLogSigner(peer.nodeId, SEED);
  const declaration = peer.declaration(identity, peerId);
  const verdict = judgeEvidence(text, { declaration });
  assert.equal(verdict.verdict, 'contradiction');
  assert.match(verdict.proven.join('\n'), new RegExp(`node key of stigmem://acme.example \\(peer id ${peerId}\\)`));
  assert.match(verdict.not_proven.join('\n'), /has to be known from elsewhere/);

  const stranger = new HonestPeer({ authority: 'globex.example' });
  const { peerId: otherId } = await identityFromSeed(Buffer.alloc(32, 4));
  const wrong = {
    'of another node': stranger.declaration(createLogSigner(stranger.nodeId, SEED), peerId),
    'naming another peer id': peer.declaration(identity, otherId),
    'of another journal': new HonestPeer({ journal: '00000000000000ff' }).declaration(identity, peerId),
    garbled: flip(declaration),
    'no declaration': 'x',
  };
  for (const [what, other] of Object.entries(wrong))
    assert.equal(judgeEvidence(text, { declaration: other }).verdict, 'invalid', what);
});

test('evidence of a time before page notes is judged as it was', () => {
  const old = JSON.parse(wrongCid);
  delete old.received.note;
  assert.equal(judgeEvidence(canonicalJson(old)).class, 'd');
  const page = JSON.parse(pageText('checkpoint_split_view', 'same size, other root'));
  delete page.received.note;
  assert.equal(judgeEvidence(canonicalJson(page)).class, 'a');
});

test('another spelling of evidence is none, also where nothing is said about a member', () => {
  const said = JSON.parse(wrongCid) as Json;
  const spelled = (known: string): string => wrongCid.replace('"known":null', `"known":${known}`);
  assert.equal(judgeEvidence(spelled('{"a":[1,"x"],"b":2}')).verdict, 'contradiction');
  for (const known of [
    '{"b":2,"a":1}',
    '1.5',
    '1e21',
    '-0',
    '"\\ud83d"',
    '{"a":1,"a":1}',
    '[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]',
  ])
    assert.equal(judgeEvidence(spelled(known)).verdict, 'invalid', known);
  assert.equal(canonicalJson(said), wrongCid);
  // Which form it is, its own members say, and none of what lies deeper.
  for (const known of ['{"a":1,"kind":"checkpoints","z":1}', '{"a":1,"kind":"entries","z":1}'])
    assert.equal(judgeEvidence(spelled(known)).class, 'd', known);
});

test('text that is no evidence', () => {
  for (const text of ['', '{}', 'null', '[1]', wrongCid.slice(1), ` ${wrongCid}`, wrongCid.replace('"v":1', '"v":2')]) {
    const verdict = judgeEvidence(text);
    assert.deepEqual([verdict.verdict, verdict.class, verdict.peer, verdict.proven], ['invalid', null, null, []]);
  }
});

test('mutated texts are judged, never thrown over, and never a contradiction of another class', () => {
  const texts = Object.values(POSITIVE);
  const splice = fc.record({ at: fc.nat(9_000), length: fc.nat(8), text: fc.string({ maxLength: 8 }) });
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(splice, { minLength: 1, maxLength: 3 }), ([text, kind], cuts) => {
      let changed = text;
      for (const { at, length, text: put } of cuts) {
        const from = at % (changed.length + 1);
        changed = changed.slice(0, from) + put + changed.slice(from + length);
      }
      assert.ok([null, kind].includes(judgeEvidence(changed).class));
    }),
    { numRuns: 500 },
  );
});
