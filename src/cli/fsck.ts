import type { Command } from 'commander';
import { loadConfig } from '../config/config.ts';
import { plural } from '../core/plural.ts';
import type { FsckReport } from '../journal/fsck/report.ts';
import { configFailure, connectDaemonApi } from './api-client.ts';
import {
  action,
  type Cli,
  type CommonOptions,
  type Context,
  type Outcome,
  withCommonOptions,
  withExamples,
} from './cli.ts';
import { longRun } from './long-run.ts';
import { printable } from './printable.ts';
import type { Screen } from './screen.ts';

/** What people read at once; the JSON document has all. */
const MAX_SHOWN = 50;
const NOT_CHECKED = 'stopped before everything was checked: nothing is known yet';
const RESTORE = 'The first one is usually the cause. docs/OPERATIONS.md says how to restore.';

export function addFsck(program: Command, cli: Cli): void {
  const command = program
    .command('fsck')
    .summary('derive everything again from the stored bytes')
    .description(
      'Derives everything again from the stored bytes: rows, entries, leaves, tiles, roots, chain, audit log, projections. Names the table, row and field of what differs and exits with 4 then. Works beside a running daemon; changes nothing that it looks at. A signed report of the result goes to the daemon, which records it; while none runs, it waits in checks/ for the next one.',
    )
    .option('--no-record', 'have nothing recorded')
    .action(action<FsckCommandOptions>(cli, runFsckCommand));
  withExamples(withCommonOptions(command), [
    'fsck --data ./acme',
    'fsck --data ./acme --json || echo damaged',
    'fsck --data ./acme --no-record',
  ]);
}

interface FsckCommandOptions extends CommonOptions {
  readonly record: boolean;
}

/** Where the result is known: on record, on its way there, or where it was called alone. */
type Recorded = number | 'waiting' | Refused | null;

/** What a daemon that runs says to a report that it does not take. */
interface Refused {
  readonly code: string;
  readonly message: string;
}

async function runFsckCommand(
  context: Context,
  _args: readonly string[],
  { record }: FsckCommandOptions,
): Promise<Outcome> {
  const dir = context.dir();
  const config = loadConfig(dir, {}, {});
  if (!config.ok && config.error.code === 'not_initialised') throw configFailure(config.error);
  const node = await context.node();
  const startedMs = context.runtime.nowMs();
  const report = await longRun(context, NOT_CHECKED, ({ onProgress, signal }) =>
    node.runFsck(dir, { signal, onProgress: ({ phase, done, total }) => onProgress(phase, done, total) }),
  );
  const times = { startedMs, endedMs: context.runtime.nowMs() };
  const note = record ? node.signCheck(dir, report, times) : null;
  const recorded = note === null ? null : await recordCheck(context, note, times.endedMs);
  const { screen } = context;
  const told = record ? `\n${recordedText(recorded)}` : '';
  const isTold = typeof recorded === 'number' || recorded === 'waiting';
  const json = JSON.stringify({ ...documentOf(report), recorded: isTold ? recorded : null });
  return { json, human: human(report, screen) + told, exit: report.ok ? 'ok' : 'integrity' };
}

/** With the daemon if one runs. Whatever keeps it from taking the report, the result is what was asked for. */
async function recordCheck(context: Context, note: string, endedMs: number): Promise<Recorded> {
  const told = await tellDaemon(context, note);
  if (told !== null) return told;
  try {
    return (await context.node()).leaveCheck(context.dir(), note, endedMs) ? 'waiting' : null;
  } catch {
    return null; // a folder that cannot be written to, as one that was mounted to be looked at
  }
}

/** @returns null: none runs, or none that can record anything now */
async function tellDaemon(context: Context, note: string): Promise<number | Refused | null> {
  try {
    const api = await connectDaemonApi(context);
    if (api === null) return null;
    try {
      const { status, text } = await api.post('/v1/journal/checks/recorded', JSON.stringify({ report: note }));
      if (status === 200) return (JSON.parse(text) as { readonly audit_seq: number }).audit_seq;
      const refused = status === 409 ? (JSON.parse(text) as { readonly detail: Refused }).detail : null;
      return refused?.code === 'not_running' ? null : refused;
    } finally {
      await api.close();
    }
  } catch {
    return null;
  }
}

function recordedText(recorded: Recorded): string {
  if (typeof recorded === 'number') return `Recorded in audit record ${recorded}.`;
  if (recorded === 'waiting') return 'The daemon records it when it runs: the report waits in checks/.';
  if (recorded !== null) return `Not recorded: the daemon refused the report: ${printable(recorded.message)}.`;
  return 'Not recorded: that takes the folder’s log key, and the account that the folder belongs to.';
}

/** The report as one JSON document. */
export function reportJson(report: FsckReport): string {
  return JSON.stringify(documentOf(report));
}

function documentOf({ ok, problems, problemCount, notices, checked, heads, seconds }: FsckReport) {
  return { clean: ok, problems, problem_count: problemCount, notices, checked, heads, seconds };
}

/** The report for people. @param next what to do when there is a problem */
export function human(
  { ok, problems, problemCount, notices, checked, seconds }: FsckReport,
  screen: Screen,
  next: string = RESTORE,
): string {
  const looked = Object.entries(checked).filter(([, count]) => count > 0);
  const counted =
    looked.map(([name, count]) => `${count} ${count === 1 ? singular(name) : name.replaceAll('_', ' ')}`).join(', ') ||
    'nothing there yet';
  const told = notices.map(({ detail }) => `\n${screen.paint('yellow', '!')} ${printable(detail)}`).join('');
  const sums = `${counted} (${seconds.toFixed(1)} s)`;
  if (ok) return `${screen.paint('green', 'clean')}: ${sums}${told}`;
  // Guards that are gone come in dozens: what became of rows without them is what has to be seen.
  const [schema, others] = [problems.filter(isSchema), problems.filter((problem) => !isSchema(problem))];
  const shown = [...others, ...schema].slice(0, MAX_SHOWN);
  const rows = shown.map(({ table, row, field, detail }) => [table, row, field, detail]);
  const more = problemCount > shown.length ? `\n… and ${problemCount - shown.length} more` : '';
  const head = `${screen.paint('red', plural(problemCount, 'problem'))}: ${sums}${told}`;
  return `${head}\n\n${screen.table(['TABLE', 'ROW', 'FIELD', 'WHAT IS WRONG'], rows)}${more}\n\n${next}`;
}

function isSchema({ table }: { readonly table: string }): boolean {
  return table === 'sqlite_schema';
}

/** Of the name of a count: `page_entries`, `feeds`. */
function singular(name: string): string {
  return name.replaceAll('_', ' ').replace(/ies$/, 'y').replace(/s$/, '');
}
