/** What the API tells and takes about copies of this node elsewhere. */

type Counts = Readonly<Record<'anchors' | 'receipts' | 'journal' | 'audit', number>>;

export interface WormStatus {
  readonly target: string;
  readonly manifests: number;
  readonly madeAt: string | null;
  readonly ends: Counts;
  readonly waiting: Counts;
  readonly lagSeconds: number;
  readonly weakness: string | null;
  readonly lastError: string | null;
}

export interface ScheduledSnapshots {
  readonly directory: string;
  readonly everyHours: number;
  readonly keep: number;
  /** Of the newest one that was restored and checked; null: there is none. */
  readonly verifiedAgeSeconds: number | null;
}

export interface ApiBackups {
  /** Null: nothing is shipped anywhere, or the node does not run. */
  worm(): Promise<WormStatus | null>;
  /** Null: none are made by themselves, or the node does not run. */
  snapshots(): ScheduledSnapshots | null;
  /**
   * Records that a snapshot was restored and checked.
   *
   * @param manifest signed note, as is `proof`
   * @returns sequence of the audit record; null: the two are not signed by this node's log key, or do not belong together
   */
  recordVerified(name: string, manifest: string, proof: string, actor: string): Promise<number | null>;
}
