/**
 * kill -9 at random moments of two nodes that write and pull from each other. What was acknowledged is there, once, on both
 * sides. `STIGMEM_KILL_ROUNDS` says how often (200 for the long run), `STIGMEM_KILL_SEED` repeats a run's choices.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { feedLines, pulledFeed, recordedTo } from '../support/journal-view.ts';
import { Bench, type NodeProcess } from '../support/node-process.ts';

const ROUNDS = Number(process.env['STIGMEM_KILL_ROUNDS'] ?? 6);
const SEED = Number(process.env['STIGMEM_KILL_SEED'] ?? randomInt(2 ** 31));
const BATCH_FACTS = 2;
/** Enough to go on until the kill, not so much that the check at the end takes longer than the kills. */
const FACTS_PER_ROUND = 500;
const KILL_AFTER_MS = { least: 50, most: 400 };
/** A start takes about this long: every part of it has its turn. */
const START_MS = 1_500;

/** mulberry32 */
function createChance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One application: asserts facts at its node while that runs and it has leave to. */
class Writer {
  readonly node: NodeProcess;
  /** Ids that the node has answered with: these must never be lost. */
  readonly acknowledged: string[] = [];
  unanswered = 0;
  #leave = 0;
  #isUp = false;
  #isDone = false;
  #count = 0;
  #changed = Promise.withResolvers<void>();
  readonly #running: Promise<void>;

  constructor(node: NodeProcess) {
    this.node = node;
    this.#running = this.#run();
  }

  grant(facts: number): void {
    this.#leave = facts;
    this.#change();
  }

  up(isUp: boolean): void {
    this.#isUp = isUp;
    this.#change();
  }

  /** Resolves when no request is under way. */
  async end(): Promise<void> {
    this.#isDone = true;
    this.#change();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isDone) {
      if (this.#isUp && this.#leave > 0) await this.#write();
      else await this.#changed.promise;
    }
  }

  async #write(): Promise<void> {
    this.#leave -= BATCH_FACTS;
    const facts = Array.from({ length: BATCH_FACTS }, () => this.#fact());
    const answer = await this.node.post('/v1/facts', { facts }).catch(() => null);
    if (answer === null) {
      // Killed under way: these facts may be there or not.
      this.unanswered += BATCH_FACTS;
      return;
    }
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    for (const { fact } of answer.body.results as { fact: { id: string } }[]) this.acknowledged.push(fact.id);
  }

  #fact(): object {
    const { authority } = this.node;
    const entity = `stigmem://${authority}/thing/${++this.#count}`;
    const value = { type: 'text', v: `state ${this.#count} “of ${authority}”` };
    return { entity, relation: 'test:state', value, source: `stigmem://${authority}/agent/w`, scope: 'public' };
  }

  #change(): void {
    const changed = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    changed.resolve();
  }
}

test(`kill -9, ${ROUNDS} rounds`, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const chance = createChance(SEED);
  const between = (least: number, most: number): number => least + Math.floor(chance() * (most - least));
  const bench = new Bench(t);
  const settings = ['federation.poll_interval_s=1'];
  const nodes = await Promise.all([bench.node('a.example', settings), bench.node('b.example', settings)]);
  const [a, b] = nodes as [NodeProcess, NodeProcess];
  await Promise.all([a.start(), b.start()]);
  const grants = { share: ['public'], accept: ['public'] };
  a.writePeer('other', b.asPeer(grants));
  b.writePeer('other', a.asPeer(grants));
  const writers = [new Writer(a), new Writer(b)] as const;
  for (const writer of writers) writer.up(true);

  const killed = { idle: 0, starting: 0, a: 0, b: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const choice = chance();
    const chosen = choice < 0.45 ? [writers[0]] : choice < 0.9 ? [writers[1]] : writers;
    // Asked before there is anything new: on a slow day it is all pulled before the question is answered.
    const before = await Promise.all(chosen.map(({ node }) => acceptedBy(node)));
    for (const writer of writers) writer.grant(FACTS_PER_ROUND);
    await Promise.all(chosen.map(({ node }, i) => pullsMore(node, before[i] ?? 0)));
    await delay(between(KILL_AFTER_MS.least, KILL_AFTER_MS.most));
    await Promise.all(chosen.map(({ node }) => node.kill()));
    for (const { node } of chosen) node === a ? killed.a++ : killed.b++;
    for (const writer of chosen) {
      writer.up(false);
      assertNoCursorAhead(writer.node, writer.node === a ? b : a);
      assertNoCursorAhead(writer.node === a ? b : a, writer.node);
    }
    await Promise.all(chosen.map(({ node }) => restart(node, chance() < 0.25 ? between(0, START_MS) : null, killed)));
    for (const writer of chosen) writer.up(true);
  }
  await Promise.all(writers.map((writer) => writer.end()));
  await assertAllThere(t, writers);
  t.diagnostic(`killed: a ${killed.a} times, b ${killed.b} times, ${killed.starting} more while starting`);
});

/** The node has taken entries of the other one since it was started. */
async function acceptedBy(node: NodeProcess): Promise<number> {
  return (await node.peer('other'))?.accepted ?? 0;
}

async function pullsMore(node: NodeProcess, before: number): Promise<void> {
  await node.peerUntil('other', 'is pulled from', (now) => now.accepted > before);
}

async function restart(node: NodeProcess, killAgainMs: number | null, killed: { starting: number }): Promise<void> {
  if (killAgainMs !== null) {
    node.launch();
    await delay(killAgainMs);
    await node.kill();
    killed.starting++;
  }
  await node.start();
}

/** In the file as the kill left it: each entry that the cursor has passed is there. Nothing is refused in this test. */
function assertNoCursorAhead(node: NodeProcess, other: NodeProcess): void {
  const { cursor, accepted, refused, held } = pulledFeed(node.dir, other.nodeId, 'public');
  assert.deepEqual([accepted, held, refused], [cursor, cursor, 0], `${node.authority} stands at ${cursor}`);
  // Whoever was killed: what arrived here is in the ledger there.
  const recorded = recordedTo(other.dir, node.nodeId, 'public');
  assert.ok(recorded >= cursor, `${other.authority} has recorded ${recorded} of the ${cursor} that it gave`);
}

async function assertAllThere(t: TestContext, [one, two]: readonly [Writer, Writer]): Promise<void> {
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    const { body } = await from.node.get('/v1/journal/head');
    const { length } = (body.feeds as { feed: string; length: number }[]).find(({ feed }) => feed === 'public') ?? {
      length: 0,
    };
    await to.node.peerUntil(
      'other',
      `has all ${length} entries`,
      (now) => now.cursors[0]?.after === length && now.state === 'current',
    );
  }
  for (const { node } of [one, two]) assert.equal(await node.stop(), 0);
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    const said = feedLines(from.node.dir, 'public');
    const held = feedLines(to.node.dir, `from/${from.node.authority}/public`);
    assert.deepEqual(held, said, `${to.node.authority} has every fact of ${from.node.authority} once, in order`);
    const ids = new Set(said.map(({ fact_id }) => fact_id));
    assert.equal(ids.size, said.length);
    assert.deepEqual(
      from.acknowledged.filter((id) => !ids.has(id)),
      [],
    );
    assert.ok(said.length <= from.acknowledged.length + from.unanswered);
    assertNoCursorAhead(to.node, from.node);
    t.diagnostic(
      `${from.node.authority}: ${from.acknowledged.length} facts acknowledged, ${said.length} there, ${held.length} at the other`,
    );
  }
  for (const { node } of [one, two]) {
    const report = await node.fsck();
    assert.deepEqual([report.ok, report.problems], [true, []]);
    t.diagnostic(`fsck of ${node.authority}: clean, ${report.checked.entries} entries, ${report.seconds.toFixed(1)} s`);
  }
}
