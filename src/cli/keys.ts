import { Argument, type Command } from 'commander';
import type { SigningKeysAnswer } from '../admin/api/signing-keys.ts';
import type { SeedUse } from '../config/secret-file.ts';
import type { KeyStatus } from '../core/key-status.ts';
import { DAY_MS } from '../core/time.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
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
import { wholeNumber } from './numbers.ts';
import type { Cell, Screen } from './screen.ts';

const KEY_USES: readonly SeedUse[] = ['log', 'witness', 'anchor', 'node'];
const OVERLAP_DAYS = 7;
const MAX_DAYS = 365;

interface RotateOptions extends CommonOptions {
  readonly overlap?: number;
}

export function addKeys(program: Command, cli: Cli): void {
  const group = program
    .command('keys')
    .summary('signing keys, ours and those of peers')
    .description(
      'Keys that sign logs, cosignatures and anchors, as each node declares them. API keys: stigmem-peerd key.',
    );
  addRotate(group, cli);
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

function addRotate(group: Command, cli: Cli): void {
  const rotate = group
    .command('rotate')
    .summary('put a new key in the place of one of ours')
    .description(
      'Makes a new key and a statement, signed by the old and the new one, that it takes over; peers follow it by themselves. The old key signs beside it until the overlap is over, for those who only know that one. The node key takes over at a start after the overlap: until then peers are told. Stop the daemon first.',
    )
    .addArgument(new Argument('<use>', 'which key').choices(KEY_USES))
    .option('--overlap <days>', 'days in which the old key is good too (7)', (text) => wholeNumber(text, 0, MAX_DAYS))
    .action(action<RotateOptions>(cli, runRotate));
  withExamples(withCommonOptions(rotate), [
    'keys rotate log --data ./acme',
    'keys rotate node --overlap 30 --data ./acme',
  ]);
}

async function runRotate(context: Context, [use = '']: readonly string[], options: RotateOptions): Promise<Outcome> {
  const node = await context.node();
  const rotation = { overlapMs: (options.overlap ?? OVERLAP_DAYS) * DAY_MS, actor: 'cli' };
  const { kind, statement } = await node
    .rotateKey(context.dir(), use as SeedUse, rotation)
    .catch((thrown: unknown) => Promise.reject(whileItRuns(thrown, use)));
  const { note, nodeId: node_id, v, ...said } = statement;
  if (kind === 'pending') {
    const message = `the ${use} key is being changed already: ${said.new} takes over at ${said.effective_at}`;
    throw new CliError({
      exit: 'refused',
      message,
      fix: 'Start the daemon after that time; then it can be changed again.',
    });
  }
  return { json: JSON.stringify({ kind, node_id, ...said, statement: note }), human: rotated(kind, statement) };
}

/** No API changes a key: the running daemon signs with it. */
function whileItRuns(thrown: unknown, use: string): unknown {
  if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'locked')) return thrown;
  const fix = `Keys are changed while the daemon is stopped: stop it, then stigmem-peerd keys rotate ${use}, then start it.`;
  return new CliError({ exit: 'unavailable', message: thrown.message, fix, code: 'locked' }, { cause: thrown });
}

function rotated(kind: 'changed' | 'announced', { use, old, new: next, ...times }: OpenedSuccession): string {
  const keys = [`old ${old}`, `new ${next}`];
  if (kind === 'announced') {
    const when = `The new ${use} key takes over at the first start after ${times.effective_at}. Start the daemon now: it tells the peers.`;
    return [...keys, when, 'A partner that is not told by then has to put the new peer id into its peer file.'].join(
      '\n',
    );
  }
  const done = `The ${use} key is changed; the old one signs beside it until ${times.overlap_until}. Start the daemon: peers follow by themselves.`;
  return [...keys, done, ...(WHO_ELSE[use] === '' ? [] : [WHO_ELSE[use]])].join('\n');
}

/** Those that no statement reaches. */
const WHO_ELSE: Readonly<Record<SeedUse, string>> = {
  log: 'External witnesses, and readers that were given the log key, need the new one before then.',
  witness: 'Policies of nodes that are no peers of ours need the new key before then.',
  anchor: '',
  node: '',
};

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
