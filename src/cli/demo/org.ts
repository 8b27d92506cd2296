/** One organisation of the demo: a data folder, a daemon of its own process, and its API. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../../config/atomic-file.ts';
import { dataPaths } from '../../config/data-dir.ts';
import { PEER_SUFFIX } from '../../config/peer-file.ts';
import { formatPeerFile } from '../../config/peer-text.ts';
import type { FeedGrant as Grant } from '../../core/disclosure.ts';
import { type Api, createApi } from '../api-client.ts';
import { openDaemonSender } from '../daemon-send.ts';
import { createDataFolder } from '../init.ts';
import { ownVkeys } from '../own-vkeys.ts';
import type { Node, Runtime } from '../runtime.ts';
import { type Child, startChild } from './child.ts';

export interface Org extends Partner {
  readonly dir: string;
  readonly child: Child;
  readonly api: Api;
  readonly url: string;
}

export interface Partner {
  readonly authority: string;
  readonly peerId: string;
  /** Verifier key of its log. */
  readonly logKey: string;
  readonly addresses: readonly string[];
}

/** Makes a node below `folder` and starts it on free ports of loopback. */
export async function startOrg(
  folder: string,
  authority: string,
  node: Node,
  runtime: Runtime,
  started: (child: Child) => void,
): Promise<Org> {
  const dir = join(folder, authority);
  mkdirSync(dir, { mode: 0o700 });
  const { peerId } = await createDataFolder(dir, `stigmem://${authority}`, node, runtime.nowMs());
  const logKey = ownVkeys(dir, node.identityIn(dir)).find(({ use }) => use === 'log')?.vkey;
  if (logKey === undefined) throw new Error(`${dir} has no log key`);
  const args = ['run', '--data', dir, '--api-port', '0', '--listen', '/ip4/127.0.0.1/tcp/0', '--json'];
  const child = startChild(authority, runtime.self, args, join(dir, 'run', 'daemon.log'), cleanEnv(runtime.env));
  started(child);
  const { api: url, addresses } = JSON.parse(await child.nextLine()) as {
    readonly api: string;
    readonly addresses: readonly string[];
  };
  const sender = openDaemonSender(url, null);
  const token = readFileSync(dataPaths(dir).cliToken, 'utf8').trim();
  const daemon = { pid: child.pid, api: url, started_at: new Date(runtime.nowMs()).toISOString() };
  const api = createApi({ daemon, send: sender.send, close: async () => sender.close() }, token);
  return { authority, dir, peerId, logKey, child, api, url, addresses };
}

/** Writes the peer file that makes `partner` a peer of `org`; the running daemon picks it up. */
export function addPartner(org: Org, partner: Partner, share: readonly string[], accept: readonly string[]): void {
  const name = partner.authority.split('.')[0] ?? partner.authority;
  const text = formatPeerFile({
    name,
    nodeId: `stigmem://${partner.authority}`,
    authority: partner.authority,
    peerId: partner.peerId,
    addresses: partner.addresses,
    namespaces: [partner.authority],
    share: share.map(always),
    accept: accept.map(always),
    logKey: partner.logKey,
    disabled: false,
    allowTeam: false,
    addressesFrom: 'operator',
    relay: false,
    limits: { maxValueBytes: null, pageEntries: null },
    policy: { witnesses: null, anchors: null },
  });
  writeFileAtomically(join(dataPaths(org.dir).peers, `${name}${PEER_SUFFIX}`), text, 0o600);
}

function always(feed: string): Grant {
  return { feed, notBeforeMs: null, notAfterMs: null };
}

/** Settings of the user's own node, in variables, are not meant for the nodes of the demo. */
function cleanEnv(env: Runtime['env']): Runtime['env'] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('STIGMEM_')));
}
