/** What the API tells and takes about copies of this node elsewhere. */
import { onlyBefore, type WormRestore } from '../wire/worm-manifest.ts';

type Counts = Readonly<Record<'anchors' | 'receipts' | 'journal' | 'audit', number>>;

export interface WormStatus {
  readonly target: string;
  readonly manifests: number;
  readonly madeAt: string | null;
  readonly ends: Counts;
  /** The newest restore that the chain names; null: none, as far as it is known. */
  readonly restored: WormRestore | null;
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

const NAMES = { audit: 'audit record', anchors: 'anchor', receipts: 'receipt' } as const;

/** A restore as people read it: what is only in the part of the chain that was left. */
export function restoreSentence(restore: WormRestore): string {
  const { at, base, number } = restore;
  const lost = onlyBefore(restore).map(({ stream, first, last }) => span(NAMES[stream], first, last));
  const whence = base === 0 ? 'begins anew' : `goes on from manifest ${base}`;
  const only = lost.length === 0 ? 'nothing' : lost.join(', ');
  return `restored at ${at}: manifest ${number} ${whence}; only in ${span('manifest', base + 1, number - 1)}: ${only}`;
}

function span(name: string, first: number, last: number): string {
  return first === last ? `${name} ${first}` : `${name}s ${first} to ${last}`;
}
