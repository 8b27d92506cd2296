/** The searches for Splunk and Kusto name fields that events of their kind have, reasons and events that there are, and are the same rules. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CASE_OPENED } from '../../../src/core/case-finding.ts';
import { CASE_CHANGED } from '../../../src/core/case-sighting.ts';
import { atLeast } from '../../../src/core/severity.ts';
import { toEcs } from '../../../src/siem/ecs.ts';
import { toOcsf } from '../../../src/siem/ocsf.ts';
import type { SiemEvent } from '../../../src/siem/siem-event.ts';
import { caseStep, siemEvent } from '../../support/siem-events.ts';

interface AlertRule {
  readonly name: string;
  readonly text: string;
}
interface Language {
  readonly rules: readonly AlertRule[];
  readonly format: (event: SiemEvent) => object;
  /** Paths that a rule reads. */
  readonly paths: (text: string) => readonly string[];
  /** Values that it compares reason and event with. */
  readonly values: (text: string) => { readonly reasons: readonly string[]; readonly events: readonly string[] };
}

const { events, reasons } = atLeast('info');

const SPLUNK: Language = {
  rules: readFileSync('deploy/splunk/savedsearches.conf', 'utf8')
    .split(/^\[Stigmem /m)
    .slice(1)
    .map((stanza) => ({ name: stanza.slice(0, stanza.indexOf(']')), text: searchIn(stanza) })),
  format: (event) => toOcsf(event, false),
  paths: (text) => matches(text, /\b((?:metadata|unmapped|finding_info)(?:\.[a-z_]+)+|class_uid)\b/g),
  values: (text) => ({
    reasons: listed(text, /unmapped\.stigmem\.reason(?: IN \(([^)]*)\)|=(\w+))/g),
    events: listed(text, /unmapped\.stigmem\.event(?: IN \(([^)]*)\)|=(\w+))/g),
  }),
};

const KUSTO: Language = {
  rules: readdirSync('deploy/kql').map((file) => ({
    name: file.replace('.kql', ''),
    text: readFileSync(`deploy/kql/${file}`, 'utf8'),
  })),
  format: (event) => toEcs(event, false),
  paths: (text) =>
    matches(text, /\be((?:\.[a-z_]+|\['[a-z_]+'\])+)/g).map((path) =>
      path.replace(/\['(\w+)'\]/g, '.$1').replace(/^\./, ''),
    ),
  values: (text) => ({
    reasons: listed(text, /e\.event\.code\) (?:in \(([^)]*)\)|== ('\w+'))/g),
    events: listed(text, /e\.event\.action\) (?:in \(([^)]*)\)|== ('\w+'))/g),
  }),
};

function searchIn(stanza: string): string {
  return /^search = ((?:.*\\\n)*.*)/m.exec(stanza)?.[1] ?? '';
}

function matches(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, found = '']) => found))];
}

function listed(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, list, one]) => (list ?? one ?? '').replaceAll("'", '').split(', '));
}

/** What a rule is about; without a name in it, whatever there is. */
function kindsOf(named: ReturnType<Language['values']>): readonly SiemEvent[] {
  const summary = siemEvent({ event: 'refusals_summarized', detail: { count: 3 } });
  const kinds = [
    ...named.reasons.map((reason) => siemEvent({ reason })),
    ...(named.reasons.length > 0 ? [summary] : []),
    ...named.events.map(sampleOf),
  ];
  return kinds.length > 0 ? kinds : [siemEvent(), caseStep('new')];
}

function sampleOf(event: string): SiemEvent {
  if (event === CASE_OPENED || event === CASE_CHANGED) return caseStep('new');
  const gap = { event, reason: 'skipped', detail: { sink: 'siem', first: 1, last: 2 } };
  return siemEvent(event === 'export_gap' ? gap : { event, actor: 'agent:bo#k1' });
}

function valueAt(document: object, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => (Object(at) as Record<string, unknown>)[key], document);
}

function faults({ format, paths, values }: Language, text: string): string[] {
  const named = values(text);
  const documents = kindsOf(named).map(format);
  const has = (path: string): boolean => documents.some((document) => valueAt(document, path) != null);
  return [
    ...paths(text).filter((path) => !has(path)),
    ...named.reasons.filter((reason) => !reasons.includes(reason)),
    ...named.events.filter((event) => !events.includes(event)),
  ];
}

for (const [language, of] of Object.entries({ Splunk: SPLUNK, Kusto: KUSTO }))
  for (const { name, text } of of.rules)
    test(`${language}: ${name}`, () => {
      assert.ok(of.paths(text).length >= 2, text);
      assert.deepEqual(faults(of, text), []);
      // A drill is no alarm; records of the node itself are never one.
      assert.ok(text.includes('is_drill') || /^(export-|case-)/.test(name), text);
    });

test('what the check is for', () => {
  const search = SPLUNK.rules[0]?.text ?? '';
  assert.deepEqual(faults(SPLUNK, `${search} unmapped.stigmem.nothing=1`), ['unmapped.stigmem.nothing']);
  assert.deepEqual(faults(SPLUNK, `${search} unmapped.stigmem.reason=cid_missmatch`), ['cid_missmatch']);
  assert.deepEqual(faults(SPLUNK, search.replace('stigmem.feed', 'stigmem.gap.sink')), ['unmapped.stigmem.gap.sink']);
  const query = KUSTO.rules.find(({ name }) => name === 'scope-flood')?.text ?? '';
  assert.deepEqual(faults(KUSTO, query.replace("e.stigmem['count']", "e.stigmem['sum']")), ['stigmem.sum']);
});

/** Those that only one kind of program can have: a base of another rule, a state over time, the absence of events. */
const ONLY_SIGMA = ['bad-fact', 'case-opened'];
const NOT_SIGMA = ['case-unseen', 'export-silent'];

test('Sigma, Splunk and Kusto have the same rules', () => {
  const sigma = readdirSync('deploy/sigma').map((file) => file.replace('.yml', ''));
  const names = (rules: readonly AlertRule[]): string[] => rules.map(({ name }) => name).sort();
  assert.deepEqual(names(SPLUNK.rules), names(KUSTO.rules));
  const expected = [...sigma.filter((name) => !ONLY_SIGMA.includes(name)), ...NOT_SIGMA];
  assert.deepEqual(names(SPLUNK.rules), expected.sort());
});

test('what a rule looks for is the same in all three', () => {
  const sorted = ({ events: named, reasons: why }: ReturnType<Language['values']>): string[][] => [
    named.toSorted(),
    why.toSorted(),
  ];
  for (const { name, text } of KUSTO.rules) {
    const [search = ''] = SPLUNK.rules.filter((rule) => rule.name === name).map((rule) => rule.text);
    assert.deepEqual(sorted(SPLUNK.values(search)), sorted(KUSTO.values(text)), name);
    const path = `deploy/sigma/${name}.yml`;
    const sigma = NOT_SIGMA.includes(name) ? '' : readFileSync(path, 'utf8');
    // A correlation counts what another rule finds.
    if (sigma.includes('detection:'))
      assert.deepEqual(
        [valuesOf(sigma, 'event.action'), valuesOf(sigma, 'event.code')],
        sorted(KUSTO.values(text)),
        path,
      );
  }
});

function valuesOf(rule: string, field: string): string[] {
  const [, one = '', list = ''] = new RegExp(`^ {4}${field}: ?(.*)((?:\\n {6}- .*)*)`, 'm').exec(rule) ?? [];
  return [one, ...list.split(/\n {6}- /)].filter((value) => value !== '').toSorted();
}

test('every saved search is complete', () => {
  const stanzas = readFileSync('deploy/splunk/savedsearches.conf', 'utf8')
    .split(/^\[Stigmem /m)
    .slice(1);
  for (const stanza of stanzas) {
    assert.match(stanza, /^search = `stigmem` .* `stigmem_once` \\\n\| /m);
    assert.match(stanza, /^cron_schedule = (\*\/\d+|\d+) \* \* \* \*$/m);
    assert.match(stanza, /^dispatch\.earliest_time = -\d+[mhd]\ndispatch\.latest_time = now\nenableSched = 1$/m);
    assert.match(stanza, /^alert\.severity = [1-6]$/m);
  }
  const macros = readFileSync('deploy/splunk/macros.conf', 'utf8');
  assert.match(macros, /^\[stigmem\]\ndefinition = [^\n]*sourcetype="stigmem:ocsf"$/m);
  assert.match(macros, /^\[stigmem_once\]\n/m);
});
