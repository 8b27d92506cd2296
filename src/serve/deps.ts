import type { PeerFile } from '../config/peer-file.ts';
import type { GardenMembers } from '../core/disclosure.ts';
import type { Disclosure } from '../journal/disclosure-records.ts';
import type { HeldPage, PagePlace } from '../journal/held-pages.ts';
import type { KeptNote } from '../journal/kept-notes.ts';
import type { CorruptFact, JournalHead } from '../journal/read-model.ts';
import type { FeedCursor } from '../wire/pull-request.ts';
import type { BuiltPage, PageRequest } from './build-page.ts';

/** What answering peers needs of the rest of the node. */
export interface ServeDeps {
  /** The peer behind a proven key; undefined once its file is gone. */
  readonly peerOf: (peerId: string) => PeerFile | undefined;
  readonly gardens: GardenMembers;
  /** Durable in the ledger of what was given when it resolves. */
  readonly disclose: (disclosure: Disclosure) => Promise<void>;
  /** The newest signed checkpoint. */
  readonly head: () => Promise<JournalHead>;
  /** The checkpoint that pages are proved against, for a puller that has verified `knownSize`. */
  readonly served: (knownSize: number) => Promise<ServedCheckpoint>;
  readonly reader: ServeReader;
  /** Key successions of a peer, signed notes, in the order in which they were taken. */
  readonly successions: (nodeId: string) => Promise<readonly string[]>;
  /** A peer has lost its log from this leaf index on, and asks for it. */
  readonly onLost: (nodeId: string, from: number) => Promise<void>;
  /** Our own journal gave a row that is not what was appended. */
  readonly onCorrupt: (corrupt: CorruptFact) => void;
  readonly nowMs: () => number;
}

export interface ServedCheckpoint {
  readonly size: number;
  /** Signed note with the cosignatures collected. */
  readonly note: string;
}

export interface ServeReader {
  page(request: PageRequest): Promise<BuiltPage | undefined>;
  inclusion(indexes: readonly number[], size: number): Promise<Uint8Array[][]>;
  consistency(from: number, to: number): Promise<Uint8Array[]>;
  tile(level: number, index: number, width: number): Promise<Uint8Array>;
  /** The largest checkpoint of a peer's log that was verified here. */
  heldCheckpoint(peer: string): Promise<string | null>;
  heldPage(peer: string, place: PagePlace): Promise<HeldPage | undefined>;
  /** Restore notes that the peer left here. */
  keptNotes(
    peer: string,
    cursors: readonly FeedCursor[],
    skip: number,
    limits: { readonly notes: number; readonly bytes: number },
  ): Promise<readonly KeptNote[]>;
}

/** The corrupt row behind an error that crossed a thread border; undefined for any other error. */
export function corruptOf(error: unknown): CorruptFact | undefined {
  if (!(error instanceof Error) || error.name !== 'CorruptRowError') return undefined;
  return 'detail' in error ? (error.detail as CorruptFact) : undefined;
}
