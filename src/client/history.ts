/** Holds a server to one history: every checkpoint that it shows has to be of the log that was seen before. */
import { decodeBase64, encodeBase64 } from '../merkle/base64.ts';
import { checkConsistency } from '../merkle/consistency.ts';
import { formatNote } from '../merkle/note.ts';
import type { ProvenCheckpoint } from '../verify/reader-trust.ts';
import { VerificationError } from './errors.ts';
import type { CheckpointStore, SeenCheckpoint } from './stores.ts';

/** Asks the server for the proof that the tree of `to` leaves extends that of `from`; null: it refuses. */
export type AskConsistency = (from: number, to: number) => Promise<readonly Uint8Array[] | null>;

export class History {
  readonly #store: CheckpointStore;
  readonly #ask: AskConsistency;
  /** One after the other: two answers must not both be compared with the same last checkpoint. */
  #turn: Promise<void> = Promise.resolve();

  constructor(store: CheckpointStore, ask: AskConsistency) {
    this.#store = store;
    this.#ask = ask;
  }

  /**
   * Compares a verified checkpoint with the last one seen, and keeps it if it is larger.
   *
   * @throws VerificationError `split_view`, `history_rewritten` or `server_went_back`, with both checkpoints
   */
  accept(checkpoint: ProvenCheckpoint): Promise<void> {
    const done = this.#turn.then(() => this.#accept(checkpoint));
    this.#turn = done.catch(() => undefined);
    return done;
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

  #keep({ origin, size, root, note }: ProvenCheckpoint): Promise<void> {
    return this.#store.save(origin, { size, root: encodeBase64(root), note: formatNote(note) });
  }
}

function rootOf({ root }: SeenCheckpoint): Uint8Array {
  const bytes = decodeBase64(root);
  if (bytes === undefined) throw new VerificationError('checkpoint_store_damaged', 'the checkpoint kept is none');
  return bytes;
}
