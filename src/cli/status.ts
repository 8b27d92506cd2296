import type { Command } from 'commander';
import type { AnchorBackendAnswer, AnchorsAnswer } from '../admin/api/anchors.ts';
import type { DrillsAnswer } from '../admin/api/drills.ts';
import type { HeadAnswer } from '../admin/api/journal.ts';
import type { ReadinessAnswer, WellKnown } from '../admin/api/node.ts';
import type { SigningKeysAnswer } from '../admin/api/signing-keys.ts';
import type { WeakeningsAnswer } from '../admin/api/weakenings.ts';
import type { WitnessAnswer } from '../admin/api/witness.ts';
import { dataPaths } from '../config/data-dir.ts';
import { openPeerFolder } from '../config/peer-folder.ts';
import { type ConfigProblem, problemText } from '../config/problem.ts';
import type { KeyStatus } from '../core/key-status.ts';
import type { PeerStatus } from '../core/peer-status.ts';
import { plural } from '../core/plural.ts';
import { type Api, withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import { action, type Cli, type Context, type Outcome, withCommonOptions, withExamples } from './cli.ts';
import { keyWarnings } from './keys.ts';
import { refusesSentences } from './peer-notices.ts';
import { acknowledgedSentence, peerTable } from './peer-table.ts';
import { weakeningLine } from './run.ts';
import type { Screen } from './screen.ts';

interface Status {
  readonly node: WellKnown;
  readonly daemon: Api['daemon'];
  readonly readiness: ReadinessAnswer;
  /** Null while the restore guard lets nothing be signed. */
  readonly journal: HeadAnswer | null;
  readonly anchors: readonly AnchorBackendAnswer[];
  /** null while the node does not run. */
  readonly witness: WitnessAnswer | null;
  readonly peers: readonly PeerStatus[];
  /** Signing keys of the node and of its peers. */
  readonly keys: readonly KeyStatus[];
  readonly weakenings: WeakeningsAnswer['weakenings'];
  readonly drills: DrillsAnswer;
  /** What is wrong in peers/ now. */
  readonly peer_file_problems: readonly ConfigProblem[];
}

export function addStatus(program: Command, cli: Cli): void {
  const command = program
    .command('status')
    .summary('how the node and each of its peers is doing')
    .description(
      'Says who the node is, whether it runs and is ready, how large its journal is, and in a sentence per peer how it is doing and what it waits for. Exits with 1 when the running node is not ready.',
    )
    .action(action(cli, runStatus));
  withExamples(withCommonOptions(command), ['status --data ./acme', 'status --data ./acme --json | jq .peers']);
}

async function runStatus(context: Context): Promise<Outcome> {
  const status = await withApi(context, (api) => readStatus(api, context.dir()));
  const isSick = status.daemon !== null && status.readiness.status !== 'ready';
  return { json: JSON.stringify(status), human: human(status, context.screen), exit: isSick ? 'refused' : 'ok' };
}

async function readStatus(api: Api, dir: string): Promise<Status> {
  const node = JSON.parse(expectOk(await api.get('/.well-known/stigmem'))) as WellKnown;
  // 503 is an answer here, not a failure: it says what is not ready.
  const readiness = JSON.parse((await api.get('/readyz')).text) as ReadinessAnswer;
  const head = await api.get('/v1/journal/head');
  const journal = head.status === 503 ? null : (JSON.parse(expectOk(head)) as HeadAnswer);
  const witnessing = await api.get('/v1/witness');
  const witness = witnessing.status === 200 ? (JSON.parse(witnessing.text) as WitnessAnswer) : null;
  const { peers } = JSON.parse(expectOk(await api.get('/v1/federation/peers'))) as { peers: readonly PeerStatus[] };
  const { backends: anchors } = JSON.parse(expectOk(await api.get('/v1/anchors?limit=1'))) as AnchorsAnswer;
  const { keys } = JSON.parse(expectOk(await api.get('/v1/keys'))) as SigningKeysAnswer;
  const { weakenings } = JSON.parse(expectOk(await api.get('/v1/configuration/weakenings'))) as WeakeningsAnswer;
  const drills = JSON.parse(expectOk(await api.get('/v1/drills'))) as DrillsAnswer;
  const { problems } = openPeerFolder(dataPaths(dir).peers, node.node_id).state();
  const { daemon } = api;
  return {
    node,
    daemon,
    readiness,
    journal,
    anchors,
    witness,
    peers,
    keys,
    weakenings,
    drills,
    peer_file_problems: problems,
  };
}

function human(status: Status, screen: Screen): string {
  const { node, daemon, journal, readiness } = status;
  const state = daemon === null ? 'not running' : `running since ${daemon.started_at} (pid ${daemon.pid})`;
  const lag = journal === null || journal.projection_lag === 0 ? '' : `, ${journal.projection_lag} not in queries yet`;
  const pairs = screen.pairs([
    ['node', node.node_id],
    ['state', daemon === null ? { text: state, style: 'yellow' } : { text: state, style: 'green' }],
    ['version', node.peerd.version],
    ['api', daemon === null ? null : daemon.api],
    ['peer id', node.peerd.peer_id],
    ['addresses', node.peerd.addresses.join(' ') || null],
    [
      'journal',
      journal === null
        ? 'held'
        : `${plural(journal.size, 'fact')}${lag}, audit log ${plural(journal.audit.size, 'record')}`,
    ],
    ['witnessed', status.witness === null ? null : witnessed(status.witness)],
    ['feeds', journal?.feeds.map(({ feed, length }) => `${feed} ${length}`).join(', ') || null],
    ['drills', drilled(status.drills)],
    ['anchors', status.anchors.map(({ backend, sentence }) => `${backend} ${sentence}`).join('; ') || 'in no log'],
  ]);
  const sick = daemon === null ? [] : readiness.checks.filter(({ ok }) => !ok);
  const warnings = [
    ...sick.map(({ name, detail }) => `not ready: ${name}: ${detail}`),
    ...readiness.notices,
    ...(status.witness === null ? [] : witnessWarnings(status.witness)),
    ...status.weakenings.map(weakeningLine),
    ...status.peers.flatMap(refusesSentences),
    ...keyWarnings(status.keys),
    ...status.peer_file_problems.map((problem) => `peer file: ${problemText(problem)}`),
  ].map((line) => `${screen.paint('yellow', '!')} ${line}`);
  const peers =
    status.peers.length === 0
      ? 'No peers. Make one a code: stigmem-peerd peer invite --help'
      : peerTable(status.peers, screen);
  const receipts = status.peers.flatMap((peer) => acknowledgedSentence(peer) ?? []);
  return [
    pairs,
    '',
    peers,
    ...(receipts.length > 0 ? ['', ...receipts] : []),
    ...(warnings.length > 0 ? ['', ...warnings] : []),
  ].join('\n');
}

/** The newest drill, and which did not end as they have to. */
function drilled({ kinds }: DrillsAnswer): string {
  const failed = kinds.filter(({ last_state }) => last_state === 'failed').map(({ kind }) => kind);
  const newest = kinds
    .flatMap(({ last_run_at }) => last_run_at ?? [])
    .sort()
    .at(-1);
  if (newest === undefined) return 'none was made: stigmem-peerd drill run --all';
  const made = kinds.filter(({ last_run_at }) => last_run_at !== null).length;
  const state = failed.length === 0 ? 'all passed' : `FAILED: ${failed.join(', ')}`;
  return `${made} of ${kinds.length} kinds were made, ${state}; the newest ${newest}`;
}

/** Of the newest checkpoint: how many have cosigned it, and what our own policy says to that. */
function witnessed({ size, cosignatures, policy }: WitnessAnswer): string {
  const count = `${plural(cosignatures.length, 'cosignature')} on ${plural(size, 'fact')}`;
  if (policy === null) return `${count}, no policy of our own`;
  return policy.met ? `${count}, our policy is met` : `${count}, our policy is not met`;
}

function witnessWarnings({ policy, logs }: WitnessAnswer): string[] {
  const open = logs.filter(({ unreconciled }) => unreconciled > 0);
  const lines = open.map(({ origin, unreconciled }) => {
    return `${origin}: ${plural(unreconciled, 'head')} seen elsewhere that it has not joined with ours`;
  });
  if (policy === null || policy.met) return lines;
  const served =
    policy.met_size === null ? 'none has met it yet' : `peers are served ${plural(policy.met_size, 'fact')}`;
  return [...lines, `our witness policy is not met: no cosignature of ${policy.missing.join(', ')}; ${served}`];
}
