import type { Command } from 'commander';
import type { HeadAnswer } from '../admin/api/journal.ts';
import type { ChecksAnswer } from '../admin/api/journal-checks.ts';
import { plural } from '../core/plural.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import { action, type Cli, type Context, type Outcome, withCommonOptions, withExamples } from './cli.ts';
import { printable } from './printable.ts';

export function addJournal(program: Command, cli: Cli): void {
  const group = program
    .command('journal')
    .summary('what the journal signs')
    .description('Heads of the journal and the audit log.');
  const head = group
    .command('head')
    .summary('size, root and newest signed checkpoint')
    .description('Size and root of the journal’s tree, the newest checkpoint over it, the audit log’s, and the feeds.')
    .action(action(cli, runHead));
  withExamples(withCommonOptions(head), [
    'journal head --data ./acme',
    'journal head --data ./acme --json | jq -r .checkpoint',
  ]);
  const checks = group
    .command('checks')
    .summary('checks of everything that is stored, and what they found')
    .description(
      'Checks that are on record, the newest first: those of fsck, of the API, and of the clock ([fsck] every_hours). The one that goes on is told with how far it is.',
    )
    .action(action(cli, runChecks));
  withExamples(withCommonOptions(checks), ['journal checks --data ./acme']);
}

async function runHead(context: Context): Promise<Outcome> {
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/journal/head')));
  const head = JSON.parse(json) as HeadAnswer;
  const pairs = context.screen.pairs([
    ['origin', head.origin],
    ['size', head.size],
    ['root', head.root],
    ['chain hash', head.chain_hash],
    ['feeds', head.feeds.map(({ feed, length }) => `${feed} ${length}`).join(', ') || null],
    ['audit origin', head.audit.origin],
    ['audit size', head.audit.size],
  ]);
  return { json, human: `${pairs}\n\n${head.checkpoint}` };
}

async function runChecks(context: Context): Promise<Outcome> {
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/journal/checks')));
  const { checks, every_hours, last_error, running } = JSON.parse(json) as ChecksAnswer;
  const rows = checks.map(({ audit_seq, by, cause, clean, duration_ms, ended_at, first_problems, problems, rows }) => [
    audit_seq,
    ended_at,
    clean ? 'clean' : { text: plural(problems, 'problem'), style: 'red' as const },
    cause.replace('_', ' '),
    printable(by ?? '-'),
    rows,
    `${(duration_ms / 1_000).toFixed(1)} s`,
    printable(first_problems[0] ?? ''),
  ]);
  const table = context.screen.table(['RECORD', 'ENDED', 'RESULT', 'HOW', 'BY', 'ROWS', 'TOOK', 'FIRST'], rows);
  const human = [
    rows.length === 0 ? 'No check is on record. Now: stigmem-peerd fsck' : table,
    ...(running === null ? [] : [`Goes on: ${running.phase}, ${running.done} of ${running.total}`]),
    ...(last_error === null ? [] : [`The last one did not come to its end: ${printable(last_error)}`]),
    ...(every_hours === null
      ? []
      : [`The node checks by itself when the last clean check is ${plural(every_hours, 'hour')} old.`]),
  ];
  return { json, human: human.join('\n') };
}
