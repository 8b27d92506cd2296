/** `[[sink]]` tables: what they become, and what is wrong with one, in words. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../../../src/config/config.ts';
import { problemText } from '../../../src/config/problem.ts';
import { SINK_SETTINGS } from '../../../src/config/sink-settings.ts';

function load(t: TestContext, tables: string): ReturnType<typeof loadConfig> {
  const dir = mkdtempSync(join(tmpdir(), 'peerd-sinks-'));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'config.toml'), `node_id = "stigmem://acme.example"\n${tables}`);
  return loadConfig(dir, {}, {});
}

function fault(t: TestContext, table: string): string {
  const loaded = load(t, `[[sink]]\n${table}`);
  assert.ok(!loaded.ok, table);
  return loaded.error.problems
    .map((problem) => problemText(problem).replace(/^.*config\.toml/, 'config.toml'))
    .join('\n');
}

test('tables with their defaults; files start at the data folder', (t) => {
  const loaded = load(
    t,
    '[[sink]]\nname = "archive"\nkind = "file"\npath = "audit.jsonl"\n[[sink]]\nname = "siem"\nkind = "syslog"\nurl = "tls://siem.acme.example:6514/"\nca_file = "/etc/ca.pem"\n',
  );
  assert.ok(loaded.ok);
  const [archive, siem] = loaded.value.sinks;
  assert.equal(archive?.path, join(loaded.value.dir, 'audit.jsonl'));
  assert.deepEqual(
    [archive?.format, archive?.minSeverity, archive?.withRecord, archive?.start, archive?.batch],
    ['record', 'info', false, 'beginning', 100],
  );
  assert.deepEqual([siem?.url, siem?.caFile], ['tls://siem.acme.example:6514', '/etc/ca.pem']);
});

const FILE = 'name = "a"\nkind = "file"\npath = "a"\n';
const WRONG: readonly (readonly [table: string, says: RegExp])[] = [
  ['name = "Two Words"\nkind = "file"\npath = "a"\n', /^config\.toml:3: sink\.name: expected a name such as "archive"/],
  ['kind = "file"\npath = "a"\n', /sink\.name: expected a name .*got nothing/],
  ['name = "a"\nkind = "carrier-pigeon"\n', /sink\.kind: expected one of "file", "webhook"/],
  ['name = "a"\nkind = "file"\n', /sink\.path: expected a path of a file, got .*\(a file needs one\)/],
  [`${FILE}url = "https://x.example"\n`, /a file has none/],
  [`${FILE}format = "cef"\n`, /a file has JSON lines/],
  [`${FILE}colour = "red"\n`, /unknown key "sink\.colour"/],
  [`${FILE}events = ["Not An Event"]\n`, /sink\.events/],
  [`${FILE}batch = 1001\n`, /sink\.batch: expected a number from 1 to 1000, got 1001/],
  [`${FILE}[[sink]]\n${FILE}`, /another sink has it/],
  [
    `${FILE}[[sink]]\n${FILE.replace('name = "a"', 'name = "b"').replace('path = "a"', 'path = "./a"')}`,
    /sink\.path: .*another sink has it/,
  ],
  ['name = "a"\nkind = "webhook"\nurl = "https://x.example"\n', /sink\.secret_file: .*webhook needs one/],
  [
    'name = "a"\nkind = "otlp"\nurl = "http://collector.example:4318"\n',
    /it starts with https:\/\/, or is on this machine/,
  ],
  ['name = "a"\nkind = "otlp"\nurl = "https://u:p@x.example"\n', /names and passwords are not part of it/],
  ['name = "a"\nkind = "otlp"\nurl = "https://x.example/?a=b"\n', /without query and fragment/],
  ['name = "a"\nkind = "syslog"\nurl = "udp://x.example:514"\n', /it is tls:\/\/HOST:PORT/],
  [
    'name = "a"\nkind = "syslog"\nurl = "tls://x.example"\ncert_file = "c.pem"\n',
    /a certificate and its key go together/,
  ],
];

for (const [table, says] of WRONG)
  test(`what is wrong with a table: ${says.source.slice(0, 40)}`, (t) => {
    assert.match(fault(t, table), says);
  });

test('at most sixteen', (t) => {
  const tables = Array.from({ length: 17 }, (_, i) => FILE.replace('"a"', `"a${i}"`)).join('[[sink]]\n');
  assert.match(fault(t, tables), /sink: expected tables/);
});

test('every key stands in the example, with what it means', () => {
  const lines = readFileSync('config.example.toml', 'utf8').split('\n');
  assert.ok(lines.includes('#[[sink]]'));
  for (const { name } of SINK_SETTINGS)
    assert.ok(
      lines.some((line) => line.startsWith(`#${name} = `)),
      name,
    );
});
