/** A node whose configuration is weaker than by default says so in each place, and on record when that changes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WeaknessWatch, weakeningsNow } from '../../src/node/weakness-watch.ts';
import type { Clock } from '../../src/transport/clock.ts';
import { openFolderApi } from '../support/data-folder.ts';
import { MeshNode } from '../support/mesh-node.ts';
import { until } from '../support/until.ts';

const RULES = fileURLToPath(new URL('../../deploy/prometheus/stigmem-peerd.rules.yml', import.meta.url));
const WEAK = { 'tombstones.undo_window_s': '0' };
const GAUGE = /stigmem_peerd_configuration_weakenings\{code="erasure_at_once"\} (\d)/;

test('it is on record when it begins and when it ends, and not at each start; metric and API have it meanwhile', async (t) => {
  const node = await MeshNode.create('acme.example').then((made) => made.start(WEAK));
  t.after(() => node.stop());
  const recorded = async (count: number): Promise<unknown[]> => {
    await until(`${count} records`, async () => (await node.audit('configuration_weakened')).length === count);
    return (await node.audit('configuration_weakened')).map(({ detail }) => detail['weakenings']);
  };
  assert.deepEqual(await recorded(1), [['erasure_at_once tombstones.undo_window_s']]);
  const path = '/v1/configuration/weakenings';
  const { weakenings } = JSON.parse((await node.get(path)).text);
  assert.equal(weakenings[0].code, 'erasure_at_once');
  assert.equal((await node.fetch(new Request(`http://127.0.0.1${path}`))).status, 401, 'not for whoever asks');
  assert.equal(GAUGE.exec((await node.get('/metrics')).text)?.[1], '1');
  assert.ok(
    readFileSync(RULES, 'utf8').includes('expr: sum by (instance, code) (stigmem_peerd_configuration_weakenings) > 0'),
  );

  await node.restart(WEAK);
  await until('it has looked', async () => GAUGE.exec((await node.get('/metrics')).text)?.[1] === '1');
  assert.equal((await recorded(1)).length, 1);
  await node.restart();
  assert.deepEqual((await recorded(2))[1], []);
  assert.equal(GAUGE.exec((await node.get('/metrics')).text)?.[1], '0');
});

test('it is said every hour while it lasts', async (t) => {
  const node = await MeshNode.create('acme.example').then((made) => made.start(WEAK));
  t.after(() => node.stop());
  let due: (() => void) | undefined;
  const waits: number[] = [];
  const clock: Clock = {
    nowMs: () => 0,
    after: (ms, then) => {
      waits.push(ms);
      due = then;
      return () => {};
    },
  };
  const told: number[] = [];
  const watch = new WeaknessWatch({
    now: () => weakeningsNow(node.base, node.federation.files()),
    auditPage: (filter) => node.base.reader.auditPage(filter),
    audit: (input) => node.base.writer.audit(input),
    onWeakened: (weakenings) => told.push(weakenings.length),
    onError: (error) => assert.fail(String(error)),
    clock,
  });
  t.after(() => watch.stop());
  watch.start();
  await watch.look();
  due?.();
  await watch.look();
  assert.deepEqual(told, [1, 1, 1, 1], 'two by the clock, two by hand');
  assert.deepEqual(waits, [3_600_000, 3_600_000]);
});

test('more weakenings than a record holds are on record once, and again when one of them changes', async (t) => {
  // No node runs over it: its own watch would put on record that nothing is weaker, before or after these.
  const { base, close } = await openFolderApi();
  t.after(close);
  const recorded = async (): Promise<readonly unknown[]> => {
    const { records } = await base.reader.auditPage({ event: 'configuration_weakened', order: 'asc', limit: 10 });
    return records.map(({ detail }) => detail['count']);
  };
  let count = 70;
  const watch = new WeaknessWatch({
    now: () =>
      Array.from({ length: count }, (_, i) => ({ code: 'api_key_endless', where: `key ${i}`, sentence: '' }) as const),
    auditPage: (filter) => base.reader.auditPage(filter),
    audit: (input) => base.writer.audit(input),
    onWeakened: () => {},
    onError: (error) => assert.fail(String(error)),
    clock: { nowMs: () => 0, after: () => () => {} },
  });
  t.after(() => watch.stop());
  await watch.look();
  await watch.look();
  assert.deepEqual(await recorded(), [70]);
  count = 71;
  await watch.look();
  assert.deepEqual(await recorded(), [70, 71]);
});
