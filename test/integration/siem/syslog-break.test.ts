/** A syslog receiver cannot say what it keeps: after a break, what went out last goes out again, and never from before a move. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Exporting } from '../../../src/siem/exporting.ts';
import { createSyslogSink } from '../../../src/siem/syslog-sink.ts';
import { startExporting } from '../../support/exporting.ts';
import { auditLine, auditLines } from '../../support/siem-events.ts';
import { MemorySinkJournal } from '../../support/siem-journal.ts';
import { SyslogReceiver } from '../../support/syslog-receiver.ts';
import { until } from '../../support/until.ts';

const BATCH = 10;
const NAME = 'syslog';

interface Stage {
  readonly receiver: SyslogReceiver;
  readonly journal: MemorySinkJournal;
  readonly failures: string[];
  start(): Exporting;
  taken(): number[];
  isAt(seq: number): Promise<void>;
}

async function stage(t: TestContext, records: number): Promise<Stage> {
  const receiver = await new SyslogReceiver().start();
  t.after(() => receiver.stop());
  const journal = new MemorySinkJournal(auditLines(records));
  const failures: string[] = [];
  const { port } = new URL(receiver.url);
  const options = { host: 'localhost', port: Number(port), tls: { ca: receiver.cert }, allowed: [], timeoutMs: 5_000 };
  return {
    receiver,
    journal,
    failures,
    start() {
      const sink = createSyslogSink(options);
      const exporting = startExporting(journal, { name: NAME, format: 'record', batch: BATCH, sink }, failures);
      t.after(() => exporting.stop());
      return exporting;
    },
    taken: () =>
      receiver.messages.map((message) => JSON.parse(message.slice(message.indexOf('] {') + 2)).sequence as number),
    isAt: (seq) => until(`it is at ${seq}`, () => journal.stateOf(NAME).acked === seq),
  };
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

test('a receiver that ends with what it had read: none is lost, whichever of the two was started again', async (t) => {
  const { receiver, journal, failures, start, taken, isAt } = await stage(t, 25);
  const first = start();
  await isAt(25);
  assert.deepEqual(taken(), upTo(25), 'while nothing breaks nothing goes out twice');

  await receiver.stop();
  // One that it had not written yet, and one whose connection it closed in order as it ended.
  receiver.loseNewest(2);
  assert.equal(taken().length, 10);
  journal.append(auditLine({ seq: 26 }));
  await until('it is missed', () => failures.length > 0);
  await receiver.start();
  await isAt(26);
  assert.deepEqual([...new Set(taken())], upTo(26));

  await first.stop();
  receiver.loseNewest();
  assert.ok(!taken().includes(26));
  start();
  await until('it comes again', () => taken().includes(26));
  assert.deepEqual([...new Set(taken())], upTo(26));
});

test('what an operator left out stays out, also over a break', async (t) => {
  const { receiver, journal, failures, start, taken, isAt } = await stage(t, 5);
  const first = start();
  await isAt(5);
  await receiver.stop();
  for (let seq = 6; seq <= 9; seq++) journal.append(auditLine({ seq }));
  await until('it is missed', () => failures.length > 0);
  await first.move(NAME, { kind: 'skip', to: 8 }, { actor: 'bo', reason: 'it ends at one of them' });
  await receiver.start();
  await isAt(9);
  await first.stop();
  start();
  await until('after its start it sends the newest again', () => taken().filter((seq) => seq === 9).length === 2);
  assert.deepEqual(taken(), [...upTo(5), 9, 9]);
});
