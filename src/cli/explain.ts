import type { Command } from 'commander';
import type { ExplanationAnswer, GivenRunAnswer } from '../admin/api/grants.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import { action, type Cli, type Context, type Outcome, withCommonOptions, withExamples } from './cli.ts';

export function addExplain(program: Command, cli: Cli): void {
  const command = program
    .command('explain')
    .summary('why a partner is sent a fact, or not, and whether it was')
    .argument('<fact>', 'id or CID of a fact')
    .argument('<peer>', 'name of the partner, or its node id')
    .action(action(cli, runExplain));
  withExamples(withCommonOptions(command), ['explain 019b76da-b3b8-7229-93b8-75eff18060d6 globex --data ./acme']);
}

async function runExplain(context: Context, [fact = '', peer = '']: readonly string[]): Promise<Outcome> {
  const path = `/v1/federation/peers/${encodeURIComponent(peer)}/explain`;
  const json = await withApi(context, async (api) => expectOk(await api.get(path, { fact }), { fact, peer }));
  const found = JSON.parse(json) as ExplanationAnswer;
  const given =
    found.given.length === 0
      ? [`It was never given to ${found.peer}.`]
      : [...found.given.map((run) => `Given ${givenText(run)}.`), acknowledgedText(found)];
  return { json, human: [`${found.feed ?? 'no feed'} ${found.feed_seq}: ${found.sentence}.`, ...given].join('\n') };
}

/** When and under what a run was given. */
function givenText({ sent_at, feed, after, to, grant }: GivenRunAnswer): string {
  return `${sent_at} with ${feed} ${after + 1} to ${to}, under ${grant.text} (${grant.hash})`;
}

function acknowledgedText({ peer, acknowledged }: ExplanationAnswer): string {
  return acknowledged ? `${peer} has signed a receipt for it.` : `${peer} has signed no receipt for it yet.`;
}
