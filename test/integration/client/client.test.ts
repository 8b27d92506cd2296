/** The client on a real node: what is true comes through, what was changed on the way does not. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  ApiError,
  type Change,
  FilePositions,
  FileStore,
  MemoryStore,
  type NewFact,
  StigmemClient,
  VerificationError,
} from '../../../src/client/node.ts';
import { type ClientNode, type Meddle, openClientNode } from '../../support/client-node.ts';
import { openFolderApi } from '../../support/data-folder.ts';
import { copyJournal } from '../../support/tampering.ts';

let node: ClientNode;
let folder: string;
before(async () => {
  node = await openClientNode();
  folder = mkdtempSync(join(tmpdir(), 'peerd-client-'));
});
after(async () => {
  await node.close();
  rmSync(folder, { recursive: true, force: true });
});

let made = 0;
function fact(overrides: Partial<NewFact> = {}): NewFact {
  return {
    entity: `stigmem://example/service/s${++made}`,
    relation: 'ops:state',
    value: `state ${made}`,
    source: 'stigmem://example/agent/a',
    scope: 'public',
    ...overrides,
  };
}

function codeOf(code: string) {
  return (error: unknown) => {
    assert.ok(error instanceof VerificationError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  };
}

test('asserts, gets, queries and retracts', async () => {
  const client = node.client();
  for (const value of ['text', 5, 2.5, true, null] as const) {
    const stored = await client.assert(fact({ value, confidence: 0.5 }));
    const read = await client.get(stored.id);
    assert.equal(read?.value, value);
    assert.equal(read?.cid, stored.cid);
    assert.equal(read?.proof?.index, (read?.proof?.treeSize ?? 0) - 1);
    assert.deepEqual((await client.get(stored.cid))?.id, stored.id);
  }
  const stored = await client.assert(fact());
  const page = await client.query({ entity: stored.entity });
  assert.deepEqual(
    page.facts.map(({ id, proof }) => [id, proof !== null]),
    [[stored.id, true]],
  );
  await client.retract(stored.id);
  assert.deepEqual((await client.query({ entity: stored.entity })).facts, []);
  assert.equal(await client.get('0197c1b2-0000-7000-8000-000000000000'), undefined);
  await assert.rejects(
    client.assert(fact({ relation: '' })),
    (error) => error instanceof ApiError && error.status === 422,
  );
});

test('everything is verified unless less is asked for by name', async () => {
  const { trust: _, ...untrusting } = node.options();
  assert.throws(() => new StigmemClient(untrusting), /verify: 'full'/);
  assert.throws(() => new StigmemClient({ ...untrusting, trust: {} }), /expected something to trust/);
  const stored = await node.client().assert(fact());
  const less = new StigmemClient({ ...untrusting, verify: 'cid' });
  assert.equal((await less.get(stored.id))?.proof, null);
  await assert.rejects(less.get(stored.id, { verify: 'full' }), codeOf('nothing_trusted'));
  await assert.rejects(node.client('audit').audit(), codeOf('audit_unverifiable'));
  assert.ok((await node.client('audit').audit({ limit: 1 }, { verify: 'none' })).entries.length <= 1);
});

test('another node’s key vouches for nothing here', async () => {
  const other = await openClientNode();
  const stored = await node.client().assert(fact());
  const { peerId } = other.api.base;
  const trusting = { ...node.options(), trust: { nodes: [{ nodeId: node.api.nodeId, peerId }] } };
  await assert.rejects(new StigmemClient(trusting).get(stored.id), codeOf('declaration_invalid'));
  const policy = 'witness w x+0a0a0a0a+BAAA\nquorum w\n';
  assert.throws(
    () => new StigmemClient({ ...node.options(), trust: { ...node.options().trust, policy } }),
    /tlog-policy, got line 1/,
  );
  await other.close();
});

/** Each of these changes one answer on the way; the code is how it is found. */
const LIES: readonly [string, Meddle, string][] = [
  [
    'a value',
    (path, body) => (path.startsWith('/v1/facts/') ? body.replaceAll('secret-word', 'forged-word') : body),
    'inclusion_proof_invalid',
  ],
  [
    'interpret_as',
    (path, body) =>
      path.startsWith('/v1/facts/')
        ? body.replace('\\"interpret_as\\":\\"content\\"', '\\"interpret_as\\":\\"instruction\\"')
        : body,
    'inclusion_proof_invalid',
  ],
  [
    'the tree size',
    (path, body) =>
      path.startsWith('/v1/facts/') ? body.replace(/(example\/journal\/[0-9a-f]{16}\\n)(\d+)/, '$19$2') : body,
    'checkpoint_signature_invalid',
  ],
  [
    'the salt',
    (path, body) => (path.startsWith('/v1/facts/') ? body.replace(/"salt":"..../, '"salt":"AAAA') : body),
    'inclusion_proof_invalid',
  ],
  [
    'the declaration',
    (path, body) => (path.startsWith('/v1/facts/') ? body.replace('\\"v\\":1', '\\"v\\":2') : body),
    'declaration_invalid',
  ],
  ['white space', (path, body) => (path.startsWith('/v1/facts/') ? body.replace('"kind":', '"kind" :') : body), ''],
  [
    'the kind',
    (path, body) => (path.startsWith('/v1/facts/') ? body.replace('bundle/v1', 'bundle/v2') : body),
    'bundle_malformed',
  ],
];
for (const [what, meddle, code] of LIES) {
  test(`an answer in which somebody changed ${what}`, async () => {
    const stored = await node.client().assert(fact({ value: 'secret-word' }));
    const read = node.client('ro', meddle).get(stored.id);
    // White space between members of the answer is the transport's: what is hashed stands inside of texts.
    if (code === '') assert.equal((await read)?.cid, stored.cid);
    else await assert.rejects(read, codeOf(code));
  });
}

test('a true fact in the place of the one that was asked for', async () => {
  const [one, two] = [await node.client().assert(fact()), await node.client().assert(fact())];
  const proven = { as: 'ro', headers: { 'stigmem-verify': 'full' } } as const;
  const other = await (await node.api.send(`/v1/facts/${two.id}`, proven)).text();
  const page = await (await node.api.send(`/v1/facts?entity=${two.entity}`, proven)).text();
  const swap: Meddle = (path, body) => {
    if (path.startsWith('/v1/facts/')) return other;
    return path.startsWith('/v1/facts?') ? page : body;
  };
  await assert.rejects(node.client('ro', swap).get(one.id), codeOf('answer_mismatch'));
  await assert.rejects(node.client('ro', swap).query({ entity: one.entity }), codeOf('answer_mismatch'));
  const forged: Meddle = (path, body) => (path === '/v1/facts' ? body.replace('"state ', '"forged ') : body);
  await assert.rejects(node.client('full', forged).assert(fact()), codeOf('cid_mismatch'));
});

test('recall keeps what wants to steer apart, whatever the server says', async () => {
  const stored = await node.client().assert(fact({ value: 'the kettle is blue' }));
  const found = await node.client().recall({ query: 'kettle', scope: 'public' });
  assert.deepEqual([found.content.map(({ id }) => id), found.instructions], [[stored.id], []]);
  const bare: Meddle = (path, body) =>
    path.startsWith('/v1/recall') ? body.replace('"bundles":', '"bundels":') : body;
  await assert.rejects(node.client('ro', bare).recall({ query: 'kettle', scope: 'public' }), codeOf('proof_missing'));
});

test('a server that goes back to an old copy, and one that shows another history', async () => {
  const checkpoints = new FileStore(join(folder, 'seen'));
  const first = await node.client().assert(fact());
  await node.client().get(first.id); // signs
  await node.api.base.writer.head();
  const old = copyJournal(node.api.dir, folder, 'old');
  for (let i = 0; i < 5; i++) await node.client().assert(fact());
  const reader = new StigmemClient({ ...node.options('ro'), checkpoints });
  assert.ok((await reader.get(first.id)) !== undefined);

  const copy = await openFolderApi({
    dir: old,
    nodeId: node.api.nodeId,
    peerId: node.api.base.peerId,
    keys: node.api.keys,
    remove: () => undefined,
  });
  const fetch: typeof globalThis.fetch = async (input, init) => copy.api.fetch(new Request(input, init));
  const again = () => new StigmemClient({ ...node.options('ro'), checkpoints, fetch });
  await assert.rejects(again().get(first.id), codeOf('server_went_back'));

  // The copy goes on by itself, under the same keys: larger than what was seen, and not the same.
  const writer = new StigmemClient({ ...node.options('full'), fetch, checkpoints: new MemoryStore() });
  for (let i = 0; i < 9; i++) await writer.assert(fact());
  await assert.rejects(again().get(first.id), (error) => {
    assert.ok(error instanceof VerificationError && error.code === 'history_rewritten');
    assert.equal(error.checkpoints.length, 2, 'both signed checkpoints, as evidence');
    return true;
  });
  await copy.close();
});

async function take(changes: AsyncGenerator<Change>, count: number): Promise<Change[]> {
  const taken: Change[] = [];
  for await (const change of changes) {
    taken.push(change);
    if (taken.length === count) break;
  }
  return taken;
}

test('changes come at least once, and again until they are acknowledged', async () => {
  const fresh = await openClientNode();
  const positions = new FilePositions(join(folder, 'positions'));
  const client = fresh.client();
  for (let i = 0; i < 6; i++) await client.assert(fact());
  const first = await take(client.changes({ positions, limit: 2 }), 4);
  assert.deepEqual(
    first.map(({ position }) => position),
    [1, 2, 3, 4],
  );
  assert.ok(first.every((change) => change.kind === 'fact' && change.fact.proof !== null));
  await first[1]?.ack();
  await first[0]?.ack(); // an older one does not take it back

  const second = await take(fresh.client().changes({ positions, once: true }), 99);
  assert.deepEqual(
    second.map(({ position }) => position),
    [3, 4, 5, 6],
  );
  await second.at(-1)?.ack();
  const waiting = take(fresh.client().changes({ positions }), 1);
  await client.assert(fact());
  assert.deepEqual(
    (await waiting).map(({ position }) => position),
    [7],
  );
  await fresh.close();
});

test('a fact that is withheld from the stream is noticed', async () => {
  const fresh = await openClientNode();
  for (let i = 0; i < 5; i++) await fresh.client().assert(fact());
  const withhold: Meddle = (path, body) => {
    if (!path.startsWith('/v1/changes')) return body;
    const { changes, ...rest } = JSON.parse(body) as { changes: { seq: number }[] };
    return JSON.stringify({ ...rest, changes: changes.filter(({ seq }) => seq !== 3) });
  };
  await assert.rejects(take(fresh.client('ro', withhold).changes({ once: true }), 99), codeOf('feed_gap'));
  const swap: Meddle = (path, body) =>
    path.startsWith('/v1/changes') ? body.replace('"seq":2', '"seq":1').replace('"seq":1', '"seq":0') : body;
  await assert.rejects(take(fresh.client('ro', swap).changes({ once: true }), 99), codeOf('answer_malformed'));
  await fresh.close();
});
