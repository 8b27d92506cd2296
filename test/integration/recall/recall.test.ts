/** Recall over a real data folder: what is found, in which order, and what never is. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { cldrFacts, mdnFacts } from '../../../src/cli/demo/real-facts.ts';
import { type FolderApi, openFolderApi } from '../../support/data-folder.ts';
import { tamper } from '../../support/tampering.ts';

interface Scored {
  readonly fact: { readonly id: string; readonly entity: string; readonly value: { v: unknown; interpret_as: string } };
  readonly score: number;
  readonly token_estimate: number;
}
interface Answer {
  readonly facts: readonly Scored[];
  readonly content: readonly Scored[];
  readonly instructions: readonly Scored[];
  readonly total_scored: number;
  readonly tokens_used: number;
  readonly truncated: boolean;
}

let api: FolderApi;
before(async () => {
  api = await openFolderApi();
  const facts = [...take(cldrFacts(40), 4_000), ...take(mdnFacts(), 1_000)];
  for (let at = 0; at < facts.length; at += 1_000) {
    const sent = await api.send('/v1/facts', { as: 'full', body: { facts: facts.slice(at, at + 1_000) } });
    assert.ok(sent.ok, await sent.text());
  }
});
after(() => api.close());

function* take<T>(items: Iterable<T>, count: number): Generator<T> {
  let left = count;
  for (const item of items) {
    if (left-- === 0) return;
    yield item;
  }
}

async function ask(body: object, headers: Record<string, string> = {}): Promise<Response> {
  return api.send('/v1/recall', { as: 'ro', body, headers });
}

async function recall(query: string, options: object = {}): Promise<Answer> {
  const response = await ask({ query, scope: 'public', ...options });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Answer;
}

let made = 0;
async function assertFact(value: string, more: object = {}): Promise<{ id: string; entity: string }> {
  const body = {
    entity: `stigmem://example/thing/t${++made}`,
    relation: 'ops:note',
    source: 'stigmem://example/agent/a1',
    value: { type: 'text', v: value },
    scope: 'public',
    ...more,
  };
  const response = await api.send('/v1/facts', { as: 'full', body });
  assert.equal(response.status, 201, await response.clone().text());
  return (await response.json()) as { id: string; entity: string };
}

test('real text is found by its words, those with more of them first', async () => {
  const { facts } = await recall('afrikaans languages name');
  assert.ok(facts.length > 5);
  const top = facts.slice(0, 5).map(({ fact }) => `${fact.entity} ${fact.value.v}`.toLowerCase());
  assert.ok(
    top.every((text) => /afrikaans|\baf\b/.test(text) && text.includes('languages')),
    top.join('\n'),
  );
  const scores = facts.map(({ score }) => score);
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  );
});

test('a fact asserted a moment ago is found, in its scope alone', async () => {
  const { id } = await assertFact('the walrus sings at dawn', { scope: 'company' });
  assert.deepEqual(
    (await recall('Walrus', { scope: 'company' })).facts.map(({ fact }) => fact.id),
    [id],
  );
  assert.deepEqual((await recall('walrus')).facts, []);
});

test('the token budget holds for every budget and limit', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 40 }), async (budget, limit) => {
      const answer = await recall('languages', { token_budget: budget, limit });
      const used = answer.facts.reduce((sum, one) => sum + one.token_estimate, 0);
      assert.equal(answer.tokens_used, used);
      assert.ok(used <= budget && answer.facts.length <= limit && answer.total_scored <= limit);
      assert.equal(answer.truncated, answer.facts.length < answer.total_scored);
    }),
    { numRuns: 40 },
  );
});

test('instructions are never among the content', async () => {
  const instruction = { type: 'text', v: 'zebra: always do as told', interpret_as: 'instruction' };
  await assertFact('zebra is striped');
  const key = await api.send('/v1/admin/keys', {
    as: 'admin',
    body: { name: 'teacher', permissions: ['write', 'instruction:write'] },
  });
  const { secret } = (await key.json()) as { secret: string };
  const sent = await api.send('/v1/facts', {
    body: { entity: 'e:z', relation: 'x:do', source: 's', scope: 'public', value: instruction },
    headers: { authorization: `Bearer ${secret}` },
  });
  assert.equal(sent.status, 201, await sent.text());
  const answer = await recall('zebra');
  assert.equal(answer.facts.length, 2);
  assert.deepEqual(
    answer.content.map(({ fact }) => fact.value.interpret_as),
    ['content'],
  );
  assert.deepEqual(
    answer.instructions.map(({ fact }) => fact.value.interpret_as),
    ['instruction'],
  );
  const legacy = await api.send('/v1/recall?legacy_format=true', {
    as: 'ro',
    body: { query: 'zebra', scope: 'public' },
  });
  const members = Object.keys((await legacy.json()) as object);
  assert.ok(!members.includes('content') && !members.includes('instructions') && members.includes('facts'));
});

test('what is retracted, contradicted, expired or below the least confidence is not recalled', async () => {
  const said = await assertFact('quokka smiles');
  assert.equal((await recall('quokka')).facts.length, 1);
  await assertFact('retracted', { entity: said.entity, confidence: 0 });
  const twice = await assertFact('quokka jumps');
  await assertFact('quokka sleeps', { entity: twice.entity, source: 'stigmem://example/agent/a2' });
  await assertFact('quokka eats', { valid_until: '2020-01-01T00:00:00Z' });
  await assertFact('quokka may fly', { confidence: 0.05 });
  assert.deepEqual((await recall('quokka')).facts, []);
  assert.equal((await recall('quokka', { min_confidence: 0 })).facts.length, 1);
});

test('a quarantined fact is recalled by nobody', async () => {
  const { id } = await assertFact('ocelot in the attic');
  tamper(api.dir, (db) =>
    db.exec(
      `INSERT INTO quarantine SELECT chain_seq, 'instruction_federation_inbound', 'pending' FROM entries WHERE fact_id = '${id}'`,
    ),
  );
  for (const as of ['ro', 'admin'] as const) {
    const response = await api.send('/v1/recall', { as, body: { query: 'ocelot', scope: 'public' } });
    if (response.status === 200) assert.deepEqual(((await response.json()) as Answer).facts, [], as);
    else assert.equal(response.status, 403);
  }
});

test('no query makes an error of ours', async () => {
  const syntax = fc.constantFrom('"', '*', '^', 'words:', '(', ')', ' NEAR(', ' OR ', ' AND ', 'languages', '\0', '-');
  const query = fc.array(fc.oneof(syntax, fc.string({ unit: 'binary' })), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(query, async (parts) => {
      const text = parts.join('').toWellFormed();
      const response = await ask({ query: text, scope: 'public', limit: 3 });
      assert.equal(response.status, text === '' ? 422 : 200);
    }),
    { numRuns: 150 },
  );
  assert.equal((await ask({ query: 'x'.repeat(8_193) })).status, 422);
  assert.equal((await ask({ query: 'x', as_of: '2026-01-01' })).status, 501);
  assert.equal((await ask({ query: 'x', limit: 1.5 })).status, 422);
  assert.equal((await ask({})).status, 422);
});

test('the answer has the members of the reference, in its order', async () => {
  const file = new URL('../../vectors/reference/http-samples.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: { id: string; response: { json: object } }[] };
  const theirs = cases.find(({ id }) => id === 'recall')?.response.json as Answer;
  const ours = await recall('languages');
  assert.deepEqual(Object.keys(ours), Object.keys(theirs));
  const [one, other] = [ours.facts[0], theirs.facts[0]] as [Scored, Scored];
  assert.deepEqual(Object.keys(one), Object.keys(other));
  for (const member of ['fact', 'score_breakdown'] as const) {
    const keys = (scored: Scored): string[] => Object.keys((scored as unknown as Record<string, object>)[member] ?? {});
    assert.deepEqual(keys(one), keys(other), member);
  }
});

test('an edited row: 409, by a word that it had, and the row is not shown', async () => {
  const { id } = await assertFact('axolotl is pink');
  const before = await ask({ query: 'pink axolotl', scope: 'public' });
  assert.equal(before.headers.get('stigmem-unindexed'), '0');
  await api.tamper(id, 'value_v', 'axolotl is forged');
  const response = await ask({ query: 'pink axolotl', scope: 'public' });
  const text = await response.text();
  assert.equal(response.status, 409);
  assert.doesNotMatch(text, /forged/);
  const { detail } = JSON.parse(text) as { detail: Record<string, unknown> };
  assert.deepEqual([detail['code'], detail['fact_id']], ['cid_mismatch', id]);
});
