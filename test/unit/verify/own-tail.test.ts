/** The missing end of a log, given back: each way in which it can be wrong is found before anything is put back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TreeBuilder } from '../../../src/merkle/tree-builder.ts';
import { openOwnPage, type ProvedEntry, type TailFrom, verifyTail } from '../../../src/verify/own-tail.ts';
import { HonestPeer } from '../../support/honest-peer.ts';

const FACTS = 12;
const KEPT = 4;

/** The log of a peer stands for our own: 12 entries of which the first 4 are still here. */
function lost(peer = new HonestPeer().appendMany(FACTS)) {
  const log = { origin: peer.origin, keys: [peer.signer.publicKey] as const };
  const frames = peer.page({ feed: 'public', after: 0, knownSize: 0 });
  const entries = openOwnPage(frames, log);
  assert.ok(entries !== null);
  const held = new Map(entries.map((entry) => [entry.index, entry]));
  const tree = new TreeBuilder();
  tree.append(Buffer.concat(entries.slice(0, KEPT).map(({ leafHash }) => leafHash)));
  const last = JSON.parse(Buffer.from(held.get(KEPT - 1)?.bytes ?? []).toString()) as { chain_hash: string };
  const from: TailFrom = {
    tree: tree.snapshot(),
    size: KEPT,
    head: last.chain_hash,
    lengths: new Map([['public', KEPT]]),
  };
  tree.append(Buffer.concat(entries.slice(KEPT).map(({ leafHash }) => leafHash)));
  return { peer, log, frames, held, from, to: { size: FACTS, root: tree.root() } };
}

test('a whole end is taken as it was', () => {
  const { held, from, to } = lost();
  const verified = verifyTail(held, from, to);
  assert.ok(verified.ok);
  assert.deepEqual(
    verified.value.entries.map(({ entry }) => entry.chain_seq),
    [5, 6, 7, 8, 9, 10, 11, 12],
  );
});

test('what is held by nobody is named, as ranges', () => {
  const { held, from, to } = lost();
  for (const index of [5, 6, 9]) held.delete(index);
  const verified = verifyTail(held, from, to);
  assert.ok(!verified.ok && verified.error.code === 'tail_incomplete');
  assert.deepEqual(verified.error.missing, [
    [5, 6],
    [9, 9],
  ]);
  assert.equal(verified.error.missingCount, 3);
});

const CONTRADICTIONS: Readonly<Record<string, (parts: ReturnType<typeof lost>) => Partial<ReturnType<typeof lost>>>> = {
  'another root was signed': () => ({ to: { size: FACTS, root: Buffer.alloc(32, 7) } }),
  'our own history ends differently': ({ from }) => ({ from: { ...from, head: `sha256:${'0'.repeat(64)}` } }),
  'the feed is longer here': ({ from }) => ({ from: { ...from, lengths: new Map([['public', KEPT + 1]]) } }),
  'the tree here is another': ({ from }) => {
    const tree = new TreeBuilder();
    tree.append(Buffer.alloc(32 * KEPT, 1));
    return { from: { ...from, tree: tree.snapshot() } };
  },
  'two entries changed places': ({ held }) => {
    const swapped = new Map(held);
    swapped.set(6, held.get(7) as ProvedEntry).set(7, held.get(6) as ProvedEntry);
    return { held: swapped };
  },
  'an entry cannot be read': ({ held }) => {
    const entry = held.get(6) as ProvedEntry;
    return { held: new Map(held).set(6, { ...entry, bytes: Buffer.concat([entry.bytes, Buffer.from(' ')]) }) };
  },
};

for (const [name, change] of Object.entries(CONTRADICTIONS)) {
  test(`refused: ${name}`, () => {
    const parts = lost();
    const { held, from, to } = { ...parts, ...change(parts) };
    const verified = verifyTail(held, from, to);
    assert.ok(!verified.ok && verified.error.code === 'tail_contradicts');
  });
}

test('a lie inside our own log, signed as it is, is not put back', () => {
  const peer = new HonestPeer().appendMany(8);
  peer.append({}, { claim: { event_hash: `sha256:${'1'.repeat(64)}` } });
  const { held, from, to } = lost(peer.appendMany(3));
  const verified = verifyTail(held, from, to);
  assert.ok(!verified.ok && verified.error.code === 'tail_contradicts' && verified.error.index === 8);
});

test('a page proves nothing once a byte of it is another, or another key signed it', () => {
  const { frames, log } = lost();
  const entries = Buffer.from(frames.entries ?? []);
  const changed = Buffer.from(entries);
  const at = changed.length >> 1;
  changed[at] = (changed[at] ?? 0) ^ 1;
  assert.equal(openOwnPage({ ...frames, entries: changed }, log), null);
  assert.equal(openOwnPage({ ...frames, proof: null }, log) === null, frames.proof !== null);
  const other = new HonestPeer({ authority: 'x.example' }).signer.publicKey;
  assert.equal(openOwnPage(frames, { ...log, keys: [other] }), null);
  assert.ok(openOwnPage(frames, { ...log, keys: [other, ...log.keys] }), 'a page from before a key change');
  assert.equal(openOwnPage(frames, { ...log, origin: 'x.example/journal/00000000000000aa' }), null);
});
