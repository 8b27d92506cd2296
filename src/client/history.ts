/** Holds a server to one history: every checkpoint that it shows has to be of the log that was seen before. */
import { decodeBase64, encodeBase64 } from '../merkle/base64.ts';
import { checkConsistency } from '../merkle/consistency.ts';
import { formatNote } from '../merkle/note.ts';
import type { ProvenCheckpoint } from '../verify/reader-trust.ts';
import { VerificationError } from './errors.ts';
import type { CheckpointStore, SeenCheckpoint } from './stores.ts';

/** Asks the server for the proof that the tree of `to` leaves extends that of `from`; null: it refuses. */
export type AskConsistency = (from: number, to: number) => Promise<readonly Uint8Array[] | null>;

/** Journals that were named for nodes, by node id: they replace what is kept. */
export type NamedOrigins = ReadonlyMap<string, string>;

export class History {
  readonly #store: CheckpointStore;
  readonly #named: NamedOrigins;
  readonly #ask: AskConsistency;
  /** One after the other: two answers must not both be compared with the same last checkpoint. */
  #turn: Promise<void> = Promise.resolve();

  constructor(store: CheckpointStore, named: NamedOrigins, ask: AskConsistency) {
    this.#store = store;
    this.#named = named;
    this.#ask = ask;
  }

  /**
   * Compares a verified checkpoint with the last one seen, and keeps it if it is larger.
   *
   * @throws VerificationError `split_view`, `history_rewritten`, `server_went_back` or `log_switched`, with both
   *   checkpoints
   */
  accept(checkpoint: ProvenCheckpoint): Promise<void> {
    const done = this.#turn.then(async () => {
      const isPinned = await this.#demandSameLog(checkpoint);
      await this.#accept(checkpoint);
      if (!isPinned && checkpoint.owner !== null) await this.#keepUnder(checkpoint.owner, checkpoint);
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /**
   * A node could begin a second journal under a new name, of which nothing was seen: the first one is kept under the
   * node's id, which no journal has as its name.
   *
   * @returns whether that is the one that is kept
   */
  async #demandSameLog(checkpoint: ProvenCheckpoint): Promise<boolean> {
    const { origin, owner } = checkpoint;
    if (owner === null) return true;
    const kept = await this.#store.load(owner);
    const known = kept?.note.split('\n')[0];
    const expected = this.#named.get(owner) ?? known ?? origin;
    if (origin === expected) return origin === known;
    const message = `${owner} shows the journal ${origin}, expected ${expected}: ask its operators, and if they have moved, name it in trust.nodes as origin`;
    throw new VerificationError('log_switched', message, [
      ...(kept === undefined ? [] : [kept.note]),
      formatNote(checkpoint.note),
    ]);
  }

  async #accept(checkpoint: ProvenCheckpoint): Promise<void> {
    const { origin, size, root } = checkpoint;
    const seen = await this.#store.load(origin);
    if (seen === undefined) return this.#keep(checkpoint);
    const notes = [seen.note, formatNote(checkpoint.note)];
    if (seen.size === size) {
      if (seen.root === encodeBase64(root)) return;
      throw new VerificationError('split_view', `${origin} shows two trees of ${size} entries`, notes);
    }
    if (size < seen.size) return this.#demandPrefix(checkpoint, seen, notes);
    const path = await this.#ask(seen.size, size);
    const fault = path === null ? 'refused' : checkConsistency(seen.size, rootOf(seen), size, root, path);
    if (fault === 'ok') return this.#keep(checkpoint);
    const message = `${origin} does not show that its tree of ${size} extends the one of ${seen.size} seen before (${fault})`;
    throw new VerificationError('history_rewritten', message, notes);
  }

  /** An older checkpoint of the same history is no fault: an anchored one lies behind the newest. */
  async #demandPrefix(checkpoint: ProvenCheckpoint, seen: SeenCheckpoint, notes: readonly string[]): Promise<void> {
    const { origin, size, root } = checkpoint;
    const path = await this.#ask(size, seen.size);
    if (path !== null && checkConsistency(size, root, seen.size, rootOf(seen), path) === 'ok') return;
    const message = `${origin} shows ${size} entries where ${seen.size} were seen before, and does not prove that they are the same`;
    throw new VerificationError('server_went_back', message, notes);
  }

  #keep(checkpoint: ProvenCheckpoint): Promise<void> {
    return this.#keepUnder(checkpoint.origin, checkpoint);
  }

  #keepUnder(name: string, { size, root, note }: ProvenCheckpoint): Promise<void> {
    return this.#store.save(name, { size, root: encodeBase64(root), note: formatNote(note) });
  }
}

function rootOf({ root }: SeenCheckpoint): Uint8Array {
  const bytes = decodeBase64(root);
  if (bytes === undefined) throw new VerificationError('checkpoint_store_damaged', 'the checkpoint kept is none');
  return bytes;
}
