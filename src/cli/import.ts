import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { type Api, withApi } from './api-client.ts';
import {
  action,
  type Cli,
  type CommonOptions,
  type Context,
  type Outcome,
  withCommonOptions,
  withExamples,
} from './cli.ts';
import { CliError } from './exit.ts';
import type { BadLine } from './import-batch.ts';
import { importLines } from './import-run.ts';
import {
  type ImportCounts,
  importStatePath,
  NOTHING_IMPORTED,
  readImportState,
  removeImportState,
  writeImportState,
} from './import-state.ts';
import { printable } from './printable.ts';
import { createProgress, type Progress } from './progress.ts';

/** Bad lines in the JSON document; all of them go to standard error. */
const MAX_LISTED = 1_000;

interface ImportOptions extends CommonOptions {
  readonly restart?: boolean;
}

export function addImport(program: Command, cli: Cli): void {
  const command = program
    .command('import')
    .summary('assert many facts from a file')
    .description(
      'Asserts the facts of a file, one JSON object per line in the form of POST /v1/facts, in batches of 500. A bad line is reported with its number and the reason and the rest is imported; the exit code is 1 then.\n\nStopped halfway, the same command goes on where it was. A crash in between is harmless: a fact asserted again is the same fact (it has the same CID) and changes nothing.',
    )
    .argument('<file>', 'JSON lines, or - for standard input (which cannot be resumed)')
    .option('--restart', 'begin at line 1 even if an earlier run was stopped halfway')
    .action(action<ImportOptions>(cli, runImport));
  withExamples(withCommonOptions(command), [
    'import facts.jsonl --data ./acme',
    'import - --data ./acme < facts.jsonl',
    'import facts.jsonl --data ./acme --json --restart',
  ]);
}

interface Input {
  readonly name: string;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Null for standard input. */
  readonly size: number | null;
  readonly statePath: string | null;
}

async function runImport(context: Context, [file = '']: readonly string[], options: ImportOptions): Promise<Outcome> {
  return withApi(context, (api) => importInput(context, api, openInput(context, file), options));
}

function openInput(context: Context, file: string): Input {
  if (file === '-') return { name: 'standard input', chunks: context.runtime.stdin, size: null, statePath: null };
  try {
    const { size } = statSync(file);
    return { name: file, chunks: createReadStream(file), size, statePath: importStatePath(context.dir(), file) };
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
    const exit = code === 'ENOENT' ? 'not_found' : 'refused';
    throw new CliError({ exit, message: `expected a readable file, got ${file}: ${code}`, fix: 'Check the path.' });
  }
}

async function importInput(context: Context, api: Api, input: Input, options: ImportOptions): Promise<Outcome> {
  const { runtime } = context;
  const earlier =
    input.statePath === null || options.restart === true ? NOTHING_IMPORTED : readImportState(input.statePath);
  if (earlier.line > 0) context.note(`Going on after line ${earlier.line} (--restart begins at line 1).`);
  const progress = createProgress(runtime.stderr, runtime.nowMs);
  const badLines: BadLine[] = [];
  const startedMs = runtime.nowMs();
  const stop = new AbortController();
  const ignore = runtime.onStop(() => stop.abort());
  try {
    const { counts, complete } = await importLines(api, input.chunks, earlier, {
      acknowledged(now, bytes) {
        if (input.statePath !== null) writeImportState(input.statePath, now);
        progress.show(() => progressText(now, earlier, bytes, input.size, runtime.nowMs() - startedMs));
      },
      badLine(bad) {
        reportBadLine(progress, input.name, bad);
        if (badLines.length < MAX_LISTED) badLines.push(bad);
      },
      stop: stop.signal,
      waiting: (why) => progress.line(`${printable(why, 500)}; asking again for a minute`),
    });
    progress.clear();
    if (complete && input.statePath !== null) removeImportState(input.statePath);
    return outcome(context, input, counts, badLines, complete);
  } finally {
    ignore();
    // A terminal, or a pipe that is silent, would keep the process.
    if (stop.signal.aborted && input.chunks instanceof Readable) input.chunks.destroy();
  }
}

function reportBadLine(progress: Progress, name: string, { line, reason }: BadLine): void {
  progress.line(`${name}:${line}: ${printable(reason, 500)}`);
}

function progressText(
  now: ImportCounts,
  earlier: ImportCounts,
  bytes: number,
  size: number | null,
  ms: number,
): string {
  const done = now.stored + now.repeated - earlier.stored - earlier.repeated;
  const rate = Math.round(done / Math.max(ms / 1_000, 0.001));
  const part = size === null || size === 0 ? '' : ` (${Math.floor((bytes / size) * 100)} %)`;
  return `line ${now.line}${part}: ${now.stored} stored, ${now.repeated} known already, ${now.bad} bad, ${rate} facts/s`;
}

function outcome(
  context: Context,
  input: Input,
  counts: ImportCounts,
  badLines: readonly BadLine[],
  complete: boolean,
): Outcome {
  const { line: lines, stored, repeated, bad } = counts;
  const json = JSON.stringify({ file: input.name, complete, lines, stored, repeated, bad, bad_lines: badLines });
  const sums = `${lines === 1 ? '1 line' : `${lines} lines`}: ${stored} stored, ${repeated} known already, ${bad} bad`;
  if (!complete) {
    const next = input.statePath === null ? '' : '\nRun the same command to go on.';
    return { json, human: `Stopped after ${sums}.${next}`, exit: 'interrupted' };
  }
  const mark =
    bad === 0 ? context.screen.paint('green', 'imported') : context.screen.paint('yellow', 'imported with bad lines');
  return { json, human: `${mark}: ${sums}`, exit: bad === 0 ? 'ok' : 'refused' };
}
