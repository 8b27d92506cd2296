import type { Command } from 'commander';
import type { TombstoneAnswer, TombstonesAnswer } from '../admin/api/tombstones.ts';
import { erasureSentence } from '../core/erasure-state.ts';
import { actedOutcome } from './acting.ts';
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
import type { Screen } from './screen.ts';

interface Options extends CommonOptions {
  readonly reason?: string;
}

/** `tombstone add|undo|hold|release|list|status` */
export function addTombstone(program: Command, cli: Cli): void {
  const tombstone = program.command('tombstone').summary('have the body of a fact erased, and see who has done so');
  const decide = (verb: string, summary: string, description: string): void => {
    const command = tombstone
      .command(verb)
      .summary(summary)
      .description(description)
      .argument('<fact>', 'fact id; where it was erased also its digest, sha256:…')
      .option('--reason <text>', 'stays in the audit log of this node')
      .action(action<Options>(cli, (context, args, options) => runOrder(context, verb, args, options)));
    withExamples(withCommonOptions(command), [`tombstone ${verb} --data ./acme 0197c1b2-…`]);
  };
  decide(
    'add',
    'have a fact of this node erased',
    'Hides the fact now. When the undo window ([tombstones] undo_window_s) is over, its tombstone is written and its body erased, here and at every partner that was given it. Retract it as well to have partners hide it at once.',
  );
  decide(
    'undo',
    'take that back within the undo window',
    'Shows the fact again. Once its tombstone is written, nothing brings it back.',
  );
  decide(
    'hold',
    'keep the body of a partner’s fact',
    'For as long as nobody releases it. The fact stays hidden; its author is told of no erasure.',
  );
  decide('release', 'let an erasure go on', 'One that is held, or one that waits because too many came at once.');
  addStatus(tombstone, cli);
  addList(tombstone, cli);
}

async function runOrder(
  context: Context,
  verb: string,
  [fact = '']: readonly string[],
  { reason }: Options,
): Promise<Outcome> {
  const said = reason === undefined ? {} : { reason };
  const [path, body] =
    verb === 'add'
      ? ['/v1/tombstones', { fact, ...said }]
      : [`/v1/tombstones/${encodeURIComponent(fact)}/${verb}`, said];
  const answer = await withApi(context, (api) => api.post(path, JSON.stringify(body)));
  if (answer.status === 202) return actedOutcome(answer, '');
  const json = expectOk(answer, { fact });
  return { json, human: statusText(JSON.parse(json) as TombstoneAnswer, context.screen) };
}

function addStatus(tombstone: Command, cli: Cli): void {
  const command = tombstone
    .command('status')
    .summary('who was given a fact, who was told, who has erased it')
    .argument('<fact>', 'fact id, or its digest, sha256:…')
    .action(action(cli, runStatus));
  withExamples(withCommonOptions(command), ['tombstone status --data ./acme 0197c1b2-…']);
}

async function runStatus(context: Context, [fact = '']: readonly string[], _options: CommonOptions): Promise<Outcome> {
  const path = `/v1/tombstones/${encodeURIComponent(fact)}`;
  const json = await withApi(context, async (api) => expectOk(await api.get(path), { fact }));
  return { json, human: statusText(JSON.parse(json) as TombstoneAnswer, context.screen) };
}

function addList(tombstone: Command, cli: Cli): void {
  const command = tombstone
    .command('list')
    .summary('tombstones, own and of partners, the newest change first')
    .action(action(cli, runList));
  withExamples(withCommonOptions(command), ['tombstone list --data ./acme']);
}

async function runList(context: Context, _args: readonly string[], _options: CommonOptions): Promise<Outcome> {
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/tombstones', { limit: 500 })));
  const { tombstones, has_more } = JSON.parse(json) as TombstonesAnswer;
  if (tombstones.length === 0) return { json, human: 'No tombstones.' };
  const rows = tombstones.map(({ fact, state, author, feed, feed_seq, since, due_at }) => [
    state,
    author,
    `${feed} ${feed_seq}`,
    since,
    due_at,
    fact,
  ]);
  const table = context.screen.table(['STATE', 'AUTHOR', 'PLACE', 'SINCE', 'DUE', 'FACT'], rows);
  return { json, human: has_more ? `${table}\n… and older ones` : table };
}

function statusText(
  { state, author, feed, feed_seq, fact, due_at, reason, steps, peers, relayed }: TombstoneAnswer,
  screen: Screen,
): string {
  const head = screen.pairs([
    ['state', `${state}: ${erasureSentence(state)}`],
    ['fact', fact],
    ['author', author],
    ['place', `${feed} ${feed_seq}`],
    ['due', due_at],
    ['reason', reason],
    ['steps', { lines: steps.map(({ step, at, actor }) => `${at} ${step}${actor === null ? '' : ` by ${actor}`}`) }],
  ]);
  const parts = [head];
  const rows = peers.map(({ peer, given_at, told, erased_at }) => [
    peer,
    given_at,
    told ? 'yes' : 'not yet',
    erased_at ?? 'not yet',
  ]);
  if (rows.length > 0) parts.push(screen.table(['GIVEN TO', 'AT', 'TOLD', 'ERASED'], rows));
  const byRelay = relayed.map(({ peer, relay, erased_at }) => [peer, relay ?? '', erased_at]);
  if (byRelay.length > 0) parts.push(screen.table(['RELAYED TO', 'BY', 'ERASED'], byRelay));
  return parts.join('\n\n');
}
