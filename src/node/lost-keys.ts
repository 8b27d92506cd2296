/**
 * Keys that took over after the copy was made that runs here. Peers show the statements, the keys themselves are nowhere but
 * in the key backup: until they are back, this node can sign nothing that anybody believes.
 */
import { type DataPaths, keyFile } from '../config/data-dir.ts';
import { readSeedFile, type SeedUse } from '../config/secret-file.ts';
import type { JournalIdentity } from '../journal/files.ts';
import { type KeysInUse, learnedSuccessions, newestKeys } from '../verify/own-successions.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
import { KEY_USES, keyIdOf, type OwnKeys, vkeyOf } from './own-keys.ts';

const LOOK_EVERY_MS = 2_000;

export interface LostKeysDeps {
  readonly identity: JournalIdentity;
  readonly paths: DataPaths;
  readonly keys: OwnKeys;
  /** This node's own, as its journal held them at the start. */
  readonly statements: readonly OpenedSuccession[];
  /** Keeps statements for the next start too. */
  readonly learn: (statements: readonly OpenedSuccession[], shownBy: string) => Promise<unknown>;
  readonly nowMs: () => number;
}

export class LostKeys {
  readonly #deps: LostKeysDeps;
  readonly #back = Promise.withResolvers<void>();
  #learned: readonly OpenedSuccession[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: LostKeysDeps) {
    this.#deps = deps;
  }

  /** Resolves when keys were missing and all of them are in the folder: the node has to be started with them. */
  get back(): Promise<void> {
    return this.#back.promise;
  }

  /** What others have shown since the start. */
  get learned(): readonly OpenedSuccession[] {
    return this.#learned;
  }

  /** Takes what others say of this node's keys. What our own keys have not signed is nobody's word. */
  async learn(shown: readonly string[], shownBy: string): Promise<void> {
    const { identity, keys, learn, statements } = this.#deps;
    const inUse: KeysInUse = {
      node: keys.node.vkey,
      log: keys.log.vkey,
      witness: keys.witness.vkey,
      anchor: keys.anchor.vkey,
    };
    const news = learnedSuccessions(shown, identity.nodeId, [...statements, ...this.#learned], inUse);
    if (news.length === 0) return;
    await learn(news, shownBy);
    this.#learned = [...this.#learned, ...news];
  }

  /** What has to be put back before this node can go on, as a sentence; null: nothing. */
  missing(): string | null {
    const { keys } = this.#deps;
    // What the node signs with was read at its start, whatever lies in the folder by now.
    const wanted = KEY_USES.flatMap((use) => this.#wanted(use, keys[use].vkey));
    return wanted.length === 0 ? null : wanted.join('; ');
  }

  /** Looks from now on whether the keys are there. */
  watch(): void {
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #wanted(use: SeedUse, vkey: string): readonly string[] {
    const newest = this.#newest(use);
    if (newest.length === 0 || newest.some((one) => one.new === vkey)) return [];
    const ids = newest.map((one) => keyIdOf(one.new)).join(' or ');
    const file = keyFile(this.#deps.paths, use);
    return [`${file} has to hold the ${use} key ${ids}, which took over at ${newest[0]?.effective_at}`];
  }

  /** What has taken the place of the key that this process signs with. */
  #newest(use: SeedUse): readonly OpenedSuccession[] {
    const { keys, nowMs, statements } = this.#deps;
    // A node key that is announced waits beside the old one for its time and the next start: it is not lost.
    if (use === 'node') return newestKeys(this.#learned, use, keys.node.vkey, nowMs());
    return newestKeys([...statements, ...this.#learned], use, keys[use].vkey, Number.MAX_SAFE_INTEGER);
  }

  #look(): void {
    const { identity, paths } = this.#deps;
    const isWhole = KEY_USES.every((use) => {
      const seed = readSeedFile(keyFile(paths, use), use);
      return seed.ok && this.#wanted(use, vkeyOf(use, seed.value, identity)).length === 0;
    });
    if (!isWhole) return;
    this.stop();
    this.#back.resolve();
  }
}
