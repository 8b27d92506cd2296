import { type Command, Option } from 'commander';
import type { WellKnown } from '../admin/api/node.ts';
import { type JsonValue, jsonText, parseJson } from '../core/json.ts';
import { SCOPES } from '../core/scope.ts';
import { VALUE_TYPES } from '../core/value.ts';
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
import { factPairs, readFact } from './fact-view.ts';

interface AssertOptions extends CommonOptions {
  readonly entity: string;
  readonly relation: string;
  readonly value?: string;
  readonly scope: string;
  readonly type: string;
  readonly source?: string;
  readonly confidence: string;
  readonly validUntil?: string;
  readonly garden?: string;
}

export function addAssert(program: Command, cli: Cli): void {
  const command = program
    .command('assert')
    .summary('assert one fact')
    .description(
      'Asserts a fact. Asserting the same fact again changes nothing and shows the one that is there. The source must be of this node’s namespace for peers to take the fact; without --source it is stigmem://<authority of this node>/operator.',
    )
    .requiredOption('--entity <uri>', 'what the fact is about')
    .requiredOption('--relation <name>', 'what is said about it, with a prefix: acme:status')
    .option('--value <value>', 'the value; needed for every type but null')
    .addOption(new Option('--scope <scope>', 'who may see it').choices(SCOPES).makeOptionMandatory())
    .addOption(new Option('--type <type>', 'type of the value').choices(VALUE_TYPES).default('string'))
    .option('--source <uri>', 'who says it')
    .option('--confidence <number>', 'from 0 to 1', '1')
    .option('--valid-until <time>', 'ISO time after which it no longer holds')
    .option('--garden <name>', 'garden to write it to')
    .action(action<AssertOptions>(cli, runAssert));
  withExamples(withCommonOptions(command), [
    'assert --data ./acme --entity stigmem://acme.example/host/web1 --relation acme:status --value up --scope public',
    'assert --data ./acme --entity stigmem://acme.example/host/web1 --relation acme:cores --type number --value 8 --scope company',
  ]);
}

async function runAssert(context: Context, _args: readonly string[], options: AssertOptions): Promise<Outcome> {
  const value = valueText(options.type, options.value);
  const confidence = numberText('--confidence', options.confidence);
  return withApi(context, async (api) => {
    const source = options.source ?? (await operatorSource(api));
    return assertFact(context, api, {
      entity: options.entity,
      relation: options.relation,
      value,
      source,
      confidence,
      scope: options.scope,
      validUntil: options.validUntil ?? null,
      garden: options.garden ?? null,
    });
  });
}

export interface FactText {
  readonly entity: string;
  readonly relation: string;
  /** JSON text of `{"type": …, "v": …}`: number literals keep the digits they were typed with. */
  readonly value: string;
  readonly source: string;
  /** JSON number literal. */
  readonly confidence: string;
  readonly scope: string;
  readonly validUntil: string | null;
  readonly garden: string | null;
}

/** Posts one fact and shows it as stored. @throws CliError when it is refused */
export async function assertFact(context: Context, api: Api, fact: FactText): Promise<Outcome> {
  const { entity, relation, source, scope } = fact;
  const plain = JSON.stringify({
    entity,
    relation,
    source,
    scope,
    valid_until: fact.validUntil,
    garden_id: fact.garden,
  });
  const answer = await api.post(
    '/v1/facts',
    `${plain.slice(0, -1)},"confidence":${fact.confidence},"value":${fact.value}}`,
  );
  if (answer.status === 404 && fact.garden !== null) throw unknownGarden(fact.garden);
  const text = expectOk(answer);
  const stored = readFact(text);
  for (const warning of stored.warnings) context.note(`${context.screen.paint('yellow', 'warning:')} ${warning}`);
  return { json: text, human: factPairs(stored, context.screen) };
}

function unknownGarden(garden: string): CliError {
  const message = `garden not found: ${JSON.stringify(garden)} is not among those of this node`;
  return new CliError({ exit: 'not_found', message, fix: 'List it in config.toml (gardens = ["…"]), and restart.' });
}

/** The source of what an operator asserts by hand. */
export async function operatorSource(api: Api): Promise<string> {
  const node = JSON.parse(expectOk(await api.get('/.well-known/stigmem'))) as WellKnown;
  return `${node.node_id}/operator`;
}

/** `{"type": …, "v": …}` for a typed value from the command line. @throws CliError `usage` */
export function valueText(type: string, value: string | undefined): string {
  if (type === 'null') return '{"type":"null","v":null}';
  if (value === undefined) {
    throw new CliError({ exit: 'usage', message: `expected --value with a ${type}, got none`, fix: 'Add --value.' });
  }
  if (type === 'number') return `{"type":"number","v":${numberText('--value', value)}}`;
  if (type !== 'boolean') return JSON.stringify({ type, v: value });
  if (value === 'true' || value === 'false') return `{"type":"boolean","v":${value}}`;
  const message = `expected --value true or false, got ${JSON.stringify(value)}`;
  throw new CliError({ exit: 'usage', message, fix: 'Correct it, or use --type string.' });
}

function numberText(option: string, text: string): string {
  const parsed = parseJson(text);
  const value: JsonValue | undefined = parsed.ok ? parsed.value : undefined;
  // NaN and Infinity parse as Python parses them; they are no JSON and no fact.
  if (value !== undefined && /^-?[0-9]/.test(text.trim()) && typeof value === 'object') return jsonText(value);
  const message = `expected ${option} with a number such as 0.5, got ${JSON.stringify(text)}`;
  throw new CliError({ exit: 'usage', message, fix: 'Correct it.' });
}
