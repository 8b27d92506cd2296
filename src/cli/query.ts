import { type Command, InvalidArgumentError, Option } from 'commander';
import { type JsonObject, jsonText } from '../core/json.ts';
import { plural } from '../core/plural.ts';
import { SCOPES } from '../core/scope.ts';
import { parseIsoInstant } from '../core/time.ts';
import { type Api, type Query, withApi } from './api-client.ts';
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
import { factPairs, readFact, readFactPage, readObject, viewOf } from './fact-view.ts';
import { limitOption } from './numbers.ts';
import type { Screen } from './screen.ts';

/** The API's own page limit. */
const MAX_PAGE = 500;
/** The API counts matches up to here. */
const COUNTED_TO = 1_000;

interface QueryOptions extends CommonOptions {
  readonly entity?: string;
  readonly relation?: string;
  readonly source?: string;
  readonly scope?: string;
  readonly garden?: string;
  readonly minConfidence?: string;
  readonly after?: string;
  readonly includeContradicted?: boolean;
  readonly includeExpired?: boolean;
  readonly includeQuarantined?: boolean;
  readonly includeTombstones?: boolean;
  readonly limit: number;
  readonly all?: boolean;
  readonly verify?: boolean;
}

export function addQuery(program: Command, cli: Cli): void {
  const command = program
    .command('query')
    .summary('find facts, or show one by id or CID')
    .description(
      'With an id or CID: that fact. Without: the facts that match, newest first. Facts that contradict each other, that have expired or that wait for an operator are left out unless asked for. Every row is checked against its hashes before it is shown.',
    )
    .argument('[fact]', 'fact id or CID')
    .option('--entity <uri>', 'exact entity')
    .option('--relation <name>', 'exact relation')
    .option('--source <uri>', 'exact source')
    .addOption(new Option('--scope <scope>', 'scope').choices(SCOPES))
    .option('--garden <name>', 'garden')
    .option('--min-confidence <number>', 'least confidence')
    .option('--after <time>', 'only facts asserted after this ISO time', isoTime)
    .option('--include-contradicted', 'also facts that others contradict')
    .option('--include-expired', 'also facts that have expired')
    .option('--include-quarantined', 'also facts that wait for an operator')
    .option('--include-tombstones', 'also the tombstones of erased facts')
    .addOption(limitOption(50, 'most facts to show'))
    .option('--all', 'all matches, however many')
    .option('--verify', 'have each fact proved, and check the proof')
    .action(action<QueryOptions>(cli, runQuery));
  withExamples(withCommonOptions(command), [
    'query --data ./acme --entity stigmem://acme.example/host/web1',
    'query --data ./acme --relation cldr:name --all --json',
    'query --data ./acme sha256:5be1…',
  ]);
}

async function runQuery(context: Context, [fact]: readonly string[], options: QueryOptions): Promise<Outcome> {
  return withApi(context, (api) =>
    fact === undefined ? queryFacts(context, api, options) : showFact(context, api, fact, options),
  );
}

async function showFact(context: Context, api: Api, id: string, { verify }: QueryOptions): Promise<Outcome> {
  const headers = verify === true ? VERIFY_FULL : {};
  const json = expectOk(await api.get(`/v1/facts/${encodeURIComponent(id)}`, {}, headers), { fact: id });
  const pairs = factPairs(readFact(json), context.screen);
  if (verify !== true) return { json, human: pairs };
  const fact = readObject(json);
  const bundles = new Map([[readFact(json).id, fact.get('bundle') ?? null]]);
  return { json, human: `${pairs}\n\n${checkBundles([fact], bundles, await logOf(context, api))}` };
}

async function queryFacts(context: Context, api: Api, options: QueryOptions): Promise<Outcome> {
  const wanted = options.all === true ? Number.POSITIVE_INFINITY : options.limit;
  const facts: JsonObject[] = [];
  const bundles: JsonObject = new Map();
  const headers = options.verify === true ? VERIFY_FULL : {};
  let total = 0;
  let cursor: string | null = null;
  do {
    const limit = Math.min(MAX_PAGE, wanted - facts.length);
    const page = readFactPage(
      expectOk(await api.get('/v1/facts', { ...queryOf(options), limit, cursor: cursor ?? undefined }, headers)),
    );
    facts.push(...page.facts);
    for (const [id, bundle] of page.bundles) bundles.set(id, bundle);
    total = page.total;
    cursor = page.cursor;
  } while (cursor !== null && facts.length < wanted);
  const json = `{"facts":[${facts.map((fact) => jsonText(fact)).join(',')}],"total":${total},"cursor":${JSON.stringify(cursor)}`;
  const human = table(facts, total, context.screen);
  if (options.verify !== true) return { json: `${json}}`, human };
  const sentence = checkBundles(facts, bundles, await logOf(context, api));
  return { json: `${json},"bundles":${jsonText(bundles)}}`, human: `${human}\n\n${sentence}` };
}

function queryOf(options: QueryOptions): Query {
  return {
    entity: options.entity,
    relation: options.relation,
    source: options.source,
    scope: options.scope,
    garden_id: options.garden,
    min_confidence: options.minConfidence,
    after: options.after,
    include_contradicted: options.includeContradicted,
    include_expired: options.includeExpired,
    include_quarantined: options.includeQuarantined,
    include_tombstones: options.includeTombstones,
  };
}

function table(facts: readonly JsonObject[], total: number, screen: Screen): string {
  if (facts.length === 0) return 'No facts match.';
  const rows = facts.map((fact) => {
    const { entity, relation, value, scope, source, receivedFrom, id } = viewOf(fact);
    return [entity, relation, value, scope, receivedFrom ?? source, id];
  });
  const all = total >= COUNTED_TO ? `${COUNTED_TO} or more facts` : plural(total, 'fact');
  const shown = facts.length < total ? `${facts.length} of ${all}; --all shows all` : all;
  return `${screen.table(['ENTITY', 'RELATION', 'VALUE', 'SCOPE', 'FROM', 'ID'], rows)}\n\n${shown}`;
}

/** The API, as the reference, takes any text and finds nothing after it. */
function isoTime(text: string): string {
  if (parseIsoInstant(text).ok) return text;
  throw new InvalidArgumentError('Expected an ISO time such as 2026-01-31T12:00:00Z.');
}
