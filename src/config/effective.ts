/** What a node is configured to, setting by setting, and where each value came from. */
import type { Result } from '../core/result.ts';
import { err, ok } from '../core/result.ts';
import { shownValue } from '../core/shown-value.ts';
import { loadConfigFile } from './config.ts';
import { dataPaths } from './data-dir.ts';
import { applyOverlay, type ConfigFlags, type Environment } from './overlay.ts';
import type { ConfigError } from './problem.ts';
import { checkSettings, SETTINGS, type SettingInfo } from './settings.ts';
import { readTomlFile, type TomlTree } from './toml-file.ts';

export interface EffectiveSetting {
  readonly key: string;
  readonly value: unknown;
  readonly default: unknown;
  readonly origin: 'default' | 'file' | 'environment' | 'flag';
  /** `config.toml:12`, `environment variable STIGMEM_PORT`, `flag --set api.port`; null for a default. */
  readonly where: string | null;
}

/** All settings in the order of the file: flags over environment over file over defaults. None of them is a secret. */
export function effectiveSettings(
  dir: string,
  path: string,
  env: Environment,
  flags: ConfigFlags,
): Result<readonly EffectiveSetting[], ConfigError> {
  // Whatever the daemon would refuse has no effect: the same rules are asked first.
  const loaded = loadConfigFile(dir, path, env, flags);
  if (!loaded.ok) return loaded;
  const file = readTomlFile(path);
  if (!file.ok) return err({ code: 'invalid', problems: [file.error.problem] });
  const { tree, lines } = file.value;
  const overlaid: TomlTree = { ...tree };
  const { origins } = applyOverlay(overlaid, env, flags);
  const checked = checkSettings(overlaid);
  if (!checked.ok) return err({ code: 'invalid', problems: [] });
  const defaults = defaultSettings(loaded.value.nodeId);
  return ok(
    SETTINGS.map((setting) => ({
      key: setting.key,
      value: shownValue(valueIn(checked.value, setting)),
      default: setting.key === 'node_id' ? null : valueIn(defaults, setting),
      ...originOf(setting, origins.get(setting.key), tree, path, lines.get(setting.key)),
    })),
  );
}

/** A setting with what it means. */
export interface ExplainedSetting {
  readonly key: string;
  readonly value: SettingValue;
  readonly default: SettingValue;
  readonly is_default: boolean;
  readonly origin: EffectiveSetting['origin'];
  readonly where: string | null;
  readonly doc: string;
  readonly expected: string;
  readonly unit: string | null;
  readonly effect: string;
}

type SettingValue = string | number | boolean | string[] | null;

/** As {@link effectiveSettings} of a data folder, explained, with places as they are called there. */
export function explainedSettings(
  dir: string,
  env: Environment,
  flags: ConfigFlags,
): Result<readonly ExplainedSetting[], ConfigError> {
  const settings = effectiveSettings(dir, dataPaths(dir).config, env, flags);
  if (!settings.ok) return settings;
  const infos = new Map(SETTINGS.map((info) => [info.key, info]));
  return ok(
    settings.value.flatMap((one) => {
      const info = infos.get(one.key);
      if (info === undefined) return [];
      const { doc, effect, expected } = info;
      const is_default = JSON.stringify(one.value) === JSON.stringify(one.default);
      const where = one.where?.replace(`${dir}/`, '') ?? null;
      const values = { value: plainValue(one.value), default: plainValue(one.default) };
      return { ...one, ...values, is_default, where, doc, effect, expected, unit: unitOf(info) };
    }),
  );
}

/** All forms that a setting has. */
function plainValue(value: unknown): SettingValue {
  if (Array.isArray(value)) return value.map(String);
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isPlain ? value : null;
}

/** The value that a setting has when nobody sets it; null for the node id, which has none. */
export function defaultOf(setting: SettingInfo): unknown {
  return setting.key === 'node_id' ? null : valueIn(defaultSettings('stigmem://acme.example'), setting);
}

function defaultSettings(nodeId: string): object {
  const checked = checkSettings({ node_id: nodeId });
  return checked.ok ? checked.value : {};
}

function originOf(
  setting: SettingInfo,
  outside: string | undefined,
  tree: TomlTree,
  path: string,
  line: number | undefined,
): Pick<EffectiveSetting, 'origin' | 'where'> {
  if (outside !== undefined) return { origin: outside.startsWith('flag') ? 'flag' : 'environment', where: outside };
  if (valueIn(tree, setting) === undefined) return { origin: 'default', where: null };
  return { origin: 'file', where: line === undefined ? path : `${path}:${line}` };
}

function valueIn(tree: object, { section, name }: SettingInfo): unknown {
  const holder = section === null ? tree : member(tree, section);
  return typeof holder === 'object' && holder !== null ? member(holder, name) : undefined;
}

function member(holder: object, name: string): unknown {
  return Object.hasOwn(holder, name) ? Object.entries(holder).find(([key]) => key === name)?.[1] : undefined;
}

const UNITS: readonly (readonly [ending: string, unit: string])[] = [
  ['_mib_per_day', 'MiB per day'],
  ['_per_second', 'per second'],
  ['_per_hour', 'per hour'],
  ['_bytes', 'bytes'],
  ['_entries', 'entries'],
  ['_hours', 'hours'],
  ['_days', 'days'],
  ['_s', 'seconds'],
];

/** What a number of this setting counts, as its name says; null where it says none. */
export function unitOf({ kind, name }: SettingInfo): string | null {
  return kind === 'integer' ? (UNITS.find(([ending]) => name.endsWith(ending))?.[1] ?? null) : null;
}
