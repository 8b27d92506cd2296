/** What becomes of a fact: contradicted, retracted, expired, asserted again. Over a real data folder. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runFsck } from '../../../src/node/fsck.ts';
import { createFolder, type DataFolder, type FolderApi, openFolderApi } from '../../support/data-folder.ts';

interface Fact {
  readonly id: string;
  readonly cid: string;
  readonly entity: string;
  readonly confidence: number;
  readonly contradicted: boolean;
  readonly warnings: readonly string[];
  readonly value: { readonly v: unknown };
}

let folder: DataFolder;
let api: FolderApi;
before(async () => {
  folder = await createFolder();
  api = await openFolderApi(folder);
});
after(async () => {
  await api.close();
  const report = await runFsck(folder.dir, {});
  folder.remove();
  assert.deepEqual(report.problems, []);
});

function about(name: string): Record<string, unknown> {
  return {
    entity: `stigmem://example/service/${name}`,
    relation: 'ops:owner',
    source: 'stigmem://example/agent/a1',
    value: { type: 'text', v: 'alice' },
    scope: 'company',
  };
}

async function post(body: object): Promise<Fact> {
  const response = await api.send('/v1/facts', { as: 'full', body });
  assert.equal(response.status, 201, await response.clone().text());
  return (await response.json()) as Fact;
}

async function query(name: string, more = ''): Promise<readonly Fact[]> {
  const entity = encodeURIComponent(`stigmem://example/service/${name}`);
  const response = await api.send(`/v1/facts?entity=${entity}${more}`, { as: 'ro' });
  assert.equal(response.status, 200);
  const { facts, total } = (await response.json()) as { facts: Fact[]; total: number };
  assert.equal(total, facts.length);
  return facts;
}

const ids = (facts: readonly Fact[]): string[] => facts.map(({ id }) => id);

test('a retraction hides what it withdraws, by the same source and no other, and deletes nothing', async () => {
  const fact = await post(about('retracted'));
  const others = await post({
    ...about('retracted'),
    source: 'stigmem://example/agent/a2',
    value: { type: 'text', v: 'bob' },
  });
  assert.equal((await query('retracted')).length, 0, 'two sources disagree');
  const retraction = await post({ ...about('retracted'), confidence: 0 });
  assert.notEqual(retraction.id, fact.id);

  assert.deepEqual(ids(await query('retracted')), [others.id], 'the other source stands alone now');
  assert.deepEqual(ids(await query('retracted', '&include_contradicted=true')), [retraction.id, others.id, fact.id]);
  for (const { id } of [fact, retraction]) assert.equal((await api.send(`/v1/facts/${id}`, { as: 'ro' })).status, 200);
});

test('a fact can be asserted again after its retraction, and retracted again, any number of times', async () => {
  const seen = new Set<string>();
  for (let round = 1; round <= 3; round++) {
    const fact = await post(about('again'));
    assert.ok(!seen.has(fact.id), `round ${round}: a fact of its own`);
    seen.add(fact.id);
    assert.deepEqual(ids(await query('again')), [fact.id], `round ${round}: it stands`);
    assert.equal((await post(about('again'))).id, fact.id, `round ${round}: a repeat changes nothing`);

    const retraction = await post({ ...about('again'), confidence: 0 });
    assert.ok(!seen.has(retraction.id), `round ${round}: a retraction of its own`);
    seen.add(retraction.id);
    assert.deepEqual(await query('again'), [], `round ${round}: it is withdrawn`);
    assert.equal((await post({ ...about('again'), confidence: 0 })).id, retraction.id, `round ${round}: a repeat`);
  }
  assert.equal((await query('again', '&include_contradicted=true')).length, 6);
});

test('a retraction with another value withdraws all of that source about the same thing', async () => {
  await post(about('all'));
  await post({ ...about('all'), value: { type: 'text', v: 'bob' } });
  await post({ ...about('all'), confidence: 0, value: { type: 'null' } });
  assert.deepEqual(await query('all'), []);
  const fresh = await post({ ...about('all'), value: { type: 'text', v: 'carol' } });
  assert.deepEqual(ids(await query('all')), [fresh.id], 'and what comes after it stands alone');
});

test('contradiction: same entity, relation and scope; shown with a flag, hidden by default, gone with its cause', async () => {
  const alice = await post(about('disputed'));
  assert.equal((await query('disputed'))[0]?.contradicted, false);
  const bob = await post({ ...about('disputed'), value: { type: 'text', v: 'bob' } });
  const elsewhere = await post({ ...about('disputed'), scope: 'team', value: { type: 'text', v: 'bob' } });
  const otherwise = await post({ ...about('disputed'), relation: 'ops:team', value: { type: 'text', v: 'bob' } });
  assert.deepEqual(ids(await query('disputed')), [otherwise.id, elsewhere.id]);

  const all = await query('disputed', '&include_contradicted=true');
  assert.deepEqual(
    all.map(({ id, contradicted }) => [id, contradicted]),
    [
      [otherwise.id, false],
      [elsewhere.id, false],
      [bob.id, true],
      [alice.id, true],
    ],
  );
});

test('expiry: hidden when its time is over, shown on request, read by id, and free to be asserted anew', async () => {
  const over = await post({ ...about('expired'), valid_until: '2020-01-01T00:00:00Z' });
  const open = await post({ ...about('open'), valid_until: '2999-01-01T00:00:00+00:00' });
  assert.deepEqual(await query('expired'), []);
  assert.deepEqual(ids(await query('expired', '&include_expired=true')), [over.id]);
  assert.deepEqual(ids(await query('open')), [open.id]);
  assert.equal((await api.send(`/v1/facts/${over.id}`, { as: 'ro' })).status, 200);

  const anew = await post({ ...about('expired'), valid_until: '2999-01-01T00:00:00Z' });
  assert.notEqual(anew.id, over.id);
  assert.equal(anew.cid, over.cid, 'the same content');
  assert.deepEqual(ids(await query('expired')), [anew.id], 'the one that has run out does not contradict it');
  const repeat = await post({ ...about('expired'), valid_until: '2999-06-01T00:00:00Z' });
  assert.equal(repeat.id, anew.id, 'a repeat of what stands changes nothing');
  assert.ok(repeat.warnings.length > 0, 'and says that its valid_until was left out');
});

test('what has run out contradicts nobody', async () => {
  await post({ ...about('renewed'), valid_until: '2020-01-01T00:00:00Z' });
  const now = await post({ ...about('renewed'), value: { type: 'text', v: 'bob' } });
  assert.deepEqual(ids(await query('renewed')), [now.id]);
});

test('in one batch: repeats, a retraction and an assertion keep their order', async () => {
  const fact = about('batch');
  const facts = [fact, fact, { ...fact, value: { type: 'text', v: 'bob' } }];
  const response = await api.send('/v1/facts', { as: 'full', body: { facts } });
  const { results } = (await response.json()) as { results: { repeated: boolean; fact: Fact }[] };
  assert.deepEqual(results.map(({ repeated }) => repeated).sort(), [false, false, true]);
  assert.equal(results[0]?.fact.id, results[1]?.fact.id);
});
