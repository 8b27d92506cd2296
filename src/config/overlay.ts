/** Settings from outside the file: environment and flags. Both are texts, read by the kind of the setting. */

import { nearest } from './nearest.ts';
import { type ConfigProblem, shown, shownName } from './problem.ts';
import type { SettingKind } from './setting-registry.ts';
import { SETTINGS, type SettingInfo } from './settings.ts';
import type { TomlTree } from './toml-file.ts';

/** By setting key (`api.port`), as texts: what `run --set` and its shorthands give. */
export type ConfigFlags = Readonly<Record<string, string>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** The data folder of the command line; a setting of no node. */
export const DATA_VARIABLE = 'STIGMEM_PEERD_DATA';
/** Where the command line finds the API key of who uses it. */
export const KEY_FILE_VARIABLE = 'STIGMEM_PEERD_KEY_FILE';
const OWN_PREFIX = 'STIGMEM_PEERD_';

export interface Overlay {
  /** Key of the setting -> where its value came from. */
  readonly origins: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigProblem[];
}

/** Puts environment, then flags, over what the file says. Changes `tree`. */
export function applyOverlay(tree: TomlTree, env: Environment, flags: ConfigFlags): Overlay {
  const origins = new Map<string, string>();
  for (const setting of SETTINGS) {
    // Our own name stands first in the list and wins over the reference's.
    const variable = setting.env.find((name) => env[name] !== undefined);
    const value = variable === undefined ? undefined : env[variable];
    if (value === undefined) continue;
    put(tree, setting, value);
    origins.set(setting.key, `environment variable ${variable}`);
  }
  const problems = unknownVariables(env);
  for (const [key, value] of Object.entries(flags)) {
    const setting = SETTINGS.find((candidate) => candidate.key === key);
    if (setting === undefined || setting.env.length === 0) {
      problems.push(badFlag(key));
      continue;
    }
    put(tree, setting, value);
    origins.set(key, `flag --set ${key}`);
  }
  return { origins, problems };
}

function put(tree: TomlTree, setting: SettingInfo, value: string): void {
  const parsed = readText(setting.kind, value);
  if (setting.section === null) {
    tree[setting.name] = parsed;
    return;
  }
  const section = tree[setting.section] ?? {};
  // A section that is no table is reported by the check of the whole; there is nothing to put a value into.
  if (typeof section !== 'object' || section === null) return;
  tree[setting.section] = { ...section, [setting.name]: parsed };
}

/** What cannot be read stays text, and the check says what was expected instead. */
export function readText(kind: SettingKind, value: string): unknown {
  if (kind === 'integer') return /^-?(0|[1-9][0-9]*)$/.test(value) ? Number(value) : value;
  if (kind === 'boolean')
    return value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : value;
  // `off` is how the reference names no transparency log; no list has it as an item.
  if (kind === 'list') return ['', 'off'].includes(value.trim()) ? [] : value.split(',').map((item) => item.trim());
  return value;
}

function unknownVariables(env: Environment): ConfigProblem[] {
  const known = [...SETTINGS.flatMap(({ env: names }) => names), DATA_VARIABLE, KEY_FILE_VARIABLE];
  return Object.keys(env)
    .filter((name) => name.startsWith(OWN_PREFIX) && env[name] !== undefined && !known.includes(name))
    .map((name) => {
      const where = `environment variable ${shownName(name)}`;
      if (name === 'STIGMEM_PEERD_NODE_ID') {
        const message = 'the node id cannot come from the environment';
        return { where, key: 'node_id', message, fix: 'Unset it; who a node is was settled by init.' };
      }
      const near = nearest(name, known);
      const fix = near === null ? 'Unset it.' : `Did you mean ${near}? Rename or unset it.`;
      return { where, key: null, message: 'no setting has this variable', fix };
    });
}

function badFlag(key: string): ConfigProblem {
  const where = `flag --set ${shownName(key)}`;
  if (key === 'node_id') {
    return { where, key, message: 'the node id cannot be set by a flag', fix: 'Leave it out; it was settled by init.' };
  }
  const near = nearest(
    key,
    SETTINGS.map((setting) => setting.key),
  );
  const fix = near === null ? 'See config.example.toml for all settings.' : `Did you mean ${near}?`;
  return { where, key: shownName(key), message: `unknown setting ${shown(key)}`, fix };
}
