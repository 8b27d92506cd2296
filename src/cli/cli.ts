/** What every command shares: its options, its surroundings, and how its result or failure reaches the user. */
import { type Command, Option } from 'commander';
import { DATA_VARIABLE, KEY_FILE_VARIABLE } from '../config/overlay.ts';
import { CliError, EXITS, type ExitName } from './exit.ts';
import type { Node, Runtime } from './runtime.ts';
import { createScreen, type Screen } from './screen.ts';
import { systemFailure } from './system-failure.ts';

export interface Cli {
  readonly runtime: Runtime;
  /** Loads the node's own parts. */
  readonly node: () => Promise<Node>;
  /** Set by the command that ran; 0 until one has. */
  exitCode: number;
}

/** What a command found, for both kinds of readers. */
export interface Outcome {
  /** One JSON document. */
  readonly json: string;
  readonly human: string;
  readonly exit?: ExitName;
}

export interface CommonOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly keyFile?: string;
}

/** What a running command has at hand. */
export interface Context {
  readonly runtime: Runtime;
  readonly node: () => Promise<Node>;
  readonly screen: Screen;
  readonly json: boolean;
  /** The data folder. @throws CliError `usage` when none was named */
  dir(): string;
  /** The same, or null where none was named. */
  readonly dataFolder: string | null;
  /** File of the API key that is used in place of the command line's own; null: none was named. */
  readonly keyFile: string | null;
  /** A lasting line on standard error: for people, also while standard output carries JSON. */
  note(text: string): void;
}

/** What help and the manual page say of a command: where it has no description, its line in the list of commands. */
export function descriptionOf(command: Command): string {
  const summary = command.summary();
  return command.description() || `${summary.charAt(0).toUpperCase()}${summary.slice(1)}${summary === '' ? '' : '.'}`;
}

/** Adds `--data` and `--json`. */
export function withCommonOptions(command: Command): Command {
  return command
    .addOption(new Option('--data <dir>', 'data folder of the node').env(DATA_VARIABLE))
    .option('--json', 'one JSON document on standard output');
}

/** Adds examples below the options of a command. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  $ stigmem-peerd ${line}`).join('\n')}`);
}

/**
 * Makes the action of a command: runs it, prints what it found, turns failures into messages and exit codes.
 *
 * @param run gets the positional arguments and the options; null when it printed everything itself
 */
export function action<Options extends CommonOptions>(
  cli: Cli,
  run: (context: Context, args: readonly string[], options: Options) => Promise<Outcome | null>,
): (...parameters: unknown[]) => Promise<void> {
  return async (...parameters) => {
    const command = parameters.at(-1) as Command;
    const options = command.optsWithGlobals<Options>();
    const context = createContext(cli, options);
    try {
      const outcome = await run(context, command.args, options);
      if (outcome === null) return;
      cli.exitCode = EXITS[outcome.exit ?? 'ok'].code;
      cli.runtime.stdout.write(withNewline(context.json ? outcome.json : outcome.human));
    } catch (thrown) {
      cli.exitCode = reportFailure(cli.runtime, thrown, context.json);
    }
  };
}

function createContext(cli: Cli, options: CommonOptions): Context {
  const { runtime } = cli;
  return {
    runtime,
    node: cli.node,
    screen: createScreen(runtime.stdout, runtime.env),
    json: options.json === true,
    keyFile: options.keyFile ?? runtime.env[KEY_FILE_VARIABLE] ?? null,
    dataFolder: options.data === undefined || options.data === '' ? null : options.data,
    dir: () => {
      if (options.data !== undefined && options.data !== '') return options.data;
      throw new CliError({
        exit: 'usage',
        message: 'expected the data folder of a node, got none',
        fix: `Add --data DIR, or set ${DATA_VARIABLE}.`,
      });
    },
    note: (text) => runtime.stderr.write(`${text}\n`),
  };
}

/** Prints a failure: a message for people on standard error and, for scripts, a document with `error`. */
export function reportFailure(runtime: Runtime, thrown: unknown, json: boolean): number {
  const failure = thrown instanceof CliError ? thrown : toFailure(thrown);
  const screen = createScreen(runtime.stderr, runtime.env);
  const fix = failure.fix === null ? '' : `\n${failure.fix}`;
  runtime.stderr.write(`${screen.paint('red', 'error:')} ${failure.message}${fix}\n`);
  if (json) {
    const error = { code: failure.code, message: failure.message, fix: failure.fix, exit: EXITS[failure.exit].code };
    runtime.stdout.write(`${JSON.stringify({ error })}\n`);
  }
  return EXITS[failure.exit].code;
}

/** Errors of the stations carry a code; which of them mean that there is no node to work with stands here. */
const UNAVAILABLE_CODES: ReadonlySet<string> = new Set([
  'not_initialised',
  'invalid_configuration',
  'locked',
  'lock_failed',
  'busy',
  'schema_unknown',
  'closed',
  'start_failed',
  'listen_failed',
  'insecure_listen',
  'tls_files_unreadable',
]);
const INTEGRITY_CODES: ReadonlySet<string> = new Set(['foreign_write', 'history_rewritten', 'broken']);

function toFailure(thrown: unknown): CliError {
  if (!(thrown instanceof Error)) return new CliError({ exit: 'refused', message: String(thrown) });
  const system = systemFailure(thrown);
  if (system !== null) return system;
  const code = 'code' in thrown ? String(thrown.code) : undefined;
  const exit = code === undefined ? 'refused' : exitOfCode(code);
  return new CliError({ exit, message: thrown.message, ...(code === undefined ? {} : { code }) }, { cause: thrown });
}

function exitOfCode(code: string): ExitName {
  if (UNAVAILABLE_CODES.has(code)) return 'unavailable';
  return INTEGRITY_CODES.has(code) ? 'integrity' : 'refused';
}

function withNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
