/** What an export asks of a node, wherever its journal is read. */

import type { LogName } from '../journal/tables.ts';
import type { WormBatch } from '../journal/worm-records.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import type { WormEnds, WormStream } from '../wire/worm-manifest.ts';

/** A signed checkpoint, and what it covers. */
export interface WormHead {
  readonly size: number;
  readonly note: string;
}

export interface WormSource {
  /** Newest signed checkpoints; undefined if nothing was signed. */
  heads(): Promise<{ readonly journal: WormHead; readonly audit: WormHead } | undefined>;
  /** The last record of each stream. */
  ends(): Promise<WormEnds>;
  read(stream: WormStream, after: number, end: number): Promise<WormBatch>;
  writtenAt(stream: WormStream, seq: number): Promise<number | null>;
  /** Base64. */
  root(log: LogName, size: number): Promise<string>;
  /** The log key. Its name is the origin of the journal. */
  readonly signer: LogSigner;
  /** Raw public keys that have signed for this log, the newest among them. */
  readonly keys: readonly Uint8Array[];
}
