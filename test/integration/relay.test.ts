/** Three organisations over loopback: A asserts, B relays, C has no connection to A and reads A's facts with A's proof. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { locatorSums } from '../../src/journal/locator.ts';
import { pageDigest } from '../../src/journal/peer-records.ts';
import type { PageRow } from '../../src/journal/tables-peers.ts';
import { ALG_ED25519 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { runFsck } from '../../src/node/fsck.ts';
import { readDeclared } from '../../src/pull/declare.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { tamper } from '../support/tampering.ts';
import { until } from '../support/until.ts';

const FEED = 'from/a.example/public';

let a: MeshNode;
let b: MeshNode;
let c: MeshNode;
before(async () => {
  [a, b, c] = (await Promise.all(
    ['a.example', 'b.example', 'c.example'].map((name) =>
      MeshNode.create(name).then((node) => node.start({ gardens: 'merger', 'federation.poll_interval_s': '1' })),
    ),
  )) as [MeshNode, MeshNode, MeshNode];
});
after(() => Promise.all([a, b, c].map((node) => node.stop())));

/** @returns the fact's id */
async function say(node: MeshNode, name: string, more: { scope?: string; garden?: string; kind?: string } = {}) {
  const authority = node.base.config.authority;
  const request = {
    entity: `stigmem://${authority}/thing/${name}`,
    relation: 'test:state',
    source: `stigmem://${authority}/agent/x`,
    value: name,
    value_type: 'text' as const,
    scope: more.scope ?? 'public',
    confidence: 1,
    valid_until: null,
    garden_id: more.garden ?? null,
    derived_from: [],
    attestation: null,
    interpret_as: more.kind ?? 'content',
  };
  const [outcome] = await node.base.writer.assert([request], { mayWriteInstructions: true });
  assert.ok(outcome?.kind === 'stored', JSON.stringify(outcome));
  return outcome.fact.entry.fact_id;
}

async function entryAt(node: MeshNode, factId: string) {
  const found = await node.base.reader.fact(factId);
  return found.kind === 'found' ? found.fact.entry : undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
async function ask(path: string, node: MeshNode): Promise<any> {
  const headers = { authorization: `Bearer ${node.folder.keys.admin}` };
  const response = await node.fetch(new Request(`http://node.invalid${path}`, { headers }));
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

/** A as C knows it: by its file alone, without an address, with the log key that it was given over another channel. */
function knownOf(node: MeshNode) {
  const { authority } = node.base.config;
  const { nodeId, peerId } = node.asPeer({}, false);
  const declared = readDeclared(node.base.declaration, { nodeId, peerId, authority, namespaces: [] } as never);
  assert.ok(declared.ok);
  const { origin, logKey } = declared.value.pinned;
  const vkey = formatVerifierKey({ name: origin, algorithm: ALG_ED25519, publicKey: logKey });
  return { nodeId, peerId, addresses: [], logKey: vkey };
}

/** What B says of a fact and C: the code, and how many runs of it were given. */
async function explained(factId: string): Promise<readonly unknown[]> {
  const told = await ask(`/v1/federation/peers/c/explain?fact=${encodeURIComponent(factId)}`, b);
  return [told.code, told.given.length];
}

const facts = { first: '', company: '', garden: '', instruction: '', late: '' };

test('off by default: B has the facts, shares the feed, C takes it, and nothing comes while A has not permitted it', async () => {
  facts.first = await say(a, 'first');
  facts.company = await say(a, 'secret', { scope: 'company' });
  facts.garden = await say(a, 'planted', { garden: 'merger' });
  facts.instruction = await say(a, 'order', { kind: 'instruction' });
  a.writePeer('b', b.asPeer({ share: ['public', 'public/merger', 'company'] }, false));
  b.writePeer('a', a.asPeer({ accept: ['public', 'public/merger', 'company'] }));
  b.writePeer('c', c.asPeer({ share: [FEED, 'public'] }, false));
  c.writePeer('a', knownOf(a));
  c.writePeer('b', b.asPeer({ accept: [FEED, 'public'] }));
  const own = await say(b, 'of-b');
  await until('C has what B asserts', async () => (await entryAt(c, own)) !== undefined);
  await until('B has all of it', async () => (await entryAt(b, facts.garden)) !== undefined);
  await until('B has the order', async () => (await entryAt(b, facts.instruction)) !== undefined);
  assert.equal(await entryAt(c, facts.first), undefined);
  assert.deepEqual(await explained(facts.first), ['not_permitted', 0]);
  assert.deepEqual(
    (await ask('/v1/federation/peers/c/grants', b)).shut.map(({ feed }: { feed: string }) => feed).includes(FEED),
    true,
  );
});

test('with A’s permit the public fact reaches C, named after A, and nothing else does', async () => {
  a.writePeer('b', { ...b.asPeer({ share: ['public', 'public/merger', 'company'] }, false), relay: true });
  await until('C has it', async () => (await entryAt(c, facts.first)) !== undefined);
  const entry = await entryAt(c, facts.first);
  const atB = await entryAt(b, facts.first);
  assert.deepEqual(entry?.origin, atB?.origin);
  assert.equal(entry?.origin?.node_id, 'stigmem://a.example');
  assert.equal(entry?.received_from, 'stigmem://b.example');
  for (const other of [facts.company, facts.garden, facts.instruction])
    assert.equal(await entryAt(c, other), undefined);
  facts.late = await say(a, 'late');
  await until('C has the next one too', async () => (await entryAt(c, facts.late)) !== undefined);
});

test('B says of each fact why it goes to C, or not, and has what it gave in its ledger', async () => {
  assert.deepEqual(await explained(facts.first), ['granted', 1]);
  assert.equal((await explained(facts.garden))[0], 'not_relayed');
  assert.equal((await explained(facts.company))[0], 'not_relayed');
  const { open } = await ask('/v1/federation/peers/c/grants', b);
  assert.ok(open.some(({ feed }: { feed: string }) => feed === FEED));
  const { feeds } = await ask('/v1/federation/peers/c/disclosed', b);
  assert.ok(feeds.some(({ feed }: { feed: string }) => feed === FEED));
});

test('one hop: C passes on nothing of it, whatever its files say', async () => {
  c.writePeer('b', b.asPeer({ accept: [FEED, 'public'], share: [FEED] }));
  await until('C has read its file', async () => (await explainedAtC()) !== 'not_granted');
  assert.equal(await explainedAtC(), 'not_permitted');
});

async function explainedAtC(): Promise<unknown> {
  return (await ask(`/v1/federation/peers/b/explain?fact=${encodeURIComponent(facts.first)}`, c)).code;
}

test('what C refused by a wrong file of A comes in when it is judged again, and fsck accounts for it', async () => {
  const before = (await c.audit('rejected_fact')).length;
  c.writePeer('a', { ...knownOf(a), namespaces: ['nobody.example'] });
  await until('the file is read', async () =>
    (await c.audit('peer_changed')).some(({ peer }) => peer === 'stigmem://a.example'),
  );
  const late = await say(a, 'misread');
  await until('it is refused', async () => (await c.audit('rejected_fact')).length > before);
  c.writePeer('a', knownOf(a));
  const by = { actor: 'test', reason: 'its file was wrong', approves: null };
  await until('it is taken', async () => {
    await c.federation.sessions.retry('b', 0, by);
    return (await entryAt(c, late)) !== undefined;
  });
  assert.deepEqual((await runFsck(c.folder.dir, {})).problems, []);
});

test('B keeps its permit over a restart', async () => {
  await b.restart({ gardens: 'merger', 'federation.poll_interval_s': '1' });
  assert.ok((b.base.permits.get(FEED)?.notAfterMs ?? 0) > Date.now());
});

test('three that relay everything to each other come to rest: each fact once, nothing refused', async () => {
  const nodes = { a, b, c };
  const names = ['a', 'b', 'c'] as const;
  for (const me of names) {
    for (const other of names.filter((name) => name !== me)) {
      const feeds = ['public', ...names.filter((name) => name !== other).map((name) => `from/${name}.example/public`)];
      const grants = { share: feeds, accept: ['public', ...names.map((name) => `from/${name}.example/public`)] };
      nodes[me].writePeer(other, { ...nodes[other].asPeer(grants), relay: true });
    }
  }
  const said = await Promise.all(names.map((name) => say(nodes[name], `round-of-${name}`)));
  for (const name of names)
    for (const fact of said)
      await until(`${name} has all`, async () => (await entryAt(nodes[name], fact)) !== undefined);
  const sizes = async (): Promise<number[]> =>
    Promise.all(names.map(async (name) => (await nodes[name].base.writer.stats()).entries));
  for (const name of names)
    await until(`${name} is at rest`, async () =>
      nodes[name].federation.sessions
        .list()
        .every(({ state, lag_entries }) => state === 'current' && lag_entries === 0),
    );
  const before = await sizes();
  // A last round: what is asserted now is one entry more in each of the three journals, and not two.
  const last = await say(a, 'last');
  for (const name of names)
    await until(`${name} has the last`, async () => (await entryAt(nodes[name], last)) !== undefined);
  for (const name of names)
    await until(`${name} is at rest again`, async () =>
      nodes[name].federation.sessions.list().every(({ lag_entries }) => lag_entries === 0),
    );
  assert.deepEqual(
    await sizes(),
    before.map((size) => size + 1),
  );
  for (const name of names) {
    assert.deepEqual(
      (await nodes[name].audit('federation_integrity_rejected')).map(({ reason }) => reason),
      [],
      name,
    );
    assert.deepEqual(
      (await nodes[name].audit('scope_violation')).map(({ reason }) => reason),
      [],
      name,
    );
  }
});

test('all three journals are clean', async () => {
  for (const node of [a, b, c]) {
    const report = await runFsck(node.folder.dir, {});
    assert.deepEqual([report.ok, report.problems], [true, []]);
  }
});

test('fsck finds a page of a relay whose proof was rewritten together with every sum over it', async () => {
  const { dir } = c.folder;
  await c.halt();
  tamper(dir, (db) => {
    const page = db.prepare<[string], PageRow>('SELECT * FROM pages WHERE feed = ? AND accepted > 0').get(FEED);
    assert.ok(page !== undefined);
    const said = JSON.parse(Buffer.from(page.header).toString('utf8'));
    const entries = said.origins.entries.map((one: object | null) => one && { ...one, created_at: '2020' });
    const header = Buffer.from(JSON.stringify({ ...said, origins: { ...said.origins, entries } }));
    const row = { ...page, header, digest: pageDigest({ ...page, header }) };
    const { sum1, sum2 } = locatorSums('pages', row);
    const set = 'UPDATE pages SET header = ?, digest = ?, sum1 = ?, sum2 = ? WHERE page_id = ?';
    db.prepare(set).run(header, row.digest, sum1, sum2, page.page_id);
  });
  const { problems } = await runFsck(dir, {});
  assert.ok(
    problems.some(({ code, table }) => code === 'origin_proof_invalid' && table === 'pages'),
    JSON.stringify(problems),
  );
});
