/** Dashboard and alert rules name metrics and labels that there are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createMetrics } from '../../../src/observe/metrics.ts';

const METRIC = /\bstigmem_[a-z0-9_]+/g;
const SUFFIX = /_(bucket|sum|count)$/;

async function known(): Promise<ReadonlyMap<string, readonly string[]>> {
  const { registry } = createMetrics();
  const found = new Map<string, readonly string[]>();
  for (const { name } of await registry.getMetricsAsJSON()) {
    const { labelNames } = registry.getSingleMetric(name) as unknown as { labelNames: readonly string[] };
    found.set(name, labelNames);
  }
  return found;
}

/** Labels of a scrape, and what an expression sums by. */
const OF_PROMETHEUS = ['instance', 'job', 'le'];

for (const file of ['deploy/grafana/stigmem-peerd.json', 'deploy/prometheus/stigmem-peerd.rules.yml'])
  test(`${file} names what there is`, async () => {
    const text = readFileSync(file, 'utf8');
    const metrics = await known();
    const named = [...new Set([...text.matchAll(METRIC)].map(([name]) => name))];
    assert.ok(named.length > 5);
    assert.deepEqual(
      named.filter((name) => !metrics.has(name) && !metrics.has(name.replace(SUFFIX, ''))),
      [],
    );
    for (const [, name = '', labels = ''] of text.matchAll(/\b(stigmem_[a-z0-9_]+)\\?\{([^}]*)\}/g)) {
      const allowed = [...(metrics.get(name.replace(SUFFIX, '')) ?? metrics.get(name) ?? []), ...OF_PROMETHEUS];
      const used = [...labels.matchAll(/([a-z_]+)(?:=~|=|!=)/g)].map(([, label]) => String(label));
      assert.deepEqual(
        used.filter((label) => !allowed.includes(label)),
        [],
        `${name}{${labels}}`,
      );
    }
  });

test('every alert has a severity, a sentence, and a runbook', () => {
  const rules = readFileSync('deploy/prometheus/stigmem-peerd.rules.yml', 'utf8');
  const operations = readFileSync('docs/OPERATIONS.md', 'utf8');
  const alerts = [...rules.matchAll(/- alert: (\w+)\n([\s\S]*?)(?=\n {6}- alert|\n {2}- name|$)/g)];
  assert.ok(alerts.length >= 14);
  for (const [, name = '', body = ''] of alerts) {
    assert.match(body, /severity: (warning|critical)/, name);
    assert.match(body, /summary: /, name);
    assert.ok(operations.includes(name), `${name} has no runbook in docs/OPERATIONS.md`);
  }
});

test('a metric that the guide says to alert on has a rule', () => {
  const rules = readFileSync('deploy/prometheus/stigmem-peerd.rules.yml', 'utf8');
  const [, table = ''] =
    /\| Metric \| Alert when \|\n\|---\|---\|\n([\s\S]*?)\n\n/.exec(readFileSync('docs/OPERATIONS.md', 'utf8')) ?? [];
  const rows = table.split('\n').filter((row) => !row.includes('| for graphs'));
  assert.ok(rows.length > 30);
  const without = rows.filter((row) => {
    const names = [...(row.split('|')[1] ?? '').matchAll(/`((?:stigmem)?_[a-z0-9_]+)/g)].map(([, name = '']) => name);
    return !names.some((name) => rules.includes(name.replace(/^_/, 'stigmem_peerd_')));
  });
  assert.deepEqual(without, []);
});
