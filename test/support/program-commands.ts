/** The commands of the program, none of which does anything. */
import { type Command, CommanderError } from 'commander';
import type { Cli } from '../../src/cli/cli.ts';
import { createProgram } from '../../src/cli/program.ts';
import type { Output, Runtime } from '../../src/cli/runtime.ts';

const silent: Output = { write: () => undefined, isTTY: false, columns: undefined, rows: undefined };
const runtime: Pick<Runtime, 'stdout' | 'stderr' | 'env'> = { stdout: silent, stderr: silent, env: {} };

/** Parses as the program does. */
export function disarmedProgram(): Command {
  const node: Cli['node'] = () => Promise.reject(new Error('nothing runs here'));
  const made = createProgram({ runtime: runtime as Runtime, node, exitCode: 0 });
  disarm(made);
  return made;
}

function disarm(command: Command): void {
  command.exitOverride().configureOutput({
    outputError: () => undefined,
    writeOut: () => undefined,
    writeErr: () => undefined,
  });
  if (command.commands.length === 0) command.action(() => undefined);
  command.commands.forEach(disarm);
}

/** `init`, `run`, … */
export const COMMAND_NAMES: ReadonlySet<string> = new Set(disarmedProgram().commands.map((command) => command.name()));

/** What is wrong with a command line; null: it would be run, or is a question for help. */
export function faultOf(words: readonly string[]): CommanderError | null {
  try {
    disarmedProgram().parse([...words], { from: 'user' });
    return null;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? null : error;
  }
}
