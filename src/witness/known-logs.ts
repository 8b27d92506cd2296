/** The logs that this node knows, with the keys that are pinned for them: those of its peers, and those of its configuration. */
import type { PeerFile } from '../config/peer-file.ts';
import { witnessName } from '../core/node-id.ts';
import { ALG_COSIGNATURE_V1 } from '../merkle/note.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import { readDeclared } from '../pull/declare.ts';
import { rawKeyOf } from '../transport/identity.ts';
import { keyEndMs } from '../verify/key-expiry.ts';
import { type DeclaredKey, openDeclaration } from '../wire/declaration.ts';
import type { WitnessedLog } from './cosigner.ts';
import type { WitnessDeps } from './deps.ts';
import type { TrustedWitness } from './own-heads.ts';

/** A log, and the peer whose it is; null for one that is only configured. */
export interface KnownLog {
  readonly log: WitnessedLog;
  readonly peer: PeerFile | null;
}

interface Read {
  readonly peer: PeerFile;
  readonly declaration: string | null;
  readonly log: WitnessedLog | null;
  readonly witness: TrustedWitness | null;
}

export class KnownLogs {
  readonly #deps: Pick<WitnessDeps, 'journal' | 'peers' | 'logs' | 'greet'>;
  /** By node id: a declaration is opened once, not with every message. */
  readonly #read = new Map<string, Read>();

  constructor(deps: Pick<WitnessDeps, 'journal' | 'peers' | 'logs' | 'greet'>) {
    this.#deps = deps;
  }

  /** Every known log; a peer's comes before a configured one of the same origin. */
  async all(): Promise<readonly KnownLog[]> {
    const peers = await this.#peers();
    const known = peers.flatMap(({ peer, log }): KnownLog[] => (log === null ? [] : [{ log, peer }]));
    const origins = new Set(known.map(({ log }) => log.origin));
    const configured = this.#deps.logs.filter(({ origin }) => !origins.has(origin));
    return [...known, ...configured.map((log) => ({ log, peer: null }))];
  }

  async byOrigin(origin: string): Promise<KnownLog | undefined> {
    return (await this.all()).find(({ log }) => log.origin === origin);
  }

  /** The peer's witness key out of its declaration; null before the first contact. */
  async witnessOf(peer: PeerFile): Promise<TrustedWitness | null> {
    return (await this.#peers()).find((read) => read.peer.nodeId === peer.nodeId)?.witness ?? null;
  }

  /** Says hello to a peer that was never greeted: without its declaration nothing of it can be judged. */
  async meet(peer: PeerFile, signal: AbortSignal): Promise<void> {
    const read = (await this.#peers()).find((one) => one.peer.nodeId === peer.nodeId);
    if (read?.declaration === null) await this.#deps.greet(peer, signal);
  }

  async #peers(): Promise<readonly Read[]> {
    const peers = this.#deps.peers();
    const declarations = await this.#deps.journal.declarations(peers.map(({ nodeId }) => nodeId));
    return peers.map((peer, i) => this.#readPeer(peer, declarations[i] ?? null));
  }

  #readPeer(peer: PeerFile, declaration: string | null): Read {
    const known = this.#read.get(peer.nodeId);
    if (known !== undefined && known.peer === peer && known.declaration === declaration) return known;
    const read = { peer, declaration, ...readDeclaration(peer, declaration) };
    this.#read.set(peer.nodeId, read);
    return read;
  }
}

function readDeclaration(peer: PeerFile, declaration: string | null): Pick<Read, 'log' | 'witness'> {
  if (declaration === null) return { log: null, witness: null };
  const declared = readDeclared(declaration, peer);
  if (!declared.ok) return { log: null, witness: null };
  const { origin, logKey: key, nodeId } = declared.value.pinned;
  return { log: { origin, key, nodeId }, witness: witnessIn(declaration, peer) };
}

function witnessIn(note: string, peer: PeerFile): TrustedWitness | null {
  const opened = openDeclaration(note, { nodeId: peer.nodeId, nodeKey: rawKeyOf(peer.peerId) });
  if (!opened.ok) return null;
  const name = witnessName(peer.nodeId);
  for (const declared of opened.value.keys) {
    const key = declared.use === 'witness' ? parseVerifierKey(declared.vkey) : undefined;
    if (key?.ok && key.value.name === name && key.value.algorithm === ALG_COSIGNATURE_V1)
      return { name, key: key.value.publicKey, endsAtS: endOf(declared) };
  }
  return null;
}

/** A key whose end cannot be read vouches for nothing. */
function endOf(key: DeclaredKey): number | null {
  const endsMs = keyEndMs(key);
  if (endsMs === undefined) return 0;
  return endsMs === null ? null : Math.floor(endsMs / 1_000);
}
