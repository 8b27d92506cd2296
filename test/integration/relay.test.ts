/** Three organisations over loopback: A asserts, B relays, C has no connection to A and reads A's facts with A's proof. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ALG_ED25519 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { runFsck } from '../../src/node/fsck.ts';
import { readDeclared } from '../../src/pull/declare.ts';
import { MeshNode, until } from '../support/mesh-node.ts';

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
  const [outcome] = await node.base.writer.assert([request], { actor: 'test', mayWriteInstructions: true });
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
  const { nodeId, peerId } = node.asPeer({}, false);
  const declared = readDeclared(node.base.declaration, { nodeId, peerId, authority: 'x', namespaces: [] } as never);
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

test('all three journals are clean', async () => {
  for (const node of [a, b, c]) {
    const report = await runFsck(node.folder.dir, {});
    assert.deepEqual([report.ok, report.problems], [true, []]);
  }
});
