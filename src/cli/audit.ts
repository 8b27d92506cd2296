import { type Command, Option } from 'commander';
import type { AuditEntry } from '../admin/api/audit-entry.ts';
import { type Api, type Query, withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import { type AuditFilterOptions, filterQuery, withFilters } from './audit-filter.ts';
import { runTail } from './audit-tail.ts';
import { action, type Cli, type Context, type Outcome, withCommonOptions, withExamples } from './cli.ts';
import { CliError } from './exit.ts';
import { limitOption } from './numbers.ts';
import type { Cell, Screen } from './screen.ts';

const MAX_PAGE = 500;

interface ListOptions extends AuditFilterOptions {
  readonly limit: number;
  readonly all?: boolean;
  readonly order: 'asc' | 'desc';
}

export function addAudit(program: Command, cli: Cli): void {
  const group = program
    .command('audit')
    .summary('what was refused and decided, with evidence')
    .description('The audit log: every refusal with its reason and evidence, and every decision of this node.');
  const list = withFilters(group.command('list').summary('records, newest first'))
    .addOption(limitOption(50, 'most records to show'))
    .option('--all', 'all matches')
    .addOption(new Option('--order <order>', 'by sequence').choices(['asc', 'desc']).default('desc'))
    .action(action<ListOptions>(cli, runList));
  withExamples(withCommonOptions(list), [
    'audit list --data ./acme --peer globex --since 2027-01-01T00:00:00Z',
    'audit list --data ./acme --reason cid_mismatch --all --json',
    'audit list --data ./acme --min-severity critical',
  ]);
  const show = group
    .command('show')
    .summary('one record with its evidence')
    .argument('<seq>', 'sequence of the record')
    .action(action(cli, runShow));
  withExamples(withCommonOptions(show), [
    'audit show 42 --data ./acme',
    'audit show 42 --data ./acme --json > evidence.json',
  ]);
  const tail = withFilters(group.command('tail').summary('follow the log; --json prints one JSON object per line'))
    .option('--after <seq>', 'start behind this sequence (0: from the beginning) instead of now')
    .action(action<AuditFilterOptions & { readonly after?: string }>(cli, runTail));
  withExamples(withCommonOptions(tail), ['audit tail --data ./acme', 'audit tail --data ./acme --after 0 --json']);
}

interface AuditPageAnswer {
  readonly entries: readonly AuditEntry[];
  readonly cursor: string | null;
  readonly has_more: boolean;
}

async function runList(context: Context, _args: readonly string[], options: ListOptions): Promise<Outcome> {
  return withApi(context, async (api) => {
    const { entries, cursor } = await collect(api, options);
    const human = entries.length === 0 ? 'No records match.' : auditTable(entries, context.screen);
    return { json: JSON.stringify({ entries, cursor, has_more: cursor !== null }), human };
  });
}

async function collect(
  api: Api,
  options: ListOptions,
): Promise<{ readonly entries: AuditEntry[]; readonly cursor: string | null }> {
  const wanted = options.all === true ? Number.POSITIVE_INFINITY : options.limit;
  const entries: AuditEntry[] = [];
  let cursor: string | null = null;
  do {
    const limit = Math.min(MAX_PAGE, wanted - entries.length);
    const query: Query = { ...filterQuery(options), order: options.order, limit, cursor: cursor ?? undefined };
    const page = JSON.parse(expectOk(await api.get('/v1/federation/audit', query))) as AuditPageAnswer;
    entries.push(...page.entries);
    cursor = page.has_more ? page.cursor : null;
  } while (cursor !== null && entries.length < wanted);
  return { entries, cursor };
}

function auditTable(entries: readonly AuditEntry[], screen: Screen): string {
  return screen.table(['SEQ', 'TIME', 'SEVERITY', 'EVENT', 'REASON', 'PEER', 'FACT'], entries.map(auditRow));
}

function auditRow(entry: AuditEntry): Cell[] {
  const reason: Cell = entry.reason === null ? null : { text: entry.reason, style: 'red' };
  const isUrgent = entry.severity === 'high' || entry.severity === 'critical';
  const severity: Cell = isUrgent ? { text: entry.severity, style: 'red' } : entry.severity;
  return [
    entry.seq,
    entry.ts,
    severity,
    entry.event_type,
    reason,
    entry.peer_id ?? entry.actor,
    entry.fact_id ?? entry.cid,
  ];
}

async function runShow(context: Context, [seq = '']: readonly string[]): Promise<Outcome> {
  if (!/^[1-9][0-9]{0,15}$/.test(seq)) {
    throw new CliError({
      exit: 'usage',
      message: `expected the sequence of a record such as 42, got ${JSON.stringify(seq)}`,
    });
  }
  const json = await withApi(context, async (api) =>
    expectOk(await api.get(`/v1/federation/audit/${seq}`), { record: seq }),
  );
  const { record, evidence, intact } = JSON.parse(json) as AuditDetailAnswer;
  const { evidence: evidence_hash, ...members } = record;
  const rows = [...Object.entries({ ...members, evidence_hash }), ['evidence', evidence] as const].map(
    ([key, value]): readonly [string, Cell] => [key.replaceAll('_', ' '), cellOf(value)],
  );
  const broken = 'This record is not what was written: it no longer hashes to its leaf.';
  const warning = intact ? '' : `\n${context.screen.paint('red', broken)}`;
  return { json, human: context.screen.pairs(rows) + warning, exit: intact ? 'ok' : 'integrity' };
}

interface AuditDetailAnswer {
  readonly record: AuditEntry;
  readonly evidence: unknown;
  readonly intact: boolean;
}

function cellOf(value: unknown): Cell {
  if (value === null || typeof value === 'number' || typeof value === 'string') return value;
  return typeof value === 'object' ? { lines: JSON.stringify(value, null, 2).split('\n') } : String(value);
}
