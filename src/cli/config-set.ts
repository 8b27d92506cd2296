/** `config set`: one setting is changed in config.toml, which is judged before it is written. */
import { readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { writeFileAtomically } from '../config/atomic-file.ts';
import { loadConfigText } from '../config/config.ts';
import { dataPaths } from '../config/data-dir.ts';
import { editSetting } from '../config/edit-setting.ts';
import { readText } from '../config/overlay.ts';
import type { SettingInfo } from '../config/settings.ts';
import { parseTomlText, readTomlFile } from '../config/toml-file.ts';
import { configFailure } from './api-client.ts';
import { action, type Cli, type Context, type Outcome, withCommonOptions, withExamples } from './cli.ts';
import { settingNamed } from './config-names.ts';
import { CliError } from './exit.ts';

const PERMISSIONS = 0o777;

export function addSet(group: Command, cli: Cli): void {
  const set = group
    .command('set')
    .argument('<key>', 'a setting such as api.port')
    .argument('<value>', 'as `run --set` takes it; items of a list with commas between')
    .argument('[more...]', 'further settings, each with its value, where they only make sense together')
    .summary('change a setting in config.toml')
    .description(
      'Changes the line of one setting in config.toml, or adds it, and leaves everything else in the file as it is. The file is checked first, as `config check` does: with anything wrong in it nothing is written. The environment of this shell counts. A daemon that runs has to be started again.',
    )
    .action(action(cli, runSet));
  withExamples(withCommonOptions(set), [
    'config set api.port 9000 --data ./acme',
    'config set gardens incident-42,red-team --data ./acme',
    'config set api.tls_cert_file tls/cert.pem api.tls_key_file tls/key.pem --data ./acme',
  ]);
}

async function runSet(context: Context, given: readonly string[]): Promise<Outcome> {
  const dir = context.dir();
  const pairs = pairsOf(given);
  const path = dataPaths(dir).config;
  const before = textOf(path);
  const after = pairs.reduce((text, [setting, value]) => editedText(path, text, setting, value), before);
  const checked = loadConfigText(dir, path, after, context.runtime.env);
  if (!checked.ok) throw notWritten(configFailure(checked.error), pairs.some(isBracketed));
  const isOther = after !== before;
  if (isOther) writeOwn(path, after);
  const variables = pairs.flatMap(([{ env }]) => env.filter((name) => context.runtime.env[name] !== undefined));
  for (const variable of variables)
    context.note(`In this shell ${variable} wins over the file; a daemon that is started without it takes the file's.`);
  const settings = pairs.map(([setting]) => lineOf(path, after, setting));
  const human = [
    ...settings.map(({ file, line, text }) => `${file}:${line}: ${text}`),
    ...(isOther ? [...new Set(settings.map(({ effect }) => `It holds ${effect}.`))] : ['It stood there already.']),
  ].join('\n');
  return { json: JSON.stringify({ changed: isOther, settings }), human };
}

/** The new file is this account's: that of another would be taken from the daemon. */
function writeOwn(path: string, text: string): void {
  const { mode, uid } = statSync(path);
  const own = process.getuid?.();
  if (own !== undefined && own !== uid) {
    const message = `${path} belongs to account ${uid}, and this is ${own}: the daemon could not read what is written now`;
    throw new CliError({ exit: 'refused', message, fix: 'Run it as the account of the daemon, such as with sudo -u.' });
  }
  writeFileAtomically(path, text, mode & PERMISSIONS);
}

/** @throws CliError `usage`; `refused` for what no file may change */
function pairsOf(given: readonly string[]): readonly (readonly [SettingInfo, string])[] {
  if (given.length % 2 !== 0) {
    const message = `expected a value behind each setting, got none behind ${JSON.stringify(given.at(-1))}`;
    throw new CliError({ exit: 'usage', message, fix: "An empty value is written ''." });
  }
  return given.flatMap((key, i) => (i % 2 === 0 ? [[settable(key), given[i + 1] ?? ''] as const] : []));
}

function settable(key: string): SettingInfo {
  const setting = settingNamed(key);
  if (setting.env.length > 0) return setting;
  const message = `${key} cannot be set: it was settled by init`;
  throw new CliError({ exit: 'refused', message, fix: 'A node of another name is made with: stigmem-peerd init' });
}

function editedText(path: string, text: string, setting: SettingInfo, value: string): string {
  const edited = editSetting(text, setting, readText(setting.kind, value));
  if (edited === null) throw notByThis(path, setting);
  return edited.text;
}

function lineOf(
  file: string,
  text: string,
  { key, effect }: SettingInfo,
): {
  readonly key: string;
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly effect: string;
} {
  const parsed = parseTomlText(file, text);
  const line = (parsed.ok ? parsed.value.lines.get(key) : undefined) ?? 1;
  return { key, file, line, text: text.split('\n')[line - 1]?.trim() ?? '', effect };
}

/** As a list stands in the file, and not here. */
function isBracketed([{ kind }, value]: readonly [SettingInfo, string]): boolean {
  return kind === 'list' && value.trim().startsWith('[');
}

function notWritten({ code, fix, message }: CliError, hasBrackets: boolean): CliError {
  const form = hasBrackets ? 'Give a list without brackets and quotes: its items with commas between. ' : '';
  const rest = fix === null ? '' : `${fix} `;
  return new CliError({ exit: 'refused', code, message, fix: `${form}${rest}Nothing was written.` });
}

/** @throws CliError with what is wrong with the file */
function textOf(path: string): string {
  const file = readTomlFile(path);
  if (file.ok) return readFileSync(path, 'utf8');
  const { missing, problem } = file.error;
  throw configFailure({ code: missing ? 'not_initialised' : 'invalid', problems: [problem] });
}

function notByThis(path: string, { key, expected }: SettingInfo): CliError {
  const message = `${key} cannot be changed in ${path} without touching more than its line: it stands there over several lines, or in another form than \`key = value\` below its [section]`;
  return new CliError({
    exit: 'refused',
    message,
    fix: `Edit it by hand (${expected}), and run: stigmem-peerd config check`,
  });
}
