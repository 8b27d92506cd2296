import type { Command } from 'commander';
import type { AnchorBackendAnswer, AnchorsAnswer } from '../admin/api/anchors.ts';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import { action, type Cli, type Context, type Outcome, withCommonOptions, withExamples } from './cli.ts';
import { printable } from './printable.ts';
import type { Screen } from './screen.ts';

export function addAnchors(program: Command, cli: Cli): void {
  const group = program
    .command('anchors')
    .summary('checkpoints in transparency logs')
    .description('Checkpoints of this node in logs that it cannot rewrite, and what waits for one.');
  const list = group
    .command('list', { isDefault: true })
    .summary('how far each log is, and the newest checkpoints')
    .description(
      'How far each transparency log is, why it waits if it does, and the newest checkpoints with their places.',
    )
    .action(action(cli, runList));
  withExamples(withCommonOptions(list), [
    'anchors --data ./acme',
    'anchors --data ./acme --json | jq .anchors[0].receipts[0] > receipt.json',
  ]);
  const retry = group
    .command('retry')
    .summary('try everything that waits now')
    .description('Has everything that waits for a transparency log submitted again, without waiting for its time.')
    .action(action(cli, runRetry));
  withExamples(withCommonOptions(retry), ['anchors retry --data ./acme']);
}

async function runList(context: Context): Promise<Outcome> {
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/anchors?limit=20')));
  const { backends, anchors, tee } = JSON.parse(json) as AnchorsAnswer;
  const rows = anchors.map(({ log, tree_size, created_at, receipts }) => [
    log,
    tree_size,
    created_at,
    receipts.map(({ backend, log_index }) => `${backend} ${log_index}`).join(', ') || {
      text: 'waits',
      style: 'yellow' as const,
    },
  ]);
  const table = context.screen.table(['LOG', 'SIZE', 'MADE', 'STANDS AT'], rows);
  const report = tee === null ? [] : ['', teeLine(tee)];
  return { json, human: [backendLines(backends, context.screen), '', table, ...report].join('\n') };
}

async function runRetry(context: Context): Promise<Outcome> {
  const json = await withApi(context, async (api) => expectOk(await api.post('/v1/anchors/retry', '{}')));
  const { backends } = JSON.parse(json) as AnchorsAnswer;
  return { json, human: backendLines(backends, context.screen) };
}

function teeLine({
  audit_seq,
  log,
  tree_size,
  provider,
  binding,
  taken_at,
}: NonNullable<AnchorsAnswer['tee']>): string {
  const names = binding === 'bound' ? 'names' : 'is of a form that is not known here, and may name,';
  return `Newest report of this machine (${printable(provider)}, ${taken_at}) ${names} the checkpoint of ${log} ${tree_size}: audit record ${audit_seq}. Who signed it is not checked here: verify tee.`;
}

/** A line for each log: `rekor  3 checkpoints wait, the oldest for 12 min: …`. */
export function backendLines(backends: readonly AnchorBackendAnswer[], screen: Screen): string {
  if (backends.length === 0) return 'No transparency log is configured: see [anchor] in config.toml.';
  return screen.pairs(
    backends.map(({ backend, pending, last_error, sentence }) => [
      backend,
      pending > 0 && last_error !== null ? { text: sentence, style: 'yellow' } : sentence,
    ]),
  );
}
