import type { Command } from 'commander';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import { action, type Cli, type Context, type Outcome, withCommonOptions, withExamples } from './cli.ts';
import type { HeadAnswer } from './wire-shapes.ts';

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
