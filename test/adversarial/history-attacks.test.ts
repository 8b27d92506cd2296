/**
 * The administrator's attacks on the files of his own stopped node: what he leaves behind checks clean on the spot, and
 * a peer that had pulled before finds it at the next contact.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataPaths } from '../../src/config/data-dir.ts';
import { readSeedFile } from '../../src/config/secret-file.ts';
import { changed, type Rewrite, rewriteHistory } from '../support/history-attacks.ts';
import { Bench, type NodeProcess } from '../support/node-process.ts';

const FACTS = 120;
/** The entry that the attacker wants to have been otherwise. */
const AT = 41;

interface Attack {
  readonly rewrite: Rewrite;
  /** Facts that are written behind the attack, before the peer looks. */
  readonly written: number;
  readonly reason: string;
  readonly evidence: 'contradiction' | 'accusation';
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  'edits a value': {
    rewrite: (records) => records.map((record, i) => (i === AT ? changed(record, { value_v: 'down' }) : record)),
    written: 1,
    reason: 'consistency_proof_invalid',
    evidence: 'contradiction',
  },
  'flips interpret_as': {
    rewrite: (records) =>
      records.map((record, i) => (i === AT ? changed(record, { interpret_as: 'instruction' }) : record)),
    written: 1,
    reason: 'consistency_proof_invalid',
    evidence: 'contradiction',
  },
  'deletes a row': {
    rewrite: (records) => records.filter((_, i) => i !== AT),
    written: 2,
    reason: 'consistency_proof_invalid',
    evidence: 'contradiction',
  },
  'drops a fact from its feed': {
    rewrite: (records) => records.map((record, i) => (i === AT ? changed(record, { scope: 'local' }) : record)),
    written: 1,
    reason: 'consistency_proof_invalid',
    evidence: 'contradiction',
  },
  'cuts the tail': {
    rewrite: (records) => records.slice(0, FACTS - 20),
    written: 0,
    reason: 'checkpoint_rollback',
    evidence: 'accusation',
  },
  'cuts the tail and writes another': {
    rewrite: (records) => records.slice(0, FACTS - 20),
    written: 30,
    reason: 'consistency_proof_invalid',
    evidence: 'contradiction',
  },
};

async function assertFacts(node: NodeProcess, from: number, count: number): Promise<void> {
  const facts = Array.from({ length: count }, (_, i) => ({
    entity: `${node.nodeId}/host/web${from + i}`,
    relation: 'acme:status',
    value: { type: 'text', v: `up ${from + i}` },
    source: `${node.nodeId}/agent/a`,
    scope: 'public',
  }));
  if (count > 0) assert.equal((await node.post('/v1/facts', { facts })).body.stored, count);
}

function logSeed(node: NodeProcess): Uint8Array {
  const seed = readSeedFile(dataPaths(node.dir).logKey, 'log');
  assert.ok(seed.ok);
  return seed.value;
}

for (const [name, { rewrite, written, reason, evidence }] of Object.entries(ATTACKS)) {
  test(`an administrator ${name}`, async (t) => {
    const bench = new Bench(t);
    const settings = ['federation.poll_interval_s=1'];
    const [a, b] = await Promise.all([bench.node('a.example', settings), bench.node('b.example', settings)]);
    await Promise.all([a.start(), b.start()]);
    await assertFacts(a, 0, FACTS);
    a.writePeer('b', b.asPeer({ share: ['public'] }));
    b.writePeer('a', a.asPeer({ accept: ['public'] }));
    await b.peerUntil('a', 'has given everything', (now) => now.accepted === FACTS && now.state === 'current');
    await a.stop();

    rewriteHistory(a.dir, logSeed(a), rewrite);
    assert.deepEqual((await a.fsck()).problems, [], 'the attacker’s own check finds nothing');
    a.removePeer('b');
    await a.start();
    await assertFacts(a, FACTS, written);
    const started = performance.now();
    a.writePeer('b', b.asPeer({ share: ['public'] }));

    await b.peerUntil('a', 'is suspended', ({ state }) => state === 'suspended');
    t.diagnostic(`found by the peer after ${Math.round(performance.now() - started)} ms`);
    const [record] = await b.audit('event_type=federation_integrity_rejected');
    assert.equal(record?.reason, reason);
    assert.equal((await b.evidence(record?.seq ?? 0)).evidence.class, evidence);
    assert.equal((await b.get('/v1/journal/head')).body.size, FACTS, 'nothing of the new history was taken');
  });
}
