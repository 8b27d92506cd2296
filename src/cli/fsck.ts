import type { Command } from 'commander';
import { loadConfig } from '../config/config.ts';
import type { FsckReport } from '../journal/fsck/report.ts';
import { configFailure } from './api-client.ts';
import { action, type Cli, type Context, type Outcome, withCommonOptions, withExamples } from './cli.ts';
import { CliError } from './exit.ts';
import { printable } from './printable.ts';
import { createProgress } from './progress.ts';
import type { Screen } from './screen.ts';

/** What people read at once; the JSON document has all. */
const MAX_SHOWN = 50;
const RESTORE = 'The first one is usually the cause. docs/OPERATIONS.md says how to restore.';

export function addFsck(program: Command, cli: Cli): void {
  const command = program
    .command('fsck')
    .summary('derive everything again from the stored bytes')
    .description(
      'Derives everything again from the stored bytes: rows, entries, leaves, tiles, roots, chain, audit log, projections. Names the table, row and field of what differs and exits with 4 then. Works beside a running daemon; changes nothing.',
    )
    .action(action(cli, runFsckCommand));
  withExamples(withCommonOptions(command), ['fsck --data ./acme', 'fsck --data ./acme --json || echo damaged']);
}

async function runFsckCommand(context: Context): Promise<Outcome> {
  const dir = context.dir();
  const config = loadConfig(dir, {}, {});
  if (!config.ok && config.error.code === 'not_initialised') throw configFailure(config.error);
  const { runtime } = context;
  const progress = createProgress(runtime.stderr, runtime.nowMs);
  const stop = new AbortController();
  const ignore = runtime.onStop(() => stop.abort());
  try {
    const report = await (await context.node()).runFsck(dir, {
      onProgress: ({ phase, done, total }) => progress.show(() => `${phase}: ${done} of ${total}`),
      signal: stop.signal,
    });
    progress.clear();
    return { json: reportJson(report), human: human(report, context.screen), exit: report.ok ? 'ok' : 'integrity' };
  } catch (thrown) {
    progress.clear();
    if (!stop.signal.aborted) throw thrown;
    throw new CliError({ exit: 'interrupted', message: 'stopped before everything was checked: nothing is known yet' });
  } finally {
    ignore();
  }
}

/** The report as one JSON document. */
export function reportJson({
  ok,
  problems,
  problemCount: problem_count,
  notices,
  checked,
  seconds,
}: FsckReport): string {
  return JSON.stringify({ clean: ok, problems, problem_count, notices, checked, seconds });
}

/** The report for people. @param next what to do when there is a problem */
export function human(
  { ok, problems, problemCount, notices, checked, seconds }: FsckReport,
  screen: Screen,
  next: string = RESTORE,
): string {
  const looked = Object.entries(checked).filter(([, count]) => count > 0);
  const counted =
    looked.map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`).join(', ') || 'nothing there yet';
  const told = notices.map(({ detail }) => `\n${screen.paint('yellow', '!')} ${printable(detail)}`).join('');
  const sums = `${counted} (${seconds.toFixed(1)} s)`;
  if (ok) return `${screen.paint('green', 'clean')}: ${sums}${told}`;
  // Guards that are gone come in dozens: what became of rows without them is what has to be seen.
  const [schema, others] = [problems.filter(isSchema), problems.filter((problem) => !isSchema(problem))];
  const shown = [...others, ...schema].slice(0, MAX_SHOWN);
  const rows = shown.map(({ table, row, field, detail }) => [table, row, field, detail]);
  const more = problemCount > shown.length ? `\n… and ${problemCount - shown.length} more` : '';
  const head = `${screen.paint('red', problemCount === 1 ? '1 problem' : `${problemCount} problems`)}: ${sums}${told}`;
  return `${head}\n\n${screen.table(['TABLE', 'ROW', 'FIELD', 'WHAT IS WRONG'], rows)}${more}\n\n${next}`;
}

function isSchema({ table }: { readonly table: string }): boolean {
  return table === 'sqlite_schema';
}
