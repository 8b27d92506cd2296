/** The signing keys of this node and of its peers, as their declarations name them, in the words of operators. */
import type { PeerFile } from '../config/peer-file.ts';
import type { KeyStatus } from '../core/key-status.ts';
import { DAY_MS } from '../core/time.ts';
import { rawKeyOf } from '../transport/identity.ts';
import { openOwnDeclaration } from '../verify/declared-log-key.ts';
import { type KeyLife, keyLives } from '../verify/key-expiry.ts';
import { type Declaration, openDeclaration } from '../wire/declaration.ts';
import type { Base } from './base.ts';

/** A declaration whose signature was verified; null: it does not verify. */
interface Opened {
  readonly note: string;
  readonly peerId: string;
  readonly declaration: Declaration | null;
}

export class KeyStatuses {
  readonly #base: Pick<Base, 'declaration' | 'writer'>;
  readonly #files: () => ReadonlyMap<string, PeerFile>;
  /** By node id. It is looked after each record of the audit log, and seldom is one of them another. */
  #opened: ReadonlyMap<string, Opened> = new Map();

  /** @param files peer files in force */
  constructor(base: Pick<Base, 'declaration' | 'writer'>, files: () => ReadonlyMap<string, PeerFile>) {
    this.#base = base;
    this.#files = files;
  }

  /** Our own keys first, then those of each peer that was greeted once. */
  async at(nowMs: number): Promise<readonly KeyStatus[]> {
    const { declaration, writer } = this.#base;
    const peers = [...this.#files().values()].filter((one) => !one.disabled);
    const notes = await writer.declarations(peers.map(({ nodeId }) => nodeId));
    const before = this.#opened;
    const opened = peers.map((peer, i) => openedOf(peer, notes[i] ?? '', before.get(peer.nodeId)));
    this.#opened = new Map(peers.map(({ nodeId }, i) => [nodeId, opened[i] as Opened]));
    const ofPeers = peers.flatMap(({ name }, i) => {
      const declared = opened[i]?.declaration ?? null;
      return declared === null ? [] : statusesOf(declared, name, nowMs);
    });
    const own = openOwnDeclaration(declaration);
    return [...(own === null ? [] : statusesOf(own, null, nowMs)), ...ofPeers];
  }
}

function openedOf({ nodeId, peerId }: PeerFile, note: string, before: Opened | undefined): Opened {
  if (before?.note === note && before.peerId === peerId) return before;
  const opened = openDeclaration(note, { nodeId, nodeKey: rawKeyOf(peerId) });
  return { note, peerId, declaration: opened.ok ? opened.value : null };
}

function statusesOf({ node_id, keys }: Declaration, peer: string | null, nowMs: number): readonly KeyStatus[] {
  return keyLives(keys, nowMs).map((life) => ({
    node_id,
    peer,
    use: life.key.use,
    name: life.name,
    key_id: life.keyId,
    vkey: life.key.vkey,
    state: life.state,
    not_before: life.key.not_before,
    not_after: life.key.not_after,
    seconds_left: life.endsMs === null ? null : Math.floor((life.endsMs - nowMs) / 1_000),
    days_left: life.daysLeft,
    warning: warningOf(life, peer, nowMs),
  }));
}

function warningOf(life: KeyLife, peer: string | null, nowMs: number): KeyStatus['warning'] {
  const { key, step, state, endsMs, name } = life;
  const whose = peer === null ? 'our own' : `${peer}’s`;
  const which = `${whose} ${key.use} key of ${name} (${life.keyId ?? 'unreadable'})`;
  if (state === 'unreadable') {
    const times = `from ${JSON.stringify(key.not_before)} to ${JSON.stringify(key.not_after)}`;
    const sentence = `${which} is declared ${times}, which are no times that can be read: ${peer ?? 'this node'} has to declare it again`;
    return { step: null, sentence };
  }
  if (step === null || endsMs === null) return null;
  const rotate = `\`stigmem-peerd keys rotate ${key.use}\``;
  const act = peer === null ? `run ${rotate}` : `${peer} has to run ${rotate}`;
  const costs = step === 0 ? PAST[key.use] : '';
  return { step, sentence: `${which} ${whenOf(endsMs, nowMs)} (${key.not_after})${costs}: ${act}` };
}

/** What the end of a key means to those who keep to it. */
const PAST = {
  log: ', and peers may take no page that it signs',
  witness: ', and cosignatures made since do not count',
  anchor: '',
} as const;

/** `ends in 6 days`, `ends in less than a day`, `has ended 3 days ago`. */
function whenOf(endsMs: number, nowMs: number): string {
  const days = Math.floor(Math.abs(endsMs - nowMs) / DAY_MS);
  const span = days === 0 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`;
  return endsMs > nowMs ? `ends in ${span}` : `has ended ${span} ago`;
}
