/** `Stigmem-Verify: full`: what a reader gets to check a fact with, and what happens when there is nothing true to give. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Database from 'better-sqlite3';
import { cidOfText } from '../../../src/core/cid.ts';
import { decodeEntry } from '../../../src/core/entry.ts';
import { checkSdkProof } from '../../../src/core/reference/sdk-proof.ts';
import { FactProver } from '../../../src/journal/fact-prover.ts';
import { JOURNAL_FILE } from '../../../src/journal/files.ts';
import { openCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { entryLeafHash } from '../../../src/merkle/commitment.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { checkInclusion } from '../../../src/merkle/inclusion.ts';
import { parseTlogProof } from '../../../src/merkle/tlog-proof.ts';
import { openDeclaration } from '../../../src/wire/declaration.ts';
import { decodeFactBundle, type FactBundle } from '../../../src/wire/fact-bundle.ts';
import { type FolderApi, openFolderApi } from '../../support/data-folder.ts';
import { appendOwn, newJournal, temporaryFolder } from '../../support/journal-fixture.ts';
import { tamper } from '../../support/tampering.ts';

const FULL = { 'stigmem-verify': 'full' };

let api: FolderApi;
before(async () => {
  api = await openFolderApi();
});
after(() => api.close());

async function assertFact(n: number): Promise<string> {
  const body = {
    entity: `stigmem://example/thing/p${n}`,
    relation: 'ops:note',
    source: 'stigmem://example/agent/a1',
    value: { type: 'text', v: `proven thing ${n}` },
    scope: 'public',
  };
  const response = await api.send('/v1/facts', { as: 'full', body });
  return ((await response.json()) as { id: string }).id;
}

async function get(path: string, headers: Record<string, string> = FULL): Promise<Record<string, unknown>> {
  const response = await api.send(path, { as: 'ro', headers });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Record<string, unknown>;
}

async function recall(query: string): Promise<Response> {
  return api.send('/v1/recall', { as: 'ro', body: { query, scope: 'public' }, headers: FULL });
}

/** Checks a bundle as a stranger would who knows the node's key. @returns the tree size that it is proved against */
function check(bundle: FactBundle, factId: string): number {
  const { keys, identity } = api.base;
  const node = createLogSigner(identity.nodeId, keys.node.seed);
  assert.ok(openDeclaration(bundle.declaration, { nodeId: identity.nodeId, nodeKey: node.publicKey }).ok);
  const proof = parseTlogProof(bundle.proof);
  assert.ok(proof.ok);
  const key = createLogSigner(identity.journalOrigin, keys.log.seed).publicKey;
  const checkpoint = openCheckpoint(proof.value.checkpoint, { origin: identity.journalOrigin, key });
  assert.ok(checkpoint.ok);
  const leaf = entryLeafHash(Buffer.from(bundle.salt, 'base64'), bundle.entry);
  const { index, path } = proof.value;
  assert.equal(checkInclusion(leaf, index, path, checkpoint.value.root, checkpoint.value.size), 'ok');
  const entry = decodeEntry(Buffer.from(bundle.entry));
  assert.ok(entry.ok);
  assert.equal(entry.value.fact_id, factId);
  assert.equal(cidOfText(entry.value.confidence, entry.value), entry.value.cid);
  return checkpoint.value.size;
}

/** Puts the journal's head into a local log, as the daemon's timer does. */
async function anchor(): Promise<void> {
  const { writer } = api.base;
  await writer.makeDueAnchors({ interval: 1, maxAgeMs: 0 });
  const { createLocalBackend } = await import('../../../src/anchor/local-backend.ts');
  const backend = createLocalBackend(join(api.dir, 'anchors.jsonl'), Date.now);
  for (;;) {
    const next = await writer.nextAnchor('local');
    if (next === null) return;
    const receipt = await backend.submit(next, new AbortController().signal);
    await writer.saveAnchorReceipt(next.id, receipt);
  }
}

test('without the header nothing is added; another spelling of it is ignored', async () => {
  const id = await assertFact(1);
  const headers: Record<string, string>[] = [{}, { 'stigmem-verify': 'Full' }, { 'stigmem-verify': 'full please' }];
  for (const header of headers) {
    assert.ok(!('bundle' in (await get(`/v1/facts/${id}`, header))));
    assert.ok(!('bundles' in (await get('/v1/facts', header))));
  }
});

test('unanchored facts are proved against the newest signed checkpoint, and the answer says so', async () => {
  const id = await assertFact(2);
  const one = await get(`/v1/facts/${id}`);
  assert.equal(one['anchored'], false);
  check(one['bundle'] as FactBundle, id);
  const page = await get('/v1/facts?limit=2');
  assert.equal(page['anchored'], false);
  const bundles = page['bundles'] as Record<string, FactBundle>;
  assert.deepEqual(
    Object.keys(bundles),
    (page['facts'] as { id: string }[]).map((fact) => fact.id),
  );
  for (const [factId, bundle] of Object.entries(bundles)) check(bundle, factId);

  const response = await api.send(`/v1/facts/${id}/proof`, { as: 'ro' });
  assert.equal(response.headers.get('stigmem-anchored'), 'false');
  const read = decodeFactBundle(await response.text());
  assert.ok(read.ok, 'the body is the bundle, byte by byte');
  check(read.value, id);

  const answer = (await (await recall('proven')).json()) as Record<string, unknown>;
  assert.equal(answer['anchored'], false);
  assert.deepEqual(checkSdkProof(JSON.stringify(answer['chain_proof']), false), { ok: true, value: true });
  assert.equal(checkSdkProof(JSON.stringify(answer['chain_proof']), true).ok, false);
});

test('anchored: the bundle carries the receipt, and the reference’s client accepts the chain proof', async () => {
  const id = await assertFact(3);
  await anchor();
  const late = await assertFact(4);
  const answer = (await (await recall('proven thing')).json()) as Record<string, unknown>;
  assert.deepEqual(checkSdkProof(JSON.stringify(answer['chain_proof']), true), { ok: true, value: true });
  const bundles = answer['bundles'] as Record<string, FactBundle>;
  assert.equal(bundles[id]?.anchors.length, 1);
  assert.deepEqual(bundles[late]?.anchors, [], 'a fact behind the anchored checkpoint is proved by a newer one');
  assert.equal(answer['anchored'], false, 'not all of them');
  assert.ok(check(bundles[id] as FactBundle, id) < check(bundles[late] as FactBundle, late));
  assert.equal((await get(`/v1/facts/${id}`))['anchored'], true);
});

test('a cosigned checkpoint is preferred to a newer one that is only anchored', async () => {
  const id = await assertFact(5);
  await anchor();
  const { size } = await api.base.writer.head();
  const line = `— other.example/witness ${Buffer.alloc(76, 1).toString('base64')}\n`;
  tamper(api.dir, (db) =>
    db
      .prepare(
        'INSERT INTO cosignatures VALUES ((SELECT coalesce(max(cosignature_id), 0) + 1 FROM cosignatures), 1, ?, ?, ?, 1, 0, 0)',
      )
      .run(size, 'other.example/witness', line),
  );
  await assertFact(6);
  await anchor();
  const one = await get(`/v1/facts/${id}`);
  assert.equal(one['anchored'], true);
  assert.equal(check(one['bundle'] as FactBundle, id), size);
  assert.match((one['bundle'] as FactBundle).proof, /other\.example\/witness/);
});

test('links that do not join, and a tree that is not the one signed: 409 fact_chain_mismatch', async () => {
  const id = await assertFact(7);
  const tail = await assertFact(8);
  for (const [column, reason] of [
    ['previous_hash', 'previous_hash_mismatch'],
    ['event_hash', 'event_hash_mismatch'],
    ['chain_hash', 'chain_hash_mismatch'],
  ] as const) {
    const other = Buffer.alloc(32, 7);
    const original = change(id, column, other);
    const response = await recall('no such words here');
    assert.equal(response.status, 409, column);
    const { detail } = (await response.json()) as { detail: Record<string, unknown> };
    const got = [detail['code'], detail['mismatch_reason'], detail['fact_id']];
    assert.deepEqual(got, ['fact_chain_mismatch', reason, id]);
    change(id, column, original);
  }
  assert.equal((await recall('proven')).status, 200);
  const leaf = change(tail, 'leaf_hash', Buffer.alloc(32, 9));
  const wrongTree = await api.send(`/v1/facts/${id}/proof`, { as: 'ro' });
  assert.equal(wrongTree.status, 409);
  const { detail } = (await wrongTree.json()) as { detail: Record<string, unknown> };
  assert.deepEqual([detail['code'], detail['mismatch_reason']], ['fact_chain_mismatch', 'tree_mismatch']);
  change(tail, 'leaf_hash', leaf);
});

function change(factId: string, column: string, value: Uint8Array): Uint8Array {
  let before: Uint8Array = value;
  tamper(api.dir, (db) => {
    before = db
      .prepare<[string], Uint8Array>(`SELECT ${column} FROM entries WHERE fact_id = ?`)
      .pluck()
      .get(factId) as Uint8Array;
    db.prepare(`UPDATE entries SET ${column} = ? WHERE fact_id = ?`).run(value, factId);
  });
  return before;
}

test('what a proof reads does not grow with the journal', (t) => {
  const counts = [600, 6_000].map((size) => {
    const folder = temporaryFolder(t);
    const journal = newJournal(folder);
    while (journal.size < size) appendOwn(journal, 600);
    const { checkpoint, chainHash } = journal.head(0);
    journal.close();
    let statements = 0;
    const db = new Database(join(folder, JOURNAL_FILE), { readonly: true, verbose: () => statements++ });
    const prover = new FactProver(db);
    const factId = db.prepare('SELECT fact_id FROM entries WHERE chain_seq = 300').pluck().get() as string;
    const head = { size, note: checkpoint, chainHash };
    statements = 0;
    const result = prover.prove({ factIds: [factId], erased: [], head, declaration: 'd', withChain: true });
    assert.equal(result.kind, 'proven');
    db.close();
    return statements;
  });
  const [small = 0, large = 0] = counts;
  assert.ok(small > 5 && large - small <= 10, `${small} and ${large} statements`);
});
