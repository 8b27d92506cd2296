import { type Command, Option } from 'commander';
import { type Proposal, paramWords } from '../core/approval.ts';
import { type ActOptions, withKeyFile, withReason } from './acting.ts';
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
import type { Cell, Screen } from './screen.ts';

interface ListOptions extends CommonOptions {
  readonly all?: boolean;
}

interface ProposalsAnswer {
  readonly four_eyes: readonly string[];
  readonly proposals: readonly Proposal[];
  /** A daemon of before this version says nothing of it. */
  readonly before?: number | null;
}

const PER_PAGE = 500;

const VERBS = [
  { verb: 'approve', summary: 'approve a proposal of another person: it is done at once', done: 'Approved and done.' },
  { verb: 'reject', summary: 'reject a proposal of another person', done: 'Rejected.' },
  { verb: 'withdraw', summary: 'withdraw your own proposal', done: 'Withdrawn.' },
] as const;

export function addApproval(program: Command, cli: Cli): void {
  const group = program
    .command('approval')
    .summary('proposals that need a second person')
    .description(
      'Actions that review.four_eyes in config.toml names are proposed by one person and done when another approves, each with an API key of another name.',
    );
  const list = withKeyFile(group.command('list').summary('proposals, newest first'))
    .addOption(new Option('--all', 'decided and expired ones, too'))
    .action(action<ListOptions>(cli, runList));
  withExamples(withCommonOptions(list), ['approval list --data ./acme']);
  const show = withKeyFile(group.command('show').summary('one proposal').argument('<id>', 'number of the proposal'));
  show.action(action(cli, runShow));
  withExamples(withCommonOptions(show), ['approval show 42 --data ./acme']);
  for (const { verb, summary, done } of VERBS) {
    const command = withReason(group.command(verb).summary(summary).argument('<id>', 'number of the proposal'), true);
    command.action(
      action<ActOptions>(cli, (context, [id = ''], options) => decide(context, id, { verb, done }, options)),
    );
    withExamples(withCommonOptions(command), [
      `approval ${verb} 42 --key-file ~/.config/stigmem/bob.key --reason 'compared by telephone' --data ./acme`,
    ]);
  }
}

async function runList(context: Context, _args: readonly string[], { all }: ListOptions): Promise<Outcome> {
  const { four_eyes, proposals } = await withApi(context, (api) => readAll(api, all === true ? 'all' : 'open'));
  const json = JSON.stringify({ four_eyes, proposals, has_more: false, before: null });
  const none =
    four_eyes.length === 0 ? 'No action needs two persons (review.four_eyes).' : 'Nothing waits for a second person.';
  return { json, human: proposals.length === 0 ? none : table(proposals, context.screen) };
}

async function readAll(api: Api, state: 'open' | 'all'): Promise<ProposalsAnswer> {
  const proposals: Proposal[] = [];
  for (let before: number | undefined; ; ) {
    const answer = await api.get('/v1/approvals', { state, limit: PER_PAGE, before });
    const page = JSON.parse(expectOk(answer)) as ProposalsAnswer;
    proposals.push(...page.proposals);
    if (page.before === null || page.before === undefined) return { ...page, proposals };
    before = page.before;
  }
}

function table(proposals: readonly Proposal[], screen: Screen): string {
  const rows = proposals.map((one): Cell[] => [
    one.id,
    one.state,
    one.action,
    one.subject,
    paramWords(one.params)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    one.proposed_by,
    one.reason,
    one.expires_at,
  ]);
  return screen.table(['ID', 'STATE', 'ACTION', 'WHAT', 'WITH', 'PROPOSED BY', 'WHY', 'UNTIL'], rows);
}

async function runShow(context: Context, [id = '']: readonly string[]): Promise<Outcome> {
  const json = await withApi(context, async (api) =>
    expectOk(await api.get(`/v1/approvals/${idOf(id)}`), { proposal: id }),
  );
  const { params, decision, ...proposal } = JSON.parse(json) as Proposal;
  const ended = Object.entries(decision ?? {}).map(([name, value]): [string, Cell] => [`decision ${name}`, value]);
  const rows = Object.entries(proposal).map(([name, value]): [string, Cell] => [name.replaceAll('_', ' '), value]);
  return { json, human: context.screen.pairs([...rows, ...paramWords(params), ...ended]) };
}

async function decide(
  context: Context,
  id: string,
  { verb, done }: { readonly verb: string; readonly done: string },
  { reason }: ActOptions,
): Promise<Outcome> {
  const path = `/v1/approvals/${idOf(id)}/${verb}`;
  const json = await withApi(context, async (api) =>
    expectOk(await api.post(path, JSON.stringify({ reason })), { proposal: id }),
  );
  return { json, human: done };
}

function idOf(text: string): string {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return text;
  const message = `expected the number of a proposal such as 42, got ${JSON.stringify(text)}`;
  throw new CliError({ exit: 'usage', message, fix: 'See: stigmem-peerd approval list' });
}
