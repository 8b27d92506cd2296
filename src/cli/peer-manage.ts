import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '../config/atomic-file.ts';
import { dataPaths } from '../config/data-dir.ts';
import { PEER_SUFFIX, type PeerFile } from '../config/peer-file.ts';
import { openPeerFolder } from '../config/peer-folder.ts';
import { problemText } from '../config/problem.ts';
import type { FeedGrant as Grant } from '../core/disclosure.ts';
import type { PeerStatus } from '../core/peer-status.ts';
import { type ActOptions, actedOutcome } from './acting.ts';
import { connectDaemonApi, withApi } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import type { Context, Outcome } from './cli.ts';
import { CliError } from './exit.ts';
import { loadNodeConfig } from './node-config.ts';
import { peerTable } from './peer-table.ts';

/** `peer list`: the files, with how each partner is doing when the daemon runs. */
export async function runList(context: Context): Promise<Outcome> {
  const dir = context.dir();
  const { nodeId } = loadNodeConfig(dir);
  const { peers, problems } = openPeerFolder(dataPaths(dir).peers, nodeId).state();
  const running = await runningPeers(context);
  const files = [...peers.values()].map((peer) => ({
    ...fileView(peer),
    status: running?.find(({ name }) => name === peer.name) ?? null,
  }));
  const json = JSON.stringify({ running: running !== null, peers: files, problems });
  const warnings = problems.map((problem) => `${context.screen.paint('yellow', '!')} ${problemText(problem)}`);
  const body = running === null ? fileTable(context, [...peers.values()]) : peerTable(running, context.screen);
  const empty = 'No peers. Make one a code: stigmem-peerd peer invite --help';
  return { json, human: [peers.size === 0 ? empty : body, ...warnings].join('\n') };
}

async function runningPeers(context: Context): Promise<readonly PeerStatus[] | null> {
  const api = await connectDaemonApi(context);
  if (api === null) return null;
  try {
    return (JSON.parse(expectOk(await api.get('/v1/federation/peers'))) as { readonly peers: readonly PeerStatus[] })
      .peers;
  } finally {
    await api.close();
  }
}

/** A peer file as JSON, grants with their times. */
export function fileView(peer: PeerFile): Readonly<Record<string, unknown>> {
  const { name, nodeId: node_id, peerId: peer_id, addresses, namespaces, disabled, logKey: log_key } = peer;
  return {
    name,
    node_id,
    peer_id,
    addresses,
    namespaces,
    share: peer.share.map(grantView),
    accept: peer.accept.map(grantView),
    log_key,
    disabled,
    allow_team: peer.allowTeam,
    relay: peer.relay,
  };
}

function grantView({ feed, notBeforeMs, notAfterMs }: Grant): Readonly<Record<string, string | null>> {
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return { feed, not_before: iso(notBeforeMs), not_after: iso(notAfterMs) };
}

function fileTable(context: Context, peers: readonly PeerFile[]): string {
  const list = (grants: readonly Grant[]): string | null => grants.map(({ feed }) => feed).join(' ') || null;
  const rows = peers.map((peer) => [
    peer.name,
    peer.nodeId,
    list(peer.share),
    list(peer.accept),
    peer.disabled ? 'disabled' : 'node not running',
  ]);
  return context.screen.table(['PEER', 'NODE', 'MAY READ', 'WE TAKE', 'STATE'], rows);
}

/** `peer remove`: the file goes; facts and audit records stay. */
export async function runRemove(context: Context, [name = '']: readonly string[]): Promise<Outcome> {
  const dir = context.dir();
  loadNodeConfig(dir);
  const folder = dataPaths(dir).peers;
  const path = join(folder, `${name}${PEER_SUFFIX}`);
  requirePeer(dir, name);
  rmSync(path);
  syncFolder(folder);
  return {
    json: JSON.stringify({ name, removed: path }),
    human: `Removed ${name}. What it gave before stays in the journal.`,
  };
}

/** `peer resume`: needs the API, because a suspension is a record of the journal. */
export async function runResume(
  context: Context,
  [name = '']: readonly string[],
  { reason }: ActOptions,
): Promise<Outcome> {
  requirePeer(context.dir(), name);
  const answer = await withApi(context, (api) =>
    api.post(`/v1/federation/peers/${name}/resume`, JSON.stringify({ reason })),
  );
  return actedOutcome(answer, `${name} is taken up again.`);
}

/** @throws CliError `not_found` */
export function requirePeer(dir: string, name: string): void {
  // A name is part of a path here: only what can name a peer is looked up.
  if (/^[a-z0-9][a-z0-9._-]*$/.test(name) && existsSync(join(dataPaths(dir).peers, `${name}${PEER_SUFFIX}`))) return;
  const message = `expected the name of a partner, got ${JSON.stringify(name)}, which has no file under ${dataPaths(dir).peers}`;
  throw new CliError({ exit: 'not_found', message, fix: 'See: stigmem-peerd peer list' });
}
