import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { writeFileAtomically } from '../config/atomic-file.ts';
import { dataPaths } from '../config/data-dir.ts';
import { readGrantText } from '../config/grant.ts';
import { checkPeerFile, PEER_SUFFIX, type PeerFile, peerNameFault, readPeerFile } from '../config/peer-file.ts';
import { openPeerFolder } from '../config/peer-folder.ts';
import { formatPeerFile } from '../config/peer-text.ts';
import type { FeedGrant as Grant } from '../core/disclosure.ts';
import { authorityOf } from '../core/node-id.ts';
import type { CommonOptions, Context, Outcome } from './cli.ts';
import { CliError } from './exit.ts';
import { loadNodeConfig } from './node-config.ts';
import { addFromFile } from './peer-declaration.ts';
import type { TermsOptions } from './terms-options.ts';

export interface AddOptions extends CommonOptions {
  readonly nodeId?: string;
  readonly peerId?: string;
  readonly address?: readonly string[];
  readonly namespace?: readonly string[];
  readonly share?: readonly string[];
  readonly accept?: readonly string[];
  readonly logKey?: string;
  readonly disabled?: boolean;
  readonly allowTeam?: boolean;
  readonly relay?: boolean;
  readonly replace?: boolean;
  readonly until?: string;
  readonly name?: string;
}

/** Its evidence names this key: one that only the first contact has shown was compared by nobody. */
const LOG_KEY_MISSING =
  'expected --log-key with the log key of the partner: it stands as log_key in its `peer show self`. Compare it over another channel, like the peer id';

/** Who the partner is, in the operator's own words. */
interface NamedOptions extends AddOptions {
  readonly nodeId: string;
  readonly peerId: string;
  readonly logKey: string;
}

/** `peer add`: from the partner's declaration, or by name. */
export async function runAdd(context: Context, args: readonly string[], options: AddOptions): Promise<Outcome> {
  const { nodeId, peerId, logKey, until, name } = options;
  if (nodeId === undefined && peerId === undefined) return addFromFile(context, args[0] ?? '', fileTerms(options));
  if (nodeId === undefined || peerId === undefined) throw usage('expected --node-id and --peer-id, got one of them');
  if (until !== undefined || name !== undefined)
    throw usage('--until and --name go with a file; with a name write the end into the grant: public,not_after=…');
  if (logKey === undefined) throw usage(LOG_KEY_MISSING);
  return addByName(context, args, { ...options, nodeId, peerId, logKey });
}

/** A declaration says who it is, and where; what it does not say is for `peers/<name>.toml`, later. */
function fileTerms(options: AddOptions): TermsOptions {
  const { share, accept, until, name, address, namespace, logKey, disabled, replace } = options;
  if ([address, namespace, logKey, disabled, replace].some((one) => one !== undefined))
    throw usage(
      'a file goes with --share, --accept, --until and --name; the other options go with --node-id and --peer-id',
    );
  return {
    ...(share === undefined ? {} : { share }),
    ...(accept === undefined ? {} : { accept }),
    ...(until === undefined ? {} : { until }),
    ...(name === undefined ? {} : { name }),
  };
}

/** Writes the file after everything that could be wrong with it has been ruled out. */
async function addByName(context: Context, [name = '']: readonly string[], options: NamedOptions): Promise<Outcome> {
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
  if (isThere) refuseLoss(path, peer);
  const text = formatPeerFile(peer);
  refuseFaults(path, text);
  refuseClash(dataPaths(dir).peers, peer, ownNodeId);
  writeFileAtomically(path, text, 0o600);
  const human = `${isThere ? 'Changed' : 'Added'} ${name}: ${path}\n${grantSentence(peer)}`;
  return { json: JSON.stringify({ name, file: path, replaced: isThere }), human };
}

/** What an option cannot say would go without a word: a partner that was cut off would be back, one that has to be witnessed need not be. */
function refuseLoss(path: string, peer: PeerFile): void {
  const before = readPeerFile(path);
  if (!before.ok) return;
  const { disabled, limits, policy } = before.value;
  const lost = [
    ...(disabled && !peer.disabled ? ['disabled = true'] : []),
    ...(Object.values(limits).some((one) => one !== null) ? ['[limits]'] : []),
    ...(Object.values(policy).some((one) => one !== null) ? ['[policy]'] : []),
  ];
  if (lost.length === 0) return;
  const message = `expected a file that these options can replace, got ${path}, which would lose ${lost.join(' and ')}`;
  const fix = `Edit the file; or remove the partner first: stigmem-peerd peer remove ${peer.name}`;
  throw new CliError({ exit: 'refused', code: 'peer_has_more', message, fix });
}

function toPeer(name: string, options: NamedOptions): PeerFile {
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
    logKey: options.logKey,
    disabled: options.disabled === true,
    allowTeam: options.allowTeam === true,
    addressesFrom: 'operator',
    relay: options.relay === true,
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
