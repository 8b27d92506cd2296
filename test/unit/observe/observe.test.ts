import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { createAuditBell } from '../../../src/observe/audit-bell.ts';
import { createEvents } from '../../../src/observe/events.ts';
import { createLogger } from '../../../src/observe/logger.ts';
import { watchEventLoop } from '../../../src/observe/loop-delay.ts';
import { createMetrics } from '../../../src/observe/metrics.ts';

const silent = createLogger('silent');

test('log lines are JSON, level and time are words, secrets are struck out', () => {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => void lines.push(line) });
  logger.info({ headers: { authorization: 'Bearer smk_x' }, secret: 's', nested: { key: 'k' }, peer: 'beta' }, 'hello');
  logger.debug('not at this level');
  assert.equal(lines.length, 1);
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.equal(line['level'], 'info');
  assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT/);
  assert.equal(line['peer'], 'beta');
  assert.doesNotMatch(lines[0] ?? '', /smk_x|"s"|"k"/);
});

test('a refused fact moves its counters and those of the reference', async () => {
  const metrics = createMetrics();
  const events = createEvents(silent, metrics);
  events.pageVerified('beta', 'public', 5);
  events.pageRefused('beta', 'feed_gap', 7);
  events.factRefused('beta', 'peer_hlc_anomaly', 'hlc_future', 8);
  events.factRefused('beta', 'federation_integrity_rejected', 'cid_mismatch', 9);
  events.appended(0.003);
  const { body, contentType } = await metrics.scrape();
  assert.match(contentType, /^text\/plain/);
  for (const line of [
    'stigmem_peerd_pages_verified_total{peer="beta"} 1',
    'stigmem_peerd_facts_accepted_total{peer="beta",feed="public"} 5',
    'stigmem_peerd_pages_refused_total{peer="beta",reason="feed_gap"} 1',
    'stigmem_peerd_facts_refused_total{peer="beta",event="federation_integrity_rejected",reason="cid_mismatch"} 1',
    'stigmem_federation_ingress_total{peer_id="beta",status="ok"} 5',
    'stigmem_federation_ingress_total{peer_id="beta",status="refused"} 2',
    'stigmem_peer_hlc_anomaly_total{peer_id="beta",direction="future"} 1',
    'stigmem_peerd_append_seconds_count 1',
  ]) {
    assert.ok(body.includes(`${line}\n`), `${line} is not in\n${body}`);
  }
});

test('two nodes in one process do not share counters', async () => {
  const one = createMetrics();
  const two = createMetrics();
  one.authFailures.inc();
  assert.match((await one.scrape()).body, /stigmem_peerd_auth_failures_total 1/);
  assert.match((await two.scrape()).body, /stigmem_peerd_auth_failures_total 0/);
});

test('the loop delay is measured at each scrape', async () => {
  const metrics = createMetrics();
  const stop = watchEventLoop(metrics);
  const { body } = await metrics.scrape();
  stop();
  for (const quantile of ['0.5', '0.99', '1'])
    assert.ok(body.includes(`stigmem_peerd_event_loop_delay_seconds{quantile="${quantile}"}`));
  assert.doesNotMatch(body, /NaN/);
});

test('the bell tells every listener, until it leaves', () => {
  const bell = createAuditBell();
  const heard: number[] = [];
  const leave = bell.onAudit((seq) => heard.push(seq));
  const leaveAgain = bell.onAudit((seq) => heard.push(-seq));
  bell.ring(1);
  leave();
  leave();
  bell.ring(2);
  leaveAgain();
  bell.ring(3);
  assert.deepEqual(heard, [1, -1, -2]);
});

test('what cannot be measured is told once a minute, and the rest is there', async () => {
  const told: unknown[] = [];
  const metrics = createMetrics((error) => told.push(error));
  metrics.beforeScrape(() => Promise.reject(new Error('malformed JSON')));
  metrics.beforeScrape(() => metrics.diskFreeBytes.set(7));
  await metrics.scrape();
  assert.match((await metrics.scrape()).body, /stigmem_peerd_disk_free_bytes 7/);
  assert.equal(told.length, 1);
});

test('a line that cannot be written ends nothing', {
  skip: existsSync('/dev/full') ? false : 'no /dev/full here',
}, () => {
  const module = new URL('../../../src/observe/logger.ts', import.meta.url).href;
  const script = `const { createLogger } = await import(${JSON.stringify(module)});
const logger = createLogger('info'); logger.info('one'); logger.info('two'); console.log('goes on');`;
  const full = openSync('/dev/full', 'w');
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', full] });
  closeSync(full);
  assert.deepEqual([ran.status, ran.stdout.toString()], [0, 'goes on\n']);
});
