/** `sink verify-digests FILE`: whether what a receiver keeps is whole. Needs no node. */

import { createReadStream } from 'node:fs';
import { type Command, Option } from 'commander';
import { plural } from '../core/plural.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import { ExportCheck, type ExportReport, type LogKey } from '../siem/export-check.ts';
import { action, type Cli, type CommonOptions, type Context, type Outcome, withExamples } from './cli.ts';
import { CliError } from './exit.ts';
import { readLines } from './line-reader.ts';
import { printable } from './printable.ts';

interface Options extends CommonOptions {
  readonly sink: string;
  readonly logKey: readonly string[];
}

export function addVerifyDigests(sink: Command, cli: Cli): void {
  const command = sink
    .command('verify-digests')
    .summary('whether lines that were received are whole')
    .description(
      'Reads JSON lines as a sink got them (formats record, ocsf and ecs), in any order, and compares them with the signed digests among them: records that are missing, changed or there twice with different contents. Exits with 4 unless all are there.',
    )
    .argument('<files...>', 'JSON lines')
    .addOption(new Option('--sink <name>', 'the sink that they were sent to').makeOptionMandatory())
    .addOption(
      new Option(
        '--log-key <vkey...>',
        'verifier key of the node’s log, as `peer show self` shows it',
      ).makeOptionMandatory(),
    )
    .option('--json', 'one JSON document on standard output')
    .action(action<Options>(cli, run));
  withExamples(command, ['sink verify-digests audit.jsonl --sink archive --log-key "$(cat acme.vkey)"']);
}

async function run({ screen }: Context, files: readonly string[], { sink, logKey }: Options): Promise<Outcome> {
  const check = new ExportCheck(sink, logKey.map(keyOf));
  for (const file of files) await readInto(check, file);
  const report = check.report();
  const json = JSON.stringify(report);
  const verdict = report.ok ? screen.paint('green', 'whole') : screen.paint('red', 'not whole');
  const human = [`${verdict}: ${sentenceOf(report)}`, ...details(report)].join('\n');
  return report.ok ? { json, human } : { json, human, exit: 'integrity' };
}

async function readInto(check: ExportCheck, file: string): Promise<void> {
  try {
    for await (const line of readLines(createReadStream(file)))
      if (!('text' in line)) check.line(line.number, '');
      else if (line.text !== '') check.line(line.number, line.text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(
      { exit: 'usage', message: `expected JSON lines, got ${why}`, fix: 'Name files that can be read.' },
      { cause },
    );
  }
}

function keyOf(text: string): LogKey {
  const parsed = parseVerifierKey(text.trim());
  if (parsed.ok) return { origin: parsed.value.name, key: parsed.value.publicKey };
  const message = `expected a verifier key such as acme.example/journal/…+1a2b3c4d+AV…, got ${printable(text, 80)}`;
  throw new CliError({ exit: 'usage', message, fix: 'Run `stigmem-peerd peer show self` at the node.' });
}

function sentenceOf({ events, duplicates, digests, from, to, beyond, ok, unproven }: ExportReport): string {
  if (digests === 0) return `${plural(events, 'record')}, and no digest that vouches for them`;
  const again = duplicates === 0 ? '' : `, ${duplicates} came twice`;
  const open = beyond === 0 ? '' : `; ${beyond} behind the newest digest are not vouched for yet`;
  const bare =
    unproven === 0
      ? ''
      : `; of ${unproven} only sequence and hash are vouched for, not what else their lines say: they do not hold the record’s own text`;
  return `${plural(events, 'record')}${again}; ${digests === 1 ? '1 digest vouches' : `${digests} digests vouch`} for records ${from} to ${to}${ok ? '' : ', and they do not agree with what is there'}${open}${bare}`;
}

function details({ problems, gaps }: ExportReport): string[] {
  const told = problems.map(({ code, detail }) => `${code}: ${printable(detail)}`);
  const open = gaps.map(
    ({ first, last }) =>
      `the node says that it did not send records ${first} to ${last}: replay them with sink replay --from-seq ${first}`,
  );
  return [...told, ...open];
}
