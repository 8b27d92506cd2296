import type { Command } from 'commander';
import type { DisclosedAnswer, GivenRunAnswer } from '../admin/api/grants.ts';
import { type Api, withApi } from './api-client.ts';
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
import { CliError } from './exit.ts';
import type { Screen } from './screen.ts';

const PAGE_RUNS = 500;

interface Options extends CommonOptions {
  readonly fact?: string;
  readonly runs?: boolean;
}

interface Ledger {
  readonly node_id: string;
  readonly feeds: DisclosedAnswer['feeds'];
  readonly runs: readonly GivenRunAnswer[];
}

export function addDisclosed(program: Command, cli: Cli): void {
  const command = program
    .command('disclosed')
    .summary('what a partner was ever given, and under which grant')
    .description(
      'Reads the disclosure ledger. A run is written before it is sent, so a partner may have got less than this, and never more.',
    )
    .argument('<peer>', 'name of the partner; its node id once its file is gone')
    .option('--fact <id>', 'only whether it was given this fact: id or CID')
    .option('--runs', 'every run with its time')
    .action(action<Options>(cli, runDisclosed));
  withExamples(withCommonOptions(command), [
    'disclosed globex --data ./acme',
    'disclosed globex --fact ID --data ./acme',
  ]);
}

async function runDisclosed(context: Context, [peer = '']: readonly string[], options: Options): Promise<Outcome> {
  const { fact } = options;
  const ledger = await withApi(context, (api) => readLedger(api, peer, fact ?? null, options.runs === true));
  if (!ledger.node_id.startsWith('stigmem://')) {
    const message = `expected the name of a partner, or a node id, got ${JSON.stringify(peer)}, which has no file under peers/`;
    throw new CliError({ exit: 'not_found', message, fix: 'See: stigmem-peerd peer list' });
  }
  return { json: JSON.stringify(ledger), human: human(ledger, fact ?? null, context.screen) };
}

async function readLedger(api: Api, peer: string, fact: string | null, allRuns: boolean): Promise<Ledger> {
  const path = `/v1/federation/peers/${encodeURIComponent(peer)}/disclosed`;
  const ask = async (query: Readonly<Record<string, string | number>>): Promise<DisclosedAnswer> =>
    JSON.parse(expectOk(await api.get(path, query))) as DisclosedAnswer;
  if (fact !== null) return ask({ fact });
  const first = await ask({ limit: allRuns ? PAGE_RUNS : 1 });
  const { node_id, feeds } = first;
  if (!allRuns) return { node_id, feeds, runs: [] };
  const runs = [...first.runs];
  for (let { cursor, has_more } = first; has_more && cursor !== null; ) {
    const page = await ask({ limit: PAGE_RUNS, cursor });
    runs.push(...page.runs);
    ({ cursor, has_more } = page);
  }
  return { node_id, feeds, runs };
}

function human({ node_id, feeds, runs }: Ledger, fact: string | null, screen: Screen): string {
  const table = screen.table(
    ['SENT', 'FEED', 'FROM', 'TO', 'GRANT'],
    runs.map(({ sent_at, feed, after, to, grant }) => [sent_at, feed, after + 1, to, grant.hash]),
  );
  if (fact !== null) return runs.length === 0 ? `${node_id} was never given ${fact}.` : table;
  if (feeds.length === 0) return `${node_id} was never given anything.`;
  const summary = screen.table(
    ['FEED', 'FACTS', 'FROM', 'TO', 'FIRST SENT', 'LAST SENT', 'UNDER'],
    feeds.map(({ feed, entries, first, last, first_sent_at, last_sent_at, grant }) => [
      feed,
      entries,
      first,
      last,
      first_sent_at,
      last_sent_at,
      { lines: [grant.hash, grant.text] },
    ]),
  );
  return runs.length === 0 ? summary : `${summary}\n\n${table}`;
}
