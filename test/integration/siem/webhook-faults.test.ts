/** A webhook receiver that fails in every way, is away for long, and a sender that is restarted in between: nothing is lost. */
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createHttpClient } from '../../../src/outbound/http-client.ts';
import { Exporting, type ExportTarget } from '../../../src/siem/exporting.ts';
import type { SinkError } from '../../../src/siem/sink.ts';
import { createWebhookSink, webhookSigner } from '../../../src/siem/webhook-sink.ts';
import { type Behaviour, HttpReceiver } from '../../support/http-receiver.ts';
import { auditLine, auditLines, NODE } from '../../support/siem-events.ts';
import { MemorySinkJournal } from '../../support/siem-journal.ts';
import { until } from '../../support/until.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NOW_MS = Date.parse('2026-11-30T06:00:00Z');

interface Stage {
  readonly receiver: HttpReceiver;
  readonly journal: MemorySinkJournal;
  readonly failures: string[];
  start(change?: Partial<ExportTarget>): Exporting;
  /** Sequences in the order in which they were taken. */
  taken(): number[];
}

async function stage(t: TestContext, records: number, secret = SECRET): Promise<Stage> {
  const receiver = await new HttpReceiver().start();
  t.after(() => receiver.stop());
  const journal = new MemorySinkJournal(auditLines(records));
  const failures: string[] = [];
  const signer = webhookSigner(secret);
  assert.ok(signer.ok);
  const started: Exporting[] = [];
  t.after(() => Promise.all(started.map((one) => one.stop())));
  return {
    receiver,
    journal,
    failures,
    start(change = {}) {
      const http = createHttpClient([]);
      const sink = createWebhookSink({
        http,
        url: `${receiver.url}/in`,
        format: 'record',
        signer: signer.value,
        nowMs: () => NOW_MS,
      });
      const target = {
        name: 'hook',
        format: 'record',
        withRecord: false,
        batch: 10,
        minSeverity: 'info',
        events: [],
      } as const;
      const exporting = new Exporting(
        {
          journal,
          node: NODE,
          audits: journal.bell,
          nowMs: () => NOW_MS,
          retryMs: 1,
          onDelivered: () => undefined,
          onFailed: (_sink: string, { code }: SinkError) => void failures.push(code),
          onGap: () => undefined,
          onError: (error) => void failures.push(String(error)),
        },
        [{ ...target, sink, ...change }],
      );
      exporting.start();
      started.push(exporting);
      return exporting;
    },
    taken: () =>
      receiver.received
        .filter(({ taken }) => taken)
        .flatMap(({ body }) => eventsIn(body).map(({ sequence }) => sequence)),
  };
}

function eventsIn(body: string): { readonly id: string; readonly sequence: number }[] {
  return (JSON.parse(body) as { data: { id: string; sequence: number }[] }).data;
}

const TAKEN: Behaviour = { answer: 200, body: '{}' };

const EVERY_FAULT: readonly Behaviour[] = [
  'close_at_once',
  'reset',
  'take_and_reset',
  'garbage',
  'endless_answer',
  'take_and_half_answer',
  'slow',
  { answer: 500 },
  { answer: 502, body: '<html>bad gateway</html>' },
  { answer: 503, headers: { 'retry-after': '0' } },
  { answer: 429, headers: { 'retry-after': 'Mon, 30 Nov 2026 05:00:00 GMT' } },
  { answer: 429, headers: { 'retry-after': 'soon' } },
  { answer: 401 },
  { answer: 403 },
  { answer: 404 },
  { answer: 301, headers: { location: 'http://127.0.0.1:1/' } },
  { answer: 303, headers: { location: '/other' } },
  { answer: 307, headers: { location: 'http://169.254.169.254/' } },
  { answer: 204 },
];

test('every way to fail: all records come, in order, and what comes twice has the same id', async (t) => {
  const { receiver, journal, failures, start, taken } = await stage(t, 200);
  // A success in between: otherwise the pauses double.
  receiver.next.push(...EVERY_FAULT.flatMap((fault) => [fault, TAKEN]));
  start();
  await until('everything is acknowledged', () => journal.stateOf('hook').acked === 200);
  const ids = new Map<number, string>();
  for (const { body } of receiver.received)
    for (const { id, sequence } of eventsIn(body)) {
      assert.equal(ids.get(sequence) ?? id, id);
      ids.set(sequence, id);
    }
  const fresh = taken().filter((seq, i, all) => all.indexOf(seq) === i);
  assert.deepEqual(
    fresh,
    Array.from({ length: 200 }, (_, i) => i + 1),
  );
  assert.ok(taken().length > 200, 'what was taken before a reset came again');
  const expected = ['unreachable', 'busy', 'misconfigured'];
  assert.deepEqual(new Set(failures), new Set(expected));
});

test('the same events have the same idempotency key and the same body', async (t) => {
  const { receiver, journal, start } = await stage(t, 3);
  receiver.next.push('take_and_reset', { answer: 500 });
  start();
  await until('acknowledged', () => journal.stateOf('hook').acked === 3);
  const [first, ...again] = receiver.received;
  assert.equal(again.length, 2);
  for (const one of again) {
    assert.equal(one.headers['webhook-id'], first?.headers['webhook-id']);
    assert.equal(one.body, first?.body);
  }
});

test('away for an hour of events, the sender restarted in the middle', async (t) => {
  const { receiver, journal, start, taken } = await stage(t, 5);
  const first = start();
  await until('the first ones', () => journal.stateOf('hook').acked === 5);
  await receiver.stop();
  // The refusals of an hour: 16 of each kind and a summary, for many kinds.
  for (let seq = 6; seq <= 1_500; seq++) journal.append(auditLine({ seq, chain_seq: seq }));
  await until('it has noticed', () => journal.stateOf('hook').attempts > 2);
  await first.stop();
  start({ batch: 100 });
  await receiver.start();
  await until('all of them', () => journal.stateOf('hook').acked === 1_500);
  const fresh = taken().filter((seq, i, all) => all.indexOf(seq) === i);
  assert.deepEqual(
    fresh,
    Array.from({ length: 1_500 }, (_, i) => i + 1),
  );
});

test('an event that is refused for ever is passed over alone, and recorded', async (t) => {
  const { receiver, journal, start, taken } = await stage(t, 30);
  receiver.usual = (body) =>
    eventsIn(body).some(({ sequence }) => sequence === 17) ? { answer: 422, body: 'no' } : { answer: 200 };
  start();
  await until('the others', () => journal.stateOf('hook').acked === 30);
  assert.deepEqual(journal.passed, [{ sink: 'hook', move: { kind: 'pass', seq: 17, error: 'HTTP 422: no' } }]);
  const held = new Set(taken());
  held.delete(0); // the test event that showed that others are taken
  assert.equal(held.size, 29);
  assert.ok(!held.has(17));
});

test('a receiver that was not there does not make one refusal into five', async (t) => {
  const { journal, receiver, start, taken } = await stage(t, 1);
  const busy = { answer: 503 } as const;
  receiver.next.push(busy, busy, busy, busy, { answer: 400 });
  start();
  await until('taken', () => taken().length === 1);
  assert.deepEqual(journal.passed, []);
});

test('a receiver that refuses everything loses nothing', async (t) => {
  const { receiver, journal, start } = await stage(t, 3);
  receiver.usual = () => ({ answer: 400 });
  start();
  await until('it has tried often', () => journal.stateOf('hook').attempts > 6);
  assert.equal(journal.stateOf('hook').acked, 0);
  assert.deepEqual(journal.passed, []);
  receiver.usual = () => ({ answer: 200 });
  await until('and goes on', () => journal.stateOf('hook').acked === 3);
});

test('a filter keeps records back and moves on; digests and gaps pass it', async (t) => {
  const { journal, start, taken } = await stage(t, 3);
  journal.append(auditLine({ seq: 4, event: 'export_digest', reason: null }));
  journal.append(auditLine({ seq: 5, event: 'export_gap', reason: 'skipped' }));
  journal.append(auditLine({ seq: 6, reason: 'checkpoint_split_view' }));
  start({ minSeverity: 'critical' });
  await until('all were looked at', () => journal.stateOf('hook').acked === 6);
  assert.deepEqual(taken(), [4, 5, 6]);
});

test('signatures as Standard Webhooks has them, by a shared secret and by Ed25519', async (t) => {
  const shared = await stage(t, 1);
  shared.start();
  await until('taken', () => shared.journal.stateOf('hook').acked === 1);
  const [one] = shared.receiver.received;
  assert.ok(one);
  const text = `${one.headers['webhook-id']}.${one.headers['webhook-timestamp']}.${one.body}`;
  const mac = createHmac('sha256', Buffer.alloc(32, 7)).update(text).digest('base64');
  assert.equal(one.headers['webhook-signature'], `v1,${mac}`);

  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const seed = Buffer.from(String(privateKey.export({ format: 'jwk' }).d), 'base64url');
  const signed = await stage(t, 1, `whsk_${seed.toString('base64')}`);
  signed.start();
  await until('taken', () => signed.journal.stateOf('hook').acked === 1);
  const [two] = signed.receiver.received;
  assert.ok(two);
  const message = `${two.headers['webhook-id']}.${two.headers['webhook-timestamp']}.${two.body}`;
  const [, signature = ''] = String(two.headers['webhook-signature']).split('v1a,');
  assert.ok(
    verify(
      null,
      Buffer.from(message),
      createPublicKey(publicKey.export({ format: 'pem', type: 'spki' }) as string),
      Buffer.from(signature, 'base64'),
    ),
  );
});
