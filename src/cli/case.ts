/** `case`: what was refused and what else wants review, grouped, and what people do about it. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CASE_MOVES, CASE_VERDICTS, type CaseMove } from '../core/case-state.ts';
import { parseIsoInstant } from '../core/time.ts';
import { type ActOptions, actedOutcome, withKeyFile } from './acting.ts';
import { type Api, withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import { addCaseBulk } from './case-bulk.ts';
import { type CaseFilterOptions, caseQuery, withCaseFilters } from './case-filter.ts';
import { casesTable, caseText, type ShownCaseFile, type ShownCases } from './case-view.ts';
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
import { limitOption } from './numbers.ts';

interface ListOptions extends CaseFilterOptions {
  readonly before?: string;
  readonly limit: number;
}

interface ShowOptions extends CommonOptions {
  readonly limit: number;
}

/** What a step of the command line says. */
interface StepOptions extends ActOptions {
  readonly verdict?: string;
  readonly owner?: string;
  readonly until?: string;
  readonly seen?: number;
}

interface Step {
  readonly verb: string;
  readonly move: CaseMove;
  readonly summary: string;
  readonly done: string;
  readonly example: string;
}

const STEPS: readonly Step[] = [
  { verb: 'ack', move: 'acknowledge', summary: 'say that you have seen it', done: 'Acknowledged.', example: 'ack 42' },
  {
    verb: 'investigate',
    move: 'investigate',
    summary: 'say that you work on it',
    done: 'Under investigation.',
    example: 'investigate 42',
  },
  {
    verb: 'wait',
    move: 'wait',
    summary: 'say that the partner has to do something',
    done: 'Waits for the partner.',
    example: "wait 42 --reason 'they look for the fault'",
  },
  {
    verb: 'resolve',
    move: 'resolve',
    summary: 'close it with a verdict; the next of its kind opens it again',
    done: 'Resolved.',
    example: "resolve 42 --verdict peer_bug --reason 'fixed in their 2.1'",
  },
  {
    verb: 'suppress',
    move: 'suppress',
    summary: 'absorb repeats until a moment',
    done: 'Suppressed.',
    example: "suppress 42 --owner ann --until 2026-12-31T12:00:00Z --reason 'known fault'",
  },
  {
    verb: 'reopen',
    move: 'reopen',
    summary: 'open it again',
    done: 'Open again.',
    example: "reopen 42 --reason 'it was not that'",
  },
];

export function addCase(program: Command, cli: Cli): void {
  const group = program
    .command('case')
    .summary('what was refused and what else wants review, grouped')
    .description(
      'A case stands for all that was refused of one partner for one reason, in one feed, under one key; or for one kind of event that wants review. Each step stands in the audit log with who took it.',
    );
  const list = withCaseFilters(withKeyFile(group.command('list').summary('cases, newest first; open ones')))
    .option('--before <id>', 'only cases that were opened before this one')
    .addOption(limitOption(50, 'most cases to show'))
    .action(action<ListOptions>(cli, runList));
  withExamples(withCommonOptions(list), ['case list --severity critical,high --data ./acme']);
  const show = withKeyFile(group.command('show').summary('one case with its newest records'));
  show.argument('<id>', 'number or uid').addOption(limitOption(20, 'most records to show'));
  show.action(action<ShowOptions>(cli, runShow));
  withExamples(withCommonOptions(show), ['case show 42 --data ./acme']);
  for (const step of STEPS) addStep(group, cli, step);
  addNames(group, cli);
  addCaseBulk(group, cli);
}

function addStep(group: Command, cli: Cli, { verb, move, summary, done, example }: Step): void {
  const command = stepCommand(group, verb, summary);
  withReason(command, CASE_MOVES[move].needsWhy);
  if (move === 'resolve')
    command.addOption(new Option('--verdict <verdict>', 'what it was').choices(CASE_VERDICTS).makeOptionMandatory());
  if (move === 'suppress') {
    command.requiredOption('--owner <name>', 'who answers for it');
    command.requiredOption('--until <time>', 'when it ends, such as 2026-12-31T12:00:00Z', readInstant);
  }
  command.action(
    action<StepOptions>(cli, (context, [id = ''], { verdict, owner, until, reason, seen }) =>
      take(context, id, move, { verdict, owner, until, why: reason }, seen, done),
    ),
  );
  withExamples(withCommonOptions(command), [`case ${example} --data ./acme`]);
}

/** Steps that say something of a case and leave its state. */
function addNames(group: Command, cli: Cli): void {
  const assign = stepCommand(group, 'assign', 'say who works on it').argument('[name]', 'nobody when it is left out');
  assign.action(
    action<StepOptions>(cli, (context, [id = '', assignee = null], { seen }) =>
      take(context, id, 'assign', { assignee }, seen, assignee === null ? 'It is nobody’s.' : 'Assigned.'),
    ),
  );
  withExamples(withCommonOptions(assign), ['case assign 42 ann --data ./acme']);
  const note = stepCommand(group, 'note', 'add a note').argument('<text>', 'the note, 1 to 500 characters');
  note.action(
    action<StepOptions>(cli, (context, [id = '', why = ''], { seen }) =>
      take(context, id, 'note', { why }, seen, 'Noted.'),
    ),
  );
  withExamples(withCommonOptions(note), ["case note 42 'asked them by telephone' --data ./acme"]);
  const ticket = stepCommand(group, 'ticket', 'name its ticket elsewhere').argument(
    '[ticket]',
    'address or number; none when it is left out',
  );
  ticket.action(
    action<StepOptions>(cli, (context, [id = '', name = null], { seen }) =>
      take(context, id, 'ticket', { ticket: name }, seen, 'Linked.'),
    ),
  );
  withExamples(withCommonOptions(ticket), ['case ticket 42 SEC-17 --data ./acme']);
}

function stepCommand(group: Command, verb: string, summary: string): Command {
  return withKeyFile(group.command(verb).summary(summary).argument('<id>', 'number or uid')).addOption(
    new Option('--seen <version>', 'the version that you have looked at; the newest when it is left out').argParser(
      readVersion,
    ),
  );
}

function withReason(command: Command, isNeeded: boolean): void {
  const reason = new Option('--reason <text>', 'a note or the reason: it stands in the audit log');
  command.addOption(isNeeded ? reason.makeOptionMandatory() : reason);
}

async function runList(context: Context, _args: readonly string[], options: ListOptions): Promise<Outcome> {
  const { before, limit } = options;
  const query = { ...caseQuery(options), limit: Math.min(limit, 500), cursor: before };
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/cases', query)));
  const { cases, cursor, has_more } = JSON.parse(json) as ShownCases;
  const human = cases.length === 0 ? 'There is no case that matches.' : casesTable(cases, context.screen);
  return { json, human: has_more ? `${human}\nThere are more: --before ${cursor}` : human };
}

async function runShow(context: Context, [id = '']: readonly string[], { limit }: ShowOptions): Promise<Outcome> {
  const query = { limit: Math.min(limit, 500) };
  const json = await withApi(context, async (api) =>
    expectOk(await api.get(`/v1/cases/${nameOf(id)}`, query), { case: id }),
  );
  return { json, human: caseText(JSON.parse(json) as ShownCaseFile, context.screen) };
}

async function take(
  context: Context,
  given: string,
  move: CaseMove,
  said: Readonly<Record<string, string | null | undefined>>,
  seen: number | undefined,
  done: string,
): Promise<Outcome> {
  const path = `/v1/cases/${nameOf(given)}`;
  const answer = await withApi(context, async (api) => {
    const version = seen ?? (await newestVersion(api, path, given));
    return api.post(`${path}/${move}`, JSON.stringify({ version, ...said }));
  });
  return actedOutcome(answer, done, { case: given });
}

async function newestVersion(api: Api, path: string, given: string): Promise<number> {
  return (JSON.parse(expectOk(await api.get(path, { limit: 1 }), { case: given })) as ShownCaseFile).case.version;
}

function nameOf(text: string): string {
  if (/^(?:[1-9][0-9]{0,14}|[0-9a-f]{32})$/.test(text)) return text;
  const message = `expected the number of a case such as 42, or its uid of 32 hex digits, got ${JSON.stringify(text)}`;
  throw new CliError({ exit: 'usage', message, fix: 'See: stigmem-peerd case list' });
}

function readVersion(text: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected the version that case show says, a whole number.');
}

function readInstant(text: string): string {
  if (parseIsoInstant(text).ok) return text;
  throw new InvalidArgumentError('Expected a moment in ISO 8601, such as 2026-12-31T12:00:00Z.');
}
