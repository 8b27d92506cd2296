/** `GET /v1/changes` and `GET /v1/journal/consistency`: following the journal, and knowing that it is the same one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DEFAULT_API_LIMITS } from '../../../src/admin/api-limits.ts';
import { decodeBase64 } from '../../../src/merkle/base64.ts';
import { type Checkpoint, parseCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { checkConsistency } from '../../../src/merkle/consistency.ts';
import { parseNote } from '../../../src/merkle/note.ts';
import { type FolderApi, openFolderApi } from '../../support/data-folder.ts';
import { until } from '../../support/until.ts';

interface Changes {
  readonly changes: readonly { readonly seq: number; readonly fact: { readonly id: string; readonly scope: string } }[];
  readonly position: number;
  readonly more: boolean;
}

let api: FolderApi;
before(async () => {
  api = await openFolderApi();
});
after(() => api.close());

let made = 0;
async function assertSome(count: number, scope = 'public'): Promise<void> {
  const facts = Array.from({ length: count }, () => ({
    entity: `stigmem://example/service/s${++made}`,
    relation: 'ops:state',
    value: { type: 'string', v: `state ${made}` },
    source: 'stigmem://example/agent/a',
    scope,
    confidence: 1,
  }));
  const answer = await api.send('/v1/facts', { method: 'POST', as: 'full', body: { facts } });
  assert.equal(answer.status, 201);
}

async function changes(query: string): Promise<Changes> {
  const answer = await api.send(`/v1/changes?${query}`, { as: 'ro' });
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()) as Changes;
}

async function checkpoint(): Promise<Checkpoint> {
  const note = parseNote(await (await api.send('/v1/journal/checkpoint', { as: 'ro' })).text());
  const parsed = note.ok ? parseCheckpoint(note.value.text) : note;
  assert.ok(parsed.ok);
  return parsed.value;
}

test('every fact once per position, in the order of the journal', async () => {
  await assertSome(7);
  await assertSome(2, 'company');
  const first = await changes('limit=5');
  assert.deepEqual(
    first.changes.map(({ seq }) => seq),
    [1, 2, 3, 4, 5],
  );
  assert.deepEqual([first.position, first.more], [5, true]);
  assert.deepEqual(await changes('limit=5'), first, 'the same again until the position moves');
  const rest = await changes('after=5');
  assert.deepEqual(
    rest.changes.map(({ seq }) => seq),
    [6, 7, 8, 9],
  );
  assert.deepEqual([rest.position, rest.more], [9, false]);
  assert.deepEqual(await changes('after=9'), { changes: [], position: 9, more: false });
});

test('one scope alone: the position passes the others', async () => {
  const { changes: found, position } = await changes('scope=company');
  assert.deepEqual(
    found.map(({ seq }) => seq),
    [8, 9],
  );
  assert.equal(position, 9);
});

test('who waits is told as soon as there is something', async () => {
  const waiting = changes('after=9&wait_s=25');
  await assertSome(1);
  assert.deepEqual(
    (await waiting).changes.map(({ seq }) => seq),
    [10],
  );
});

test('who waits behind a fact that is to be erased waits, and does not ask the reader again and again', async (t) => {
  const own = await openFolderApi();
  t.after(() => own.close());
  const fact = {
    entity: 'stigmem://example/service/s',
    relation: 'ops:state',
    value: { type: 'string', v: 'to be erased' },
    source: 'stigmem://example/agent/a',
    scope: 'public',
    confidence: 1,
  };
  const stored = await own.send('/v1/facts', { method: 'POST', as: 'full', body: fact });
  const { id } = (await stored.json()) as { id: string };
  const asked = await own.send('/v1/tombstones', { method: 'POST', as: 'admin', body: { fact: id } });
  assert.equal(asked.status, 200, await asked.clone().text());
  await until('the bell has rung', () => own.base.growth.current().size === 1);
  const read = t.mock.method(own.base.reader, 'changes');
  const answer = await own.send('/v1/changes?wait_s=1', { as: 'ro' });
  assert.deepEqual(await answer.json(), { changes: [], position: 0, more: false });
  assert.ok(read.mock.callCount() <= 3, `${read.mock.callCount()} times in a second`);

  // Who is told of the next one has passed it, and is not told of it when that is undone.
  const next = { ...fact, value: { type: 'string', v: 'the next' } };
  assert.equal((await own.send('/v1/facts', { method: 'POST', as: 'full', body: next })).status, 201);
  const { position } = (await (await own.send('/v1/changes', { as: 'ro' })).json()) as Changes;
  const undone = await own.send(`/v1/tombstones/${id}/undo`, { method: 'POST', as: 'admin', body: {} });
  assert.equal(undone.status, 200);
  const seqs = async (after: number): Promise<number[]> => {
    const answer = await own.send(`/v1/changes?after=${after}`, { as: 'ro' });
    return ((await answer.json()) as Changes).changes.map(({ seq }) => seq);
  };
  assert.deepEqual([position, await seqs(position), await seqs(0)], [2, [], [1, 2]]);
});

test('what is left out as erased is proven, and what is left out for now is named, to who verifies', async (t) => {
  const own = await openFolderApi(undefined, { 'tombstones.undo_window_s': '0' });
  t.after(() => own.close());
  const ids: string[] = [];
  for (const [place, scope] of ['public', 'public', 'company', 'public', 'public'].entries()) {
    const fact = {
      entity: `stigmem://example/service/${place}`,
      relation: 'ops:state',
      value: { type: 'string', v: 'x' },
    };
    const body = { ...fact, source: 'stigmem://example/agent/a', scope, confidence: 1 };
    const stored = await own.send('/v1/facts', { method: 'POST', as: 'full', body });
    ids.push(((await stored.json()) as { id: string }).id);
  }
  for (const fact of [ids[1], ids[2]]) {
    const asked = await own.send('/v1/tombstones', { as: 'admin', method: 'POST', body: { fact } });
    assert.equal(asked.status, 200);
  }
  const tombstones = async () => (await own.base.writer.head()).size - ids.length;
  await until('both tombstones are written', async () => (await tombstones()) === 2);
  interface Told extends Changes {
    readonly erased: readonly { readonly seq: number; readonly proof: { readonly kind: string } }[];
    readonly hidden: readonly object[];
  }
  const told = async (query: string): Promise<Told> =>
    (await (
      await own.send(`/v1/changes?${query}`, { as: 'ro', headers: { 'stigmem-verify': 'full' } })
    ).json()) as Told;
  const all = await told('limit=100');
  assert.deepEqual(
    [all.changes.map(({ seq }) => seq), all.erased.map(({ seq }) => seq)],
    [
      [1, 4, 5, 6, 7],
      [2, 3],
    ],
  );
  assert.equal(all.erased[0]?.proof.kind, 'stigmem-erasure-proof/v1');
  assert.deepEqual([all.hidden, all.position, all.more], [[], 7, false]);
  const of = async (scope: string): Promise<number[]> => (await told(`scope=${scope}`)).erased.map(({ seq }) => seq);
  assert.deepEqual([await of('company'), await of('public'), await of('team')], [[3], [2], []]);
  const two = await told('limit=2');
  assert.deepEqual([two.changes.length, two.erased.length, two.position, two.more], [1, 1, 2, true]);
  const holes = await told('after=1&limit=2');
  assert.deepEqual(
    [holes.changes, holes.erased.length, holes.position],
    [[], 2, 3],
    'positions are looked at, not facts',
  );
  const plain = await (await own.send('/v1/changes', { as: 'ro' })).json();
  assert.deepEqual(Object.keys(plain as object), ['changes', 'position', 'more']);

  // What is to be erased and has something behind it is named, with the time that is left. At the end nobody passes it.
  const later = await openFolderApi();
  t.after(() => later.close());
  const hide = async (v: string): Promise<void> => {
    const fact = { entity: 'stigmem://example/service/s', relation: 'ops:state', value: { type: 'string', v } };
    const body = { ...fact, source: 'stigmem://example/agent/a', scope: 'public', confidence: 1 };
    const stored = await later.send('/v1/facts', { method: 'POST', as: 'full', body });
    const { id } = (await stored.json()) as { id: string };
    if (v !== 'shown') await later.send('/v1/tombstones', { as: 'admin', method: 'POST', body: { fact: id } });
  };
  const headers = { 'stigmem-verify': 'full' };
  const now = async (): Promise<Told> =>
    (await (await later.send('/v1/changes', { as: 'ro', headers })).json()) as Told;
  await hide('first');
  const atEnd = await now();
  assert.deepEqual([atEnd.changes, atEnd.hidden, atEnd.position], [[], [], 0]);
  await hide('shown');
  await hide('last');
  const named = await now();
  const [{ due_s: dueS, ...place } = { due_s: 0 }, ...more] = named.hidden as { due_s: number }[];
  assert.deepEqual([place, more, named.position], [{ seq: 1, feed: 'public', feed_seq: 1 }, [], 2]);
  assert.ok(dueS > 86_000 && dueS <= 86_400, `${dueS}`);
});

test('a larger tree is proved to extend a smaller one', async () => {
  const old = await checkpoint();
  await assertSome(300);
  const now = await checkpoint();
  const answer = await api.send(`/v1/journal/consistency?from=${old.size}&to=${now.size}`, { as: 'ro' });
  const { hashes } = (await answer.json()) as { hashes: string[] };
  const path = hashes.map((hash) => decodeBase64(hash) ?? Buffer.alloc(0));
  assert.equal(checkConsistency(old.size, old.root, now.size, now.root, path), 'ok');
  for (const query of [`from=${now.size + 1}`, `from=5&to=4`, `from=1&to=${now.size + 1}`]) {
    assert.equal((await api.send(`/v1/journal/consistency?${query}`, { as: 'ro' })).status, 404, query);
  }
  assert.equal((await api.send('/v1/journal/consistency?from=x', { as: 'ro' })).status, 422);
  assert.equal((await api.send('/v1/journal/consistency')).status, 401);
});

test('nothing at or behind an edited row is told; what stands before it is', async () => {
  const { changes: all } = await changes('after=10&limit=3');
  await api.tamper(all[1]?.fact.id ?? '', 'interpret_as', 'instruction');
  const before = await changes('after=10');
  assert.deepEqual([before.position, before.more], [11, true]);
  assert.equal((await api.send('/v1/changes?after=11', { as: 'ro' })).status, 409);
});

test('one key waits so many times at once and no more, and leaves others their places', async (t) => {
  const own = await openFolderApi();
  t.after(() => own.close());
  const ask = (as: 'ro' | 'full', seconds: number): Promise<Response> =>
    own.send(`/v1/changes?wait_s=${seconds}`, { as });
  const waiting = Array.from({ length: DEFAULT_API_LIMITS.maxWaitsOfKey }, () => ask('ro', 2));
  const refused = await ask('ro', 2);
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5']);
  assert.match(await refused.text(), /64 requests of this key wait for changes, which is the limit; ask with wait_s=0/);
  assert.equal((await ask('ro', 0)).status, 200);
  assert.equal((await ask('full', 1)).status, 200);
  for (const one of waiting) assert.equal((await one).status, 200);
  assert.equal((await ask('ro', 1)).status, 200, 'a place is given back');
});
