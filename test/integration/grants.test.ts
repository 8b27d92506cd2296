/** A giver and two readers over loopback: what is granted flows, its end is signed, and every run of it is in the ledger. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runFsck } from '../../src/node/fsck.ts';
import { NAMED_KEY } from '../support/log-vkey.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { until } from '../support/until.ts';

const GARDENS = { gardens: 'merger,incident-42', garden_members: 'merger stigmem://b.example' };
/** Until it is shortened. */
const GRANT_MS = 3_600_000;
const SHORT_GRANT_MS = 2_000;

let a: MeshNode;
let b: MeshNode;
let c: MeshNode;
before(async () => {
  [a, b, c] = await Promise.all([
    MeshNode.create('a.example').then((node) => node.start(GARDENS)),
    MeshNode.create('b.example').then((node) => node.start()),
    MeshNode.create('c.example').then((node) => node.start()),
  ]);
});
after(() => Promise.all([a, b, c].map((node) => node.stop())));

/** @returns the fact's id */
async function say(name: string, scope: string, garden: string | null = null): Promise<string> {
  const request = {
    entity: `stigmem://a.example/thing/${name}`,
    relation: 'test:state',
    source: 'stigmem://a.example/agent/x',
    value: name,
    value_type: 'text' as const,
    scope,
    confidence: 1,
    valid_until: null,
    garden_id: garden,
    derived_from: [],
    attestation: null,
    interpret_as: 'content',
  };
  const [outcome] = await a.base.writer.assert([request], { mayWriteInstructions: false });
  assert.ok(outcome?.kind === 'stored', JSON.stringify(outcome));
  return outcome.fact.entry.fact_id;
}

async function has(node: MeshNode, factId: string): Promise<boolean> {
  return (await node.base.reader.fact(factId)).kind === 'found';
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
async function ask(path: string, node = a): Promise<any> {
  const { status, text } = await get(path, node);
  assert.equal(status, 200, text);
  return JSON.parse(text);
}

async function get(path: string, node = a): Promise<{ readonly status: number; readonly text: string }> {
  const headers = { authorization: `Bearer ${node.folder.keys.admin}` };
  const response = await node.fetch(new Request(`http://node.invalid${path}`, { headers }));
  return { status: response.status, text: await response.text() };
}

const facts = { public: '', company: '', merger: '', team: '', local: '', late: '' };
let endsAtMs = 0;
const fromA = { accept: ['public', 'company', 'company/merger', 'team'] };

function grantCompanyFor(ms: number): void {
  endsAtMs = Date.now() + ms;
  const company = `{ feed = "company", not_after = ${new Date(endsAtMs).toISOString()} }`;
  a.writePeer('b', b.asPeer({ share: ['public', company, 'company/merger'] }, false));
}

test('a preview names no fact that readers do not see', async (t) => {
  const node = await MeshNode.create('d.example').then((made) => made.start());
  t.after(() => node.stop());
  node.writePeer('b', b.asPeer({ share: ['public'] }, false));
  await until('the peer is there', () => node.federation.sessions.get('b') !== undefined);
  const admin = { authorization: `Bearer ${node.folder.keys.admin}`, 'content-type': 'application/json' };
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  const post = async (path: string, body: object): Promise<any> => {
    const init = { method: 'POST', headers: admin, body: JSON.stringify(body) };
    return (await node.fetch(new Request(`http://node.invalid${path}`, init))).json();
  };
  const fact = (name: string): object => ({
    entity: `${node.nodeId}/person/${name}`,
    relation: 'test:state',
    value: { type: 'string', v: name },
    source: `${node.nodeId}/agent/x`,
    confidence: 1,
    scope: 'public',
  });
  const { id } = await post('/v1/facts', fact('to-be-erased'));
  await post('/v1/facts', fact('other'));
  const named = async (): Promise<string[]> =>
    (await ask('/v1/federation/peers/b/grants', node)).examples.map(({ entity }: { entity: string }) => entity);
  assert.equal((await named()).length, 2);
  await post('/v1/tombstones', { fact: id });
  assert.deepEqual(await named(), [`${node.nodeId}/person/other`]);
});

test('B is given what its file grants, C nothing of the garden that it is no member of', async () => {
  facts.public = await say('p', 'public');
  facts.company = await say('c', 'company');
  facts.merger = await say('m', 'company', 'merger');
  facts.team = await say('t', 'team');
  facts.local = await say('l', 'local');
  grantCompanyFor(GRANT_MS);
  a.writePeer('c', c.asPeer({ share: ['company/merger', 'public'] }, false));
  b.writePeer('a', a.asPeer(fromA));
  c.writePeer('a', a.asPeer(fromA));
  for (const id of [facts.public, facts.company, facts.merger]) await until(`B has ${id}`, () => has(b, id));
  await until('C has the public fact', () => has(c, facts.public));
  assert.equal(await has(c, facts.merger), false);
  for (const node of [b, c]) for (const id of [facts.team, facts.local]) assert.equal(await has(node, id), false);
});

test('the preview is what was given: feed by feed, to each entry', async () => {
  const preview = await ask('/v1/federation/peers/b/grants');
  const shown = preview.open.map(({ feed, length, given }: Record<string, unknown>) => [feed, length, given]);
  assert.deepEqual(shown.sort(), [
    ['company', 1, 1],
    ['company/merger', 1, 1],
    ['public', 1, 1],
  ]);
  const shut = preview.shut.map(({ feed, code }: Record<string, unknown>) => [feed, code]);
  assert.deepEqual(shut.sort(), [
    ['local', 'scope_local'],
    ['team', 'team_not_allowed'],
  ]);
  assert.deepEqual(
    preview.examples.map(({ fact_id }: { fact_id: string }) => fact_id).sort(),
    [facts.public, facts.company, facts.merger].sort(),
  );
  assert.equal((await get('/v1/federation/peers/nobody/grants')).status, 404);
});

test('each fact is explained by the rule that decides', async () => {
  const of = async (id: string, peer: string) => ask(`/v1/federation/peers/${peer}/explain?fact=${id}`);
  const open = await of(facts.company, 'b');
  assert.equal(open.sentence, `sent: b is granted company until ${new Date(endsAtMs).toISOString()}`);
  assert.deepEqual([open.given.length, open.given[0].to, open.feed], [1, 1, 'company']);
  assert.equal(
    (await of(facts.merger, 'c')).sentence,
    'not sent because c is no member of the garden of company/merger',
  );
  assert.equal((await of(facts.local, 'c')).code, 'scope_local');
  assert.equal((await of(facts.team, 'b')).code, 'team_not_allowed');
  const public_ = await ask(`/v1/federation/peers/a/explain?fact=${facts.public}`, b);
  assert.equal(public_.code, 'not_granted');
  assert.equal((await get(`/v1/federation/peers/b/explain?fact=nothing`)).status, 404);
});

test('a proposed file: what would start, what would stop', async () => {
  const propose = async (share: string, more = '') => {
    const toml = `node_id = "${c.nodeId}"\npeer_id = "${c.folder.peerId}"\nlog_key = "${NAMED_KEY}"\nshare = ${share}\n${more}`;
    const headers = { authorization: `Bearer ${a.folder.keys.admin}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'c', toml });
    const url = 'http://node.invalid/v1/federation/grants/diff';
    const response = await a.fetch(new Request(url, { method: 'POST', body, headers }));
    return { status: response.status, body: (await response.json()) as Record<string, never> };
  };
  const { body } = await propose('["company", "team", "public/new"]', 'allow_team = true\n');
  const changes = (body['changes'] as unknown as Record<string, unknown>[]).map((one) => [
    one['feed'],
    one['change'],
    one['new_facts'],
    one['given'],
  ]);
  assert.deepEqual(changes.sort(), [
    ['company', 'starts', 1, 0],
    ['public', 'stops', 0, 1],
    ['public/new', 'starts', 0, 0],
    ['team', 'starts', 1, 0],
  ]);
  const refused = await propose('["team"]');
  assert.equal(refused.status, 422);
  assert.match(JSON.stringify(refused.body), /allow_team = true/);
});

test('when the grant ends nothing more flows, and B holds the signed end of it', async () => {
  grantCompanyFor(SHORT_GRANT_MS);
  const ended = async () => (await ask(`/v1/federation/peers/b/explain?fact=${facts.company}`)).code === 'expired';
  await until('the grant has ended', ended);
  facts.late = await say('late', 'company');
  const closed = async () => (await ask('/v1/federation/peers/a', b)).closed;
  await until('B knows of the end', async () => (await closed()).length > 0);
  const closed_at = new Date(endsAtMs).toISOString();
  assert.deepEqual(await closed(), [{ feed: 'company', to: 1, closed_at }]);
  assert.equal(await has(b, facts.late), false);
  const [taken, ...more] = await b.audit('feed_closed');
  assert.deepEqual([taken?.peer, taken?.feed, taken?.reason, more.length], [a.nodeId, 'company', 'grant_expired', 0]);
  assert.match(
    String(taken?.detail['note']),
    /^stigmem-closure\/v1\na\.example\/journal\/[0-9a-f]+\nstigmem:\/\/b\.example\ncompany\n1\n/,
  );
  const [given] = await a.audit('grant_ended');
  assert.equal(given?.detail['note'], taken?.detail['note']);
  const { code, sentence } = await ask(`/v1/federation/peers/b/explain?fact=${facts.late}`);
  assert.equal(code, 'expired');
  assert.equal(sentence, `not sent because the grant of company to b ended at ${closed_at}`);
  assert.match(
    (await ask('/v1/federation/peers/a', b)).waiting_on,
    /its grant of company to us ended at .*, behind entry 1/,
  );
});

test('a new grant goes on from the cursor, and the ledger tells one from the other', async () => {
  a.writePeer('b', b.asPeer({ share: ['public', 'company', 'company/merger'] }, false));
  await until('B has what came meanwhile', () => has(b, facts.late));
  assert.deepEqual((await ask('/v1/federation/peers/a', b)).closed, []);
  const { feeds, runs } = await ask('/v1/federation/peers/b/disclosed');
  const company = feeds.filter(({ feed }: { feed: string }) => feed === 'company');
  assert.deepEqual(
    company.map((given: Record<string, unknown>) => [given['entries'], given['first'], given['last']]),
    [
      [1, 1, 1],
      [1, 2, 2],
    ],
  );
  assert.notEqual(company[0].grant.hash, company[1].grant.hash);
  assert.equal(runs.length, 4);
  const ofFact = await ask(`/v1/federation/peers/b/disclosed?fact=${facts.late}`);
  assert.deepEqual(
    ofFact.runs.map(({ grant }: { grant: object }) => grant),
    [company[1].grant],
  );
  const toC = await ask(`/v1/federation/peers/${encodeURIComponent(c.nodeId)}/disclosed`);
  assert.deepEqual(
    toC.feeds.map(({ feed }: { feed: string }) => feed),
    ['public'],
  );
});

test('the ledger and the closures are part of what fsck reads', async () => {
  for (const node of [a, b, c]) {
    await node.halt();
    const { problems, checked } = await runFsck(node.folder.dir, {});
    assert.deepEqual(problems, []);
    assert.equal(checked.disclosures, node === a ? 5 : 0);
  }
});
