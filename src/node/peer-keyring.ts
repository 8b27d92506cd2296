/** Which key each peer of this node connects with: the peer files, read with the statements that the journal holds. */
import type { PeerFile } from '../config/peer-file.ts';
import type { PeerFolderChange } from '../config/peer-folder.ts';
import { PeerKeys } from '../pull/peer-keys.ts';
import type { WriterClient } from '../threads/writer-client.ts';
import { openOwnDeclaration } from '../verify/declared-log-key.ts';
import type { Base } from './base.ts';

type Needed = Pick<Base, 'writer' | 'nowMs' | 'confirmed' | 'growth'>;

export class PeerKeyring {
  readonly #writer: WriterClient;
  readonly #files: () => readonly PeerFile[];
  readonly #keys: PeerKeys;
  readonly #confirmed: Base['confirmed'];
  readonly #growth: Base['growth'];

  private constructor({ writer, nowMs, confirmed, growth }: Needed, files: () => readonly PeerFile[]) {
    this.#writer = writer;
    this.#confirmed = confirmed;
    this.#growth = growth;
    this.#keys = new PeerKeys(nowMs);
    this.#files = files;
  }

  static async open(base: Needed, files: () => readonly PeerFile[]): Promise<PeerKeyring> {
    const keyring = new PeerKeyring(base, files);
    await Promise.all(files().map(({ nodeId }) => keyring.learn(nodeId)));
    return keyring;
  }

  /** Reads what the journal holds of a peer. */
  async learn(nodeId: string): Promise<void> {
    const [statements = []] = await this.#writer.successions([nodeId]);
    const [declaration] = await this.#writer.declarations([nodeId]);
    // What is pinned stays: nothing takes a key back once somebody has confirmed it. Who watches learns that feeds have opened.
    if (declaration != null && !this.#confirmed.has(nodeId)) {
      this.#confirmed.add(nodeId);
      this.#growth.ring(this.#growth.current());
    }
    const pinned = openOwnDeclaration(declaration ?? '')?.peer_id ?? null;
    this.#keys.learn(nodeId, { statements, pinned });
  }

  current(peer: PeerFile): PeerFile {
    return this.#keys.current(peer);
  }

  /** Peers with each key that they may come with now. */
  possible(): readonly PeerFile[] {
    return this.#keys.allOf(this.#files());
  }

  /**
   * A peer has connected.
   *
   * @returns if that was with another key than before: gives the peer as its file says at the time it is called; undefined: there is
   *   none any more
   */
  seen(peerId: string): (() => PeerFile | undefined) | null {
    const found = this.possible().find((peer) => peer.peerId === peerId);
    const file = this.#files().find(({ name }) => name === found?.name);
    if (file === undefined || !this.#keys.seen(file, peerId)) return null;
    return () => {
      const now = this.#files().find(({ name }) => name === file.name);
      return now === undefined ? undefined : this.current(now);
    };
  }

  /** A change of the peer files, with the keys that the peers have now. */
  async applied({ added, changed, ...rest }: PeerFolderChange): Promise<PeerFolderChange> {
    await Promise.all([...added, ...changed].map(({ nodeId }) => this.learn(nodeId)));
    const withKey = (peers: readonly PeerFile[]): PeerFile[] => peers.map((peer) => this.current(peer));
    return { ...rest, added: withKey(added), changed: withKey(changed) };
  }
}
