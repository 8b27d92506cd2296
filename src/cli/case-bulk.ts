/** `case bulk`: one step for all cases that a filter finds; what it would do is shown first, and done with `--apply`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CASE_VERDICTS } from '../core/case-state.ts';
import { withKeyFile } from './acting.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import { type CaseFilterOptions, caseQuery, withCaseFilters } from './case-filter.ts';
import { action, type Cli, type Context, type Outcome, withCommonOptions, withExamples } from './cli.ts';
import type { Cell, Screen } from './screen.ts';

const VERBS = {
  ack: 'acknowledge',
  investigate: 'investigate',
  wait: 'wait',
  resolve: 'resolve',
  suppress: 'suppress',
  reopen: 'reopen',
  assign: 'assign',
  note: 'note',
} as const;
type Verb = keyof typeof VERBS;

interface BulkOptions extends CaseFilterOptions {
  readonly reason?: string;
  readonly verdict?: string;
  readonly to?: string;
  readonly owner?: string;
  readonly until?: string;
  readonly apply?: string;
}

interface Preview {
  readonly token: string;
  readonly would_change: readonly { readonly id: number; readonly from: string; readonly to: string }[];
  readonly would_refuse: readonly { readonly id: number; readonly code: string }[];
}

interface Done {
  readonly changed: readonly number[];
  readonly proposed: readonly { readonly id: number; readonly proposal: number }[];
  readonly refused: readonly { readonly id: number; readonly code: string }[];
}

export function addCaseBulk(group: Command, cli: Cli): void {
  const command = withKeyFile(
    withCaseFilters(group.command('bulk').summary('one step for all cases that match, after a preview')),
  )
    .argument('<step>', Object.keys(VERBS).join(', '), readVerb)
    .option('--reason <text>', 'a note or the reason: it stands in the audit log')
    .addOption(new Option('--verdict <verdict>', 'to resolve: what it was').choices(CASE_VERDICTS))
    .option('--to <name>', 'to assign: who works on them; nobody when it is left out')
    .option('--owner <name>', 'to suppress: who answers for it')
    .option('--until <time>', 'to suppress: when it ends')
    .option('--apply <token>', 'of the preview: does exactly that, or nothing when a case has changed since')
    .action(action<BulkOptions>(cli, runBulk));
  withExamples(withCommonOptions(command), [
    "case bulk resolve --peer globex --about hlc_future --verdict clock --reason 'their clock was set' --data ./acme",
  ]);
}

async function runBulk(context: Context, [verb = 'ack']: readonly string[], options: BulkOptions): Promise<Outcome> {
  const { reason, verdict, to, owner, until, apply } = options;
  const move = VERBS[verb as Verb];
  const said = { why: reason, verdict, owner, until, ...(move === 'assign' ? { assignee: to ?? null } : {}) };
  const body = JSON.stringify({ filter: caseQuery(options), move, ...said, token: apply });
  const json = await withApi(context, async (api) => expectOk(await api.post('/v1/cases/bulk', body)));
  const answer = JSON.parse(json) as Preview | Done;
  return { json, human: 'token' in answer ? previewText(answer, context.screen) : doneText(answer) };
}

function previewText({ token, would_change, would_refuse }: Preview, screen: Screen): string {
  const changes = would_change.map(({ id, from, to }): Cell[] => [id, from, to]);
  const refusals = would_refuse.map(({ id, code }): Cell[] => [id, 'stays', code]);
  if (changes.length + refusals.length === 0) return 'There is no case that matches.';
  const table = screen.table(['ID', 'FROM', 'TO'], [...changes, ...refusals]);
  if (changes.length === 0) return `${table}\n\nNothing would change.`;
  return `${table}\n\nNothing is done yet. To change these ${changes.length}: the same command with --apply ${token}`;
}

function doneText({ changed, proposed, refused }: Done): string {
  const lines = [`Changed: ${changed.length}.`];
  if (proposed.length > 0) lines.push(`Proposed, for another person to approve: ${proposed.length} (approval list).`);
  if (refused.length > 0)
    lines.push(`Stay as they are: ${refused.map(({ id, code }) => `${id} (${code})`).join(', ')}.`);
  return lines.join('\n');
}

function readVerb(text: string): string {
  if (Object.hasOwn(VERBS, text)) return text;
  throw new InvalidArgumentError(`Expected one of ${Object.keys(VERBS).join(', ')}.`);
}
