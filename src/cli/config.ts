import { dirname } from 'node:path';
import type { Command } from 'commander';
import { loadConfigFile } from '../config/config.ts';
import { dataPaths } from '../config/data-dir.ts';
import { defaultOf, type EffectiveSetting, effectiveSettings, unitOf } from '../config/effective.ts';
import type { ConfigFlags } from '../config/overlay.ts';
import { openPeerFolder } from '../config/peer-folder.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { problemText } from '../config/problem.ts';
import type { SettingInfo } from '../config/settings.ts';
import { readTomlFile } from '../config/toml-file.ts';
import { plural } from '../core/plural.ts';
import { configFailure } from './api-client.ts';
import {
  action,
  type Cli,
  type CommonOptions,
  type Context,
  type Outcome,
  withCommonOptions,
  withExamples,
} from './cli.ts';
import { settingNamed } from './config-names.ts';
import { addSet } from './config-set.ts';
import { setFlags } from './set-flags.ts';

interface ShowOptions extends CommonOptions {
  readonly set: readonly string[];
  readonly changed?: boolean;
}

export function addConfig(program: Command, cli: Cli): void {
  const group = program
    .command('config')
    .summary('check, show, explain and change settings')
    .description(
      'What a node is configured to, and what each setting means. The environment of this shell counts, as it does for a daemon that is started from it; a daemon that runs has read everything at its start.',
    );
  addCheck(group, cli);
  addShow(group, cli);
  addSet(group, cli);
  addExplain(group, cli);
}

function addCheck(group: Command, cli: Cli): void {
  const check = group
    .command('check')
    .argument('[file]', 'configuration to check in place of the node’s own, before it is put in its place')
    .summary('everything that is wrong with settings and peer files')
    .description(
      'Reads configuration, environment and peer files as the daemon does at its start, changes nothing, and tells all problems at once. Exits with 1 when there are any.',
    )
    .action(action(cli, runCheck));
  withExamples(withCommonOptions(check), ['config check --data ./acme', 'config check new.toml --data ./acme']);
}

function addShow(group: Command, cli: Cli): void {
  const show = group
    .command('show')
    .summary('the value of each setting, and where it came from')
    .description(
      'Shows every setting with the value in force and whether it comes from a default, the file, the environment or a flag. Keys and tokens are no settings: none is shown.',
    )
    .option('--changed', 'only those that are not at their default')
    .option(
      '--set <key=value>',
      'as `run` would be given it; may be repeated',
      (text, before: readonly string[]) => [...before, text],
      [],
    )
    .action(action<ShowOptions>(cli, runShow));
  withExamples(withCommonOptions(show), [
    'config show --data ./acme',
    'config show --changed --data ./acme',
    'config show --set api.port=9000 --data ./acme --json',
  ]);
}

function addExplain(group: Command, cli: Cli): void {
  const explain = group
    .command('explain')
    .argument('<key>', 'a setting such as api.port')
    .summary('what a setting means, its bounds, and its value here')
    .description(
      'Says what a setting means, its form, default, bounds and unit, which environment variables set it, when a change takes effect and, with a data folder, its value.',
    )
    .action(action(cli, runExplain));
  withExamples(withCommonOptions(explain), ['config explain api.port', 'config explain api.port --data ./acme']);
}

async function runCheck(context: Context, [file]: readonly string[]): Promise<Outcome> {
  const dir = file === undefined ? context.dir() : (context.dataFolder ?? dirname(file));
  const path = file ?? dataPaths(dir).config;
  const config = loadConfigFile(dir, path, context.runtime.env, {});
  const problems = [...(config.ok ? [] : config.error.problems), ...peerProblems(dir, path)];
  const json = JSON.stringify({ ok: problems.length === 0, file: path, problems });
  if (problems.length === 0) return { json, human: `${path} and its peer files: nothing is wrong` };
  const count = plural(problems.length, 'problem');
  return { json, human: [...problems.map(problemText), count].join('\n'), exit: 'refused' };
}

/** Peer files are judged even when the configuration is not good: nobody wants to mend one file per run. */
function peerProblems(dir: string, path: string): readonly ConfigProblem[] {
  const file = readTomlFile(path);
  const nodeId = file.ok ? file.value.tree['node_id'] : undefined;
  return typeof nodeId === 'string' ? openPeerFolder(dataPaths(dir).peers, nodeId).state().problems : [];
}

async function runShow(context: Context, _args: readonly string[], options: ShowOptions): Promise<Outcome> {
  const all = settingsOf(context, setFlags(options.set));
  const shown = options.changed === true ? all.filter((one) => valueText(one.value) !== valueText(one.default)) : all;
  const rows = shown.map(({ key, value, origin, where }) => [key, valueText(value), where ?? origin]);
  const human = context.screen.table(['SETTING', 'VALUE', 'FROM'], rows);
  return { json: JSON.stringify({ settings: shown }), human };
}

async function runExplain(context: Context, [key = '']: readonly string[]): Promise<Outcome> {
  const setting = settingNamed(key);
  const found = context.dataFolder === null ? null : settingsOf(context, {}).find((one) => one.key === key);
  const { doc, expected, bounds, kind, env, effect } = setting;
  const about = { key, doc, kind, expected, bounds, unit: unitOf(setting), default: defaultOf(setting), env, effect };
  const current =
    found === null || found === undefined ? null : { value: found.value, origin: found.origin, where: found.where };
  return { json: JSON.stringify({ ...about, current }), human: explained(context, about, current) };
}

type Explained = Pick<SettingInfo, 'key' | 'doc' | 'expected' | 'bounds' | 'env' | 'effect'> & {
  readonly unit: string | null;
  readonly default: unknown;
};

function explained(
  { screen }: Context,
  about: Explained,
  current: Pick<EffectiveSetting, 'value' | 'origin' | 'where'> | null,
): string {
  const { key, doc, expected, bounds, unit, env, effect } = about;
  const pairs = screen.pairs([
    ['expects', expected],
    ['default', key === 'node_id' ? 'none: init sets it' : valueText(about.default)],
    ...(bounds === null ? [] : [['bounds', `${bounds.min} to ${bounds.max}`] as const]),
    ...(unit === null ? [] : [['unit', unit] as const]),
    ['environment', env.join(', ') || 'none'],
    ['takes effect', effect],
    ...(current === null
      ? []
      : [['here', `${valueText(current.value)} (${current.where ?? current.origin})`] as const]),
  ]);
  return [screen.paint('bold', key), doc, '', pairs].join('\n');
}

function settingsOf(context: Context, flags: ConfigFlags): readonly EffectiveSetting[] {
  const dir = context.dir();
  const settings = effectiveSettings(dir, dataPaths(dir).config, context.runtime.env, flags);
  if (!settings.ok) throw configFailure(settings.error);
  return settings.value;
}

function valueText(value: unknown): string {
  return JSON.stringify(value);
}
