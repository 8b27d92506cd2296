/** Whole nodes over loopback: a tombstone erases a body at its author and at a partner, in every file, and nothing else. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { runFsck } from '../../src/app.ts';
import { dataPaths } from '../../src/config/data-dir.ts';
import type { ConfigFlags } from '../../src/config/overlay.ts';
import { readSeedFile } from '../../src/config/secret-file.ts';
import type { PageRow } from '../../src/journal/tables-peers.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { signErasureAck } from '../../src/wire/erasure-ack.ts';
import { decodePage } from '../../src/wire/page.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { ask, filesWith, pulled, SECRET } from '../support/tombstone-mesh.ts';
import { until } from '../support/until.ts';

const NOW = { 'tombstones.undo_window_s': '0', 'tombstones.received_window_s': '0' };
/** Words that no other file of a node has, in the value, the entity and the relation. */

interface Said {
  readonly ids: readonly string[];
  readonly secretId: string;
}

async function say(node: MeshNode, values: readonly string[]): Promise<readonly string[]> {
  const facts = values.map((v, i) => ({
    entity: `${node.nodeId}/thing/${v === SECRET ? SECRET : i}`,
    relation: v === SECRET ? `test:${SECRET}` : 'test:value',
    value: { type: 'string', v },
    source: `${node.nodeId}/agent/a`,
    confidence: 1,
    scope: 'public',
  }));
  const { status, body } = await ask(node, '/v1/facts', { facts });
  assert.equal(status, 201, JSON.stringify(body));
  return (body.results as { fact: { id: string } }[]).map(({ fact }) => fact.id);
}

/** Entries of the pages that a node has stored, taken apart. */
function pagesOf(node: MeshNode): string {
  const db = new Database(join(node.folder.dir, 'journal.db'), { readonly: true });
  const pages = db.prepare<[], PageRow>('SELECT * FROM pages').all();
  db.close();
  return pages
    .flatMap((page) => {
      const decoded = decodePage(page);
      return decoded.ok ? decoded.value.entries.map((bytes) => Buffer.from(bytes).toString('utf8')) : [];
    })
    .join('\n');
}

async function start(
  t: { after(clean: () => Promise<void>): void },
  names: readonly string[],
  flags: ConfigFlags = NOW,
) {
  const nodes = await Promise.all(names.map((name) => MeshNode.create(`${name}.example`)));
  for (const node of nodes) t.after(() => node.stop());
  for (const node of nodes) await node.start(flags);
  return nodes;
}

function bundleOf(text: string): { readonly entry: string; readonly salt: string } {
  return JSON.parse(text) as { entry: string; salt: string };
}

function connect(author: MeshNode, reader: MeshNode): void {
  const name = new URL(reader.nodeId).hostname.split('.')[0] ?? '';
  author.writePeer(name, reader.asPeer({ share: ['public'] }, false));
  reader.writePeer('author', author.asPeer({ accept: ['public'] }));
}

async function prepared(author: MeshNode): Promise<Said> {
  const ids = await say(author, ['one', 'two', SECRET, 'four', 'five']);
  return { ids, secretId: ids[2] ?? '' };
}

test('a tombstone erases a body in every file of two nodes, and a third pulls a feed with the hole', async (t) => {
  const [a, b, c] = await start(t, ['a', 'b', 'c']);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const { ids, secretId } = await prepared(a);
  connect(a, b);
  await pulled(a, b);
  await a.base.writer.settleRecall();
  await b.base.writer.settleRecall();
  const proofs = await Promise.all(ids.map((id) => a.get(`/v1/facts/${id}/proof`)));
  assert.ok(filesWith(a, SECRET).length > 0 && filesWith(b, SECRET).length > 0 && pagesOf(b).includes(SECRET));

  const asked = await ask(a, '/v1/tombstones', { fact: secretId, reason: 'it should not have been said' });
  assert.equal(asked.status, 200, JSON.stringify(asked.body));
  assert.deepEqual([asked.body.steps[0].step, asked.body.peers.length], ['requested', 1]);
  await until('both have erased it', async () => {
    const { body } = await ask(a, `/v1/tombstones/${secretId}`);
    return body.state === 'scrubbed' && body.peers[0].erased_at !== null;
  });
  const { body: status } = await ask(a, `/v1/tombstones/${secretId}`);
  assert.deepEqual(
    status.steps.map(({ step }: { step: string }) => step),
    ['requested', 'issued', 'erased', 'scrubbed'],
  );
  assert.equal(status.peers[0].peer, b.nodeId);
  await until('b knows that a knows', async () => (await ask(b, `/v1/tombstones/${secretId}`)).body.state === 'told');

  assert.ok(!pagesOf(b).includes(SECRET) && pagesOf(b).includes('/thing/3'));
  for (const node of [a, b]) {
    assert.deepEqual(filesWith(node, SECRET), [], node.nodeId);
    for (const word of SECRET.split('-')) assert.deepEqual(filesWith(node, word), [], `${node.nodeId} ${word}`);
    assert.deepEqual(filesWith(node, secretId), [], node.nodeId);
    const gone = await ask(node, `/v1/facts/${secretId}`);
    assert.deepEqual([gone.status, gone.body.detail.code], [410, 'fact_tombstoned']);
    assert.equal(gone.body.detail.tombstone_notice.state, 'erased');
    const { body } = await ask(node, '/v1/facts?relation=test:value');
    assert.equal(body.facts.length, 4);
    const recalled = await ask(node, '/v1/recall', { query: SECRET, scope: 'public' });
    assert.deepEqual(recalled.body.facts, []);
  }
  for (const [i, id] of ids.entries()) {
    if (id === secretId) continue;
    const again: Awaited<ReturnType<MeshNode['get']>> = await a.get(`/v1/facts/${id}/proof`);
    assert.equal(again.status, 200);
    const [before, after] = [proofs[i]?.text ?? '', again.text].map(bundleOf);
    assert.deepEqual([after?.entry, after?.salt], [before?.entry, before?.salt]);
  }

  connect(a, c);
  await pulled(a, c);
  // Look-ups follow the journal once its thread has paused.
  await until('c finds what is around the hole', async () => {
    const { body } = await ask(c, '/v1/facts?relation=test:value');
    return body.facts.length === 4;
  });
  assert.deepEqual((await c.audit('federation_integrity_rejected')).length, 0);
  assert.equal((await ask(c, `/v1/facts/${secretId}`)).status, 404, 'it never held it');

  for (const node of [a, b, c]) {
    await node.halt();
    const report = await runFsck(node.folder.dir, {});
    assert.deepEqual(report.problems, [], node.nodeId);
  }
});

test('of the words of a partner that it has erased something one is kept for each fact that it was given', async (t) => {
  const [a, b, c] = await start(t, ['a', 'b', 'c']);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const { secretId } = await prepared(a);
  connect(a, b);
  a.writePeer('c', c.asPeer({}, false));
  c.writePeer('author', a.asPeer({ accept: ['public'] }));
  await pulled(a, b);
  await until('C has said who it is', async () => (await a.base.writer.declarations([c.nodeId]))[0] !== null);
  assert.equal(
    (await ask(a, '/v1/tombstones', { fact: secretId, reason: 'it should not have been said' })).status,
    200,
  );
  await until('both have erased it', async () => {
    const { body } = await ask(a, `/v1/tombstones/${secretId}`);
    return body.state === 'scrubbed' && body.peers[0]?.erased_at !== null;
  });

  const kept = (): readonly { readonly peer: string; readonly note: string }[] => {
    const db = new Database(join(a.folder.dir, 'journal.db'), { readonly: true });
    const rows = db.prepare<[], { peer: string; note: string }>('SELECT peer, note FROM erasure_acks').all();
    db.close();
    return rows;
  };
  const before = kept();
  assert.deepEqual(
    before.map(({ peer }) => peer),
    [b.nodeId],
  );
  const leafHash = /sha256:[0-9a-f]{64}/.exec(before[0]?.note ?? '')?.[0] ?? '';
  const signed = (node: MeshNode, feedSeq: number, minute: number): string => {
    const seed = readSeedFile(dataPaths(node.folder.dir).logKey, 'log');
    assert.ok(seed.ok);
    const erasedAt = new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
    const ack = { author: a.nodeId, feed: 'public', feedSeq, leafHash, erasedAt };
    return signErasureAck(ack, createLogSigner(node.base.identity.journalOrigin, seed.value));
  };
  const places = [1, 2, 3, 4, 5, 6, 7, 1_000];
  for (const node of [b, c]) {
    const flood = Array.from({ length: 64 }, (_, i) => signed(node, places[i % places.length] ?? 0, i % 60));
    assert.equal(await a.base.writer.takeErasures(node.nodeId, flood), flood.length, 'none of them need come again');
  }
  assert.deepEqual(kept(), before);
});

test('who has no right to it learns of no hold', async (t) => {
  const [a, b] = await start(t, ['a', 'b'], { ...NOW, 'tombstones.received_window_s': '3600' });
  assert.ok(a !== undefined && b !== undefined);
  const { secretId } = await prepared(a);
  connect(a, b);
  await pulled(a, b);
  await ask(a, '/v1/tombstones', { fact: secretId });
  await until('b hides it', async () => (await ask(b, `/v1/facts/${secretId}`)).status === 410);
  const path = `/v1/tombstones/${secretId}/hold`;
  assert.equal((await ask(b, path, {}, 'ro')).status, 403);
  assert.equal((await ask(b, path, { reason: 'case 7' })).body.state, 'held');

  const query = `/v1/facts?entity=${encodeURIComponent(`${a.nodeId}/thing/${SECRET}`)}`;
  const [operator, reader] = [await ask(b, query), await ask(b, query, undefined, 'ro')];
  assert.deepEqual([operator.body.facts, reader.body.facts, reader.body.tombstone_notices], [[], [], []]);
  const [notice, ...more] = operator.body.tombstone_notices;
  assert.deepEqual([notice.legal_hold, notice.state, notice.scope, more], [true, 'hidden', 'public', []]);
  const hidden = await ask(b, `/v1/facts/${secretId}`, undefined, 'ro');
  assert.deepEqual([hidden.status, Object.keys(hidden.body.detail)], [410, ['code', 'message']]);
  assert.equal((await ask(b, `/v1/tombstones/${secretId}`, undefined, 'ro')).status, 403);
  assert.equal((await ask(a, `/v1/tombstones/${secretId}`)).body.peers[0].erased_at, null);

  const asserted = await ask(a, '/v1/facts', {
    entity: `${a.nodeId}/tombstone/0`,
    relation: 'stigmem:tombstone',
    value: { type: 'text', v: '{}' },
    source: a.nodeId,
    scope: 'public',
  });
  assert.equal(asserted.status, 422);
  assert.match(JSON.stringify(asserted.body), /written by the node itself/);
});

test('with four eyes a tombstone is proposed by one person and asked for when another approves', async (t) => {
  const [a] = await start(t, ['a'], { ...NOW, 'review.four_eyes': 'tombstone.create' });
  assert.ok(a !== undefined);
  const { secretId } = await prepared(a);
  const proposed = await ask(a, '/v1/tombstones', { fact: secretId, reason: 'a name' });
  assert.equal(proposed.status, 202, JSON.stringify(proposed.body));
  const { id, action, subject } = proposed.body.proposal;
  assert.deepEqual([action, subject], ['tombstone.create', 'entry:3']);
  assert.equal((await ask(a, `/v1/facts/${secretId}`)).status, 200, 'nothing is hidden yet');
  const alone = await ask(a, `/v1/approvals/${id}/approve`, { reason: 'yes' });
  assert.deepEqual([alone.status, alone.body.detail.code], [403, 'same_actor']);
  const by = { fact: subject, actor: 'agent:somebody-else#00000000', reason: 'yes', approves: id };
  assert.deepEqual(await a.base.writer.orderErasure('requestTombstone', by), { kind: 'done' });
  await until('it is erased', async () => (await ask(a, `/v1/tombstones/${secretId}`)).body.state === 'scrubbed');
  assert.deepEqual(filesWith(a, secretId), [], 'no proposal names it');
});

test('a fact that was refused and taken later is evidence: nobody gives his word that it is gone', async (t) => {
  const [a, b] = await start(t, ['a', 'b']);
  assert.ok(a !== undefined && b !== undefined);
  const [id = ''] = await say(a, [SECRET]);
  a.writePeer('b', b.asPeer({ share: ['public'] }, false));
  b.writePeer('author', { ...a.asPeer({ accept: ['public'] }), namespaces: ['elsewhere.example'] });
  await until('b has refused it', async () => (await b.base.writer.peerProgress(a.nodeId, [])).refused === 1);
  b.writePeer('author', a.asPeer({ accept: ['public'] }));
  await until('b has taken it', async () => {
    await ask(b, '/v1/federation/peers/author/retry', { reason: 'its file was wrong' });
    return (await ask(b, `/v1/facts/${id}`)).status === 200;
  });

  await ask(a, '/v1/tombstones', { fact: id, reason: 'it should not have been said' });
  const state = async () => (await ask(b, `/v1/tombstones/${id}`)).body.state;
  await until('b has erased it', async () => ['scrubbed', 'told'].includes(await state()));
  assert.equal(await state(), 'scrubbed');
  assert.deepEqual((await b.base.writer.pendingErasures(a.nodeId)).acks, []);
});
