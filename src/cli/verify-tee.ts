import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { checkTeeBinding, parseTeeReport, type TeeBinding, teeNonce } from '../merkle/tee-report.ts';
import { action, type Cli, type CommonOptions, type Context, type Outcome, withExamples } from './cli.ts';
import { CliError, type ExitName } from './exit.ts';
import { readBounded } from './verify-files.ts';

interface TeeOptions extends CommonOptions {
  readonly checkpoint?: string;
  readonly raw?: string;
}

/** Adds `verify tee FILE`. */
export function addVerifyTee(group: Command, cli: Cli): void {
  const command = group
    .command('tee')
    .summary('a report of a trusted execution environment')
    .argument('<file>', 'the evidence of a tee_report record (JSON)')
    .option('--checkpoint <file>', 'the signed checkpoint that it has to name, byte for byte (default: the one inside)')
    .option('--raw <file>', 'also write the report as the kernel gave it, for the tool that checks who signed it')
    .option('--json', 'one JSON document on standard output')
    .description(
      'Checks that a report names a checkpoint: TDX quotes of version 4 and 5, SEV-SNP reports. Who signed the report, and which program ran there, it does not check: tools of others do. Exits with 4 if another checkpoint is named, with 1 if the form of the report is not known.',
    )
    .action(action<TeeOptions>(cli, runTee));
  withExamples(command, [
    'audit show 42 --data ./acme --json | jq .evidence > tee.json',
    'verify tee tee.json --checkpoint checkpoint --raw quote.bin',
  ]);
}

const SENTENCES: Readonly<Record<TeeBinding, string>> = {
  bound: 'the report names this checkpoint',
  other_nonce: 'the report names something else than this checkpoint',
  too_short: 'the report is cut short',
  not_checked: 'the form of this report is not known here: whether it names this checkpoint was not checked',
};
const EXITS: Readonly<Record<TeeBinding, ExitName>> = {
  bound: 'ok',
  other_nonce: 'integrity',
  too_short: 'integrity',
  not_checked: 'refused',
};
const NOT_CHECKED_HERE =
  'NOT checked here: who signed the report, and what runs on that machine. Without that anybody can have written it. ' +
  'TDX: go-tdx-guest (tools/check). SEV-SNP: go-sev-guest (tools/check) or snpguest. Give them the nonce as report data, and the measurement that you expect.';

async function runTee({ screen }: Context, [file = '']: readonly string[], options: TeeOptions): Promise<Outcome> {
  const parsed = parseTeeReport(readBounded(file).toString('utf8'));
  if (!parsed.ok) {
    const message = `expected the evidence of a tee_report record in ${file}, got something else`;
    throw new CliError({ exit: 'usage', message, fix: 'Get it with: audit show SEQ --json | jq .evidence' });
  }
  const { checkpoint, provider, outblob } = parsed.value;
  const note = options.checkpoint === undefined ? checkpoint : readBounded(options.checkpoint).toString('utf8');
  const nonce = teeNonce(note);
  const binding = checkTeeBinding(parsed.value, nonce);
  if (options.raw !== undefined) writeFileSync(options.raw, outblob);
  const [origin = '', size = ''] = note.split('\n', 2);
  const rows = screen.pairs([
    ['checkpoint', `${origin} ${size}`],
    ['provider', provider],
    ['report', `${outblob.length} bytes${options.raw === undefined ? '' : `, written to ${options.raw}`}`],
    ['nonce', nonce.toString('hex')],
  ]);
  const colour = binding === 'bound' ? 'green' : binding === 'not_checked' ? 'yellow' : 'red';
  return {
    json: JSON.stringify({ binding, provider, origin, size, nonce: nonce.toString('hex'), signer: 'not_checked' }),
    human: `${screen.paint(colour, SENTENCES[binding])}\n${rows}\n\n${NOT_CHECKED_HERE}`,
    exit: EXITS[binding],
  };
}
