/** `drill report` writes the signed report of a month, `drill verify` checks one without a node. */

import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { writeFileAtomically } from '../config/atomic-file.ts';
import { plural } from '../core/plural.ts';
import { type DrillMonth, MONTH_TEXT, openDrillReport, type ReportedDrill } from '../wire/drill-report.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import {
  action,
  type Cli,
  type CommonOptions,
  type Context,
  type Outcome,
  withCommonOptions,
  withExamples,
} from './cli.ts';
import { spanOf } from './drill-words.ts';
import { CliError } from './exit.ts';
import { logKeyOf } from './log-keys.ts';
import { printable } from './printable.ts';

interface ReportOptions extends CommonOptions {
  readonly month?: string;
  readonly out?: string;
}

interface VerifyOptions {
  readonly logKey: readonly string[];
  readonly json?: boolean;
}

const FILE_MODE = 0o644;
/** Far more than a month of drills. */
const MAX_REPORT_BYTES = 33_554_432;

export function addDrillReports(drill: Command, cli: Cli): void {
  const report = drill
    .command('report')
    .summary('the drills of a month, signed by the log key')
    .description(
      'Prints the signed report, or writes it to a file. Of a month that is over, the one that the node has kept: it is made when the month is over and no case of its drills waits for anybody. Else as of now.',
    )
    .addOption(new Option('--month <month>', 'such as 2026-11; else the one that it is now').argParser(monthOf))
    .option('--out <file>', 'where to write it; else standard output')
    .action(action<ReportOptions>(cli, runReport));
  withExamples(withCommonOptions(report), [
    'drill report --data ./acme',
    'drill report --month 2026-11 --out drills-2026-11.note --data ./acme',
  ]);
  const verify = drill
    .command('verify')
    .summary('whether a report is what the node has signed; needs no node')
    .argument('<file>', 'a report')
    .addOption(
      new Option(
        '--log-key <vkey...>',
        'verifier key of the node’s log, as `peer show self` shows it',
      ).makeOptionMandatory(),
    )
    .option('--json', 'one JSON document on standard output')
    .description(
      'Exits with 4 when it is not signed by that key, is changed or is not whole, and with 1 when a drill in it failed.',
    )
    .action(action<VerifyOptions & CommonOptions>(cli, runVerify));
  withExamples(verify, ['drill verify drills-2026-11.note --log-key "$(cat acme.vkey)"']);
}

function monthOf(text: string): string {
  if (MONTH_TEXT.test(text)) return text;
  throw new InvalidArgumentError('Expected a month such as 2026-11.');
}

async function runReport(context: Context, _args: readonly string[], options: ReportOptions): Promise<Outcome> {
  const month = options.month ?? new Date(context.runtime.nowMs()).toISOString().slice(0, 7);
  const text = await withApi(context, async (api) => expectOk(await api.get(`/v1/drills/report?month=${month}`)));
  if (options.out === undefined) return { json: JSON.stringify({ month, report: text }), human: text.trimEnd() };
  writeFileAtomically(options.out, text, FILE_MODE);
  return { json: JSON.stringify({ month, file: options.out }), human: `${month} is in ${options.out}` };
}

async function runVerify(
  { screen }: Context,
  [file = '']: readonly string[],
  { logKey }: VerifyOptions,
): Promise<Outcome> {
  const keys = logKey.map(logKeyOf);
  const opened = openDrillReport(
    readReport(file),
    keys.map(({ publicKey }) => publicKey),
    keys[0]?.origin ?? null,
  );
  if (!opened.ok) {
    const json = JSON.stringify({ ok: false, code: opened.error });
    const human = `${screen.paint('red', 'not verified')}: ${WORDS[opened.error]}`;
    return { json, human, exit: 'integrity' };
  }
  const json = JSON.stringify({ ok: true, report: opened.value });
  const human = [
    `${screen.paint('green', 'verified')}: ${sentence(opened.value)}`,
    ...opened.value.drills.map(drillLine),
  ];
  return { json, human: human.join('\n'), exit: opened.value.failed === 0 ? 'ok' : 'refused' };
}

const WORDS = {
  document_malformed: 'it is no report of drills of that log, or it is changed',
  document_signature_invalid: 'no key that was given has signed it as it stands',
  report_incomplete: 'parts of it are missing, or belong to another report',
} as const;

function readReport(file: string): string {
  try {
    const bytes = readFileSync(file);
    if (bytes.length <= MAX_REPORT_BYTES) return bytes.toString('utf8');
  } catch (cause) {
    const message = `expected a report, got ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new CliError(
      { exit: 'not_found', message, fix: 'Name a file that `drill report --out` has written.' },
      { cause },
    );
  }
  throw new CliError({
    exit: 'usage',
    message: `expected a report, got a file of more than ${MAX_REPORT_BYTES} bytes`,
  });
}

function sentence({ node_id, month, drills, passed, failed, refusals, whole, made_at }: DrillMonth): string {
  const real = refusals.reduce((sum, { count }) => sum + count, 0);
  const until = whole ? 'the whole month' : `as of ${made_at}`;
  return `${node_id}, ${month} (${until}): ${plural(drills.length, 'drill')}, ${passed} passed, ${failed} failed; ${real === 1 ? '1 refusal that was no drill' : `${plural(real, 'refusal')} that were no drills`}`;
}

function drillLine({
  started_at,
  kind,
  passed,
  seen,
  failure,
  sent_at,
  refused_at,
  acknowledged_by,
}: ReportedDrill): string {
  const result = passed ? `passed: ${seen} after ${spanOf(sent_at, refused_at)}` : `FAILED: ${failure}`;
  const who = acknowledged_by === null ? 'not acknowledged' : `acknowledged by ${acknowledged_by}`;
  return printable(`${started_at}  ${kind}  ${result}; ${who}`);
}
