import type { Command } from 'commander';
import { withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import { action, type Cli, type Context, type Outcome, withCommonOptions, withExamples } from './cli.ts';
import type { Cell, Screen } from './screen.ts';
import type { KeyStatus, SigningKeysAnswer } from './wire-shapes.ts';

export function addKeys(program: Command, cli: Cli): void {
  const group = program
    .command('keys')
    .summary('signing keys, ours and those of peers')
    .description(
      'Keys that sign logs, cosignatures and anchors, as each node declares them. API keys: stigmem-peerd key.',
    );
  const list = group
    .command('list')
    .summary('how long each key is good, and who has to act')
    .description(
      'Lists our own signing keys and those that peers declare, how long each is good, and for one that ends within 30 days who has to do what.',
    )
    .action(action(cli, runList));
  withExamples(withCommonOptions(list), [
    'keys list --data ./acme',
    "keys list --data ./acme --json | jq '.keys[] | select(.warning)'",
  ]);
}

async function runList(context: Context): Promise<Outcome> {
  const json = await withApi(context, async (api) => expectOk(await api.get('/v1/keys')));
  const { keys } = JSON.parse(json) as SigningKeysAnswer;
  return { json, human: human(keys, context.screen) };
}

function human(keys: readonly KeyStatus[], screen: Screen): string {
  const rows = keys.map((key) => [
    key.peer ?? 'self',
    key.use,
    key.name,
    key.key_id,
    stateCell(key),
    key.not_after,
    key.days_left,
  ]);
  const table = screen.table(['OWNER', 'USE', 'NAME', 'KEY', 'STATE', 'ENDS', 'DAYS LEFT'], rows);
  const warnings = keyWarnings(keys).map((line) => `${screen.paint('yellow', '!')} ${line}`);
  return [table, ...(warnings.length > 0 ? ['', ...warnings] : [])].join('\n');
}

function stateCell({ state, warning }: KeyStatus): Cell {
  if (state === 'replaced') return { text: state, style: 'dim' };
  return warning === null ? state : { text: state, style: 'yellow' };
}

export function keyWarnings(keys: readonly KeyStatus[]): readonly string[] {
  return keys.flatMap(({ warning }) => warning?.sentence ?? []);
}
