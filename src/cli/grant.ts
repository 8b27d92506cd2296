import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import type { FactLineAnswer, GrantDiffAnswer, GrantPreviewAnswer } from '../admin/api/grants.ts';
import { dataPaths } from '../config/data-dir.ts';
import { PEER_SUFFIX } from '../config/peer-file.ts';
import { plural } from '../core/plural.ts';
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
import { CliError } from './exit.ts';
import { limitOption } from './numbers.ts';
import type { Screen } from './screen.ts';

interface PreviewOptions extends CommonOptions {
  readonly limit: number;
}

export function addGrant(program: Command, cli: Cli): void {
  const group = program
    .command('grant')
    .summary('who may read what: before and after a change')
    .description(
      'Grants stand in peer files. These commands say what they mean for the facts that are there; they change nothing.',
    );
  const preview = group
    .command('preview')
    .summary('everything that a partner may read now, and what not and why')
    .argument('<peer>', 'name of the partner, or its node id')
    .addOption(limitOption(10, 'newest facts to name'))
    .action(action<PreviewOptions>(cli, runPreview));
  withExamples(withCommonOptions(preview), ['grant preview globex --data ./acme']);
  const diff = group
    .command('diff')
    .summary('what a changed peer file would let flow and stop, before it applies')
    .description(
      'Compares a proposed peer file with the one in force for the same node id. With the name of a partner: what stands in peers/ now with what the running node goes by.',
    )
    .argument('<file>', 'a proposed peer file, or the name of a partner')
    .action(action(cli, runDiff));
  withExamples(withCommonOptions(diff), ['grant diff /tmp/globex.toml --data ./acme']);
}

async function runPreview(
  context: Context,
  [peer = '']: readonly string[],
  { limit }: PreviewOptions,
): Promise<Outcome> {
  const path = `/v1/federation/peers/${encodeURIComponent(peer)}/grants`;
  const json = await withApi(context, async (api) => expectOk(await api.get(path, { limit })));
  return { json, human: previewText(JSON.parse(json) as GrantPreviewAnswer, context.screen) };
}

function previewText({ peer, open, shut, empty, examples }: GrantPreviewAnswer, screen: Screen): string {
  const total = open.reduce((sum, { length }) => sum + length, 0);
  const head = open.length === 0 ? `${peer} may read nothing.` : `${peer} may read ${count(total)} now.`;
  const feeds = open.map(({ feed, length, given, acknowledged, sentence }) => [
    feed,
    length,
    given,
    acknowledged,
    sentence,
  ]);
  const others = [...shut.map(({ feed, length, sentence }) => [feed, length, sentence] as const)];
  return [
    head,
    ...(open.length === 0 ? [] : ['', screen.table(['FEED', 'FACTS', 'GIVEN', 'ACKNOWLEDGED', 'WHY'], feeds)]),
    ...(others.length === 0 ? [] : ['', screen.table(['FEED', 'FACTS', 'WHY NOT'], others)]),
    ...(empty.length === 0 ? [] : ['', ...empty.map(({ sentence }) => `no facts yet: ${sentence}`)]),
    ...factLines(examples, screen),
  ].join('\n');
}

async function runDiff(context: Context, [given = '']: readonly string[]): Promise<Outcome> {
  const path = existsSync(given) ? given : join(dataPaths(context.dir()).peers, `${given}${PEER_SUFFIX}`);
  if (!existsSync(path)) {
    const message = `expected a peer file or the name of a partner, got ${JSON.stringify(given)}`;
    throw new CliError({ exit: 'not_found', message, fix: 'See: stigmem-peerd peer list' });
  }
  const body = JSON.stringify({ name: basename(path, PEER_SUFFIX), toml: readFileSync(path, 'utf8') });
  const json = await withApi(context, async (api) => expectOk(await api.post('/v1/federation/grants/diff', body)));
  return { json, human: diffText(JSON.parse(json) as GrantDiffAnswer, context.screen) };
}

const VERBS: Readonly<Record<GrantDiffAnswer['changes'][number]['change'], string>> = {
  starts: 'starts',
  stops: 'stops',
  regrants: 'goes on under another grant',
  later: 'shut, otherwise than before',
};

function diffText({ node_id, in_force, changes, examples }: GrantDiffAnswer, screen: Screen): string {
  const against = in_force === null ? 'no file is in force for it' : `in force: ${in_force}`;
  if (changes.length === 0) return `Nothing changes for ${node_id} (${against}).`;
  const sum = (change: string, of: 'new_facts' | 'given'): number =>
    changes.filter((one) => one.change === change).reduce((total, one) => total + one[of], 0);
  const rows = changes.map(({ feed, change, new_facts, given, before, after }) => [
    feed,
    VERBS[change],
    change === 'starts' ? new_facts : given,
    { lines: [`before: ${before}`, `after: ${after}`] },
  ]);
  const stops = changes.some(({ change }) => change === 'stops');
  return [
    `For ${node_id} (${against}): ${count(sum('starts', 'new_facts'))} would start to flow.`,
    ...(stops ? [`Of what stops, it was given ${count(sum('stops', 'given'))} already; they stay there.`] : []),
    '',
    screen.table(['FEED', 'CHANGE', 'FACTS', 'WHY'], rows),
    ...factLines(examples, screen),
  ].join('\n');
}

function factLines(facts: readonly FactLineAnswer[], screen: Screen): string[] {
  if (facts.length === 0) return [];
  const rows = facts.map(({ feed, feed_seq, fact_id, entity, relation }) => [
    feed,
    feed_seq,
    fact_id,
    entity,
    relation,
  ]);
  return ['', screen.table(['FEED', 'SEQ', 'FACT', 'ENTITY', 'RELATION'], rows)];
}

function count(facts: number): string {
  return plural(facts, 'fact');
}
