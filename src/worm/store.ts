/** Where records are kept that nobody may take back: an S3-compatible store with Object Lock, or a folder. */

export interface StoredObject {
  readonly bytes: Uint8Array;
  /** Null where the store keeps no versions. */
  readonly version: string | null;
  /** Until when the store keeps it, Unix ms; null: it does not say so. */
  readonly lockedUntilMs: number | null;
}

export interface PutObject {
  readonly version: string | null;
  /** The same bytes were there before. */
  readonly existed: boolean;
}

/** Versions of objects that stand below others of the same name, or below a delete marker. */
export interface Shadowed {
  readonly versions: readonly { readonly path: string; readonly version: string }[];
  /** False: there are more than are looked at. */
  readonly isWhole: boolean;
}

export const NONE_SHADOWED: Shadowed = { versions: [], isWhole: true };

export interface WormStore {
  /** For messages. */
  readonly name: string;
  /** Whether what is put has an end of its retention. */
  readonly hasRetention: boolean;
  /** Something that operators should know of it; null: nothing. */
  readonly weakness: string | null;
  /** Undefined if there is none. @param version of a store with versions; null: the newest */
  read(path: string, version: string | null, maxBytes: number): Promise<StoredObject | undefined>;
  exists(path: string): Promise<boolean>;
  /** In a folder, of the objects whose path comes after another. A store that may not be asked says so as its weakness. */
  shadowed(folder: string, after: string): Promise<Shadowed>;
  /**
   * Writes an object that never changes, and looks at it afterwards: its bytes and how long it is kept are what the store
   * says then, not what it was asked for.
   *
   * @param retainUntilMs whole seconds
   * @throws WormError `store_conflict` if other bytes are there, `retention_broken` if the store does not keep its promise
   */
  put(path: string, bytes: Uint8Array, retainUntilMs: number): Promise<PutObject>;
}

export type WormErrorCode =
  /** Cannot be reached, or refuses. */
  | 'store_unusable'
  /** Other bytes stand where ours should. */
  | 'store_conflict'
  /** It took an object and does not keep it as it was asked to. */
  | 'retention_broken'
  /** What was shipped before is not there, or not what was shipped. */
  | 'store_lost'
  /** Holds the chain of another log. */
  | 'store_other_log'
  /** Holds more of this log than is here: this is an old copy. */
  | 'store_ahead'
  /** Its checkpoint contradicts the history here. */
  | 'store_contradicts'
  /** Another copy of this node goes on there. */
  | 'store_forked'
  /** Goes on from what this node has lost, and nobody has said that it was restored. */
  | 'store_restored'
  | 'nothing_signed'
  /** A row here does not give its leaf: it is not shipped, and nothing behind it. */
  | 'row_damaged';

/** Records that cannot be shipped; the message says what to do. */
export class WormError extends Error {
  override readonly name = 'WormError';
  readonly code: WormErrorCode;
  /** The checkpoint of this log that the store holds, where that is the matter. */
  readonly note: string | null;

  constructor(code: WormErrorCode, message: string, options: ErrorOptions & { readonly note?: string } = {}) {
    super(message, options);
    this.code = code;
    this.note = options.note ?? null;
  }
}

export function lost(store: WormStore, path: string, why: string): WormError {
  const message = `${store.name}/${path}: ${why}. Look at its versions and at who may delete; what this node still has can be shipped to a new, empty place`;
  return new WormError('store_lost', message);
}
