import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyStatus } from '../../../src/core/key-status.ts';
import type { AuditFilter, AuditInput, AuditPage, AuditRecord } from '../../../src/journal/read-model.ts';
import { KeysWatch } from '../../../src/node/keys-watch.ts';

const HOUR = 3_600_000;
const OWNER = 'stigmem://acme.example';
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const KEY: KeyStatus = {
  node_id: OWNER,
  peer: 'acme',
  use: 'log',
  name: 'acme.example/journal/00000000000000aa',
  key_id: '0a1b2c3d',
  vkey: 'acme.example/journal/00000000000000aa+0a1b2c3d+AQ==',
  state: 'valid',
  not_before: '2027-01-01T00:00:00Z',
  not_after: '2027-03-01T00:00:00Z',
  seconds_left: 1,
  days_left: 0,
  warning: null,
};
const at = (step: number | null, change: Partial<KeyStatus> = {}): KeyStatus => ({
  ...KEY,
  warning: { step, sentence: `step ${step}` },
  ...change,
});

/** A log that outlives its watches, and a clock that is moved by hand. */
class Stage {
  keys: readonly KeyStatus[] = [];
  readonly records: AuditInput[] = [];
  readonly errors: unknown[] = [];
  readonly told: string[] = [];
  timers: { delayMs: number; run: () => void }[] = [];
  fails = false;

  watch(): KeysWatch {
    return new KeysWatch({
      keys: async () => this.keys,
      auditPage: async (filter) => this.#page(filter),
      audit: async (input) => {
        if (this.fails) throw new Error('guarded');
        return this.records.push(input);
      },
      onWarning: (event, _key, sentence) => void this.told.push(`${event}: ${sentence}`),
      onError: (error) => void this.errors.push(error),
      clock: {
        nowMs: () => 0,
        after: (delayMs, run) => {
          const timer = { delayMs, run };
          this.timers.push(timer);
          return () => {
            this.timers = this.timers.filter((other) => other !== timer);
          };
        },
      },
    });
  }

  steps(): readonly unknown[] {
    return this.records.map(({ event, detail }) => [event, detail?.['step']]);
  }

  /** Two records a page: reading goes on behind the first. */
  #page({ event, cursor = 0 }: AuditFilter): AuditPage {
    const all = this.records.map((input, i) => ({ ...input, seq: i + 1 }) as unknown as AuditRecord);
    const matching = all.filter((record) => record.event === event && record.seq > cursor);
    const records = matching.slice(0, 2);
    return { records, cursor: records.at(-1)?.seq ?? cursor, hasMore: matching.length > 2 };
  }
}

test('each step is told once, the highest that was passed first, and never again by another watch', async () => {
  const stage = new Stage();
  const watch = stage.watch();
  for (const step of [null, 7, 7, 1, 7, 0, 0]) {
    stage.keys = [step === null ? KEY : at(step)];
    await watch.look();
  }
  assert.deepEqual(stage.steps(), [
    ['key_expiring', 7],
    ['key_expiring', 1],
    ['key_expired', 0],
  ]);
  assert.deepEqual(stage.told, ['key_expiring: step 7', 'key_expiring: step 1', 'key_expired: step 0']);
  assert.deepEqual(stage.records[0], {
    event: 'key_expiring',
    peer: OWNER,
    detail: {
      owner: OWNER,
      use: 'log',
      key_id: KEY.key_id,
      vkey: KEY.vkey,
      not_before: KEY.not_before,
      not_after: KEY.not_after,
      days_left: 0,
      step: 7,
    },
  });
  const next = stage.watch();
  await next.look();
  stage.keys = [at(14)];
  await next.look();
  assert.equal(stage.records.length, 3);
});

test('another end, another key and another owner are warned of each for themselves; our own names no peer', async () => {
  const stage = new Stage();
  stage.keys = [
    at(7),
    at(7, { not_after: '2027-03-02T00:00:00Z' }),
    at(7, { vkey: 'x' }),
    at(7, { node_id: 'b', peer: null }),
  ];
  await stage.watch().look();
  await stage.watch().look();
  assert.deepEqual(
    stage.records.map(({ peer }) => peer),
    [OWNER, OWNER, OWNER, null],
  );
});

test('times that cannot be read are told once', async () => {
  const stage = new Stage();
  stage.keys = [at(null, { not_after: 'soon', state: 'unreadable' })];
  const watch = stage.watch();
  await watch.look();
  await watch.look();
  await stage.watch().look();
  assert.deepEqual(stage.steps(), [['key_unreadable', null]]);
});

test('it looks at start, every hour, and soon after an audit record; stopped, it looks no more', async () => {
  const stage = new Stage();
  const watch = stage.watch();
  stage.keys = [at(30)];
  watch.start();
  await settle();
  assert.equal(stage.records.length, 1);
  assert.deepEqual(
    stage.timers.map(({ delayMs }) => delayMs),
    [HOUR],
  );

  watch.audited();
  watch.audited();
  assert.equal(stage.timers.length, 2, 'records that come together are looked at once');
  stage.keys = [at(14)];
  stage.timers.pop()?.run();
  await settle();
  assert.equal(stage.records.length, 2);

  stage.keys = [at(7)];
  stage.timers.pop()?.run();
  await settle();
  assert.equal(stage.records.length, 3);
  assert.deepEqual(
    stage.timers.map(({ delayMs }) => delayMs),
    [HOUR],
  );

  await watch.stop();
  stage.keys = [at(1)];
  await watch.look();
  watch.audited();
  assert.equal(stage.records.length, 3);
  assert.equal(stage.timers.length, 0);
});

test('what could not be recorded is tried with the next look', async () => {
  const stage = new Stage();
  const watch = stage.watch();
  stage.keys = [at(7)];
  stage.fails = true;
  await watch.look();
  assert.equal(stage.errors.length, 1);
  assert.deepEqual(stage.told, []);
  stage.fails = false;
  await watch.look();
  assert.deepEqual(stage.steps(), [['key_expiring', 7]]);
});
