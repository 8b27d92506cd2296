/** Collects what the doctor judges, from files, the process and the node. What cannot be had is said, and stops nothing. */
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };
import type { AnchorsAnswer } from '../../admin/api/anchors.ts';
import type { KeyAnswer } from '../../admin/api/key-routes.ts';
import type { SigningKeysAnswer } from '../../admin/api/signing-keys.ts';
import { readTlsPair } from '../../admin/tls-files.ts';
import { type Config, loadConfig } from '../../config/config.ts';
import { dataPaths } from '../../config/data-dir.ts';
import { openPeerFolder } from '../../config/peer-folder.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { readSecretFile } from '../../config/secret-file.ts';
import type { PeerStatus } from '../../core/peer-status.ts';
import { VERSION } from '../../node/version.ts';
import { type Api, configFailure, withApi } from '../api-client.ts';
import { expectOk } from '../api-failure.ts';
import { checkBundles, logOf, VERIFY_FULL } from '../check-bundles.ts';
import type { Context } from '../cli.ts';
import { CliError } from '../exit.ts';
import { readFactPage, viewOf } from '../fact-view.ts';
import { readRecallAnswer } from '../recall.ts';
import type { Facts, NodeFacts, ProcessFacts, RecallFacts } from './facts.ts';
import { LIST_MOST } from './trust-checks.ts';

export async function gatherFacts(context: Context): Promise<Facts> {
  const dir = context.dir();
  const loaded = loadConfig(dir, context.runtime.env, {});
  // Without a node there is nothing to look at.
  if (!loaded.ok && loaded.error.code === 'not_initialised') throw configFailure(loaded.error);
  const config = loaded.ok ? loaded.value : null;
  const { node, fault, pid } = await askNode(context);
  const { problems, peers } = config === null ? NO_PEERS : openPeerFolder(dataPaths(dir).peers, config.nodeId).state();
  return {
    dir,
    nowMs: context.runtime.nowMs(),
    program: { version: VERSION, node: process.versions.node, needsNode: packageJson.engines.node.replace('>=', '') },
    configProblems: loaded.ok ? [] : loaded.error.problems,
    config,
    peerProblems: problems,
    peerFiles: [...peers.values()],
    secretProblems: secretProblems(dir, config),
    folderMode: statSync(dir, { throwIfNoEntry: false })?.mode ?? 0,
    createdMs: await createdMs(context, dir),
    disk: { freeBytes: freeBytes(dir), usedBytes: usedBytes(dir) },
    certificate: config === null ? null : certificateOf(config),
    process: pid === null ? null : processFacts(pid),
    node,
    nodeFault: fault,
  };
}

const NO_PEERS = { problems: [], peers: new Map<string, never>() };

interface Asked {
  readonly node: NodeFacts | null;
  readonly fault: string | null;
  readonly pid: number | null;
}

async function askNode(context: Context): Promise<Asked> {
  let pid: number | null = null;
  try {
    const node = await withApi(context, (api) => {
      pid = api.daemon?.pid ?? null;
      return nodeFacts(context, api);
    });
    return { node, fault: null, pid };
  } catch (thrown) {
    return { node: null, fault: thrown instanceof Error ? thrown.message : String(thrown), pid };
  }
}

async function nodeFacts(context: Context, api: Api): Promise<NodeFacts> {
  const read = async <T>(path: string): Promise<T> => JSON.parse(expectOk(await api.get(path))) as T;
  const witness = await api.get('/v1/witness');
  const held = await read<{ facts: readonly unknown[] }>(`/v1/quarantine?limit=${LIST_MOST}`);
  return {
    wellKnown: await read('/.well-known/stigmem'),
    // 503 is an answer here, not a failure: it says what is not ready.
    readiness: JSON.parse((await api.get('/readyz')).text) as NodeFacts['readiness'],
    keys: (await read<SigningKeysAnswer>('/v1/keys')).keys,
    apiKeys: (await read<{ keys: readonly KeyAnswer[] }>('/v1/admin/keys')).keys,
    peers: (await read<{ peers: readonly PeerStatus[] }>('/v1/federation/peers')).peers,
    anchors: (await read<AnchorsAnswer & { backends: NodeFacts['anchors'] }>('/v1/anchors?limit=1')).backends,
    witness: witness.status === 200 ? (JSON.parse(witness.text) as NodeFacts['witness']) : null,
    stats: await read('/v1/stats'),
    weakenings: (await read<{ weakenings: NodeFacts['weakenings'] }>('/v1/configuration/weakenings')).weakenings,
    quarantined: held.facts.length,
    proposals: await openProposals(api),
    recall: await tryRecall(context, api),
    signIn: (await read<{ oidc: NodeFacts['signIn'] }>('/v1/admin/sign-in')).oidc,
    sinks: (await read<{ sinks: NodeFacts['sinks'] }>('/v1/sinks')).sinks,
    backups: await read('/v1/backups'),
    drills: await read('/v1/drills'),
    checks: await read('/v1/journal/checks?limit=1'),
    cases: (await read<{ counts: NodeFacts['cases'] }>('/v1/cases/counts')).counts,
  };
}

/** Up to what one list shows; a page that ends at old ones that are decided is gone on from. */
async function openProposals(api: Api): Promise<number> {
  for (let count = 0, before: number | undefined; ; ) {
    const answer = expectOk(await api.get('/v1/approvals', { limit: LIST_MOST, before }));
    const page = JSON.parse(answer) as { readonly proposals: readonly unknown[]; readonly before?: number | null };
    count += page.proposals.length;
    before = page.before ?? undefined;
    if (before === undefined || count >= LIST_MOST) return Math.min(count, LIST_MOST);
  }
}

/** As a client does it: recalls the newest fact by its words, and verifies what comes with the log's own key. */
async function tryRecall(context: Context, api: Api): Promise<RecallFacts> {
  try {
    const [newest] = readFactPage(expectOk(await api.get('/v1/facts', { limit: 1 }))).facts;
    if (newest === undefined) return { kind: 'empty' };
    const { entity, relation, scope } = viewOf(newest);
    const body = JSON.stringify({
      query: `${entity} ${relation}`.slice(0, 1_000),
      scope,
      token_budget: 4_000,
      limit: 5,
    });
    const { facts, bundles } = readRecallAnswer(expectOk(await api.post('/v1/recall', body, VERIFY_FULL)));
    if (facts.length === 0)
      return { kind: 'failed', message: 'the newest fact is not recalled by its own words', fix: null };
    return { kind: 'verified', sentence: checkBundles(facts, bundles, await logOf(context, api)) };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const isAnswered = !(thrown instanceof CliError && thrown.exit === 'unavailable');
    return { kind: 'failed', message, fix: isAnswered ? null : 'stigmem-peerd status --data DIR' };
  }
}

function secretProblems(dir: string, config: Config | null): readonly ConfigProblem[] {
  const { nodeKey, logKey, witnessKey, anchorKey, restoreKey, cliToken } = dataPaths(dir);
  const client = config?.oidc?.clientSecretFile ?? null;
  const own = [nodeKey, logKey, witnessKey, anchorKey, restoreKey, cliToken];
  return [...own, ...(client === null ? [] : [client])].flatMap((path) => {
    const read = readSecretFile(path, 'a secret of this node');
    return read.ok ? [] : [read.error];
  });
}

async function createdMs(context: Context, dir: string): Promise<number | null> {
  try {
    const ms = Date.parse((await context.node()).identityIn(dir).createdAt);
    return Number.isNaN(ms) ? null : ms;
  } catch {
    return null;
  }
}

function freeBytes(dir: string): number {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

function usedBytes(dir: string): number {
  try {
    const names = readdirSync(dir);
    return names.reduce((sum, name) => sum + (statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0), 0);
  } catch {
    return 0;
  }
}

function certificateOf({ api: { tls } }: Config): Facts['certificate'] {
  if (tls === null) return null;
  const pair = readTlsPair(tls);
  if (!pair.ok) return { fault: pair.error };
  return { notAfterMs: new X509Certificate(pair.value.cert).validToDate.getTime() };
}

function processFacts(pid: number): ProcessFacts {
  const status = proc(pid, 'status');
  const field = (name: string): string | null => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? null;
  const flag = (name: string): boolean | null => (field(name) === null ? null : field(name) !== '0');
  const uid = field('Uid');
  const soft = /^Max open files\s+([0-9]+)\s/m.exec(proc(pid, 'limits'))?.[1];
  return {
    pid,
    uid: uid === null ? null : Number(uid),
    hasNoNewPrivileges: flag('NoNewPrivs'),
    hasSeccomp: flag('Seccomp'),
    capabilities: field('CapEff'),
    openFiles: soft === undefined ? null : Number(soft),
  };
}

function proc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
