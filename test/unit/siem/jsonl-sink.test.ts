/** A file of lines that is put aside never takes the place of one that was put aside before. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { FormattedEvent } from '../../../src/siem/format.ts';
import { createJsonlSink } from '../../../src/siem/jsonl-sink.ts';
import { testEvent } from '../../../src/siem/test-event.ts';

const NEVER = new AbortController().signal;
const LINE_BYTES = 20;
const NODE = { nodeId: 'stigmem://acme.example', authority: 'acme.example', version: '0.0.0' };

function stage(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-jsonl-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'audit.jsonl');
  const sink = createJsonlSink({ path, maxBytes: 4 * LINE_BYTES });
  const deliver = (first: number, last: number, mark: string): Promise<void> =>
    sink.deliver(events(first, last, mark), NEVER);
  const lines = (): ReadonlySet<string> =>
    new Set(readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n')));
  return { deliver, folder, lines, path };
}

function events(first: number, last: number, mark: string): readonly FormattedEvent[] {
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const seq = first + i;
    return { event: { ...testEvent(NODE, 0), seq }, text: textOf(seq, mark) };
  });
}

function textOf(seq: number, mark: string): string {
  return `${mark} ${seq}`.padEnd(LINE_BYTES - 1, '.');
}

test('two rotations before the same record, as a replay makes them, keep every line', async (t) => {
  const { deliver, folder, lines } = stage(t);
  await deliver(1, 4, 'first');
  await deliver(5, 8, 'first');
  await deliver(5, 8, 'second');
  await deliver(5, 8, 'third');
  const expected = [
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((seq) => textOf(seq, 'first')),
    ...[5, 6, 7, 8].flatMap((seq) => [textOf(seq, 'second'), textOf(seq, 'third')]),
  ];
  assert.deepEqual([...lines()].sort(), expected.sort());
  assert.deepEqual(readdirSync(folder).sort(), [
    'audit.jsonl',
    'audit.jsonl.upto-000000000005',
    'audit.jsonl.upto-000000000005-2',
    'audit.jsonl.upto-000000000005-3',
  ]);
});

test('a delivery that a full disk has cut off behind a rotation comes again, and keeps every line', async (t) => {
  const { deliver, lines, path } = stage(t);
  await deliver(1, 4, 'first');
  await deliver(5, 5, 'first');
  writeFileSync(path, `${textOf(5, 'first')}\n${textOf(6, 'first')}\n${textOf(7, 'first')}\nfirst 8`);
  await deliver(5, 8, 'second');
  for (const seq of [1, 2, 3, 4, 5, 6, 7]) assert.ok(lines().has(textOf(seq, 'first')), `line ${seq}`);
  for (const seq of [5, 6, 7, 8]) assert.ok(lines().has(textOf(seq, 'second')), `line ${seq}, again`);
  assert.equal(lines().has('first 8'), false);
});

test('an event that is sent past a batch, as a test is, cuts no line of it off', async (t) => {
  const { folder } = stage(t);
  const path = join(folder, 'busy.jsonl');
  const sink = createJsonlSink({ path, maxBytes: 64 * 1_048_576 });
  const large = (seq: number): FormattedEvent => ({
    event: { ...testEvent(NODE, 0), seq },
    text: `${seq} `.padEnd(2_048, '.'),
  });
  const deliveries = Array.from({ length: 4 }, async (_, batch) => {
    const first = batch * 1_000;
    const delivery = sink.deliver(
      Array.from({ length: 1_000 }, (_, i) => large(first + i)),
      NEVER,
    );
    for (let test = 0; test < 8; test++) await sink.deliver([large(10_000 + batch * 8 + test)], NEVER);
    return delivery;
  });
  await Promise.all(deliveries);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.ok(lines.every((line) => line.length === 2_048));
  assert.equal(new Set(lines).size, 4 * 1_000 + 4 * 8);
});
