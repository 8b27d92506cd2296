/**
 * Real data as facts: CLDR's names of languages, scripts, territories and variants in every locale, and MDN's browser
 * compatibility data. Both packages are development dependencies; nothing of them ships. The order is always the same.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from '../exit.ts';

/** One fact in the form of `POST /v1/facts`. */
export interface AssertBody {
  readonly entity: string;
  readonly relation: string;
  readonly value: { readonly type: 'text' | 'string' | 'ref' | 'boolean'; readonly v: string | boolean };
  readonly source: string;
  readonly scope: 'public';
}

const CLDR_PACKAGE = 'cldr-localenames-full/package.json';
const MDN_PACKAGE = '@mdn/browser-compat-data';
const CLDR_KINDS = ['languages', 'scripts', 'territories', 'variants'] as const;
export const CLDR_SOURCE = 'stigmem://cldr.example/import/cldr';
export const MDN_SOURCE = 'stigmem://mdn.example/import/mdn';

/**
 * Names in every locale of CLDR, locale by locale.
 *
 * @param perLocale takes only so many of each locale: a small load that still has every script in it
 * @throws CliError when the package is not installed
 */
export function* cldrFacts(perLocale: number = Number.POSITIVE_INFINITY): Generator<AssertBody> {
  const main = join(dirname(packageFile('cldr-localenames-full', CLDR_PACKAGE)), 'main');
  for (const locale of readdirSync(main).sort()) {
    let taken = 0;
    for (const fact of localeFacts(join(main, locale), locale)) {
      if (taken === perLocale) break;
      taken += 1;
      yield fact;
    }
  }
}

function* localeFacts(folder: string, locale: string): Generator<AssertBody> {
  const files = new Set(readdirSync(folder));
  for (const kind of CLDR_KINDS) {
    if (!files.has(`${kind}.json`)) continue;
    const names = members(
      JSON.parse(readFileSync(join(folder, `${kind}.json`), 'utf8')),
      'main',
      locale,
      'localeDisplayNames',
      kind,
    );
    for (const [code, name] of names) {
      if (typeof name !== 'string') continue;
      const entity = `stigmem://cldr.example/locale/${locale}/${kind}/${code}`;
      yield { entity, relation: 'cldr:name', value: { type: 'text', v: name }, source: CLDR_SOURCE, scope: 'public' };
    }
  }
}

/**
 * Support, status and links of every web platform feature that MDN tracks.
 *
 * @param everyNth takes only every n-th feature: a small load from all areas
 * @throws CliError when the package is not installed
 */
export function* mdnFacts(everyNth: number = 1): Generator<AssertBody> {
  const data: unknown = JSON.parse(readFileSync(packageFile('@mdn/browser-compat-data', MDN_PACKAGE), 'utf8'));
  let index = 0;
  for (const [area, tree] of members(data)) {
    if (area === '__meta' || area === 'browsers') continue;
    for (const [path, compat] of features(area, tree)) {
      if (index % everyNth === 0) yield* featureFacts(path, compat);
      index += 1;
    }
  }
}

/** All features below a place, each before those below it. */
function* features(path: string, tree: unknown): Generator<readonly [string, unknown]> {
  for (const [name, below] of members(tree)) {
    if (name === '__compat') yield [path, below];
    else yield* features(`${path}.${name}`, below);
  }
}

function* featureFacts(path: string, compat: unknown): Generator<AssertBody> {
  const entity = `stigmem://mdn.example/feature/${casePreserved(path)}`;
  const fact = (relation: string, value: AssertBody['value']): AssertBody => ({
    entity,
    relation,
    value,
    source: MDN_SOURCE,
    scope: 'public',
  });

  yield fact('mdn:path', { type: 'string', v: path });
  for (const [browser, support] of members(compat, 'support')) {
    for (const [place, statement] of listed(support).entries()) {
      const suffix = place === 0 ? browser : `${browser}:${place + 1}`;
      for (const [name, value] of members(statement)) {
        const relation = {
          version_added: 'support',
          version_removed: 'removed',
          alternative_name: 'alternative',
          prefix: 'prefix',
        }[name];
        if (relation !== undefined && isPlain(value)) yield fact(`mdn:${relation}:${suffix}`, plainValue(value));
      }
    }
  }
  for (const [flag, value] of members(compat, 'status')) {
    if (typeof value === 'boolean') yield fact(`mdn:${flag}`, { type: 'boolean', v: value });
  }
  for (const key of ['spec_url', 'mdn_url', 'description', 'source_file']) {
    for (const [place, value] of listed(member(compat, key)).entries()) {
      const type = key.endsWith('_url') ? 'ref' : 'text';
      if (typeof value === 'string')
        yield fact(place === 0 ? `mdn:${key}` : `mdn:${key}:${place + 1}`, { type, v: value });
    }
  }
  for (const tag of listed(member(compat, 'tags'))) {
    if (typeof tag === 'string') yield fact(`mdn:tag:${tag}`, { type: 'boolean', v: true });
  }
}

/** Entities are lower-cased; `toString` and `tostring` must stay two features. */
function casePreserved(path: string): string {
  return path.replace(/[A-Z]/g, (letter) => `~${letter.toLowerCase()}`);
}

function isPlain(value: unknown): value is string | boolean {
  return typeof value === 'string' || typeof value === 'boolean';
}

function plainValue(value: string | boolean): AssertBody['value'] {
  return typeof value === 'boolean' ? { type: 'boolean', v: value } : { type: 'string', v: value };
}

function listed(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function member(value: unknown, name: string): unknown {
  return members(value).find(([key]) => key === name)?.[1];
}

/** Members of an object, below a path; none where there is no object. */
function members(value: unknown, ...path: readonly string[]): [string, unknown][] {
  const inner = path.reduce((outer, name) => member(outer, name), value);
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? Object.entries(inner) : [];
}

/** @throws CliError when one of the two packages is not installed */
export function requireRealData(): void {
  packageFile('cldr-localenames-full', CLDR_PACKAGE);
  packageFile('@mdn/browser-compat-data', MDN_PACKAGE);
}

function packageFile(name: string, specifier: string): string {
  try {
    return fileURLToPath(import.meta.resolve(specifier));
  } catch (thrown) {
    const message = `expected the package ${name}, which holds the demo's data, got none`;
    const fix = 'It is a development dependency: clone the repository, run npm ci there, then npm start.';
    throw new CliError({ exit: 'unavailable', message, fix }, { cause: thrown });
  }
}
