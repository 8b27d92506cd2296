/** `peer ping`: whether a partner can be reached now, over which address, and how long an answer takes. */
import type { Command } from 'commander';
import { DEFAULT_PINGS, MAX_PINGS, type PingReport, summaryOf } from '../core/ping-report.ts';
import { withDaemonApi } from './api-client.ts';
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
import { wholeNumber } from './numbers.ts';
import { requirePeer } from './peer-manage.ts';
import { printable } from './printable.ts';
import type { Cell, Screen } from './screen.ts';

interface PingOptions extends CommonOptions {
  readonly count: number;
}

export function addPing(group: Command, cli: Cli): void {
  const command = group
    .command('ping')
    .summary('reach a partner now')
    .description(
      'Has the running daemon connect to a partner, unless it is connected, and exchange hellos: over which address, how long each took, whose key answers, its clock and its version. What fails says what to do. Nothing is pulled or recorded, and a failure does not count as one of the partner.',
    )
    .argument('<name>', 'name of the partner')
    .option('--count <number>', `hellos, 1 to ${MAX_PINGS}`, (text) => wholeNumber(text, 1, MAX_PINGS), DEFAULT_PINGS)
    .action(action<PingOptions>(cli, runPing));
  withExamples(withCommonOptions(command), [
    'peer ping globex --data ./acme',
    'peer ping globex --count 10 --json --data ./acme',
  ]);
}

async function runPing(context: Context, [name = '']: readonly string[], { count }: PingOptions): Promise<Outcome> {
  requirePeer(context.dir(), name);
  const path = `/v1/federation/peers/${name}/ping`;
  const json = await withDaemonApi(context, 'it is what connects to partners', async (api) =>
    expectOk(await api.post(path, JSON.stringify({ count })), { peer: name }),
  );
  const report = JSON.parse(json) as PingReport;
  const times = summaryOf(report.round_trips_ms);
  const shown = JSON.stringify({
    ...report,
    min_ms: times?.min ?? null,
    avg_ms: times?.avg ?? null,
    max_ms: times?.max ?? null,
  });
  return { json: shown, human: human(report, context.screen), exit: report.ok ? 'ok' : 'refused' };
}

function human({ checks, name, node_id, ok, round_trips_ms }: PingReport, screen: Screen): string {
  const rows = checks.map((check): readonly [string, Cell] => [
    check.name,
    {
      lines: [
        `${screen.paint(check.ok ? 'green' : 'red', check.ok ? 'ok  ' : 'FAIL')} ${printable(check.detail)}`,
        ...(check.fix === null ? [] : [`     ${printable(check.fix)}`]),
      ],
    },
  ]);
  const times = summaryOf(round_trips_ms);
  const took = times === null ? 'no answer' : `min ${ms(times.min)}, avg ${ms(times.avg)}, max ${ms(times.max)}`;
  const head = `${name} (${printable(node_id)}) ${ok ? 'answers' : 'is not well'}: ${took}`;
  return `${head}\n\n${screen.pairs(rows)}`;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} ms`;
}
