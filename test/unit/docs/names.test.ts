/** Metrics, settings, variables, routes, audit events, files and links that documents name are there. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { CHECKS } from '../../../src/cli/doctor/checks.ts';
import { DATA_VARIABLE, KEY_FILE_VARIABLE } from '../../../src/config/overlay.ts';
import { SECTIONS, SETTINGS } from '../../../src/config/settings.ts';
import { UNREADABLE_RECORD } from '../../../src/journal/read-model.ts';
import { createMetrics } from '../../../src/observe/metrics.ts';
import { createTestApi } from '../../support/api-fixture.ts';
import { DOCUMENTS } from '../../support/doc-commands.ts';

interface Named {
  /** `docs/OPERATIONS.md:12  what` */
  readonly at: string;
  readonly what: string;
}

const TEXTS: readonly (readonly [file: string, text: string])[] = DOCUMENTS.map((file) => [
  file,
  readFileSync(file, 'utf8'),
]);
const MARKDOWN = TEXTS.filter(([file]) => file.endsWith('.md'));

/** Every match of the first group, with its place. */
function named(texts: typeof TEXTS, pattern: RegExp): readonly Named[] {
  return texts.flatMap(([file, text]) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        [...line.matchAll(pattern)].map(([, what = '']) => ({ at: `${file}:${index + 1}  ${what}`, what })),
      ),
  );
}

function expectAll(found: readonly Named[], least: number, isThere: (what: string) => boolean): void {
  assert.ok(found.length >= least, `only ${found.length} were found: is the pattern still right?`);
  assert.deepEqual(
    found.filter(({ what }) => !isThere(what)).map(({ at }) => at),
    [],
  );
}

const metrics = new Set((await createMetrics().registry.getMetricsAsJSON()).map(({ name }) => name));
const isMetric = (name: string): boolean => metrics.has(name) || metrics.has(name.replace(/_(bucket|sum|count)$/, ''));

test('metrics', () => {
  expectAll(named(TEXTS, /\b(stigmem_[a-z0-9]+_[a-z0-9_]+)\b(?![.*…])/g), 60, isMetric);
  const operations = MARKDOWN.filter(([file]) => file === 'docs/OPERATIONS.md');
  // Without what all have in front: `_anchors_pending`.
  const short = named(operations, /`(_[a-z0-9_]+)(?:\{[a-z_]+\})?`/g);
  expectAll(short, 10, (name) => isMetric(`stigmem_peerd${name}`));
});

test('every metric of ours is explained', () => {
  const operations = readFileSync('docs/OPERATIONS.md', 'utf8');
  const own = [...metrics].filter((name) => name.startsWith('stigmem_'));
  const isExplained = (name: string): boolean =>
    operations.includes(name) || operations.includes(`\`${name.replace('stigmem_peerd', '')}`);
  assert.deepEqual(
    own.filter((name) => !isExplained(name)),
    [],
  );
});

const settings = new Set(SETTINGS.map(({ key }) => key));
const sections = SECTIONS.map(({ name }) => name).filter((name) => name !== '');
/** Of the doctor: `api.listener`. */
const checks = new Set(CHECKS.map(({ id }) => id));
/** `log.key` is a file. */
const FILE_END = /\.(key|toml|db|json|jsonl|token|md|ts|note|conf|vkey)$/;

test('settings', () => {
  const found = named(MARKDOWN, new RegExp(`\`((?:${sections.join('|')})\\.[a-z0-9_]+)(?: = [^\`]*)?\``, 'g'));
  expectAll(
    found.filter(({ what }) => !FILE_END.test(what)),
    60,
    (key) => settings.has(key) || checks.has(key),
  );
});

const OF_TESTS = 'STIGMEM_PEERD_INTEROP_CACHE';
test('variables of the environment', () => {
  const known = new Set([DATA_VARIABLE, KEY_FILE_VARIABLE, OF_TESTS, ...SETTINGS.flatMap(({ env }) => env)]);
  expectAll(named(TEXTS, /\b(STIGMEM_PEERD_[A-Z0-9_]+)\b(?!…)/g), 8, (name) => known.has(name));
});

test('routes of the API', async (t) => {
  const api = await createTestApi();
  t.after(() => api.close());
  const { paths } = (await (await api.send('/openapi.json')).json()) as { paths: Readonly<Record<string, unknown>> };
  const routes = Object.keys(paths).map((path) => new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`));
  const found = named(MARKDOWN, /(?<![\w/.:])(\/v1\/[A-Za-z0-9_/{}-]*[A-Za-z0-9_}])(?![…])/g).filter(
    ({ at }) => !OF_OTHERS.test(at),
  );
  const isPart = (path: string): boolean => Object.keys(paths).some((one) => one.startsWith(`${path}/`));
  expectAll(found, 40, (path) => routes.some((route) => route.test(path)) || isPart(path));
});
/** Routes of collectors, and of the reference. */
const OF_OTHERS = /\/v1\/(logs|traces)$|docs\/decisions\//;

/** Words in quotes in the sources. */
const literals = new Set(
  globSync('src/**/*.ts').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/'([a-z]+(?:_[a-z]+)*)'/g)].map(([, word = '']) => word),
  ),
);

test('events of the audit log, in both directions', () => {
  const operations = readFileSync('docs/OPERATIONS.md', 'utf8');
  const [, table = ''] = /\| Event \| When \|\n\|---\|---\|\n([\s\S]*?)\n\n/.exec(operations) ?? [];
  const told = new Set(
    table
      .split('\n')
      .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name)),
  );
  assert.ok(told.size > 60, `${told.size} events`);
  assert.deepEqual(
    [...told].filter((name) => !literals.has(name)),
    [],
  );

  const written = globSync('src/**/*.ts').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\bevent: '([a-z]+(?:_[a-z]+)*)'/g)].map(([, name = '']) => name),
  );
  assert.deepEqual(
    [...new Set(written)].filter((name) => !told.has(name) && name !== UNREADABLE_RECORD.event).sort(),
    [],
  );
});

test('stations and tables of the architecture', () => {
  const architecture = readFileSync('docs/ARCHITECTURE.md', 'utf8');
  const stations = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(
    stations.map(({ name }) => name).filter((name) => !architecture.includes(`| \`${name}/\` |`)),
    [],
  );
  const tables = globSync('src/journal/*.ts').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/CREATE TABLE ([a-z_]+) \(/g)].map(([, name = '']) => name),
  );
  assert.ok(tables.length > 30, `${tables.length} tables`);
  assert.deepEqual(
    tables.filter((name) => !architecture.includes(`\`${name}\``)),
    [],
  );
});

test('files of this repository', () => {
  const found = named(MARKDOWN, /`((?:src|test|deploy|docs|peers|bench|\.ci)\/[\w./-]+)`/g).filter(
    ({ what }) => !what.includes('NAME'),
  );
  expectAll(
    found.filter(({ at }) => !at.startsWith('docs/decisions/')),
    60,
    (path) => existsSync(path) || existsSync(join('src', path)),
  );
});

test('links, with their headings', () => {
  const headings = new Map(MARKDOWN.map(([file, text]) => [file, new Set(headingsOf(text))]));
  const wrong = MARKDOWN.flatMap(([file, text]) =>
    [...text.replaceAll(/`[^`\n]*`/g, '').matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      const [path = '', heading = ''] = link.split('#');
      const target = path === '' ? file : normalize(join(dirname(file), path));
      if (!existsSync(target)) return [`${file}: ${link}`];
      return heading === '' || headings.get(target)?.has(heading) !== false ? [] : [`${file}: ${link}`];
    }),
  );
  assert.deepEqual(wrong, []);
});

/** As the page is shown: lower case, without punctuation, hyphens for spaces. */
function headingsOf(text: string): readonly string[] {
  const outside = text.replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...outside.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
