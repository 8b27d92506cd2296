import type { FourEyes } from './approvals.ts';
import type { ErasureSettings } from './erasures.ts';

/** How a journal is opened for writing. */
export interface JournalOptions {
  /** Seed of the log key, 32 bytes. */
  readonly logSeed: Uint8Array;
  /** Of the log keys before it that still sign. */
  readonly formerLogSeeds?: readonly Uint8Array[];
  readonly onMigration?: (version: number, last: number) => void;
  /** Told while cases are made of records that are there already. */
  readonly onCasesFilled?: (done: number, of: number) => void;
  /** Page cache, MiB. */
  readonly cacheMiB: number;
  /** Fills a buffer with random bytes; for fact ids. */
  readonly random: (bytes: Uint8Array) => Uint8Array;
  /** Absolute path of the file that keeps the last signed checkpoints; in the folder unless told otherwise. */
  readonly signedHeadsFile?: string;
  /** Opens a journal that is older than what was signed too, and signs and writes nothing until the guard is cleared. */
  readonly guarded?: boolean;
  readonly erasures?: ErasureSettings;
  /** Id of what is being done now, which audit records name; null: nothing that has one. */
  readonly traceId?: () => string | null;
  /** Actions that need two persons; none unless told otherwise. */
  readonly fourEyes?: FourEyes;
}
