/**
 * A daemon with sinks, and receivers that are away while an hour of events comes in; it is killed in the middle of delivery, and
 * they are restarted. What each of them has in the end is told.
 */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataPaths } from '../../src/config/data-dir.ts';
import { openBase } from '../../src/node/base.ts';
import { HostileProcess } from './hostile-process.ts';
import type { Bench, NodeProcess } from './node-process.ts';

export interface Arrived {
  readonly id: string;
  readonly sequence: number;
}

/** One receiver. */
export interface Receiver {
  start(): Promise<unknown>;
  stop(): Promise<unknown>;
  /** What it has taken, in the order in which it came. */
  arrived(): readonly Arrived[];
}

interface SinkLag {
  readonly name: string;
  readonly acked: number;
  readonly lag_events: number;
  readonly attempts: number;
}

const FLOOD = new URL('../adversarial/flood-lies.ts', import.meta.url).href;

/**
 * @param tables the `[[sink]]` tables
 * @param events how many come while the receivers are away
 * @returns sequence of the last record that all have to have
 */
export async function liveThroughOutage(
  bench: Bench,
  node: NodeProcess,
  receivers: readonly Receiver[],
  { tables, events }: { readonly tables: string; readonly events: number },
): Promise<number> {
  appendFileSync(dataPaths(node.dir).config, `\n${tables}`);
  const liars = await HostileProcess.start(bench, FLOOD, ['flood']);
  await node.start();
  node.writePeer('flood', liars.asPeer('flood'));
  await bench.until('lies were refused', async () => ((await node.peer('flood'))?.refused ?? 0) > 500 || undefined);
  await bench.until('all have them', async () => (await sinks(node)).every(({ acked }) => acked > 10) || undefined);

  await Promise.all(receivers.map((one) => one.stop()));
  await node.kill();
  await liars.stop();
  await anHour(node.dir, events);
  await node.start();
  await bench.until('it is missed', async () => (await anyFailure(node)) || undefined);
  const isIdle = ({ attempts, lag_events }: SinkLag): boolean => attempts > 0 || lag_events === 0;
  await bench.until('who is not away has everything', async () => (await sinks(node)).every(isIdle) || undefined);
  const before = await sinks(node);
  await node.kill();

  // Some of it goes out, and the daemon dies before it has all.
  await Promise.all(receivers.map((one) => one.start()));
  await node.start();
  const isUnderWay = async (): Promise<true | undefined> => {
    const now = await sinks(node);
    return now.some(({ acked }, i) => acked > (before[i]?.acked ?? 0) + 100) || undefined;
  };
  await bench.until('some is delivered', isUnderWay);
  await node.kill();
  assert.ok(
    await isBehind(
      node.dir,
      before.map(({ name }) => name),
    ),
    'it was killed before it had delivered everything',
  );
  await Promise.all(receivers.map((one) => one.stop()));
  await Promise.all(receivers.map((one) => one.start()));
  await node.start();
  await bench.until('all is delivered', async () => {
    const now = await sinks(node);
    return now.every(({ lag_events }) => lag_events === 0) || undefined;
  });
  return Math.min(...(await sinks(node)).map(({ acked }) => acked));
}

/** An hour of events, written while nothing runs. Refusals of facts would have to have pages, says fsck. */
async function anHour(dir: string, events: number): Promise<void> {
  await using owned = new AsyncDisposableStack();
  const { writer } = await openBase(dir, { 'log.level': 'fatal' }, owned);
  const kinds = ['peer_declaration_refused', 'invite_refused', 'connection_refused', 'peer_words_differ'];
  for (let from = 0; from < events; from += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        writer.audit({
          event: kinds[i % kinds.length] ?? '',
          reason: 'signature_invalid',
          peer: `stigmem://p${(from / 100) % 7}.example`,
          detail: { event: from + i },
        }),
      ),
    );
}

/** Whether any of these sinks lacks records, while nothing runs. */
async function isBehind(dir: string, names: readonly string[]): Promise<boolean> {
  await using owned = new AsyncDisposableStack();
  const { writer } = await openBase(dir, { 'log.level': 'fatal' }, owned);
  const { auditRecords } = await writer.stats();
  const states = await Promise.all(names.map((name) => writer.sinkState(name)));
  return states.some((state) => (state?.acked ?? 0) < auditRecords);
}

async function sinks(node: NodeProcess): Promise<readonly SinkLag[]> {
  return ((await node.get('/v1/sinks')).body as { sinks: SinkLag[] }).sinks;
}

async function anyFailure(node: NodeProcess): Promise<boolean> {
  return (await sinks(node)).filter(({ attempts }) => attempts > 0).length >= 2;
}

/** None is lost, the first arrivals are in order, and what came again has the id that it had. */
export function assertWhole(name: string, arrived: readonly Arrived[], last: number): void {
  const ids = new Map<number, string>();
  const fresh: number[] = [];
  for (const { id, sequence } of arrived) {
    if (sequence === 0) continue;
    if (!ids.has(sequence)) fresh.push(sequence);
    assert.equal(ids.get(sequence) ?? id, id, `${name}: ${sequence} came again with another id`);
    ids.set(sequence, id);
  }
  const expected = Array.from({ length: last }, (_, i) => i + 1);
  assert.deepEqual(fresh.slice(0, last), expected, `${name}: a record is missing, or out of order`);
}

/** The JSON lines of a file sink. */
export function inFile(path: string): readonly Arrived[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Arrived);
}

/** @returns the path of a secret */
export function secretIn(dir: string, name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return path;
}
