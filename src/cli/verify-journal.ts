import { existsSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { readAnchors } from '../client/trust.ts';
import type { FsckProgress } from '../journal/fsck/context.ts';
import type { FsckProblem, FsckReport } from '../journal/fsck/report.ts';
import type { AnchorRequirement } from '../verify/reader-trust.ts';
import { readAnchorFiles } from './anchor-files.ts';
import { action, type Cli, type CommonOptions, type Context, type Outcome, withExamples } from './cli.ts';
import { CliError } from './exit.ts';
import { human, reportJson } from './fsck.ts';
import { logKeyOf } from './log-keys.ts';
import { createProgress } from './progress.ts';
import { readBounded } from './verify-files.ts';

interface VerifyOptions extends CommonOptions {
  readonly anchors?: readonly string[];
  readonly logKey?: string;
  readonly trustRoot?: string;
  readonly anchorKey?: readonly string[];
}

const HUMAN_NEXT =
  'Keep the file as it is: with the anchors that contradict it, it is evidence. docs/OPERATIONS.md says how to restore.';

/** Adds `verify FILE`, the default below `verify`. */
export function addVerifyJournal(group: Command, cli: Cli): void {
  const command = group
    .command('journal', { isDefault: true })
    .summary('a journal.db, with what others hold of it')
    .argument('<file>', 'a journal.db, alone: no configuration, no keys, it may be read-only')
    .option('--anchors <file...>', 'anchors: JSON lines of a local log, receipts, or signed checkpoints')
    .option('--log-key <vkey>', 'verifier key of the log; without it no signature of the node is checked')
    .option('--trust-root <file>', 'Sigstore trusted_root.json: receipts of its logs are verified, not only compared')
    .option('--anchor-key <vkey...>', 'verifier keys of the anchor keys, for --trust-root')
    .option('--json', 'one JSON document on standard output')
    .description(
      'Derives every hash, link, leaf and tree of a journal file again, and compares the trees with all anchors, given and stored. Names entry and field of what differs, and the anchor that contradicts it; exits with 4 then.',
    )
    .action(action<VerifyOptions>(cli, runVerifyJournal));
  withExamples(command, [
    'verify journal.db',
    'verify journal.db --anchors anchors.jsonl --log-key "$(cat acme.vkey)"',
  ]);
}

async function runVerifyJournal(
  context: Context,
  [file = '']: readonly string[],
  options: VerifyOptions,
): Promise<Outcome> {
  if (!existsSync(file) || !statSync(file).isFile()) {
    const what = existsSync(file) ? 'which is no file' : 'where no file is';
    const message = `expected a journal file, got ${JSON.stringify(file)}, ${what}`;
    throw new CliError({
      exit: 'not_found',
      message,
      fix: 'Or one of: verify bundle, checkpoint, anchor, tee. See: stigmem-peerd verify --help',
    });
  }
  const logKey = options.logKey === undefined ? null : logKeyOf(options.logKey).publicKey;
  const receiptTrust = receiptTrustOf(options);
  const { claims, problems } = await readAnchorFiles(options.anchors ?? []);
  const { runtime } = context;
  const progress = createProgress(runtime.stderr, runtime.nowMs);
  const show = rateOf(runtime.nowMs);
  const stop = new AbortController();
  const ignore = runtime.onStop(() => stop.abort());
  try {
    const found = await (await context.node()).verifyJournal(file, {
      logKey,
      receiptTrust,
      anchors: claims,
      onProgress: (step) => progress.show(() => show(step)),
      signal: stop.signal,
    });
    progress.clear();
    const report = withProblems(found, problems);
    const told = human(report, context.screen, HUMAN_NEXT);
    return { json: reportJson(report), human: told, exit: report.ok ? 'ok' : 'integrity' };
  } catch (thrown) {
    progress.clear();
    if (!stop.signal.aborted) throw thrown;
    throw new CliError({ exit: 'interrupted', message: 'stopped before everything was checked: nothing is known yet' });
  } finally {
    ignore();
  }
}

/** Undefined: none is given. @throws CliError `usage`, `not_found`, `refused` */
function receiptTrustOf({ trustRoot, anchorKey: keys = [] }: VerifyOptions): AnchorRequirement | undefined {
  if (trustRoot === undefined && keys.length === 0) return undefined;
  if (trustRoot === undefined || keys.length === 0) {
    const message = '--trust-root and --anchor-key go together: the logs, and whose signature they have to hold';
    throw new CliError({ exit: 'usage', message, fix: 'Both come from others than the file: see `peer show self`.' });
  }
  try {
    return readAnchors({ trustedRoot: readBounded(trustRoot).toString('utf8'), keys });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CliError({ exit: 'usage', message: error.message }, { cause: error });
  }
}

function withProblems(report: FsckReport, more: readonly FsckProblem[]): FsckReport {
  const problems = [...more, ...report.problems];
  return { ...report, ok: problems.length === 0, problems, problemCount: report.problemCount + more.length };
}

/** Rows done, rows a second since the phase began, and how long the rest of it takes at that rate. */
function rateOf(nowMs: () => number): (step: FsckProgress) => string {
  let phase = '';
  let startedMs = 0;
  return ({ phase: name, done, total }) => {
    if (name !== phase) {
      phase = name;
      startedMs = nowMs();
    }
    const seconds = (nowMs() - startedMs) / 1000;
    if (seconds < 0.5 || done === 0) return `${name}: ${done} of ${total}`;
    const rate = done / seconds;
    return `${name}: ${done} of ${total}, ${Math.round(rate)}/s, ${Math.ceil((total - done) / rate)} s left`;
  };
}
