import type { AnchorCheckpoint, NewAnchorReceipt } from '../journal/anchor-records.ts';
import type { AnchorBackendName } from '../merkle/anchor-receipt.ts';

/** One transparency log. */
export interface AnchorBackend {
  readonly name: AnchorBackendName;
  /**
   * Has the log take a checkpoint. Taken already, by a process that died before it could record it: the same receipt again.
   *
   * @throws AnchorError
   */
  submit(checkpoint: AnchorCheckpoint, signal: AbortSignal): Promise<NewAnchorReceipt>;
}
