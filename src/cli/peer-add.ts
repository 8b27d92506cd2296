import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { writeFileAtomically } from '../config/atomic-file.ts';
import { dataPaths } from '../config/data-dir.ts';
import { readGrantText } from '../config/grant.ts';
import { checkPeerFile, PEER_SUFFIX, type PeerFile, peerNameFault } from '../config/peer-file.ts';
import { openPeerFolder } from '../config/peer-folder.ts';
import { formatPeerFile } from '../config/peer-text.ts';
import type { FeedGrant as Grant } from '../core/disclosure.ts';
import { authorityOf } from '../core/node-id.ts';
import type { CommonOptions, Context, Outcome } from './cli.ts';
import { CliError } from './exit.ts';
import { loadNodeConfig } from './node-config.ts';

export interface AddOptions extends CommonOptions {
  readonly nodeId: string;
  readonly peerId: string;
  readonly address?: readonly string[];
  readonly namespace?: readonly string[];
  readonly share?: readonly string[];
  readonly accept?: readonly string[];
  readonly logKey?: string;
  readonly disabled?: boolean;
  readonly allowTeam?: boolean;
  readonly replace?: boolean;
}

/** `peer add`: writes the file after everything that could be wrong with it has been ruled out. */
export async function runAdd(context: Context, [name = '']: readonly string[], options: AddOptions): Promise<Outcome> {
  const dir = context.dir();
  const { nodeId: ownNodeId } = loadNodeConfig(dir);
  const fault = peerNameFault(name);
  if (fault !== null) throw usage(`expected the name of a partner, got ${JSON.stringify(name)}: ${fault}`);
  const path = join(dataPaths(dir).peers, `${name}${PEER_SUFFIX}`);
  const isThere = existsSync(path);
  if (isThere && options.replace !== true) {
    const message = `expected the name of a new partner, got ${JSON.stringify(name)}, which has a file: ${path}`;
    throw new CliError({
      exit: 'refused',
      code: 'peer_exists',
      message,
      fix: 'Choose another name, or add --replace.',
    });
  }
  const peer = toPeer(name, options);
  const text = formatPeerFile(peer);
  refuseFaults(path, text);
  refuseClash(dataPaths(dir).peers, peer, ownNodeId);
  writeFileAtomically(path, text, 0o600);
  const human = `${isThere ? 'Changed' : 'Added'} ${name}: ${path}\n${grantSentence(peer)}`;
  return { json: JSON.stringify({ name, file: path, replaced: isThere }), human };
}

function toPeer(name: string, options: AddOptions): PeerFile {
  const authority = authorityOf(options.nodeId) ?? '';
  return {
    name,
    nodeId: options.nodeId,
    authority,
    peerId: options.peerId,
    addresses: options.address ?? [],
    namespaces: options.namespace ?? (authority === '' ? [] : [authority]),
    share: grants('--share', options.share),
    accept: grants('--accept', options.accept),
    logKey: options.logKey ?? null,
    disabled: options.disabled === true,
    allowTeam: options.allowTeam === true,
    limits: { maxValueBytes: null, pageEntries: null },
    policy: { witnesses: null, anchors: null },
  };
}

function grants(option: string, texts: readonly string[] = []): Grant[] {
  return texts.map((text) => {
    const grant = readGrantText(text);
    if (grant.ok) return grant.value;
    throw usage(`expected ${option} with a feed such as public, got ${JSON.stringify(text)}: ${grant.error}`);
  });
}

/** The file is judged as the daemon will judge it, before it is there. */
function refuseFaults(path: string, text: string): void {
  const checked = checkPeerFile(path, { tree: parse(text), lines: new Map() });
  if (!checked.ok) throw usage(checked.error.map(({ message, fix }) => `${message}. ${fix}`).join('\n'));
}

function refuseClash(folder: string, peer: PeerFile, ownNodeId: string): void {
  if (peer.nodeId === ownNodeId) throw usage(`expected --node-id of a partner, got this node’s own, ${ownNodeId}`);
  for (const other of openPeerFolder(folder, ownNodeId).state().peers.values()) {
    if (other.name === peer.name || (other.nodeId !== peer.nodeId && other.peerId !== peer.peerId)) continue;
    const message = `expected a new partner, got one that ${other.name} is already (${other.nodeId}, ${other.peerId})`;
    const fix = `Change it: stigmem-peerd peer add ${other.name} --replace …, or remove it first.`;
    throw new CliError({ exit: 'refused', code: 'peer_exists', message, fix });
  }
}

function grantSentence(peer: PeerFile): string {
  const list = (items: readonly Grant[]): string => items.map(({ feed }) => feed).join(', ') || 'nothing';
  return `It may read ${list(peer.share)}; we take ${list(peer.accept)} from it.`;
}

function usage(message: string): CliError {
  return new CliError({ exit: 'usage', message });
}
