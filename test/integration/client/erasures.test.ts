/** Who follows a real node learns what it has erased, with its proof; what it only says so of is withheld. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { BrowserPositions } from '../../../src/client/browser-stores.ts';
import {
  ApiError,
  type Change,
  type ChangesOptions,
  FactErasedError,
  FilePositions,
  factIdDigest,
  MemoryPositions,
  StigmemClient,
  VerificationError,
  verifyErasureProof,
} from '../../../src/client/node.ts';
import { type ClientNode, type Meddle, openClientNode } from '../../support/client-node.ts';
import { until } from '../../support/until.ts';

const SECRET = 'Quagga-Lantern';
const FULL = { 'stigmem-verify': 'full' };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let folder: string;
/** Its third fact is erased. Nothing more is written to it. */
let buried: Scene;
/** Its third fact is to be erased. Nothing more is written to it. */
let hiding: Scene;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'peerd-erasures-'));
  buried = await openScene();
  await erase(buried, buried.ids[2]);
  hiding = await openScene(86_400);
  await order(hiding, '', { fact: hiding.ids[2] });
});
after(async () => {
  await buried.close();
  await hiding.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Scene extends ClientNode {
  readonly ids: string[];
}

/** A node with five facts of its own, whose erasures cannot be undone for so long. */
async function scene(t: TestContext, undoWindowS = 0): Promise<Scene> {
  const made = await openScene(undoWindowS);
  t.after(() => made.close());
  return made;
}

async function openScene(undoWindowS = 0): Promise<Scene> {
  const node = await openClientNode({ 'tombstones.undo_window_s': String(undoWindowS) });
  const ids: string[] = [];
  for (let i = 1; i <= 5; i++) ids.push(await say(node, i === 3 ? SECRET : `state ${i}`));
  return { ...node, ids };
}

async function say(node: ClientNode, value: string, scope = 'public', gardenId?: string): Promise<string> {
  const entity = `stigmem://example/service/${value}`;
  const fact = { entity, relation: 'ops:state', value, source: 'stigmem://example/agent/a', scope };
  const garden = gardenId === undefined ? {} : { gardenId };
  return (await node.client().assert({ ...fact, ...garden })).id;
}

async function order(node: ClientNode, path: string, body: object = {}): Promise<void> {
  const answer = await node.api.send(`/v1/tombstones${path}`, { as: 'admin', method: 'POST', body });
  assert.equal(answer.status, 200, await answer.clone().text());
}

async function stateOf(node: ClientNode, id: string): Promise<string> {
  const answer = await node.api.send(`/v1/tombstones/${id}`, { as: 'admin' });
  return ((await answer.json()) as { state: string }).state;
}

async function erase(node: ClientNode, id: string | undefined): Promise<void> {
  await order(node, '', { fact: id });
  await until('it is erased', async () => (await stateOf(node, id ?? '')) === 'scrubbed');
}

/** Everything there is, acknowledged; each as kind and position. */
async function follow(client: StigmemClient, options: ChangesOptions = {}): Promise<{ seen: string[]; all: Change[] }> {
  const all: Change[] = [];
  for await (const change of client.changes({ ...options, once: true })) {
    all.push(change);
    await change.ack();
  }
  return { seen: all.map(({ kind, position }) => `${kind} ${position}`), all };
}

function refusedAs(code: string, message = /./): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof VerificationError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

type Hole = { seq: number; proof?: object; due_s?: number; feed?: string; feed_seq?: number };
interface Page {
  changes: { seq: number; fact: object }[];
  erased?: Hole[];
  hidden?: Hole[];
  position: number;
  more: boolean;
}

function onChanges(change: (page: Page, path: string) => Partial<Page>): Meddle {
  return (path, body) => {
    if (!path.startsWith('/v1/changes')) return body;
    const page = JSON.parse(body) as Page;
    return JSON.stringify({ ...page, ...change(page, path) });
  };
}

async function pageOf(node: ClientNode, query = ''): Promise<Page> {
  return (await (await node.api.send(`/v1/changes?${query}`, { as: 'ro', headers: FULL })).json()) as Page;
}

test('an erased fact is told with its proof, where it was and where its tombstone is', async () => {
  const node = buried;
  const { seen, all } = await follow(node.client('ro'));
  assert.deepEqual(seen, ['fact 1', 'fact 2', 'erased 3', 'fact 4', 'fact 5', 'erased 6']);
  const [hole, told] = [all[2], all[5]];
  assert.ok(hole?.kind === 'erased' && told?.kind === 'erased');
  const { tombstone, leafHash, ...said } = hole.erased;
  assert.deepEqual(said, { position: 3, feed: 'public', feedSeq: 3, factDigest: factIdDigest(node.ids[2] ?? '') });
  assert.match(leafHash, /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual([tombstone.relation, tombstone.proof?.index], ['stigmem:tombstone', 5]);
  assert.deepEqual([told.erased.position, told.erased.tombstone.id], [3, tombstone.id]);
  assert.ok(!JSON.stringify(all).includes(SECRET) && !JSON.stringify(all).includes(node.ids[2] ?? ''));

  for (const limit of [1, 2, 3]) assert.deepEqual((await follow(node.client('ro'), { limit })).seen, seen, `${limit}`);
  const { nodeId, base } = node.api;
  const trust = { nodes: [{ nodeId, peerId: base.peerId }] };
  const [proof] = (await pageOf(node)).erased ?? [];
  const verified = verifyErasureProof(JSON.stringify(proof?.proof), trust);
  assert.ok(verified.ok && verified.value.factDigest === said.factDigest);
});

test('who has read a fact is told when it is erased', async (t) => {
  const node = await scene(t);
  const positions = new FilePositions(join(folder, 'had-it'));
  assert.equal((await follow(node.client('ro'), { positions })).seen.length, 5);
  await erase(node, node.ids[2]);
  const { seen, all } = await follow(node.client('ro'), { positions });
  assert.deepEqual(seen, ['erased 6']);
  assert.ok(all[0]?.kind === 'erased' && all[0].erased.position === 3);
  assert.equal(all[0].erased.factDigest, factIdDigest(node.ids[2] ?? ''));
  assert.deepEqual((await follow(node.client('ro'), { positions })).seen, [], 'acknowledged');
});

test('one fact by its id: that it is erased is proven too, of this very fact', async (t) => {
  const node = await scene(t);
  const [one = '', two = '', three = ''] = node.ids;
  await erase(node, three);
  await erase(node, two);
  await assert.rejects(node.client('ro').get(three), (error: unknown) => {
    assert.ok(error instanceof FactErasedError, String(error));
    assert.deepEqual([error.status, error.code, error.erased.position], [410, 'fact_tombstoned', 3]);
    assert.equal(error.erased.factDigest, factIdDigest(three));
    return true;
  });
  const gone = await (await node.api.send(`/v1/facts/${two}`, { as: 'ro', headers: FULL })).text();
  const lie =
    (id: string, body: string): Meddle =>
    (path) =>
      path.startsWith(`/v1/facts/${id}`) ? body : '{}';
  await assert.rejects(
    node.client('ro', lie(three, gone)).get(three),
    refusedAs('answer_mismatch', /another fact is erased/),
  );
  const forged = gone.replace('"path":[', '"path":["AAAA",');
  await assert.rejects(node.client('ro', lie(three, forged)).get(three), refusedAs('erasure_malformed'));

  const unproven = (error: unknown): boolean =>
    error instanceof ApiError && !(error instanceof FactErasedError) && error.code === 'fact_tombstoned';
  const bare = lie(three, gone.replace('erasure_proof', 'erasure_poof'));
  await assert.rejects(node.client('ro', bare).get(three), unproven);
  await assert.rejects(node.client('ro').get(three, { verify: 'none' }), unproven);
  assert.equal((await node.client('ro').get(one))?.id, one);
});

test('of one scope alone, and when less is verified', async (t) => {
  const node = await scene(t);
  const company = await say(node, 'ours', 'company');
  await say(node, 'ours too', 'company');
  await erase(node, company);
  await erase(node, node.ids[2]);
  const of = async (scope: string) => (await follow(node.client('ro'), { scope })).seen;
  assert.deepEqual(await of('company'), ['erased 6', 'fact 7', 'erased 8']);
  assert.deepEqual(await of('public'), ['fact 1', 'fact 2', 'erased 3', 'fact 4', 'fact 5', 'erased 9']);
  const inGarden = await say(node, 'in a garden', 'team', 'incident-42');
  await say(node, 'in it too', 'team', 'incident-42');
  await erase(node, inGarden);
  const { all: garden } = await follow(node.client('ro'), { scope: 'team' });
  assert.deepEqual(
    garden.map((change) => change.kind === 'erased' && change.erased.feed),
    ['team/incident-42', false, 'team/incident-42'],
  );
  const { seen } = await follow(node.client('ro'), { verify: 'cid' });
  assert.deepEqual(
    seen,
    [1, 2, 4, 5, 7, 8, 9, 11, 12].map((at) => `fact ${at}`),
  );
});

test('a hole without a proof is a gap, also at the beginning, and from a server of before', async () => {
  const node = buried;
  const bare = node.client(
    'ro',
    onChanges(() => ({ erased: [] })),
  );
  await assert.rejects(follow(bare), refusedAs('feed_gap', /from 2 to 4: what is between is withheld, and no proof/));
  const old: Meddle = onChanges(
    ({ changes, position, more }) => ({ changes, position, more, erased: undefined, hidden: undefined }) as never,
  );
  const positions = new MemoryPositions();
  await assert.rejects(follow(node.client('ro', old), { positions }), refusedAs('feed_gap'));
  assert.deepEqual((await follow(node.client('ro', old), { positions })).seen, ['fact 4', 'fact 5', 'erased 6']);
  const headless = onChanges(({ changes }) => ({ changes: changes.filter(({ seq }) => seq > 2) }));
  await assert.rejects(follow(node.client('ro', headless)), refusedAs('feed_gap', /from 0 to 3/));
});

test('the proof of another hole, and of another node, fill none', async (t) => {
  const node = await scene(t);
  await erase(node, node.ids[1]);
  await erase(node, node.ids[3]);
  const [two, four] = (await pageOf(node)).erased ?? [];
  assert.ok(two !== undefined && four !== undefined);
  const swapped = onChanges(() => ({ erased: [{ ...two, proof: four.proof ?? {} }, four] }));
  await assert.rejects(
    follow(node.client('ro', swapped)),
    refusedAs('erasure_unproven', /position 2 was given the proof that the fact of position 4 is erased/),
  );
  const ordinary = await pageOf(node);
  const bundle = JSON.stringify((ordinary as unknown as { bundles: object }).bundles[node.ids[0] as never]);
  const noTombstone = onChanges(() => ({ erased: [{ ...two, proof: { ...two.proof, tombstone: bundle } }, four] }));
  await assert.rejects(
    follow(node.client('ro', noTombstone)),
    refusedAs('erasure_unproven', /is no tombstone of the node/),
  );
  const cut = onChanges(() => ({ erased: [{ ...two, proof: { ...two.proof, path: [] } }, four] }));
  await assert.rejects(follow(node.client('ro', cut)), refusedAs('erasure_unproven', /is not leaf 1 of the tree/));
  const none = onChanges(() => ({ erased: [{ seq: 2 }, four] }));
  await assert.rejects(follow(node.client('ro', none)), refusedAs('erasure_malformed'));

  const theirs = (await pageOf(buried)).erased?.[0];
  const foreign = onChanges(() => ({ erased: [{ seq: 2, proof: theirs?.proof ?? {} }, four] }));
  // Both call themselves by one name: only the key tells them apart.
  await assert.rejects(follow(node.client('ro', foreign)), refusedAs('declaration_invalid'));
});

test('two logs that are trusted fill no holes for each other', async (t) => {
  const node = buried;
  const other = await scene(t);
  await erase(other, other.ids[2]);
  const logKeys = await Promise.all(
    [node, other].map(async ({ api }) => {
      const answer = await api.send('/v1/keys', { as: 'admin' });
      const { keys } = (await answer.json()) as { keys: { use: string; vkey: string }[] };
      return keys.find(({ use }) => use === 'log')?.vkey ?? '';
    }),
  );
  const theirs = (await pageOf(other)).erased ?? [];
  const client = new StigmemClient({
    ...node.options(
      'ro',
      onChanges(() => ({ erased: theirs })),
    ),
    trust: { logKeys },
  });
  await assert.rejects(
    follow(client),
    refusedAs('answer_mismatch', /position 3 is of the journal .*, those before it are of/),
  );
});

/** A client whose clock the test holds. */
function clientAt(node: ClientNode, clock: { ms: number }, meddle?: Meddle): StigmemClient {
  return new StigmemClient({ ...node.options('ro', meddle), nowMs: () => clock.ms });
}

const STORES = {
  files: () => new FilePositions(mkdtempSync(join(folder, 'owed-'))),
  'the storage of a browser': () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
    return new BrowserPositions(storage);
  },
  memory: () => new MemoryPositions(),
};
for (const [name, open] of Object.entries(STORES)) {
  test(`a fact that is to be erased is told as such; when that is undone it comes late (${name})`, async (t) => {
    const node = await scene(t, 86_400);
    await order(node, '', { fact: node.ids[2] });
    const clock = { ms: Date.now() };
    const positions = open();
    const { seen, all } = await follow(clientAt(node, clock), { positions });
    assert.deepEqual(seen, ['fact 1', 'fact 2', 'hidden 3', 'fact 4', 'fact 5']);
    const [, , hidden] = all;
    assert.ok(hidden?.kind === 'hidden');
    assert.deepEqual([hidden.hidden.feed, hidden.hidden.feedSeq], ['public', 3]);
    const lastsMs = Date.parse(hidden.hidden.until) - clock.ms;
    assert.ok(Math.abs(lastsMs - DAY_MS - HOUR_MS) < 60_000, `${lastsMs}`);

    assert.deepEqual((await follow(clientAt(node, clock), { positions })).seen, [], 'still to be erased');
    await order(node, `/${node.ids[2]}/undo`);
    const late: Change[] = [];
    for await (const change of clientAt(node, clock).changes({ positions, once: true })) late.push(change);
    assert.ok(late[0]?.kind === 'fact' && late[0].fact.value === SECRET && late[0].position === 3);
    assert.deepEqual((await follow(clientAt(node, clock), { positions })).seen, ['fact 3'], 'it was not acknowledged');
    assert.deepEqual((await follow(clientAt(node, clock), { positions })).seen, []);
  });
}

test('a fact that is to be erased, and is: who follows gets the proof as soon as its tombstone has come', async () => {
  let asked = 0;
  const before = { seq: 3, feed: 'public', feed_seq: 3, due_s: 1 };
  const meddle = onChanges(() => (asked++ === 0 ? { erased: [], hidden: [before] } : {}));
  const seen: string[] = [];
  for await (const { kind, position, ack } of buried.client('ro', meddle).changes()) {
    seen.push(`${kind} ${position}`);
    await ack();
    if (seen.at(-1) === 'erased 3') break;
  }
  assert.deepEqual(seen, ['fact 1', 'fact 2', 'hidden 3', 'fact 4', 'fact 5', 'erased 6', 'erased 3']);
});

test('what was hidden in one feed is not given back in another', async () => {
  let asked = 0;
  const before = { seq: 3, feed: 'team', feed_seq: 9, due_s: 1 };
  const meddle = onChanges(() => (asked++ === 0 ? { erased: [], hidden: [before] } : {}));
  const following = async (): Promise<void> => {
    for await (const { ack } of buried.client('ro', meddle).changes({ after: 2 })) await ack();
  };
  await assert.rejects(following(), refusedAs('feed_gap', /fact 9 of feed team, position 3, .* another one was given/));
});

test('a server that says for ever that a fact is to be erased is found out, over restarts too; it is told once', async () => {
  const node = hiding;
  const clock = { ms: Date.now() };
  const positions = new FilePositions(join(folder, 'for-ever'));
  const soon = onChanges(({ hidden = [] }) => ({ hidden: hidden.map((one) => ({ ...one, due_s: 5 })) }));
  const again = () => follow(clientAt(node, clock, soon), { positions });
  assert.equal((await again()).seen.length, 5);
  for (let minutes = 0; minutes < 60; minutes += 20) {
    clock.ms += 1_200_000;
    if (minutes < 40) assert.deepEqual((await again()).seen, [], `${minutes}`);
  }
  clock.ms += 6_000;
  await assert.rejects(
    again(),
    refusedAs(
      'feed_gap',
      /fact 3 of feed public, position 3, was to be shown, or proven to be erased, by .*, and is neither/,
    ),
  );
  assert.deepEqual((await again()).seen, []);
});

test('what the server says of the time counts up to a bound of the reader', async () => {
  const node = hiding;
  const clock = { ms: Date.now() };
  const never = onChanges(({ hidden = [] }) => ({ hidden: hidden.map((one) => ({ ...one, due_s: 1e12 })) }));
  for (const [hiddenSeconds, lastsMs] of [
    [undefined, 31 * DAY_MS],
    [60, 60_000],
  ] as const) {
    const options = { positions: new MemoryPositions(), ...(hiddenSeconds === undefined ? {} : { hiddenSeconds }) };
    const { all } = await follow(clientAt(node, clock, never), options);
    const hidden = all.find((change) => change.kind === 'hidden');
    assert.equal(Date.parse(hidden?.hidden.until ?? '') - clock.ms, lastsMs + HOUR_MS);
    clock.ms += lastsMs + HOUR_MS;
    await assert.rejects(follow(clientAt(node, clock, never), options), refusedAs('feed_gap'));
  }
});

test('who owes a fact and gives nothing, another fact, or another proof, is found out', async () => {
  const node = hiding;
  const page = await pageOf(node);
  const { bundles } = page as unknown as { bundles: object };
  const [, , four] = page.changes;
  assert.ok(four?.seq === 4);
  const asked = (path: string): boolean => path.includes('after=2&limit=1&');
  const LIES: readonly [Meddle, string, RegExp][] = [
    [onChanges((_, path) => (asked(path) ? { hidden: [] } : {})), 'feed_gap', /is passed over without a word/],
    [
      onChanges(
        (_, path) => (asked(path) ? { hidden: [], changes: [{ ...four, seq: 3 }], bundles: bundles } : {}) as never,
      ),
      'answer_mismatch',
      /position 3 was given the fact of position 4/,
    ],
    [
      onChanges((_, path) => (asked(path) ? { hidden: [], erased: [{ seq: 3, proof: {} }] } : {})),
      'erasure_malformed',
      /./,
    ],
  ];
  for (const [meddle, code, message] of LIES) {
    const positions = new MemoryPositions();
    assert.equal((await follow(node.client('ro'), { positions })).seen.length, 5);
    await assert.rejects(follow(node.client('ro', meddle), { positions }), refusedAs(code, message));
  }
  const gaps = onChanges(({ hidden = [] }) => ({ hidden: hidden.map((one) => ({ ...one, feed_seq: 2 })) }));
  await assert.rejects(follow(node.client('ro', gaps)), refusedAs('feed_gap', /from 2 to 2/));
  for (const hidden of [[{ seq: 3 }], [{ seq: 3, feed: 'public', feed_seq: 3, due_s: -1 }], 5]) {
    const broken = onChanges(() => ({ hidden }) as never);
    await assert.rejects(follow(node.client('ro', broken)), refusedAs('answer_malformed'));
  }
});
