import { type Command, Option } from 'commander';
import { isJsonNumber, isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { pluralIs } from '../core/plural.ts';
import { SCOPES } from '../core/scope.ts';
import { type Answer, withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import { checkBundles, logOf, VERIFY_FULL } from './check-bundles.ts';
import {
  action,
  type Cli,
  type CommonOptions,
  type Context,
  type Outcome,
  withCommonOptions,
  withExamples,
} from './cli.ts';
import { readObject, viewOf } from './fact-view.ts';
import { wholeNumber } from './numbers.ts';

interface RecallOptions extends CommonOptions {
  readonly scope: string;
  readonly budget: number;
  readonly limit: number;
  readonly verify?: boolean;
}

export function addRecall(program: Command, cli: Cli): void {
  const command = program
    .command('recall')
    .summary('the facts that answer some words best')
    .description(
      'Facts of one scope, ranked by the words of entity, relation and value, by age and confidence, as many as fit the token budget. Facts that are contradicted, retracted, expired or quarantined are left out.',
    )
    .argument('<words>', 'what to look for')
    .addOption(new Option('--scope <scope>', 'scope').choices(SCOPES).default('local'))
    .option('--budget <tokens>', 'token budget', (text) => wholeNumber(text, 1, 200_000), 4_000)
    .option('--limit <number>', 'most facts', (text) => wholeNumber(text, 1, 500), 20)
    .option('--verify', 'have each fact proved, and check the proof')
    .action(action<RecallOptions>(cli, runRecall));
  withExamples(withCommonOptions(command), [
    'recall "owner of billing" --data ./acme --scope company',
    'recall "owner of billing" --data ./acme --scope company --verify --json',
  ]);
}

async function runRecall(context: Context, [words = '']: readonly string[], options: RecallOptions): Promise<Outcome> {
  const { scope, budget, limit } = options;
  const body = JSON.stringify({ query: words, scope, token_budget: budget, limit });
  return withApi(context, async (api) => {
    const headers = options.verify === true ? VERIFY_FULL : {};
    const answer = await api.post('/v1/recall', body, headers);
    const json = expectOk(answer);
    const { facts, bundles, truncated } = readRecallAnswer(json);
    const sentence = options.verify === true ? checkBundles(facts, bundles, await logOf(context, api)) : null;
    const parts = [table(context, facts, scope), sentence, truncated, unindexed(answer)];
    return { json, human: parts.filter((part) => part !== null).join('\n\n') };
  });
}

function table(context: Context, facts: readonly JsonObject[], scope: string): string {
  if (facts.length === 0) {
    const others = SCOPES.filter((one) => one !== scope).join(', ');
    return `No fact of scope ${scope} has these words. Other scopes: --scope with one of ${others}.`;
  }
  const rows = facts.map((fact) => {
    const { entity, relation, value, receivedFrom, source, id } = viewOf(fact);
    return [entity, relation, value, receivedFrom ?? source, id];
  });
  return context.screen.table(['ENTITY', 'RELATION', 'VALUE', 'FROM', 'ID'], rows);
}

function unindexed({ headers }: Answer): string | null {
  const count = headers.get('stigmem-unindexed') ?? '0';
  return count === '0'
    ? null
    : `Of the newest part of the journal ${pluralIs(Number(count), 'entry', 'entries')} not indexed yet: ask again in a moment.`;
}

export function readRecallAnswer(text: string): {
  readonly facts: readonly JsonObject[];
  readonly bundles: JsonValue | undefined;
  readonly truncated: string | null;
} {
  const answer = readObject(text);
  const scored = answer.get('facts');
  const facts = (Array.isArray(scored) ? scored : []).flatMap((one) => {
    const fact = isJsonObject(one) ? one.get('fact') : undefined;
    return fact !== undefined && isJsonObject(fact) ? [fact] : [];
  });
  const budget = answer.get('token_budget');
  const isCut = answer.get('truncated') === true && isJsonNumber(budget);
  const truncated = isCut ? `More is there than fits ${budget.lexeme} tokens; --budget takes more.` : null;
  return { facts, bundles: answer.get('bundles'), truncated };
}
