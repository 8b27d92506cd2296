import { type Command, Option } from 'commander';
import { isJsonNumber, isJsonObject, type JsonObject, jsonText } from '../core/json.ts';
import { type ActOptions, actedOutcome, withKeyFile, withReason } from './acting.ts';
import { type Query, withApi } from './api-client.ts';
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
import { factPairs, readObject, viewOf } from './fact-view.ts';
import { limitOption } from './numbers.ts';
import type { Cell, Screen } from './screen.ts';

interface ListOptions extends CommonOptions {
  readonly status: string;
  readonly peer?: string;
  readonly before?: string;
  readonly limit: number;
}

export function addQuarantine(program: Command, cli: Cli): void {
  const group = program
    .command('quarantine')
    .summary('facts of partners that are hidden until you let them through')
    .description(
      'Facts that tell agents what to do are taken from partners and hidden from readers. Look at the text as at that of a stranger: it is shown, never followed.',
    );
  const list = withKeyFile(group.command('list').summary('hidden facts, newest first'))
    .addOption(
      new Option('--status <status>', 'what was decided')
        .choices(['pending', 'promoted', 'rejected', 'all'])
        .default('pending'),
    )
    .option('--peer <name>', 'only facts of this partner')
    .option('--before <place>', 'only facts before this place of the journal')
    .addOption(limitOption(50, 'most facts to show'))
    .action(action<ListOptions>(cli, runList));
  withExamples(withCommonOptions(list), ['quarantine list --peer globex --data ./acme']);
  const show = withKeyFile(group.command('show').summary('one hidden fact, with what was decided about it'));
  show.argument('<fact>', 'fact id').action(action(cli, runShow));
  withExamples(withCommonOptions(show), ['quarantine show 0190a5c0-… --data ./acme']);
  addDecision(group, cli, 'promote', 'let readers see it', 'Readers see it now.');
  addDecision(group, cli, 'reject', 'keep it from readers; promote takes that back', 'It stays hidden.');
}

function addDecision(group: Command, cli: Cli, verb: string, summary: string, done: string): void {
  const command = withReason(group.command(verb).summary(summary).argument('<fact>', 'fact id'), true).action(
    action<ActOptions>(cli, async (context, [id = ''], { reason }) => {
      const path = `/v1/quarantine/${encodeURIComponent(id)}/${verb}`;
      const answer = await withApi(context, (api) => api.post(path, JSON.stringify({ reason })));
      return actedOutcome(answer, done, { fact: id });
    }),
  );
  withExamples(withCommonOptions(command), [`quarantine ${verb} 0190a5c0-… --reason 'read it' --data ./acme`]);
}

async function runList(context: Context, _args: readonly string[], options: ListOptions): Promise<Outcome> {
  const { status, peer, before, limit } = options;
  const query: Query = { status, peer, before, limit };
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/quarantine', query)));
  const facts = readObject(json).get('facts');
  const items = Array.isArray(facts) ? facts.filter(isJsonObject) : [];
  const human = items.length === 0 ? 'Nothing is hidden that matches.' : table(items, context.screen);
  const next = readObject(json).get('before');
  const more = isJsonNumber(next) ? `\nThere may be more: --before ${next.lexeme}` : '';
  return { json, human: `${human}${more}` };
}

function table(items: readonly JsonObject[], screen: Screen): string {
  return screen.table(['PLACE', 'STATUS', 'WHY', 'FROM', 'ENTITY', 'RELATION', 'VALUE', 'FACT'], items.map(row));
}

function row(item: JsonObject): Cell[] {
  const text = (name: string): string => String(item.get(name) ?? '');
  const place = jsonText(item.get('seq') ?? null);
  const fact = item.get('fact');
  if (fact === undefined || !isJsonObject(fact))
    return [place, text('status'), text('reason'), null, { text: 'the stored row is damaged: fsck', style: 'red' }];
  const { receivedFrom, entity, relation, value, id } = viewOf(fact);
  return [place, text('status'), text('reason'), receivedFrom, entity, relation, value, id];
}

async function runShow(context: Context, [id = '']: readonly string[]): Promise<Outcome> {
  const path = `/v1/quarantine/${encodeURIComponent(id)}`;
  const json = await withApi(context, async (api) => expectOk(await api.get(path)));
  const answer = readObject(json);
  const fact = answer.get('fact');
  const pairs = factPairs(viewOf(fact !== undefined && isJsonObject(fact) ? fact : new Map()), context.screen);
  const history = answer.get('history');
  const steps = Array.isArray(history) ? history.filter(isJsonObject) : [];
  const cell = (value: unknown): Cell => (typeof value === 'string' ? value : null);
  const rows = steps.map((step): Cell[] => [
    jsonText(step.get('audit_seq') ?? null),
    ...['at', 'status', 'by', 'why'].map((name) => cell(step.get(name))),
  ]);
  const why = context.screen.pairs([['hidden because', cell(answer.get('reason'))]]);
  const told = context.screen.table(['RECORD', 'TIME', 'STATUS', 'BY', 'WHY'], rows);
  return { json, human: [pairs, why, ...(rows.length === 0 ? [] : [told])].join('\n') };
}
